// conv_bwd_weight, tiled family: partial sums of the gradient by the weights (see conv_bwd_weight.glsl; T = 1).
//   x, dy       quads
//   partial     quads, written (=)
//   dispatch    (tiles, folded into x and y by the host; splits × taps)
//
// For hardware.  A product of two tall matrices: for one tap, dy (pixels × output channels) and x moved by the tap
// (pixels × input channels).  A group of WG = GROUP_O × GROUP_I invocations computes 4·Q·GROUP_O × 4·Q·GROUP_I sums
// over its part of the pixels, walked in steps of PIXELS that go through shared memory: an invocation reads 2·Q
// quads per pixel for 16·Q² multiply-adds; with Q = 2 and WG = 64 a float from memory serves 32 of them, the tile
// is 64 × 64, and shared memory holds 16·PIXELS·Q·(GROUP_O + GROUP_I) bytes, 8 KiB at 16 pixels.  Parallelism
// comes from the splits, which the host chooses so that a few thousand groups run.  No assumption on subgroups.
//
// Limit: arithmetic (32 multiply-adds a float); expected half of it, as the partial sums cost one more
// pass.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "quads.glsl"
#include "conv_bwd_weight.glsl"

layout (constant_id = 1) const int GROUP_O = 8;
layout (constant_id = 2) const int Q = 1;
layout (constant_id = 3) const int PIXELS = 16;
const int GROUP_I = int (WG) / GROUP_O;
const int OQ = Q * GROUP_O;
const int IQ = Q * GROUP_I;

QUADS (0, X, x);
QUADS (1, Dy, dy);
QUADS_OUT (2, Partial, partial);

shared vec4 shared_dy[PIXELS * OQ];
shared vec4 shared_x[PIXELS * IQ];

void
main ()
{
  int id = int (gl_LocalInvocationID.x), own_o = id / GROUP_I, own_i = id - own_o * GROUP_I;
  int tile = group_tile (), split = int (gl_WorkGroupID.z) / p.tap_groups;
  int tap = int (gl_WorkGroupID.z) - split * p.tap_groups;
  int out_tile = tile / p.in_tiles, in_tile = tile - out_tile * p.in_tiles;
  int tap_y = tap / p.taps_x, tap_x = tap - tap_y * p.taps_x;
  int tap_row = p.first_y + tap_y * p.step_y, tap_column = p.first_x + tap_x * p.step_x;
  int x_block = first_block (out_tile * 4 * OQ) + in_tile * IQ, y_block = out_tile * OQ;
  int n_pixels = p.images * p.rows * p.columns, part = (n_pixels + p.n_splits - 1) / p.n_splits;
  int first = split * part, end = min (first + part, n_pixels);
  vec4 acc[Q][4][Q];            // [quad of o][o][quad of i]

  if (tile >= p.tiles)
    return;
  for (int a = 0; a < Q; a++)
    for (int o = 0; o < 4; o++)
      for (int b = 0; b < Q; b++)
        acc[a][o][b] = vec4 (0);
  for (int base = first; base < end; base += PIXELS) {
    // Lanes load neighbouring pixels of one block of channels.
    for (int e = id; e < PIXELS * (OQ + IQ); e += int (WG)) {
      int at = e % PIXELS, block = e / PIXELS, pixel = base + at;
      int line = pixel / p.columns, column = pixel - line * p.columns, n = line / p.rows, row = line - n * p.rows;
      if (block < OQ) {
        shared_dy[at * OQ + block] = pixel < end && y_block + block < p.y_c4
          ? dy[n * p.y_n + (y_block + block) * p.y_c + row * p.y_y + column * p.y_x] : vec4 (0);
      } else {
        block -= OQ;
        int xr = row * p.scale_y + tap_row, xc = column * p.scale_x + tap_column;
        bool inside = pixel < end && xr >= 0 && xr < p.x_h && xc >= 0 && xc < p.x_w && x_block + block < p.x_c4;
        shared_x[at * IQ + block] = inside
          ? x[n * p.x_n + (x_block + block) * p.x_c + xr * p.x_y + xc * p.x_x] : vec4 (0);
      }
    }
    barrier ();
    for (int i = 0; i < PIXELS; i++) {
      vec4 v[Q];
      for (int b = 0; b < Q; b++)
        v[b] = shared_x[i * IQ + b * GROUP_I + own_i];
      for (int a = 0; a < Q; a++) {
        vec4 d = shared_dy[i * OQ + a * GROUP_O + own_o];
        for (int o = 0; o < 4; o++)
          for (int b = 0; b < Q; b++)
            acc[a][o][b] += d[o] * v[b];
      }
    }
    barrier ();
  }

  int at = partial_place (split, tile, tap, 4 * OQ * IQ);
  for (int a = 0; a < Q; a++)
    for (int o = 0; o < 4; o++)
      for (int b = 0; b < Q; b++)
        partial[at + (4 * (a * GROUP_O + own_o) + o) * IQ + b * GROUP_I + own_i] = acc[a][o][b];
}
