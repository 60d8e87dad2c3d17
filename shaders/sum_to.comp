// SPDX-License-Identifier: MIT
// sum_to: y = scale * sum of x over the dimensions where y has 1, for any of them and any layout.
//   y           read and written as n quads, = or += (ACCUMULATE)
//   dispatch    one invocation per quad of y
//
// Limit: memory: each element is read once and adds to a sum; an invocation owns a slice, so that the order
// of the sum is fixed and no group waits for another.  Expected: 0.6 of the memory limit on hardware, where
// there are enough sums to fill it, a launch and a pass of a single core otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "tensor.glsl"

layout (constant_id = 1) const bool ACCUMULATE = false;
QUADS (0, X, x);
layout (binding = 1, std430) buffer Y { vec4 y[]; };
layout (push_constant) uniform Push {
  uint n, n_elems, x_c, x_plane, y_c, y_plane;
  float scale;
  uint dim[6], stride[6];       // of y; logical strides of x
  uint count[3], step[3];       // runs of neighbouring reduced dimensions, outer first
};

void
main ()
{
  uint i = flat_index ();
  if (i >= n)
    return;
  vec4 sums = vec4 (0);
  for (uint lane = 0; lane < 4; lane++) {
    uint rest = logical_of (Tensor (y_c, y_plane), n_elems, i, lane), base = 0;
    if (rest != NONE) {
      for (int d = 5; d >= 0; d--) {
        uint next = rest / dim[d];
        base += (rest - next * dim[d]) * stride[d];
        rest = next;
      }
      float sum = 0;
      for (uint a = 0; a < count[0]; a++) {
        float sum_a = 0;
        for (uint b = 0; b < count[1]; b++) {
          float sum_b = 0;
          for (uint c = 0; c < count[2]; c++) {
            uint place = physical (Tensor (x_c, x_plane), base + a * step[0] + b * step[1] + c * step[2]);
            sum_b += ELEMENT (x, place);
          }
          sum_a += sum_b;
        }
        sum += sum_a;
      }
      sums[lane] = sum;
    }
  }
  y[i] = scale * sums + (ACCUMULATE ? y[i] : vec4 (0));
}
