// SPDX-License-Identifier: MIT
// zero: y = 0
//   y           [n] quads
//   dispatch    flat over n
//
// Limit: the launch: a few numbers per channel or picture, once per pass. Neither arithmetic nor memory is
// near a limit.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS_OUT (0, Y, y);
layout (push_constant) uniform Push { uint n; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n)
      y[i] = vec4 (0);
  }
}
