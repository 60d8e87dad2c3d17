// conv, tiled family: convolution, its gradient by the input, and matrix products (see conv.glsl).
//   x, r, y     quads; r (the residual) may be absent: bind anything and leave HAS_R false
//   w           packed weights; b  bias, [y_channels], quads
//   dispatch    (groups of PIXELS pixels, tiles of TILE result channels)
//
// For hardware.  A group of WG = GROUP_O × GROUP_P invocations computes TILE = 4·Q·GROUP_O channels of PIXELS =
// R·GROUP_P pixels: an invocation holds Q quads of channels of R pixels.  Taps and blocks of channels are one long
// sum that is walked in steps of K blocks: the group brings K·TILE quads of weights and K·PIXELS quads of x into
// shared memory, then every invocation reads 4·Q + R quads per block for 16·Q·R multiply-adds.  With Q = 2, R = 4
// that is 12 reads of 16 bytes for 128 multiply-adds, and one float from memory serves TILE·PIXELS / (TILE +
// PIXELS) ≈ 43 multiply-adds (128 × 64).  32 accumulators and 12 operands leave room for 4 groups of 256 on
// usual register files; shared memory is 16·K·(TILE + PIXELS) bytes, 12 KiB at K = 4.  Lanes of a subgroup
// have neighbouring pixels: loads of x, reads of shared memory and stores are contiguous, weights are broadcast.
//
// PIXELS must divide WG, so that an invocation always loads the same pixel.  No assumption on subgroups.
//
// Limit: arithmetic, by the counts above: 43 multiply-adds a float against the 10 to 25 that graphics cards
// balance at. Expected share of the limit: half to two thirds where the map fills the card (256 groups or
// more), less on the last, small maps of a network.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "quads.glsl"
#include "conv.glsl"

layout (constant_id = 1) const bool HAS_B = false;
layout (constant_id = 2) const bool HAS_R = false;
layout (constant_id = 3) const int GROUP_O = 16;
layout (constant_id = 4) const int Q = 1;
layout (constant_id = 5) const int R = 4;
layout (constant_id = 6) const int K = 4;
const int GROUP_P = int (WG) / GROUP_O;
const int TILE = 4 * Q * GROUP_O;
const int PIXELS = R * GROUP_P;

QUADS (0, X, x);
QUADS (1, W, w);
QUADS (2, B, b);
QUADS (3, Residual, r);
QUADS_OUT (4, Y, y);

shared vec4 shared_w[K * TILE];
shared vec4 shared_x[K * PIXELS];

// Image, row and column of a pixel of the dispatch.
ivec3
locate (int pixel)
{
  int line = pixel / p.columns, n = line / p.rows;
  return ivec3 (n, line - n * p.rows, pixel - line * p.columns);
}

// Quad @k of the long sum for the pixel at @place.
vec4
source (ivec3 place, int k, int block)
{
  int tap = k / p.n_blocks, ty = tap / p.taps_x, tx = tap - ty * p.taps_x;
  int row = place.y * p.scale_y + p.first_y + ty * p.step_y;
  int column = place.z * p.scale_x + p.first_x + tx * p.step_x;

  if (row < 0 || row >= p.x_h || column < 0 || column >= p.x_w)
    return vec4 (0);
  return x[place.x * p.x_n + (block + k - tap * p.n_blocks) * p.x_c + row * p.x_y + column * p.x_x];
}

vec4
weights (int tile, int k, int o)
{
  int tap = k / p.n_blocks, ty = tap / p.taps_x, tx = tap - ty * p.taps_x;
  return w[p.w_first + tile * p.w_tile + ty * p.w_y + tx * p.w_x + (k - tap * p.n_blocks) * TILE + o];
}

void
main ()
{
  int id = int (gl_LocalInvocationID.x), own_o = id / GROUP_P, own_p = id - own_o * GROUP_P;
  int tile = int (gl_WorkGroupID.y), first_pixel = int (gl_WorkGroupID.x) * PIXELS;
  int n_pixels = p.images * p.rows * p.columns, length = p.taps_y * p.taps_x * p.n_blocks;
  int block = first_block (tile * TILE);
  ivec3 loaded = locate (min (first_pixel + id % PIXELS, n_pixels - 1));
  vec4 acc[Q][R];

  for (int q = 0; q < Q; q++)
    for (int i = 0; i < R; i++)
      acc[q][i] = vec4 (0);
  for (int k0 = 0; k0 < length; k0 += K) {
    for (int e = id; e < K * TILE; e += int (WG)) {
      int k = k0 + e / TILE;
      shared_w[e] = k < length ? weights (tile, k, e % TILE) : vec4 (0);
    }
    for (int e = id; e < K * PIXELS; e += int (WG)) {
      int k = k0 + e / PIXELS;
      shared_x[e] = k < length ? source (loaded, k, block) : vec4 (0);
    }
    barrier ();
    [[unroll]] for (int k = 0; k < K; k++) {
      vec4 v[R];
      for (int i = 0; i < R; i++)
        v[i] = shared_x[k * PIXELS + i * GROUP_P + own_p];
      for (int q = 0; q < Q; q++) {
        int at = k * TILE + 4 * (q * GROUP_O + own_o);
        vec4 w0 = shared_w[at], w1 = shared_w[at + 1], w2 = shared_w[at + 2], w3 = shared_w[at + 3];
        for (int i = 0; i < R; i++)
          acc[q][i] += vec4 (dot (w0, v[i]), dot (w1, v[i]), dot (w2, v[i]), dot (w3, v[i]));
      }
    }
    barrier ();
  }
  for (int i = 0; i < R; i++) {
    int pixel = first_pixel + i * GROUP_P + own_p;
    if (pixel >= n_pixels)
      continue;
    ivec3 place = locate (pixel);
    for (int q = 0; q < Q; q++) {
      int y_block = (tile * Q + q) * GROUP_O + own_o;
      if (4 * y_block >= p.y_channels)
        continue;
      int at = p.y_first + place.x * p.y_n + y_block * p.y_c + place.y * p.y_y + place.z * p.y_x;
      vec4 v = acc[q][i];
      if (HAS_B)
        v += b[y_block];
      if (HAS_R)
        v += r[at];
      y[at] = p.ceiling >= 0.0 ? min (max (v, vec4 (0)), vec4 (p.ceiling)) : v;
    }
  }
}
