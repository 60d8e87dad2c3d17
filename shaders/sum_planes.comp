// SPDX-License-Identifier: MIT
// sum_planes: y = scale * sum of x over the pixels, and over the images if they are reduced, of each channel.
//   x           [out_images * images][c4][plane] quads
//   y           [out_images][c4] quads, = or += (ACCUMULATE)
//   dispatch    one invocation per quad of y
//
// Limit: memory: each element is read once and adds to a sum; an invocation owns a slice, so that the order
// of the sum is fixed and no group waits for another.  Expected: 0.6 of the memory limit on hardware, where
// there are enough sums to fill it, a launch and a pass of a single core otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

layout (constant_id = 1) const bool ACCUMULATE = false;
QUADS (0, X, x);
layout (binding = 1, std430) buffer Y { vec4 y[]; };
layout (push_constant) uniform Push { uint out_images, images, c4, plane; float scale; };

void
main ()
{
  uint i = flat_index ();
  if (i >= out_images * c4)
    return;
  uint image = quotient (i, c4), block = i - image * c4;
  vec4 sum = vec4 (0);
  for (uint k = 0; k < images; k++) {
    vec4 image_sum = vec4 (0);
    uint first = ((image * images + k) * c4 + block) * plane;
    for (uint start = 0; start < plane; start += 64) {
      vec4 run = vec4 (0);
      uint end = min (start + 64, plane);
      for (uint p = start; p < end; p++)
        run += LOAD (x, first + p);
      image_sum += run;
    }
    sum += image_sum;
  }
  y[i] = scale * sum + (ACCUMULATE ? y[i] : vec4 (0));
}
