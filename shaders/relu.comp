// SPDX-License-Identifier: MIT
// relu: y = max (0, x)
//   x, y        [n] quads
//   dispatch    ceil (n / (4 WG)) groups, folded into x and y by the host
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, X, x);
QUADS_OUT (1, Y, y);
layout (push_constant) uniform Push { uint n; };

void
main ()
{
  uint base = flat_index () - gl_LocalInvocationID.x;
  for (uint k = 0; k < 4; k++) {
    uint i = base * 4 + k * WG + gl_LocalInvocationID.x;
    if (i < n)
      y[i] = max (LOAD (x, i), vec4 (0));
  }
}
