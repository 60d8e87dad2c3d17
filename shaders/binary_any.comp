// SPDX-License-Identifier: MIT
// binary_any: y = a op b with any repetition of dimensions and any layout.
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
#include "binary.glsl"

QUADS (0, A, a);
QUADS (1, B, b);
QUADS_OUT (2, Y, y);
layout (push_constant) uniform Push {
  uint n, n_elems, y_c, y_plane, a_c, a_plane, b_c, b_plane;
  uint dim[6], a_stride[6], b_stride[6];        // of y; logical strides of the operands, 0 where they repeat
};

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      vec4 v = vec4 (0);
      for (uint lane = 0; lane < 4; lane++) {
        uint rest = logical_of (Tensor (y_c, y_plane), n_elems, i, lane), at_a = 0, at_b = 0;
        if (rest != NONE) {
          for (int d = 5; d >= 0; d--) {
            uint next = rest / dim[d], p = rest - next * dim[d];
            at_a += p * a_stride[d];
            at_b += p * b_stride[d];
            rest = next;
          }
          uint place_a = physical (Tensor (a_c, a_plane), at_a), place_b = physical (Tensor (b_c, b_plane), at_b);
          v[lane] = COMBINE (ELEMENT (a, place_a), ELEMENT (b, place_b));
        }
      }
      y[i] = v;
    }
  }
}
