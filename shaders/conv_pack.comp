// conv_pack: weights in the order that the convolution shaders read them (see conv.glsl).
//   w           [O][I / groups][taps], plain
//   packed      [tiles][taps][n_blocks][tile] quads; with PLANES [blocks][taps] quads, whose four floats are
//               the weights of four channels of a depthwise convolution
//   dispatch    one invocation per quad, folded into x and y by the host
// Intensity 0: 16 bytes are gathered and written per quad, nothing is computed; expected at the memory limit on hardware for
// the forward order, at a quarter of it for the transposed one, whose reads are O taps apart.  Once per change of weights.
//
// "Result" and "source" are the channels on the two sides of the sum: output and input channels of the
// layer, the other way round (transposed) for the gradient by the input.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

#ifdef TEXEL
QUADS (0, W, w);
#define WEIGHT(i) texelFetch (w, (i) >> 2)[(i) & 3]
#else
layout (binding = 0, std430) readonly buffer W { float w[]; };
#define WEIGHT(i) w[i]
#endif
QUADS_OUT (1, Packed, packed);
layout (push_constant) uniform Push {
  int n;                        // quads to write
  int first_quad;               // of all: weights that are more than a driver binds come in parts
  int tile, taps, n_blocks;
  int results, sources, source_blocks;
  int group_results, group_sources;
  int transposed;
} p;

#ifndef PLANES
float
weight (int result, int source, int tap)
{
  int group = result / p.group_results, at = source - group * p.group_sources;

  if (result >= p.results || source >= p.sources || at < 0 || at >= p.group_sources)
    return 0.0;
  if (p.transposed != 0)
    return WEIGHT ((source * p.group_results + result - group * p.group_results) * p.taps + tap);
  return WEIGHT ((result * p.group_sources + at) * p.taps + tap);
}
#endif

void
main ()
{
  int at_quad = int (flat_index ()), i = p.first_quad + at_quad;

  if (at_quad >= p.n)
    return;
#ifdef PLANES
  int block = i / p.taps, at = 4 * block * p.taps + i - block * p.taps, left = p.results - 4 * block;
  packed[at_quad] = vec4 (WEIGHT (at), left > 1 ? WEIGHT (at + p.taps) : 0.0, left > 2 ? WEIGHT (at + 2 * p.taps) : 0.0,
                    left > 3 ? WEIGHT (at + 3 * p.taps) : 0.0);
#else
  int o = i % p.tile, rest = i / p.tile, k = rest % p.n_blocks;
  rest /= p.n_blocks;
  int tap = rest % p.taps, tile = rest / p.taps;
  int first = min (tile * p.tile / p.group_results * p.group_sources / 4, p.source_blocks - p.n_blocks);
  int result = tile * p.tile + o, source = 4 * (first + k);
  packed[at_quad] = vec4 (weight (result, source, tap), weight (result, source + 1, tap),
                    weight (result, source + 2, tap), weight (result, source + 3, tap));
#endif
}
