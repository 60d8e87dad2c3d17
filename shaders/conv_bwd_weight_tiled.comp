// conv_bwd_weight, tiled family: partial sums of the gradient by the weights (see conv_bwd_weight.glsl; T = 1).
//   x, dy       quads
//   partial     quads, written (=)
//   dispatch    (tiles, folded into x and y by the host; splits × taps)
//
// For hardware.  A product of two tall matrices: for one tap, dy (pixels × output channels) and x moved by the tap
// (pixels × input channels).  GROUP_O × GROUP_I invocations compute 4·Q·GROUP_O × 4·Q·GROUP_I sums over their part of the
// pixels, walked in steps of PIXELS that go through shared memory: an invocation reads 2·Q quads per pixel for 16·Q²
// multiply-adds; with Q = 2 and WG = 64 a float from memory serves 32 of them, the tile is 64 × 64, and shared memory
// holds 16·PIXELS·(OQ + IQ + 2) bytes, 8.5 KiB.  Rows are one quad longer than they need be, so that lanes which store
// neighbouring pixels meet different banks.  The loads of a step are on their way while the one before is computed.
// Layers with few channels leave invocations over: SUB = WG / (GROUP_O · GROUP_I) of them take turns with the pixels of a
// step (at most PIXELS), and their sums are added at the end in order.  An invocation loads one pixel of each step, whose place is found
// once for all its blocks of channels.  Parallelism comes from the splits, which the host chooses so that a few thousand
// groups run.  No assumption on subgroups.
//
// Limit: arithmetic (32 multiply-adds a float); expected half of it, as the partial sums cost one more
// pass.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "quads.glsl"
#include "conv_bwd_weight.glsl"

layout (constant_id = 1) const int GROUP_O = 8;
layout (constant_id = 2) const int GROUP_I = 8;
#define PIXELS 16
#define LOADS (Q == 2 ? 8 : 5)  // PIXELS · (OQ + IQ) / WG at most: 32 blocks with Q = 2, 20 with Q = 1
const int OQ = Q * GROUP_O;
const int IQ = Q * GROUP_I;
const int SUB = int (WG) / (GROUP_O * GROUP_I);

QUADS (0, X, x);
QUADS (1, Dy, dy);
QUADS_OUT (2, Partial, partial);

shared vec4 shared_dy[PIXELS * (OQ + 1)];
shared vec4 shared_x[PIXELS * (IQ + 1)];
#if Q == 1
shared vec4 shared_sums[4 * WG];
#endif

int id, tap_row, tap_column, x_block, y_block;
vec4 next[LOADS];
vec4 acc[Q][4][Q];              // [quad of o][o][quad of i]

// Loads this lane's pixel of the step that begins at pixel base.
void
fetch (int base, int end)
{
  int pixel = base + id % PIXELS, line = pixel / p.columns, column = pixel - line * p.columns;
  int n = line / p.rows, row = line - n * p.rows;
  int xr = row * p.scale_y + tap_row, xc = column * p.scale_x + tap_column;
  bool in_part = pixel < end, in_map = in_part && uint (xr) < uint (p.x_h) && uint (xc) < uint (p.x_w);
  int y_at = n * p.y_n + row * p.y_y + column * p.y_x, x_at = n * p.x_n + xr * p.x_y + xc * p.x_x;

  [[unroll]] for (int j = 0; j < LOADS; j++) {
    int b = id / PIXELS + j * int (WG) / PIXELS;
    next[j] = vec4 (0);
    if (b < OQ) {
      if (in_part && y_block + b < p.y_c4)
        next[j] = dy[y_at + (y_block + b) * p.y_c];
    } else if (b < OQ + IQ) {
      if (in_map && x_block + b - OQ < p.x_c4)
        next[j] = x[x_at + (x_block + b - OQ) * p.x_c];
    }
  }
}

void
put ()
{
  int at = id % PIXELS;

  [[unroll]] for (int j = 0; j < LOADS; j++) {
    int b = id / PIXELS + j * int (WG) / PIXELS;
    if (b < OQ)
      shared_dy[at * (OQ + 1) + b] = next[j];
    else if (b < OQ + IQ)
      shared_x[at * (IQ + 1) + b - OQ] = next[j];
  }
}

void
main ()
{
  id = int (gl_LocalInvocationID.x);
  int sub = id / (GROUP_O * GROUP_I), own = id - sub * GROUP_O * GROUP_I, own_o = own / GROUP_I, own_i = own - own_o * GROUP_I;
  int tile = group_tile (), split = int (gl_WorkGroupID.z) / p.tap_groups;
  int tap = int (gl_WorkGroupID.z) - split * p.tap_groups;
  int out_tile = tile / p.in_tiles, in_tile = tile - out_tile * p.in_tiles;
  int tap_y = tap / p.taps_x, tap_x = tap - tap_y * p.taps_x;
  int n_pixels = p.images * p.rows * p.columns, part = (n_pixels + p.n_splits - 1) / p.n_splits;
  int first = split * part, end = min (first + part, n_pixels);

  if (tile >= p.tiles)
    return;
  tap_row = p.first_y + tap_y * p.step_y;
  tap_column = p.first_x + tap_x * p.step_x;
  x_block = first_block (out_tile * 4 * OQ) + in_tile * IQ;
  y_block = out_tile * OQ;
  [[unroll]] for (int a = 0; a < Q; a++)
    [[unroll]] for (int o = 0; o < 4; o++)
      [[unroll]] for (int b = 0; b < Q; b++)
        acc[a][o][b] = vec4 (0);
  fetch (first, end);
  for (int base = first; base < end; base += PIXELS) {
    put ();
    barrier ();
    fetch (base + PIXELS, end);
    [[unroll]] for (int i0 = 0; i0 < PIXELS; i0 += SUB) {
      int i = i0 + sub;
      vec4 v[Q];
      [[unroll]] for (int b = 0; b < Q; b++)
        v[b] = shared_x[i * (IQ + 1) + b * GROUP_I + own_i];
      [[unroll]] for (int a = 0; a < Q; a++) {
        vec4 d = shared_dy[i * (OQ + 1) + a * GROUP_O + own_o];
        [[unroll]] for (int o = 0; o < 4; o++)
          [[unroll]] for (int b = 0; b < Q; b++)
            acc[a][o][b] += d[o] * v[b];
      }
    }
    barrier ();
  }

#if Q == 1
  // The sums of all turns, by the invocations of the first.
  if (SUB > 1) {
    [[unroll]] for (int o = 0; o < 4; o++)
      shared_sums[o * int (WG) + id] = acc[0][o][0];
    barrier ();
    if (sub > 0)
      return;
    for (int s = 1; s < SUB; s++)
      [[unroll]] for (int o = 0; o < 4; o++)
        acc[0][o][0] += shared_sums[o * int (WG) + s * GROUP_O * GROUP_I + id];
  }
#endif
  int at = partial_place (split, tile, tap, 4 * OQ * IQ);
  [[unroll]] for (int a = 0; a < Q; a++)
    [[unroll]] for (int o = 0; o < 4; o++)
      [[unroll]] for (int b = 0; b < Q; b++)
        partial[at + (4 * (a * GROUP_O + own_o) + o) * IQ + b * GROUP_I + own_i] = acc[a][o][b];
}
