// conv_depthwise: one filter per channel, and its gradient by the input (geometry of conv.glsl).
//   x, r, y     quads; r (the residual) may be absent: bind anything and leave HAS_R false
//   w           [blocks][taps] quads (conv_pack.comp with PLANES); b  bias, [y_channels], quads
//   dispatch    (blocks of channels, groups of WG strips)
//
// An invocation computes a strip of 4 pixels of one row for one block of channels.  There is no reuse between
// channels, so what counts is to fetch little: with ROW = 3 (three taps side by side, unit steps) 6 quads of x
// serve 12 products of quads.  Neighbouring invocations have neighbouring strips: on hardware the reads of a
// subgroup cover whole cache lines, and the filter is the same for the group.  In the texel family, which needs
// subgroups of 8 or more and fetches out of range that return 0, one fetch brings the filter's row.
//
// Limit: memory: 9 multiply-adds for 8 bytes per channel and pixel, 2 flops a byte, below every balance.
// Occupancy is not bound by registers (some 40 of them): the strips in flight hide the latency. Expected:
// three quarters of the memory limit on hardware; on software drivers the fetches and the loop bound it, at about twice
// the speed of a plain one; filters of 3 × 3 are conv_depthwise_patch.comp's there.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#ifdef TEXEL
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#endif
#include "quads.glsl"
#include "conv.glsl"

layout (constant_id = 1) const bool HAS_B = false;
layout (constant_id = 2) const bool HAS_R = false;

QUADS (0, X, x);
QUADS (1, W, w);
QUADS (2, B, b);
QUADS (3, Residual, r);
QUADS_OUT (4, Y, y);

#define STRIP 4
#define FETCHES (STRIP + ROW - 1)
const int FAR = -1073741824;

vec4
source (int at)
{
#ifdef TEXEL
  return texelFetch (x, at);
#else
  return at >= 0 ? x[at] : vec4 (0);
#endif
}

void
main ()
{
  int block = int (gl_WorkGroupID.x);
  int strips = (p.columns + STRIP - 1) / STRIP, n_strips = p.images * p.rows * strips;
  int index = int (gl_WorkGroupID.y * WG + gl_LocalInvocationID.x), strip = min (index, n_strips - 1);
  int line = int (quotient (uint (strip), uint (strips))), column = (strip - line * strips) * STRIP;
  int n = int (quotient (uint (line), uint (p.rows))), row = line - n * p.rows;
  int x_h = p.x_h, x_w = p.x_w, x_x = p.x_x;
  vec4 acc[STRIP];

  [[unroll]] for (int i = 0; i < STRIP; i++)
    acc[i] = vec4 (0);
  for (int ty = 0; ty < p.taps_y; ty++) {
    int xr = row * p.scale_y + p.first_y + ty * p.step_y;
    // A negative number is a large unsigned one: one comparison and no branch.
    int base = uint (xr) < uint (x_h) ? n * p.x_n + block * p.x_c + xr * p.x_y : FAR;
    for (int tx = 0; tx < p.taps_x; tx += ROW) {
      int w_at = p.w_first + block * p.w_tile + ty * p.w_y + tx * p.w_x;
      vec4 v[FETCHES];
      [[unroll]] for (int i = 0; i < FETCHES; i++) {
        int xc = (column + i) * p.scale_x + p.first_x + tx * p.step_x;
        v[i] = source (base + (uint (xc) < uint (x_w) ? xc * x_x : FAR));
      }
#ifdef TEXEL
      vec4 filter_row = texelFetch (w, w_at + min (int (gl_SubgroupInvocationID), ROW - 1) * p.w_x);
#endif
      [[unroll]] for (int t = 0; t < ROW; t++) {
#ifdef TEXEL
        vec4 tap = subgroupShuffle (filter_row, t);
#else
        vec4 tap = w[w_at + t * p.w_x];
#endif
        [[unroll]] for (int i = 0; i < STRIP; i++)
          acc[i] += tap * v[i + t];
      }
    }
  }
  if (index >= n_strips)
    return;
  int base = p.y_first + n * p.y_n + block * p.y_c + row * p.y_y;
  vec4 bias = HAS_B ? LOAD (b, block) : vec4 (0);
  [[unroll]] for (int i = 0; i < STRIP; i++)
    if (column + i < p.columns) {
      int at = base + (column + i) * p.y_x;
      vec4 v = acc[i] + bias;
      if (HAS_R)
        v += LOAD (r, at);
      y[at] = p.ceiling >= 0.0 ? min (max (v, vec4 (0)), vec4 (p.ceiling)) : v;
    }
}
