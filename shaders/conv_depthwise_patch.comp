// conv_depthwise_patch, texel family: 3 × 3 filters, one per channel, undilated, whose taps are SCALE-strided pixels of the
// source, and their gradient by the input at stride 1 (geometry of conv.glsl).
//   x, r, y     quads; r (the residual) may be absent: bind anything and leave HAS_R false
//   w           [blocks][taps] quads (conv_pack.comp with PLANES); b  bias, [y_channels], quads
//   dispatch    (blocks of channels, groups of WG patches)
//
// Like conv_depthwise.comp, with two things that count on drivers that run on the CPU.  An invocation computes a patch of
// STRIP × ROWS pixels: each row of the source is fetched once and serves up to three rows of the result from registers,
// 36 fetches for 14 quads of the result at 7 × 2 and stride 1, where a strip of 4 takes 18 for 4.  And there is no loop:
// inside of one, that driver keeps a mask of lanes and its variables in memory, which costs more than the products.
// One fetch brings taps 0 to 7, lane l the l-th; a second one the last.  Sums run over the taps row by row, as in
// conv_depthwise.comp: the bits are the same for every shape of the patch.
//
// Needs subgroups of 8 or more with shuffles, and texel fetches out of range that return 0: pixels outside the map are
// fetched from FAR; FAR + FAR is negative still.
//
// Limit: on hardware it would be memory, 2 flops a byte; here the fetches, some forty instructions for 8 lanes each, beside
// 9 multiply-adds a quad.  Occupancy: a group is one task of the driver, 64 patches of it are 250 kflop.  Expected: a tenth
// of what the arithmetic of the processor allows; 3 to 5 times as fast as the loop of conv_depthwise.comp.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "quads.glsl"
#include "conv.glsl"

layout (constant_id = 1) const bool HAS_B = false;
layout (constant_id = 2) const bool HAS_R = false;

QUADS (0, X, x);
QUADS (1, W, w);
QUADS (2, B, b);
QUADS (3, Residual, r);
QUADS_OUT (4, Y, y);

#define COLUMNS (SCALE * (STRIP - 1) + 3)       // of the source, that a patch meets
#define LINES (SCALE * (ROWS - 1) + 3)
const int FAR = -1073741824;

vec4 acc[ROWS][STRIP], taps[9];

void
fetch_taps (int block)
{
  int at = p.w_first + block * p.w_tile, lane = int (gl_SubgroupInvocationID & 7u), ty = lane / 3;
  vec4 own = texelFetch (w, at + ty * p.w_y + (lane - 3 * ty) * p.w_x);

  [[unroll]] for (int t = 0; t < 8; t++)
    taps[t] = subgroupShuffle (own, t);
  taps[8] = texelFetch (w, at + 2 * (p.w_y + p.w_x));
}

// Adds line @l of the source to the rows of the patch that it meets.
void
add_line (int l, int at[COLUMNS], int base)
{
  vec4 v[COLUMNS];

  [[unroll]] for (int i = 0; i < COLUMNS; i++)
    v[i] = texelFetch (x, at[i] + base);
  [[unroll]] for (int q = 0; q < ROWS; q++) {
    int ty = l - SCALE * q;
    if (ty >= 0 && ty < 3)
      [[unroll]] for (int i = 0; i < STRIP; i++)
        [[unroll]] for (int tx = 0; tx < 3; tx++)
          acc[q][i] += taps[3 * ty + tx] * v[SCALE * i + tx];
  }
}

void
store (int n, int block, int row, int column)
{
  vec4 bias = HAS_B ? LOAD (b, block) : vec4 (0);

  [[unroll]] for (int q = 0; q < ROWS; q++)
    if (row + q < p.rows)
      [[unroll]] for (int i = 0; i < STRIP; i++)
        if (column + i < p.columns) {
          int at = p.y_first + n * p.y_n + block * p.y_c + (row + q) * p.y_y + (column + i) * p.y_x;
          vec4 v = acc[q][i] + bias;
          if (HAS_R)
            v += LOAD (r, at);
          y[at] = p.ceiling >= 0.0 ? min (max (v, vec4 (0)), vec4 (p.ceiling)) : v;
        }
}

void
main ()
{
  int block = int (gl_WorkGroupID.x);
  int strips = (p.columns + STRIP - 1) / STRIP, bands = (p.rows + ROWS - 1) / ROWS, n_patches = p.images * bands * strips;
  int index = int (gl_WorkGroupID.y * WG + gl_LocalInvocationID.x), item_ = min (index, n_patches - 1);
  int line = int (quotient (uint (item_), uint (strips))), column = (item_ - line * strips) * STRIP;
  int n = int (quotient (uint (line), uint (bands))), row = (line - n * bands) * ROWS;
  int x_w = p.x_w, x_h = p.x_h, x_x = p.x_x, x_y = p.x_y, x_plane = n * p.x_n + block * p.x_c;
  int at[COLUMNS];

  fetch_taps (block);
  [[unroll]] for (int q = 0; q < ROWS; q++)
    [[unroll]] for (int i = 0; i < STRIP; i++)
      acc[q][i] = vec4 (0);
  // A negative number is a large unsigned one: one comparison and no branch.
  [[unroll]] for (int i = 0; i < COLUMNS; i++) {
    int xc = column * SCALE + p.first_x + i;
    at[i] = uint (xc) < uint (x_w) ? x_plane + xc * x_x : FAR;
  }
  [[unroll]] for (int l = 0; l < LINES; l++) {
    int xr = row * SCALE + p.first_y + l;
    add_line (l, at, uint (xr) < uint (x_h) ? xr * x_y : FAR);
  }
  if (index < n_patches)
    store (n, block, row, column);
}
