// SPDX-License-Identifier: MIT
// affine: y = relu? ((x - center) * scale + shift) per channel, at most CEILING: batch norm with known statistics, and gates.
//   x, y        [n] quads of blocked tensors
//   coefficients  FULL: [c4][3] quads, center, scale, shift; else [c4] quads, scale alone
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
layout (constant_id = 2) const bool FULL = true;
layout (constant_id = 3) const float CEILING = 3.4e38;
QUADS (0, X, x);
QUADS (1, Coefficients, coefficients);
QUADS_OUT (2, Y, y);
layout (push_constant) uniform Push { uint n, plane, c4; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint block = block_of (i, plane, c4);
      vec4 v = LOAD (x, i);
      if (FULL)
        v = (v - LOAD (coefficients, 3 * block)) * LOAD (coefficients, 3 * block + 1) + LOAD (coefficients, 3 * block + 2);
      else
        v *= LOAD (coefficients, block);
      y[i] = RELU ? min (max (v, vec4 (0)), vec4 (CEILING)) : v;
    }
  }
}
