// SPDX-License-Identifier: MIT
// instance_stats: mean and 1 / sqrt (variance + eps) of each plane.
//   x           [rows][plane] quads, rows = images * c4, c channels
//   mean, rstd  [rows] quads
//   dispatch    one invocation per row
//
// Limit: memory: each element is read once and adds to a sum; an invocation owns a slice, so that the order
// of the sum is fixed and no group waits for another.  Expected: 0.6 of the memory limit on hardware, where
// there are enough sums to fill it, a launch and a pass of a single core otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, X, x);
QUADS_OUT (1, Mean, mean);
QUADS_OUT (2, Rstd, rstd);
layout (push_constant) uniform Push { uint rows, c, c4, plane; float eps; };
const uint RUN = 64;

void
main ()
{
  uint i = flat_index ();
  if (i >= rows)
    return;
  vec4 sum = vec4 (0), m2 = vec4 (0);
  for (uint start = 0; start < plane; start += RUN) {
    vec4 run = vec4 (0);
    uint end = min (start + RUN, plane);
    for (uint p = start; p < end; p++)
      run += LOAD (x, i * plane + p);
    sum += run;
  }
  vec4 m = sum / float (plane);
  for (uint start = 0; start < plane; start += RUN) {
    vec4 run = vec4 (0);
    uint end = min (start + RUN, plane);
    for (uint p = start; p < end; p++) {
      vec4 d = LOAD (x, i * plane + p) - m;
      run += d * d;
    }
    m2 += run;
  }
  mean[i] = m;
  rstd[i] = lanes_below (i - quotient (i, c4) * c4, c) / sqrt (m2 / float (plane) + eps);
}
