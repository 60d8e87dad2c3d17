// SPDX-License-Identifier: MIT
// norm_bwd_finish: parameter gradients of a norm or a gate from the sums of its slices, and the coefficients
// for norm_bwd_apply.comp.
//   partial     [n_parts][c4][n_slices][2] quads of norm_bwd_sums.comp
//   gamma, beta, mean, spread, gate  [c4] quads; spread is rstd (MODE 0) or the variance (MODE 1)
//   dgamma, dbeta  [c4] quads, = or += (ACCUMULATE); MODE 2 does not touch them
//   dgate       [c4] quads, = ; only if GATE_GRAD
//   coefficients [c4][4] quads: dx = a*d + b + e*(x - center)
//   dispatch    one worker per block of channels (slices.glsl)
// MODE 0 batch statistics, 1 stored statistics, 2 a gate alone
//
// Limit: the launch: a few numbers per channel or picture, once per pass. Neither arithmetic nor memory is
// near a limit.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "slices.glsl"

layout (constant_id = 1) const uint MODE = 0;
layout (constant_id = 2) const bool GATED = false;
layout (constant_id = 3) const bool GATE_GRAD = false;
layout (constant_id = 4) const bool ACCUMULATE = false;
QUADS (0, Partial, partial);
QUADS (1, Gamma, gamma);
QUADS (2, Beta, beta);
QUADS (3, Mean, mean);
QUADS (4, Spread, spread);
QUADS (5, Gate, gate);
layout (binding = 6, std430) buffer DGamma { vec4 dgamma[]; };
layout (binding = 7, std430) buffer DBeta { vec4 dbeta[]; };
QUADS_OUT (8, DGate, dgate);
QUADS_OUT (9, Coefficients, coefficients);
layout (push_constant) uniform Push { uint c4, c, n_parts, n_slices; float items, eps; };

void
main ()
{
  uint k = worker ();
  if (k >= c4)
    return;
  vec4 sum = vec4 (0), products = vec4 (0);
  for (uint part = 0; part < n_parts; part++) {
    vec4 part_sum = vec4 (0), part_products = vec4 (0);
    for (uint s = lane (); s < n_slices; s += LANES) {
      uint row = 2 * ((part * c4 + k) * n_slices + s);
      part_sum += LOAD (partial, row);
      part_products += LOAD (partial, row + 1);
    }
    sum += part_sum;
    products += part_products;
  }
  sum = TOTAL (sum);
  products = TOTAL (products);
  if (lane () > 0u)
    return;
  vec4 g = GATED ? LOAD (gate, k) : vec4 (1), a = g, b = vec4 (0), e = vec4 (0), center = vec4 (0);
  vec4 gate_gradient = products;
  if (MODE != 2) {
    vec4 r = MODE == 0 ? LOAD (spread, k) : lanes_below (k, c) / sqrt (LOAD (spread, k) + eps);
    products *= r;
    gate_gradient = LOAD (gamma, k) * products + LOAD (beta, k) * sum;
    dgamma[k] = g * products + (ACCUMULATE ? dgamma[k] : vec4 (0));
    dbeta[k] = g * sum + (ACCUMULATE ? dbeta[k] : vec4 (0));
    a = g * LOAD (gamma, k) * r;
    center = LOAD (mean, k);
    if (MODE == 0) {
      b = -a * sum / items;
      e = -a * r * products / items;
    }
  }
  if (GATE_GRAD)
    dgate[k] = gate_gradient;
  coefficients[4 * k] = a;
  coefficients[4 * k + 1] = b;
  coefficients[4 * k + 2] = e;
  coefficients[4 * k + 3] = center;
}
