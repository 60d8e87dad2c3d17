// SPDX-License-Identifier: MIT
// fold_rows: w2 = scale * w, one factor per row.
//   w, w2       plain [rows][row_elems], read and written as n quads
//   scale       [rows] padded to quads
//   dispatch    flat over n
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, W, w);
QUADS (1, Scale, scale);
QUADS_OUT (2, W2, w2);
layout (push_constant) uniform Push { uint n, rows, row_elems; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint row = quotient (i, row_elems) * 4, rest = (i - quotient (i, row_elems) * row_elems) * 4;
      vec4 s;
      for (uint lane = 0; lane < 4; lane++) {
        uint r = min (row + quotient (rest + lane, row_elems), rows - 1u);
        s[lane] = LOAD (scale, r / 4)[r % 4];
      }
      w2[i] = LOAD (w, i) * s;
    }
  }
}
