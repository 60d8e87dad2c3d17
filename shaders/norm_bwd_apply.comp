// SPDX-License-Identifier: MIT
// norm_bwd_apply: dx = a*d + b + e*(x - center), where d is dy with the ReLU undone.
//   dy, dx      [n] quads of blocked tensors; x only if CENTERED, y only if RELU
//   coefficients [c4][4] quads of norm_bwd_finish.comp: a, b, e, center; without CENTERED b and e are 0
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
layout (constant_id = 2) const bool CENTERED = true;
layout (constant_id = 3) const float CEILING = 3.4e38;
QUADS (0, X, x);
QUADS (1, Y, y);
QUADS (2, DY, dy);
QUADS (3, Coefficients, coefficients);
QUADS_OUT (4, DX, dx);
layout (push_constant) uniform Push { uint n, plane, c4; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint row = 4 * block_of (i, plane, c4);
      vec4 d = LOAD (dy, i);
      if (RELU) {
        vec4 out_value = LOAD (y, i);
        bvec4 passes = bvec4 (uvec4 (greaterThan (out_value, vec4 (0))) & uvec4 (lessThan (out_value, vec4 (CEILING))));
        d = mix (vec4 (0), d, passes);
      }
      vec4 v = LOAD (coefficients, row) * d;
      if (CENTERED)
        v += LOAD (coefficients, row + 1) + LOAD (coefficients, row + 2) * (LOAD (x, i) - LOAD (coefficients, row + 3));
      dx[i] = v;
    }
  }
}
