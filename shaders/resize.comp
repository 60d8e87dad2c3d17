// SPDX-License-Identifier: MIT
// resize: each pixel of y mixes up to two rows and two columns of x.
//   x           [planes][h][w] quads
//   rows, columns  [oh], [ow] quads: first index, second index, share of the second
//   y           [planes][oh][ow] quads
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
QUADS (1, Rows, rows);
QUADS (2, Columns, columns);
QUADS_OUT (3, Y, y);
layout (push_constant) uniform Push { uint n, h, w, oh, ow; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint plane = quotient (i, oh * ow), pixel = i - plane * oh * ow, row = quotient (pixel, ow);
      vec4 r = LOAD (rows, row), c = LOAD (columns, pixel - row * ow);
      uint base = plane * h * w, top = base + uint (r.x) * w, bottom = base + uint (r.y) * w, left = uint (c.x), right = uint (c.y);
      vec4 upper = LOAD (x, top + left) * (1.0 - c.z) + LOAD (x, top + right) * c.z;
      vec4 lower = LOAD (x, bottom + left) * (1.0 - c.z) + LOAD (x, bottom + right) * c.z;
      y[i] = upper * (1.0 - r.z) + lower * r.z;
    }
  }
}
