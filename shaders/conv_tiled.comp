// conv, tiled family: convolution, its gradient by the input, and matrix products (see conv.glsl).
//   x, r, y     quads; r (the residual) may be absent: bind anything and leave HAS_R false
//   w           packed weights; b  bias, [y_channels], quads
//   dispatch    (groups of PIXELS pixels, tiles of TILE result channels, splits of the sum)
//
// For hardware.  A group of WG = GROUP_O × GROUP_P invocations computes TILE = 4·Q·GROUP_O channels of PIXELS =
// R·GROUP_P pixels: an invocation holds Q quads of channels of R pixels.  Taps and blocks of channels are one long
// sum that is walked in steps of K blocks: the group brings K·TILE quads of weights and K·PIXELS quads of x into
// shared memory, then every invocation reads 4·Q + R quads per block for 16·Q·R multiply-adds.  Two halves of shared
// memory take turns, and what the next step needs is loaded into registers while this one is computed: one barrier a
// step, and the latency of memory lies behind the arithmetic.
//
//   Q R GROUP_O (of 256)   tile × pixels   multiply-adds per float from memory, per quad from shared memory
//   1 4 4                     16 × 256       15    16
//   1 4 8                     32 × 128       26    16
//   1 4 16                    64 × 64        32    16
//   1 8 8                     32 × 256       28    21
//   1 8 16                    64 × 128       43    21
//   2 8 16                   128 × 128       64    32
//
// Registers: 4·Q·R sums, 4·(R + 4) operands and 4·K·(TILE + PIXELS) / WG floats on the way: from 80 to 160; shared
// memory 32·K·(TILE + PIXELS) bytes, 16 to 36 KiB at K = 4.  Lanes of a subgroup have neighbouring pixels: loads of
// x, reads of shared memory and stores are contiguous, weights are broadcast.
//
// R ≤ GROUP_O, so that PIXELS divides WG and an invocation always loads the same pixel.  No assumption on subgroups.
//
// Limit: arithmetic, by the counts above against the 10 to 25 flops a float that graphics cards balance at. Expected
// share of the limit: half to two thirds where the map fills the card (256 groups or more), less on the last, small
// maps of a network.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "quads.glsl"
#include "conv.glsl"

layout (constant_id = 1) const bool HAS_B = false;
layout (constant_id = 2) const bool HAS_R = false;
layout (constant_id = 3) const bool WHOLE = false;
layout (constant_id = 4) const bool SPLIT = false;
layout (constant_id = 5) const int K = 4;               // at most MOST_K
#define MOST_K 4
const int GROUP_P = int (WG) / GROUP_O;
const int TILE = 4 * Q * GROUP_O;
const int PIXELS = R * GROUP_P;
#define LOADS_X ((MOST_K * R + GROUP_O - 1) / GROUP_O)
#define LOADS_W ((MOST_K * Q * GROUP_O + 31) / 32)      // for groups of 128; half are left out of groups of 256

QUADS (0, X, x);
QUADS (1, W, w);
QUADS (2, B, b);
QUADS (3, Residual, r);
QUADS_OUT (4, Y, y);

shared vec4 shared_w[2 * K * TILE];
shared vec4 shared_x[2 * K * PIXELS];

#include "conv_walk.glsl"

vec4 acc[Q][R];

void
put (int half_)
{
  [[unroll]] for (int j = 0; j < LOADS_X; j++)
    if (id + j * int (WG) < K * PIXELS)
      shared_x[half_ * K * PIXELS + id + j * int (WG)] = next_x[j];
  [[unroll]] for (int j = 0; j < LOADS_W; j++)
    if (id + j * int (WG) < K * TILE)
      shared_w[half_ * K * TILE + id + j * int (WG)] = next_w[j];
}

// sum + dot (a, b) in four instructions; with dot() it is five.
float
plus_dot (float sum, vec4 a, vec4 b)
{
  return fma (a.w, b.w, fma (a.z, b.z, fma (a.y, b.y, fma (a.x, b.x, sum))));
}

void
compute (int half_, int own_o, int own_p)
{
  [[unroll]] for (int k = 0; k < K; k++) {
    vec4 v[R];
    [[unroll]] for (int i = 0; i < R; i++)
      v[i] = shared_x[(half_ * K + k) * PIXELS + i * GROUP_P + own_p];
    [[unroll]] for (int q = 0; q < Q; q++) {
      int at = (half_ * K + k) * TILE + 4 * (q * GROUP_O + own_o);
      vec4 w0 = shared_w[at], w1 = shared_w[at + 1], w2 = shared_w[at + 2], w3 = shared_w[at + 3];
      [[unroll]] for (int i = 0; i < R; i++)
        acc[q][i] = vec4 (plus_dot (acc[q][i].x, w0, v[i]), plus_dot (acc[q][i].y, w1, v[i]), plus_dot (acc[q][i].z, w2, v[i]),
                          plus_dot (acc[q][i].w, w3, v[i]));
    }
  }
}

void
store (int first_pixel, int n_pixels, int own_o, int own_p)
{
  [[unroll]] for (int i = 0; i < R; i++) {
    int pixel = first_pixel + i * GROUP_P + own_p;
    ivec3 place = locate (pixel);
    [[unroll]] for (int q = 0; q < Q; q++)
      put_result (pixel, n_pixels, place, (int (gl_WorkGroupID.y) * Q + q) * GROUP_O + own_o, acc[q][i]);
  }
}

void
main ()
{
  id = int (gl_LocalInvocationID.x);
  int own_o = id / GROUP_P, own_p = id - own_o * GROUP_P;
  int first_pixel = int (gl_WorkGroupID.x) * PIXELS, n_pixels = p.images * p.rows * p.columns;
  ivec2 part = begin (first_pixel, n_pixels);
  [[unroll]] for (int q = 0; q < Q; q++)
    [[unroll]] for (int i = 0; i < R; i++)
      acc[q][i] = vec4 (0);
  for (int step_ = part.x; step_ < part.y; step_++) {
    int half_ = step_ & 1;
    put (half_);
    barrier ();
    if (step_ + 1 < part.y)
      fetch (step_ + 1);
    compute (half_, own_o, own_p);
  }
  store (first_pixel, n_pixels, own_o, own_p);
}
