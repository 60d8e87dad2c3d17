// SPDX-License-Identifier: MIT
// norm_bwd_sums: sum d and sum d * (x - center) of each slice of each block of channels, where d is the
// gradient with the ReLU undone.  For the backward passes of norms and gates.
//   x, dy       blocked tensors; y only if RELU; center [c4] quads only if CENTERED
//   partial     [first_row + c4 * n_slices][2] quads
//   dispatch    one worker per block and slice
//
// Limit: memory: each element is read once and adds to a sum.  Occupancy as norm_sums.comp.  Expected: 0.7 of the memory
// limit on hardware, a pass of a single core per slice otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "slices.glsl"

layout (constant_id = 1) const bool RELU = false;
layout (constant_id = 2) const bool CENTERED = true;
layout (constant_id = 3) const float CEILING = 3.4e38;
QUADS (0, X, x);
QUADS (1, Y, y);
QUADS (2, DY, dy);
QUADS (3, Center, center);
QUADS_OUT (4, Partial, partial);
layout (push_constant) uniform Push { uint plane, c4, items, n_slices, image_step, pixel_step, first_row; };

void
main ()
{
  uint i = worker ();
  if (i >= c4 * n_slices)
    return;
  uint block = quotient (i, n_slices), slice = i - block * n_slices;
  uint own = lane_count (slice_count (items, slice, n_slices));
  Walk w = walk_begin (block, slice_first (items, slice, n_slices) + lane (), plane, c4, image_step, pixel_step);
  vec4 middle = CENTERED ? LOAD (center, block) : vec4 (0), sum = vec4 (0), products = vec4 (0);
  for (uint k = 0; k < own; k++) {
    vec4 d = LOAD (dy, w.quad);
    if (RELU) {
      vec4 out_value = LOAD (y, w.quad);
      bvec4 passes = bvec4 (uvec4 (greaterThan (out_value, vec4 (0))) & uvec4 (lessThan (out_value, vec4 (CEILING))));
      d = mix (vec4 (0), d, passes);
    }
    sum += d;
    products += d * (LOAD (x, w.quad) - middle);
    walk_next (w);
  }
  sum = TOTAL (sum);
  products = TOTAL (products);
  if (lane () > 0u)
    return;
  partial[2 * (first_row + i)] = sum;
  partial[2 * (first_row + i) + 1] = products;
}
