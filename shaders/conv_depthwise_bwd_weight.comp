// conv_depthwise_bwd_weight: partial sums of the gradient by one filter per channel.
//   x, dy       quads
//   partial     [split][block][tap] quads, written (=); conv_bwd_weight_sum.comp with PLANES adds them
//   dispatch    (groups of WG splits, groups of T × T taps, blocks)
//
// An invocation walks patches of 4 × ROWS pixels of dy, n_splits patches apart, and keeps T × T sums of quads: with T = 3
// (a filter of 3 × 3 with unit steps) and ROWS = 2, 8 quads of dy and 24 of x serve 72 products.  T = 1 is every other
// shape.
// Geometry as in conv_bwd_weight.glsl.  In the texel family fetches out of range must return 0.
//
// Limit: memory: 72 products of quads for 32 quads fetched, 4.5 flops a byte. Occupancy: 9 sums and 8 + 6 operands of 4
// floats, some 100 registers; the splits make a few thousand groups. Expected: half of the memory limit on hardware.  On
// software drivers the fetches bound it, as in conv_depthwise_patch.comp.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "quads.glsl"
#include "conv_bwd_weight.glsl"

QUADS (0, X, x);
QUADS (1, Dy, dy);
QUADS_OUT (2, Partial, partial);

#define STRIP 4
#define ROWS (T == 1 ? 1 : 2)
#define FETCHES (STRIP + T - 1)
const int FAR = -1073741824;

#ifdef TEXEL
#define FETCH(name, at) texelFetch (name, at)
#else
#define FETCH(name, at) ((at) >= 0 ? name[at] : vec4 (0))
#endif

// Adds T × T sums of a patch of dy whose first pixel is (row, column) of image n.
void
add_patch (inout vec4 acc[T][T], int n, int row, int column, int block, int tap_row, int tap_column, bool inside)
{
  int y_plane = n * p.y_n + block * p.y_c, x_plane = inside ? n * p.x_n + block * p.x_c : FAR;
  int x_h = p.x_h, x_w = p.x_w, x_x = p.x_x, rows = inside ? p.rows : 0, columns = p.columns, y_x = p.y_x;
  vec4 d[ROWS][STRIP];

  [[unroll]] for (int q = 0; q < ROWS; q++) {
    int y_line = row + q < rows ? y_plane + (row + q) * p.y_y : FAR;
    [[unroll]] for (int i = 0; i < STRIP; i++)
      d[q][i] = FETCH (dy, y_line + (column + i < columns ? (column + i) * y_x : FAR));
  }
  // A negative number is a large unsigned one: one comparison and no branch.
  [[unroll]] for (int l = 0; l < ROWS + T - 1; l++) {
    int xr = row * p.scale_y + tap_row + l * (T == 1 ? p.scale_y : p.step_y);
    int x_line = x_plane + (uint (xr) < uint (x_h) ? xr * p.x_y : FAR);
    vec4 v[FETCHES];
    [[unroll]] for (int i = 0; i < FETCHES; i++) {
      int xc = (column + i) * p.scale_x + tap_column;
      v[i] = FETCH (x, uint (xc) < uint (x_w) ? x_line + xc * x_x : FAR);
    }
    [[unroll]] for (int q = 0; q < ROWS; q++)
      if (l - q >= 0 && l - q < T)
        [[unroll]] for (int t = 0; t < T; t++)
          [[unroll]] for (int i = 0; i < STRIP; i++)
            acc[l - q][t] += d[q][i] * v[i + t];
  }
}

void
main ()
{
  int split = int (gl_GlobalInvocationID.x), tap = int (gl_WorkGroupID.y), block = int (gl_WorkGroupID.z);
  int tap_y = T == 1 ? tap / p.taps_x : 0, tap_x = T == 1 ? tap - tap_y * p.taps_x : 0;
  int tap_row = p.first_y + tap_y * p.step_y, tap_column = p.first_x + tap_x * p.step_x;
  int strips = (p.columns + STRIP - 1) / STRIP, bands = (p.rows + ROWS - 1) / ROWS, n_patches = p.images * bands * strips;
  vec4 acc[T][T];

  if (split >= p.n_splits)
    return;
  [[unroll]] for (int u = 0; u < T; u++)
    [[unroll]] for (int t = 0; t < T; t++)
      acc[u][t] = vec4 (0);
  // Every lane takes as many steps as the first: one past the end works on nothing but FAR.
  for (int base = 0; base < n_patches; base += p.n_splits) {
    int at = base + split;
    int line = int (quotient (uint (at), uint (strips))), column = (at - line * strips) * STRIP;
    int n = int (quotient (uint (line), uint (bands))), row = (line - n * bands) * ROWS;
    add_patch (acc, n, row, column, block, tap_row, tap_column, at < n_patches);
  }
  int at = partial_place (split, block, tap, T * T);
  [[unroll]] for (int u = 0; u < T; u++)
    [[unroll]] for (int t = 0; t < T; t++)
      partial[at + u * T + t] = acc[u][t];
}
