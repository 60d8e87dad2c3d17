// SPDX-License-Identifier: MIT
// gather_bwd: dx[n, c] = sum of dy[n, k] over the k with index[k] = c.  Backward of gather.comp.
//   dy          [images][y_c4][plane] quads, y_c channels
//   index       [y_c] whole numbers as floats
//   dx          [images][x_c4][plane] quads, =
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
QUADS (1, Index, index);
QUADS_OUT (2, DX, dx);
layout (push_constant) uniform Push { uint n, plane, x_c, x_c4, y_c, y_c4; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint row = quotient (i, plane), pixel = i - row * plane, image = quotient (row, x_c4), block = row - image * x_c4;
      vec4 mine = vec4 (uvec4 (block * 4) + uvec4 (0, 1, 2, 3)), sum = vec4 (0);
      for (uint q = 0; q < y_c4; q++) {
        vec4 to = LOAD (index, q), d = LOAD (dy, (image * y_c4 + q) * plane + pixel), valid = lanes_below (q, y_c);
        for (uint lane = 0; lane < 4; lane++)
          sum += d[lane] * valid[lane] * vec4 (equal (mine, vec4 (to[lane])));
      }
      dx[i] = sum * lanes_below (block, x_c);
    }
  }
}
