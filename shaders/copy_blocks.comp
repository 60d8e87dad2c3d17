// SPDX-License-Identifier: MIT
// copy_blocks: copies whole blocks of channels to a place among the blocks of another tensor.
//   x           [images][x_c4][plane] quads
//   y           [images][y_c4][plane] quads; blocks from first_block on are written
//   dispatch    flat over the n quads of x
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
