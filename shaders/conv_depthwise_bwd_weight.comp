// conv_depthwise_bwd_weight: partial sums of the gradient by one filter per channel.
//   x, dy       quads
//   partial     [split][block][tap] quads, written (=); conv_bwd_weight_sum.comp with PLANES adds them
//   dispatch    (groups of WG splits, groups of T × T taps, blocks)
//
// An invocation walks strips of 4 pixels of dy, n_splits strips apart, and keeps T × T sums of quads: with T = 3 (a
// filter of 3 × 3 with unit steps) 4 quads of dy and 18 of x serve 36 products.  T = 1 is every other shape.
// Geometry as in conv_bwd_weight.glsl.  In the texel family fetches out of range must return 0.
//
// Limit: memory: 36 products of quads for 22 quads read, 3 flops a byte. Expected: half of the memory limit
// on hardware; the splits make a few thousand groups.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "quads.glsl"
#include "conv_bwd_weight.glsl"

QUADS (0, X, x);
QUADS (1, Dy, dy);
QUADS_OUT (2, Partial, partial);

#define STRIP 4
#define FETCHES (STRIP + T - 1)
const int FAR = -1073741824;

#ifdef TEXEL
#define FETCH(name, at) texelFetch (name, at)
#else
#define FETCH(name, at) ((at) >= 0 ? name[at] : vec4 (0))
#endif

void
main ()
{
  int split = int (gl_GlobalInvocationID.x), tap = int (gl_WorkGroupID.y), block = int (gl_WorkGroupID.z);
  int tap_y = T == 1 ? tap / p.taps_x : 0, tap_x = T == 1 ? tap - tap_y * p.taps_x : 0;
  int tap_row = p.first_y + tap_y * p.step_y, tap_column = p.first_x + tap_x * p.step_x;
  int strips = (p.columns + STRIP - 1) / STRIP, n_strips = p.images * p.rows * strips;
  vec4 acc[T][T];

  if (split >= p.n_splits)
    return;
  [[unroll]] for (int u = 0; u < T; u++)
    [[unroll]] for (int t = 0; t < T; t++)
      acc[u][t] = vec4 (0);
  // Every lane takes as many steps as the first: one past the end works on nothing but FAR.
  for (int base = 0; base < n_strips; base += p.n_splits) {
    int strip = base + split;
    int line = int (quotient (uint (strip), uint (strips))), column = (strip - line * strips) * STRIP;
    int n = int (quotient (uint (line), uint (p.rows))), row = line - n * p.rows;
    bool inside = strip < n_strips;
    int y_line = n * p.y_n + block * p.y_c + row * p.y_y, x_plane = n * p.x_n + block * p.x_c;
    vec4 d[STRIP];

    [[unroll]] for (int i = 0; i < STRIP; i++) {
      int at = inside && column + i < p.columns ? y_line + (column + i) * p.y_x : FAR;
      d[i] = FETCH (dy, at);
    }
    [[unroll]] for (int u = 0; u < T; u++) {
      int xr = row * p.scale_y + tap_row + u * p.step_y;
      bool in_map = inside && xr >= 0 && xr < p.x_h;
      vec4 v[FETCHES];
      [[unroll]] for (int i = 0; i < FETCHES; i++) {
        int xc = (column + i) * p.scale_x + tap_column;
        int at = in_map && xc >= 0 && xc < p.x_w ? x_plane + xr * p.x_y + xc * p.x_x : FAR;
        v[i] = FETCH (x, at);
      }
      [[unroll]] for (int t = 0; t < T; t++)
        [[unroll]] for (int i = 0; i < STRIP; i++)
          acc[u][t] += d[i] * v[i + t];
    }
  }
  int at = partial_place (split, block, tap, T * T);
  [[unroll]] for (int u = 0; u < T; u++)
    [[unroll]] for (int t = 0; t < T; t++)
      partial[at + u * T + t] = acc[u][t];
}
