// SPDX-License-Identifier: MIT
// norm_finish: mean and variance of a batch from those of its slices; moves the running statistics and makes
// the coefficients for affine.comp.
//   partial     [n_parts][c4][n_slices][2] quads of norm_sums.comp; all parts have items_each items but the last
//   gamma, beta, gate [c4] quads; gate only if GATED; hyper: 2 quads, see PjHyper
//   mean, rstd, coefficients [c4], [c4], [c4][3] quads, written
//   running_mean, running_variance [c4] quads, updated
//   dispatch    one worker per block of channels
//
// Limit: the launch: a few numbers per channel or picture, once per pass. Neither arithmetic nor memory is
// near a limit.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "slices.glsl"

layout (constant_id = 1) const bool GATED = false;
QUADS (0, Partial, partial);
QUADS (1, Gamma, gamma);
QUADS (2, Beta, beta);
QUADS (3, Gate, gate);
QUADS (4, Hyper, hyper);
layout (binding = 5, std430) buffer RunningMean { vec4 running_mean[]; };
layout (binding = 6, std430) buffer RunningVariance { vec4 running_variance[]; };
QUADS_OUT (7, Mean, mean);
QUADS_OUT (8, Rstd, rstd);
QUADS_OUT (9, Coefficients, coefficients);
layout (push_constant) uniform Push { uint c4, c, n_parts, n_slices, items_each, items_last; float eps; };

void
main ()
{
  uint k = worker ();
  if (k >= c4)
    return;
  float n = float (n_parts - 1u) * float (items_each) + float (items_last);
  vec4 m = vec4 (0), m2 = vec4 (0);
  for (uint part = 0; part < n_parts; part++) {
    uint items = part + 1u < n_parts ? items_each : items_last;
    vec4 part_sum = vec4 (0);
    for (uint s = lane (); s < n_slices; s += LANES)
      part_sum += float (slice_count (items, s, n_slices)) * LOAD (partial, 2 * ((part * c4 + k) * n_slices + s));
    m += part_sum / n;
  }
  m = TOTAL (m);
  for (uint part = 0; part < n_parts; part++) {
    uint items = part + 1u < n_parts ? items_each : items_last;
    for (uint s = lane (); s < n_slices; s += LANES) {
      uint row = 2 * ((part * c4 + k) * n_slices + s);
      vec4 d = LOAD (partial, row) - m;
      m2 += LOAD (partial, row + 1) + float (slice_count (items, s, n_slices)) * d * d;
    }
  }
  m2 = TOTAL (m2);
  if (lane () > 0u)
    return;
  vec4 r = lanes_below (k, c) / sqrt (m2 / n + eps);
  vec4 g = GATED ? LOAD (gate, k) : vec4 (1);
  float momentum = LOAD (hyper, 1).x;
  mean[k] = m;
  rstd[k] = r;
  coefficients[3 * k] = m;
  coefficients[3 * k + 1] = g * LOAD (gamma, k) * r;
  coefficients[3 * k + 2] = g * LOAD (beta, k);
  running_mean[k] += momentum * (m - running_mean[k]);
  // One value has no unbiased variance: what is there stays.
  if (n > 1.0)
    running_variance[k] += momentum * (m2 / (n - 1.0) - running_variance[k]);
}
