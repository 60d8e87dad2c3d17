// SPDX-License-Identifier: MIT
// scatter: y[seen (i)] = x[i]: the opposite of view.comp, for its backward pass and for concatenation.  No two i
// may see the same element.
//   x           any layout, read as n quads
//   y           any layout, single elements
//   dispatch    flat over the n quads of x
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
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
