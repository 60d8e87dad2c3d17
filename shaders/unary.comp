// SPDX-License-Identifier: MIT
// unary: y = f (x); pad lanes stay zero.
//   x, y        [n] quads; blocked with c channels if MASK
//   dispatch    flat over n
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "function.glsl"

layout (constant_id = 2) const bool MASK = false;
QUADS (0, X, x);
QUADS_OUT (1, Y, y);
layout (push_constant) uniform Push { uint n, c, c4, plane; float alpha, beta; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      vec4 v = LOAD (x, i);
      v = vec4 (f (v.x, alpha, beta), f (v.y, alpha, beta), f (v.z, alpha, beta), f (v.w, alpha, beta));
      y[i] = MASK ? mix (vec4 (0), v, bvec4 (lanes_below (block_of (i, plane, c4), c))) : v;
    }
  }
}
