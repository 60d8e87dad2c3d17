// How the shaders for hardware walk the long sum of conv.glsl: taps and blocks of channels in steps of K blocks, of which every
// lane of a group loads some quads of weights and some of x, all of one pixel, into registers.
//
// Before this: WG, K, TILE, PIXELS (which divides WG), LOADS_X and LOADS_W (quads of a lane and step), the constants HAS_B, HAS_R, WHOLE,
// SPLIT and the operands x, w, b, r, y.
// Where a step never crosses from one tap to the next (WHOLE: n_blocks is a multiple of K) the tap is the same for the group and
// moving on is an addition.  SPLIT: groups of z walk one part of the sum each, and store it to partial sums instead of y, which
// conv_split_sum.comp adds; for maps with few pixels.
#ifndef CONV_WALK_GLSL
#define CONV_WALK_GLSL

int id, length, block;
int tap_x, tap_y, at_block;     // WHOLE: where the next step begins
int plane, row, column, x_at, w_at;
bool inside;
vec4 next_w[LOADS_W], next_x[LOADS_X];

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

// Loads step @step_ of the long sum; they are asked for in order.
void
fetch (int step_)
{
  if (WHOLE)
    fetch_whole ();
  else
    fetch_any (step_ * K);
}

// Places this lane and loads the first step.  Returns the first step of this group's part of the sum and the one behind its last.
ivec2
begin (int first_pixel, int n_pixels)
{
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
  if (WHOLE) {
    int tap = first * K / p.n_blocks;
    at_block = first * K - tap * p.n_blocks;
    tap_y = tap / p.taps_x;
    tap_x = tap - tap_y * p.taps_x;
    move_to (tap_y, tap_x);
  }
  if (first < end)
    fetch (first);
  return ivec2 (first, end);
}

// Stores a quad of the result: of the pixel at @place, block of channels y_block.
void
put_result (int pixel, int n_pixels, ivec3 place, int y_block, vec4 v)
{
  if (pixel >= n_pixels || 4 * y_block >= p.y_channels)
    return;
  if (SPLIT) {
    y[(int (gl_WorkGroupID.z) * int (gl_NumWorkGroups.y) * TILE / 4 + y_block) * n_pixels + pixel] = v;
    return;
  }
  int at = p.y_first + place.x * p.y_n + y_block * p.y_c + place.y * p.y_y + place.z * p.y_x;
  if (HAS_B)
    v += b[y_block];
  if (HAS_R)
    v += r[at];
  y[at] = p.ceiling >= 0.0 ? min (max (v, vec4 (0)), vec4 (p.ceiling)) : v;
}

#endif
