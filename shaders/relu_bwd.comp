// SPDX-License-Identifier: MIT
// relu_bwd: dx = dy where y > 0, else 0.  Backward of relu.comp, and of every kernel that ends in a ReLU.
//   y, dy, dx   [n] quads
//   dispatch    flat over n
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
