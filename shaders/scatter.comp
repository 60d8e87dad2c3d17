// SPDX-License-Identifier: MIT
// scatter: y[seen (i)] = x[i]: the opposite of view.comp, for its backward pass and for concatenation.  No two i
// may see the same element.
//   x           any layout, read as n quads
//   y           any layout, single elements
//   dispatch    flat over the n quads of x
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "tensor.glsl"
#include "view.glsl"

QUADS (0, X, x);
layout (binding = 1, std430) writeonly buffer Y { float y[]; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      vec4 v = LOAD (x, i);
      for (uint lane = 0; lane < 4; lane++) {
        uint mine = logical_of (Tensor (view_c, view_plane), n_elems, i, lane);
        uint to = mine == NONE ? NONE : seen (mine);
        if (to != NONE)
          y[physical (Tensor (whole_c, whole_plane), to)] = v[lane];
      }
    }
  }
}
