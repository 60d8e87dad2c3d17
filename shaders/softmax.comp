// SPDX-License-Identifier: MIT
// softmax: y = exp (x) / sum exp (x) over the classes of each image, or its logarithm (LOG).
//   x, y        [n][c4] quads, c classes
//   dispatch    one invocation per image
//
// Limit: the launch: a few numbers per channel or picture, once per pass. Neither arithmetic nor memory is
// near a limit.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "classes.glsl"

layout (constant_id = 1) const bool LOG = false;
QUADS (0, X, x);
QUADS_OUT (1, Y, y);
layout (push_constant) uniform Push { uint n, c, c4; };

void
main ()
{
  uint i = flat_index ();
  if (i >= n)
    return;
  float largest, log_sum;
  SOFTMAX_SUMS (x, i * c4, c, c4, 1.0, largest, log_sum);
  for (uint q = 0; q < c4; q++)
  {
    vec4 l = LOAD (x, i * c4 + q) - largest - log_sum;
    y[i * c4 + q] = mix (vec4 (0), LOG ? l : exp (l), bvec4 (lanes_below (q, c)));
  }
}
