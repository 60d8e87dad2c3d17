// conv_bwd_weight, texel family: partial sums of the gradient by the weights (see conv_bwd_weight.glsl).
//   x, dy       quads
//   partial     quads, written (=)
//   dispatch    (tiles, folded into x and y by the host; splits × groups of T taps), one subgroup each: WG is the
//               subgroup size
//
// An invocation walks strips of 4 pixels of dy, WG strips apart, and keeps 4·OQ × 4·IQ sums for each of T taps.
// T = 3, OQ = 4, IQ = 1 (three taps side by side, unit steps): 16 fetches of dy and 6 of x for 768 multiply-adds.
// T = 1, OQ = 4, IQ = 2: 24 fetches for 512.  A fetch costs about as much as 20 multiply-adds, and the sums live
// in the cache: the four products of a strip follow each other so that a sum is read and written once for them.
// Half as many output channels run at 0.6 of the speed.  At the end the lanes' sums are added in the order of the
// lanes.  Fetches out of range must return 0 (conv_texel.comp).
//
// Limit: arithmetic without fused multiply-adds: 768 for 22 fetches of 16 bytes, 4.4 flops a byte from the
// cache. Expected: 0.6 of what conv_texel.comp reaches.  One subgroup a group: splits make 16 groups or
// more.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "quads.glsl"
#include "conv_bwd_weight.glsl"

QUADS (0, X, x);
QUADS (1, Dy, dy);
QUADS_OUT (2, Partial, partial);

#define STRIP 4
#define FETCHES (STRIP + T - 1)
const int FAR = -1073741824;

void
main ()
{
  int tile = group_tile (), split = int (gl_WorkGroupID.z) / p.tap_groups;
  int tap = int (gl_WorkGroupID.z) - split * p.tap_groups;
  int out_tile = tile / p.in_tiles, in_tile = tile - out_tile * p.in_tiles;
  int tap_y = T == 1 ? tap / p.taps_x : tap, tap_x = T == 1 ? tap - tap_y * p.taps_x : 0;
  int tap_row = p.first_y + tap_y * p.step_y, tap_column = p.first_x + tap_x * p.step_x;
  int x_base = (first_block (out_tile * 4 * OQ) + in_tile * IQ) * p.x_c, y_base = out_tile * OQ * p.y_c;
  int strips = (p.columns + STRIP - 1) / STRIP, n_strips = p.images * p.rows * strips;
  int part = (n_strips + p.n_splits - 1) / p.n_splits;
  int first = split * part, end = min (first + part, n_strips);
  float acc[T][4 * OQ][4 * IQ];

  if (tile >= p.tiles)
    return;
  [[unroll]] for (int t = 0; t < T; t++)
    [[unroll]] for (int o = 0; o < 4 * OQ; o++)
      [[unroll]] for (int i = 0; i < 4 * IQ; i++)
        acc[t][o][i] = 0.0;
  // All lanes stay in step: one past the end works on nothing but FAR.
  for (int base = first; base < end; base += int (WG)) {
    int strip = base + int (gl_SubgroupInvocationID);
    int line = int (quotient (uint (strip), uint (strips))), column = (strip - line * strips) * STRIP;
    int n = int (quotient (uint (line), uint (p.rows))), row = line - n * p.rows;
    int xr = row * p.scale_y + tap_row;
    bool inside = strip < end, in_map = inside && xr >= 0 && xr < p.x_h;
    int x_line = x_base + n * p.x_n + xr * p.x_y, y_line = y_base + n * p.y_n + row * p.y_y;
    vec4 d[STRIP][OQ], v[FETCHES][IQ];

    [[unroll]] for (int i = 0; i < STRIP; i++) {
      int at = inside && column + i < p.columns ? y_line + (column + i) * p.y_x : FAR;
      [[unroll]] for (int q = 0; q < OQ; q++)
        d[i][q] = texelFetch (dy, at + q * p.y_c);
    }
    [[unroll]] for (int i = 0; i < FETCHES; i++) {
      int xc = (column + i) * p.scale_x + tap_column;
      int at = in_map && xc >= 0 && xc < p.x_w ? x_line + xc * p.x_x : FAR;
      [[unroll]] for (int q = 0; q < IQ; q++)
        v[i][q] = texelFetch (x, at + q * p.x_c);
    }
    [[unroll]] for (int t = 0; t < T; t++)
      [[unroll]] for (int o = 0; o < 4 * OQ; o++)
        [[unroll]] for (int k = 0; k < 4 * IQ; k++)
          [[unroll]] for (int i = 0; i < STRIP; i++)
            acc[t][o][k] += d[i][o >> 2][o & 3] * v[i + t][k >> 2][k & 3];
  }

  int at = partial_place (split, tile, tap, T * 4 * OQ * IQ);
  [[unroll]] for (int t = 0; t < T; t++)
    [[unroll]] for (int o = 0; o < 4 * OQ; o++)
      [[unroll]] for (int q = 0; q < IQ; q++) {
        vec4 own = vec4 (acc[t][o][4 * q], acc[t][o][4 * q + 1], acc[t][o][4 * q + 2], acc[t][o][4 * q + 3]);
        vec4 sum = vec4 (0);
        [[unroll]] for (int lane = 0; lane < int (WG); lane++)
          sum += subgroupShuffle (own, lane);
        if (gl_SubgroupInvocationID == 0)
          partial[at + (t * 4 * OQ + o) * IQ + q] = sum;
      }
}
