// SPDX-License-Identifier: MIT
// norm_sums: mean and centred second moment of each slice of each block of channels.  Values are taken
// relative to the first one of the slice, so that a large mean does not cancel.
//   x           blocked tensor with items = images * plane
//   partial     [first_row + c4 * n_slices][2] quads: mean, sum (x - mean)^2
//   dispatch    one worker per block and slice
//
// Limit: memory: each element is read once and adds to a sum.  Occupancy: a pivot and two sums in registers, 16 · WG
// bytes of shared memory at the end; the host cuts slices until a few thousand groups run.  Expected: 0.7 of the memory
// limit on hardware, a pass of a single core per slice otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "slices.glsl"

QUADS (0, X, x);
QUADS_OUT (1, Partial, partial);
layout (push_constant) uniform Push { uint plane, c4, items, n_slices, image_step, pixel_step, first_row; };

void
main ()
{
  uint i = worker ();
  if (i >= c4 * n_slices)
    return;
  uint block = quotient (i, n_slices), slice = i - block * n_slices;
  uint count = slice_count (items, slice, n_slices), first = slice_first (items, slice, n_slices), own = lane_count (count);
  Walk w = walk_begin (block, first, plane, c4, image_step, pixel_step);
  vec4 pivot = LOAD (x, count > 0u ? w.quad : 0u), sum = vec4 (0), squares = vec4 (0);
  if (LANES > 1u)
    w = walk_begin (block, first + lane (), plane, c4, image_step, pixel_step);
  for (uint k = 0; k < own; k++) {
    vec4 v = LOAD (x, w.quad) - pivot;
    sum += v;
    squares += v * v;
    walk_next (w);
  }
  sum = TOTAL (sum);
  squares = TOTAL (squares);
  if (lane () > 0u)
    return;
  float n = max (float (count), 1.0);
  partial[2 * (first_row + i)] = pivot + sum / n;
  partial[2 * (first_row + i) + 1] = max (squares - sum * sum / n, vec4 (0));
}
