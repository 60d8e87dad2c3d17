// conv, texel family: convolution, its gradient by the input, and matrix products (see conv.glsl).
//   x, r, y     quads; r (the residual) may be absent: bind anything and leave HAS_R false
//   w           packed weights; b  bias, [y_channels], quads
//   dispatch    (tiles of TILE result channels, groups of WG strips)
//
// Made for drivers that compile shaders to vector code of the host.  An invocation computes a strip of 4 pixels
// of one row by TILE channels.  The weights of a tile are the same for all strips: lane l of a subgroup fetches
// quad l & 7, and constant-index shuffles, which compile to plain lane broadcasts, hand them to everyone.  So
// one step costs 4 fetches of x and TILE/8 of w for 16·TILE multiply-adds per lane; with ROW (three taps side by
// side, unit steps) 6 fetches of x serve three taps.  Neighbouring groups share the strips of x, which stay in
// the cache, and walk the weights.
//
// Needs subgroups of 8 or more with shuffles, and texel fetches out of range that return 0: pixels outside the
// map are fetched from FAR, an index that stays out of range however many blocks are added to it.
//
// Sums run in the order taps, blocks, channels of a block, in every invocation alike.
//
// Limit: 2·4·TILE flops a byte of x at best, far above the balance of any processor, so arithmetic bounds
// it; without fused multiply-adds and with a fetch for 20 of them a fifth of what a BLAS reaches is
// expected, a quarter with vectors of 512 bits. One group is one task of the driver: WG strips keep it above 100 kflop, and there are many
// times more groups than cores.
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
QUADS (3, R, r);
QUADS_OUT (4, Y, y);

#define STRIP 4
#define FETCHES (STRIP + ROW - 1)       // pixels of x that ROW taps of a strip meet
const int FAR = -1073741824;

float acc[STRIP][TILE];

// Adds ROW taps of one block of channels.  @at: the pixels of x; @w_at: this lane's quad of the first tap.
void
add_block (int at[FETCHES], int w_at)
{
  vec4 v[FETCHES];

  [[unroll]] for (int i = 0; i < FETCHES; i++)
    v[i] = texelFetch (x, at[i]);
  [[unroll]] for (int t = 0; t < ROW; t++)
    [[unroll]] for (int u = 0; u < TILE / 8; u++) {
      vec4 wv = texelFetch (w, w_at + t * p.w_x + 8 * u);
      [[unroll]] for (int o = 0; o < 8; o++) {
        float s[4];
        [[unroll]] for (int k = 0; k < 4; k++)
          s[k] = subgroupShuffle (wv[k], o);
        // The four products of one sum follow each other, so that the sum stays in its register.
        [[unroll]] for (int i = 0; i < STRIP; i++)
          [[unroll]] for (int k = 0; k < 4; k++)
            acc[i][8 * u + o] += s[k] * v[i + t][k];
      }
    }
}

void
add_taps (int n, int row, int column, int block, int w_at)
{
  for (int ty = 0; ty < p.taps_y; ty++) {
    int xr = row * p.scale_y + p.first_y + ty * p.step_y;
    bool in_map = xr >= 0 && xr < p.x_h;
    int base = n * p.x_n + block * p.x_c + xr * p.x_y;
    for (int tx = 0; tx < p.taps_x; tx += ROW) {
      int at[FETCHES], w_k = w_at + ty * p.w_y + tx * p.w_x;
      [[unroll]] for (int i = 0; i < FETCHES; i++) {
        int xc = (column + i) * p.scale_x + p.first_x + tx * p.step_x;
        at[i] = in_map && xc >= 0 && xc < p.x_w ? base + xc * p.x_x : FAR;
      }
      for (int k = 0; k < p.n_blocks; k++) {
        add_block (at, w_k);
        [[unroll]] for (int i = 0; i < FETCHES; i++)
          at[i] += p.x_c;
        w_k += TILE;
      }
    }
  }
}

void
store (int n, int row, int column, int tile)
{
  int base = p.y_first + n * p.y_n + row * p.y_y;

  [[unroll]] for (int q = 0; q < TILE / 4; q++) {
    int block = tile * (TILE / 4) + q;
    vec4 bias = HAS_B ? texelFetch (b, block) : vec4 (0);
    if (4 * block < p.y_channels)
      [[unroll]] for (int i = 0; i < STRIP; i++)
        if (column + i < p.columns) {
          int at = base + block * p.y_c + (column + i) * p.y_x;
          vec4 v = vec4 (acc[i][4 * q], acc[i][4 * q + 1], acc[i][4 * q + 2], acc[i][4 * q + 3]) + bias;
          if (HAS_R)
            v += texelFetch (r, at);
          y[at] = p.ceiling >= 0.0 ? min (max (v, vec4 (0)), vec4 (p.ceiling)) : v;
        }
  }
}

void
main ()
{
  int tile = int (gl_WorkGroupID.x);
  int strips = (p.columns + STRIP - 1) / STRIP, n_strips = p.images * p.rows * strips;
  int index = int (gl_WorkGroupID.y * WG + gl_LocalInvocationID.x);
  // Invocations past the end compute the last strip again and do not store it: shuffles need them.
  int strip = min (index, n_strips - 1);
  int line = int (quotient (uint (strip), uint (strips))), column = (strip - line * strips) * STRIP;
  int n = int (quotient (uint (line), uint (p.rows))), row = line - n * p.rows;

  [[unroll]] for (int i = 0; i < STRIP; i++)
    [[unroll]] for (int o = 0; o < TILE; o++)
      acc[i][o] = 0.0;
  add_taps (n, row, column, first_block (tile * TILE),
            p.w_first + tile * p.w_tile + int (gl_SubgroupInvocationID & 7u));
  if (index < n_strips)
    store (n, row, column, tile);
}
