// SPDX-License-Identifier: MIT
// unary_bwd: dx = f'(x) * dy.  Backward of unary.comp.
//   x, dy, dx   [n] quads; blocked with c channels if MASK
//   dispatch    flat over n
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "function.glsl"

layout (constant_id = 2) const bool MASK = false;
QUADS (0, X, x);
QUADS (1, DY, dy);
QUADS_OUT (2, DX, dx);
layout (push_constant) uniform Push { uint n, c, c4, plane; float alpha, beta; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      vec4 v = LOAD (x, i);
      v = LOAD (dy, i) * vec4 (slope (v.x, alpha, beta), slope (v.y, alpha, beta), slope (v.z, alpha, beta), slope (v.w, alpha, beta));
      dx[i] = MASK ? mix (vec4 (0), v, bvec4 (lanes_below (block_of (i, plane, c4), c))) : v;
    }
  }
}
