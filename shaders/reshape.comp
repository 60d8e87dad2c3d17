// SPDX-License-Identifier: MIT
// reshape: the same numbers in logical row-major order under another shape; each image on its own.
//   x           [images][x_c4][x_plane] quads
//   y           [images][y_c4][y_plane] quads with y_c channels
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
QUADS_OUT (1, Y, y);
layout (push_constant) uniform Push { uint n, x_c4, x_plane, y_c, y_c4, y_plane; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint row = quotient (i, y_plane), pixel = i - row * y_plane;
      uint image = quotient (row, y_c4), block = row - image * y_c4;
      vec4 v = vec4 (0);
      for (uint lane = 0; lane < 4; lane++) {
        uint c = block * 4 + lane;
        if (c < y_c) {
          uint logical = c * y_plane + pixel, xc = quotient (logical, x_plane);
          v[lane] = LOAD (x, (image * x_c4 + xc / 4) * x_plane + logical - xc * x_plane)[xc % 4];
        }
      }
      y[i] = v;
    }
  }
}
