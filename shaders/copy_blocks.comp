// SPDX-License-Identifier: MIT
// copy_blocks: copies whole blocks of channels to a place among the blocks of another tensor.
//   x           [images][x_c4][plane] quads
//   y           [images][y_c4][plane] quads; blocks from first_block on are written
//   dispatch    flat over the n quads of x
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
layout (push_constant) uniform Push { uint n, plane, x_c4, y_c4, first_block; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint image = quotient (i, x_c4 * plane);
      y[(image * y_c4 + first_block) * plane + i - image * x_c4 * plane] = LOAD (x, i);
    }
  }
}
