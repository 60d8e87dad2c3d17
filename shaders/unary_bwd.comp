// SPDX-License-Identifier: MIT
// unary_bwd: dx = f'(x) * dy.  Backward of unary.comp.
//   x, dy, dx   [n] quads; blocked with c channels if MASK
//   dispatch    flat over n
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
