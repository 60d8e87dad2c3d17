// SPDX-License-Identifier: MIT
// add: y = relu? (a + b)
//   a, b, y     [n] quads
//   dispatch    flat over n
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

layout (constant_id = 1) const bool RELU = false;
QUADS (0, A, a);
QUADS (1, B, b);
QUADS_OUT (2, Y, y);
layout (push_constant) uniform Push { uint n; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      vec4 sum = LOAD (a, i) + LOAD (b, i);
      y[i] = RELU ? max (sum, vec4 (0)) : sum;
    }
  }
}
