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
// x, reads of shared memory and stores are contiguous, weights are broadcast.  Where a step never crosses from one
// tap to the next (WHOLE: n_blocks is a multiple of K) the tap is the same for the group and moving on is an addition.
//
// SPLIT: groups of z sum one part of the long sum each, and write it to partial sums instead of y, which
// conv_split_sum.comp adds; for maps with few pixels.
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

int id, length, block;
int tap_x, tap_y, at_block;     // WHOLE: where the next step begins
int plane, row, column, x_at, w_at;
bool inside;
vec4 next_w[LOADS_W], next_x[LOADS_X];
vec4 acc[Q][R];

// Image, row and column of a pixel of the dispatch.
ivec3
locate (int pixel)
{
  int line = pixel / p.columns, n = line / p.rows;
  return ivec3 (n, line - n * p.rows, pixel - line * p.columns);
}

// Where the pixel that this lane loads and the weights are for a tap.
void
move_to (int ty, int tx)
{
  w_at = p.w_first + int (gl_WorkGroupID.y) * p.w_tile + ty * p.w_y + tx * p.w_x;
  int source_row = row + ty * p.step_y, source_column = column + tx * p.step_x;
  // A negative number is a large unsigned one: one comparison.
  inside = uint (source_row) < uint (p.x_h) && uint (source_column) < uint (p.x_w);
  x_at = plane + source_row * p.x_y + source_column * p.x_x;
}

// Loads the step at the present place of the walk and moves on.
void
fetch_whole ()
{
  [[unroll]] for (int j = 0; j < LOADS_X; j++) {
    int e = id + j * int (WG);
    if (e < K * PIXELS)
      next_x[j] = inside ? x[x_at + (at_block + e / PIXELS) * p.x_c] : vec4 (0);
  }
  [[unroll]] for (int j = 0; j < LOADS_W; j++)
    if (id + j * int (WG) < K * TILE)
      next_w[j] = w[w_at + at_block * TILE + id + j * int (WG)];
  at_block += K;
  if (at_block == p.n_blocks) {
    at_block = 0;
    tap_x++;
    if (tap_x == p.taps_x) {
      tap_x = 0;
      tap_y++;
    }
    move_to (tap_y, tap_x);
  }
}

// Loads the step that begins at block k0 of the long sum.
void
fetch_any (int k0)
{
  [[unroll]] for (int j = 0; j < LOADS_X; j++) {
    int e = id + j * int (WG), k = k0 + e / PIXELS;
    int tap = k / p.n_blocks, ty = tap / p.taps_x;
    if (e < K * PIXELS) {
      move_to (ty, tap - ty * p.taps_x);
      next_x[j] = k < length && inside ? x[x_at + (k - tap * p.n_blocks) * p.x_c] : vec4 (0);
    }
  }
  [[unroll]] for (int j = 0; j < LOADS_W; j++) {
    int e = id + j * int (WG), k = k0 + e / TILE;
    int tap = k / p.n_blocks, ty = tap / p.taps_x;
    if (e < K * TILE) {
      move_to (ty, tap - ty * p.taps_x);
      next_w[j] = k < length ? w[w_at + (k - tap * p.n_blocks) * TILE + e % TILE] : vec4 (0);
    }
  }
}

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
  int tile = int (gl_WorkGroupID.y), y_blocks = int (gl_NumWorkGroups.y) * TILE / 4;

  [[unroll]] for (int i = 0; i < R; i++) {
    int pixel = first_pixel + i * GROUP_P + own_p;
    ivec3 place = locate (pixel);
    [[unroll]] for (int q = 0; q < Q; q++) {
      int y_block = (tile * Q + q) * GROUP_O + own_o;
      if (pixel >= n_pixels || 4 * y_block >= p.y_channels)
        continue;
      vec4 v = acc[q][i];
      if (SPLIT) {
        y[(int (gl_WorkGroupID.z) * y_blocks + y_block) * n_pixels + pixel] = v;
        continue;
      }
      int at = p.y_first + place.x * p.y_n + y_block * p.y_c + place.y * p.y_y + place.z * p.y_x;
      if (HAS_B)
        v += b[y_block];
      if (HAS_R)
        v += r[at];
      y[at] = p.ceiling >= 0.0 ? min (max (v, vec4 (0)), vec4 (p.ceiling)) : v;
    }
  }
}

void
main ()
{
  id = int (gl_LocalInvocationID.x);
  int own_o = id / GROUP_P, own_p = id - own_o * GROUP_P;
  int first_pixel = int (gl_WorkGroupID.x) * PIXELS, n_pixels = p.images * p.rows * p.columns;
  length = p.taps_y * p.taps_x * p.n_blocks;
  block = first_block (int (gl_WorkGroupID.y) * TILE);
  int n_steps = (length + K - 1) / K, first = 0, end = n_steps;
  if (SPLIT) {
    int each = (n_steps + int (gl_NumWorkGroups.z) - 1) / int (gl_NumWorkGroups.z);
    first = min (int (gl_WorkGroupID.z) * each, n_steps);
    end = min (first + each, n_steps);
  }

  ivec3 place = locate (min (first_pixel + id % PIXELS, n_pixels - 1));
  plane = place.x * p.x_n + block * p.x_c;
  row = place.y * p.scale_y + p.first_y;
  column = place.z * p.scale_x + p.first_x;
  [[unroll]] for (int q = 0; q < Q; q++)
    [[unroll]] for (int i = 0; i < R; i++)
      acc[q][i] = vec4 (0);
  if (WHOLE) {
    int tap = first * K / p.n_blocks;
    at_block = first * K - tap * p.n_blocks;
    tap_y = tap / p.taps_x;
    tap_x = tap - tap_y * p.taps_x;
    move_to (tap_y, tap_x);
  }
  if (first < end) {
    if (WHOLE)
      fetch_whole ();
    else
      fetch_any (first * K);
  }
  for (int step_ = first; step_ < end; step_++) {
    int half_ = step_ & 1;
    put (half_);
    barrier ();
    if (step_ + 1 < end) {
      if (WHOLE)
        fetch_whole ();
      else
        fetch_any ((step_ + 1) * K);
    }
    compute (half_, own_o, own_p);
  }
  store (first_pixel, n_pixels, own_o, own_p);
}
