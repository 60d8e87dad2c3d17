// conv_split_sum: adds the parts of a sum that conv_tiled.comp split, in order, and does what its store would have done.
//   partial     [n_splits][y_blocks][pixels] quads
//   r, y        quads; r (the residual) may be absent: bind anything and leave HAS_R false; b  bias, quads
//   dispatch    one invocation per block of result channels and pixel, folded into x and y by the host
//
// Limit: memory: n_splits + 1 quads for each of the result, which is small, or it would not have been split: it comes
// from the cache. Occupancy: a sum and indices in registers.  Expected: the launch.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

layout (constant_id = 1) const bool HAS_B = false;
layout (constant_id = 2) const bool HAS_R = false;
QUADS (0, Partial, partial);
QUADS (1, B, b);
QUADS (2, Residual, r);
QUADS_OUT (3, Y, y);
layout (push_constant) uniform Push {
  int n_splits, y_blocks;       // y_blocks: of the partial sums, whose tiles may reach past the last channel
  int images, rows, columns;    // pixels
  int y_n, y_c, y_y, y_x, y_first, y_channels;  // as in conv.glsl
  float ceiling;
} p;

void
main ()
{
  int i = int (flat_index ()), pixels = p.images * p.rows * p.columns, block = i / pixels;
  int pixel = i - block * pixels, line = pixel / p.columns, n = line / p.rows;

  if (4 * block >= p.y_channels)
    return;
  vec4 v = vec4 (0);
  for (int s = 0; s < p.n_splits; s++)
    v += LOAD (partial, (s * p.y_blocks + block) * pixels + pixel);
  int at = p.y_first + n * p.y_n + block * p.y_c + (line - n * p.rows) * p.y_y + (pixel - line * p.columns) * p.y_x;
  if (HAS_B)
    v += LOAD (b, block);
  if (HAS_R)
    v += LOAD (r, at);
  y[at] = p.ceiling >= 0.0 ? min (max (v, vec4 (0)), vec4 (p.ceiling)) : v;
}
