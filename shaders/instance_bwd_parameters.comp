// SPDX-License-Identifier: MIT
// instance_bwd_parameters: dgamma = sum dy * x^, dbeta = sum dy, over all images.
//   sums        [images][c4][2] quads of instance_bwd_sums.comp
//   dgamma, dbeta [c4] quads, = or += (ACCUMULATE)
//   dispatch    one invocation per block of channels
//
// Limit: memory: each element is read once and adds to a sum; an invocation owns a slice, so that the order
// of the sum is fixed and no group waits for another.  Expected: 0.6 of the memory limit on hardware, where
// there are enough sums to fill it, a launch and a pass of a single core otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

layout (constant_id = 1) const bool ACCUMULATE = false;
QUADS (0, Sums, sums);
layout (binding = 1, std430) buffer DGamma { vec4 dgamma[]; };
layout (binding = 2, std430) buffer DBeta { vec4 dbeta[]; };
layout (push_constant) uniform Push { uint images, c4; };

void
main ()
{
  uint k = flat_index ();
  if (k >= c4)
    return;
  vec4 g = vec4 (0), b = vec4 (0);
  for (uint image = 0; image < images; image++) {
    b += LOAD (sums, 2 * (image * c4 + k));
    g += LOAD (sums, 2 * (image * c4 + k) + 1);
  }
  dgamma[k] = g + (ACCUMULATE ? dgamma[k] : vec4 (0));
  dbeta[k] = b + (ACCUMULATE ? dbeta[k] : vec4 (0));
}
