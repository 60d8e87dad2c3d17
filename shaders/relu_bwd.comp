// SPDX-License-Identifier: MIT
// relu_bwd: dx = dy where y > 0, else 0.  Backward of relu.comp, and of every kernel that ends in a ReLU.
//   y, dy, dx   [n] quads
//   dispatch    flat over n
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, Y, y);
QUADS (1, DY, dy);
QUADS_OUT (2, DX, dx);
layout (push_constant) uniform Push { uint n; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n)
      dx[i] = mix (vec4 (0), LOAD (dy, i), greaterThan (LOAD (y, i), vec4 (0)));
  }
}
