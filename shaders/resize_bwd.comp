// SPDX-License-Identifier: MIT
// resize_bwd: dx of a pixel is the sum of its shares of dy.  Backward of resize.comp; gathers.
//   dy          [planes][oh][ow] quads
//   rows, columns  as in resize.comp
//   row_users, column_users  [h], [w] quads: first and last output row (column) that uses the index
//   dx          [planes][h][w] quads, =
//   dispatch    flat over the n quads of dx
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, DY, dy);
QUADS (1, Rows, rows);
QUADS (2, Columns, columns);
QUADS (3, RowUsers, row_users);
QUADS (4, ColumnUsers, column_users);
QUADS_OUT (5, DX, dx);
layout (push_constant) uniform Push { uint n, h, w, oh, ow; };

float
share (vec4 entry, float index)
{
  return (entry.x == index ? 1.0 - entry.z : 0.0) + (entry.y == index ? entry.z : 0.0);
}

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint plane = quotient (i, h * w), pixel = i - plane * h * w, row = quotient (pixel, w), column = pixel - row * w;
      vec4 r = LOAD (row_users, row), c = LOAD (column_users, column), sum = vec4 (0);
      for (int a = int (r.x); a <= int (r.y); a++) {
        vec4 row_sum = vec4 (0);
        for (int b = int (c.x); b <= int (c.y); b++)
          row_sum += LOAD (dy, (plane * oh + uint (a)) * ow + uint (b)) * share (LOAD (columns, b), float (column));
        sum += row_sum * share (LOAD (rows, a), float (row));
      }
      dx[i] = sum;
    }
  }
}
