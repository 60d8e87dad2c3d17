// SPDX-License-Identifier: MIT
// channel_stats: per plane the number of exact zeros, sum x, sum |x|, sum x^2 and sum (x - mean)^2.
//   x           [images][c4][plane] quads, c channels
//   stats       [images][c][5], plain
//   dispatch    one invocation per image and block of channels
// Sums run in runs of RUN pixels first, so that the rounding errors of large maps stay small.
//
// Limit: memory: each element is read once and adds to a sum; an invocation owns a slice, so that the order
// of the sum is fixed and no group waits for another.  Expected: 0.6 of the memory limit on hardware, where
// there are enough sums to fill it, a launch and a pass of a single core otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, X, x);
layout (binding = 1, std430) writeonly buffer Stats { float stats[]; };
layout (push_constant) uniform Push { uint images, c, c4, plane; };
const uint RUN = 64;

void
main ()
{
  uint i = flat_index ();
  if (i >= images * c4)
    return;
  uint image = quotient (i, c4), block = i - image * c4;
  vec4 zeros = vec4 (0), sum = vec4 (0), size = vec4 (0), squares = vec4 (0), m2 = vec4 (0);
  for (uint start = 0; start < plane; start += RUN) {
    vec4 run_sum = vec4 (0), run_size = vec4 (0), run_squares = vec4 (0);
    uint end = min (start + RUN, plane);
    for (uint p = start; p < end; p++) {
      vec4 v = LOAD (x, i * plane + p);
      zeros += vec4 (equal (v, vec4 (0)));
      run_sum += v;
      run_size += abs (v);
      run_squares += v * v;
    }
    sum += run_sum;
    size += run_size;
    squares += run_squares;
  }
  vec4 mean = sum / float (plane);
  for (uint start = 0; start < plane; start += RUN) {
    vec4 run_m2 = vec4 (0);
    uint end = min (start + RUN, plane);
    for (uint p = start; p < end; p++) {
      vec4 d = LOAD (x, i * plane + p) - mean;
      run_m2 += d * d;
    }
    m2 += run_m2;
  }
  for (uint lane = 0; lane < 4; lane++) {
    uint channel = block * 4 + lane, at = (image * c + channel) * 5;
    if (channel < c) {
      stats[at] = zeros[lane];
      stats[at + 1] = sum[lane];
      stats[at + 2] = size[lane];
      stats[at + 3] = squares[lane];
      stats[at + 4] = m2[lane];
    }
  }
}
