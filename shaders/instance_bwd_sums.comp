// SPDX-License-Identifier: MIT
// instance_bwd_sums: sum dy and sum dy * x^ of each plane, x^ = (x - mean) * rstd.
//   x, dy       [rows][plane] quads; mean, rstd [rows] quads
//   sums        [rows][2] quads
//   dispatch    one invocation per row
//
// Limit: memory: each element is read once and adds to a sum; an invocation owns a slice, so that the order
// of the sum is fixed and no group waits for another.  Expected: 0.6 of the memory limit on hardware, where
// there are enough sums to fill it, a launch and a pass of a single core otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, X, x);
QUADS (1, DY, dy);
QUADS (2, Mean, mean);
QUADS (3, Rstd, rstd);
QUADS_OUT (4, Sums, sums);
layout (push_constant) uniform Push { uint rows, plane; };
const uint RUN = 64;

void
main ()
{
  uint i = flat_index ();
  if (i >= rows)
    return;
  vec4 m = LOAD (mean, i), sum = vec4 (0), products = vec4 (0);
  for (uint start = 0; start < plane; start += RUN) {
    vec4 run = vec4 (0), run_products = vec4 (0);
    uint end = min (start + RUN, plane);
    for (uint p = start; p < end; p++) {
      vec4 d = LOAD (dy, i * plane + p);
      run += d;
      run_products += d * (LOAD (x, i * plane + p) - m);
    }
    sum += run;
    products += run_products;
  }
  sums[2 * i] = sum;
  sums[2 * i + 1] = products * LOAD (rstd, i);
}
