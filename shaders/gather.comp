// SPDX-License-Identifier: MIT
// gather: y[n, k] = x[n, index[k]]: channels by a list.
//   x           [images][x_c4][plane] quads
//   index       [y_c] whole numbers as floats
//   y           [images][y_c4][plane] quads
//   dispatch    flat over the n quads of y
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, X, x);
QUADS (1, Index, index);
QUADS_OUT (2, Y, y);
layout (push_constant) uniform Push { uint n, plane, x_c4, y_c, y_c4; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint row = quotient (i, plane), pixel = i - row * plane, image = quotient (row, y_c4), block = row - image * y_c4;
      uvec4 from = uvec4 (LOAD (index, block));
      vec4 v = vec4 (0);
      for (uint lane = 0; lane < 4; lane++)
        if (block * 4 + lane < y_c)
          v[lane] = LOAD (x, (image * x_c4 + from[lane] / 4) * plane + pixel)[from[lane] % 4];
      y[i] = v;
    }
  }
}
