// SPDX-License-Identifier: MIT
// view: y[i] = x[seen (i)], or fill where the view shows padding: slices, transpositions, pads.
//   x, y        any layout
//   dispatch    flat over the n quads of y
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
QUADS_OUT (1, Y, y);

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      vec4 v = vec4 (0);
      for (uint lane = 0; lane < 4; lane++) {
        uint mine = logical_of (Tensor (view_c, view_plane), n_elems, i, lane);
        if (mine != NONE) {
          uint from = seen (mine);
          uint place = physical (Tensor (whole_c, whole_plane), from == NONE ? 0u : from);
          v[lane] = from == NONE ? fill : ELEMENT (x, place);
        }
      }
      y[i] = v;
    }
  }
}
