// SPDX-License-Identifier: MIT
// add: y = relu? (a + b)
//   a, b, y     [n] quads
//   dispatch    flat over n
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
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
