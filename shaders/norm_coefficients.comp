// SPDX-License-Identifier: MIT
// norm_coefficients: what affine.comp needs for a norm with known statistics.
//   gamma, beta, mean, variance, gate   [c4] quads; gate is read only if GATED
//   coefficients   [c4][3] quads
//   IS_RSTD     variance holds 1/sqrt (variance + eps), as norm_finish.comp kept it; pad lanes are zero there
//   dispatch    one invocation per block of channels
//
// Limit: the launch: a few numbers per channel or picture, once per pass. Neither arithmetic nor memory is
// near a limit.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

layout (constant_id = 1) const bool GATED = false;
layout (constant_id = 2) const bool IS_RSTD = false;
QUADS (0, Gamma, gamma);
QUADS (1, Beta, beta);
QUADS (2, Mean, mean);
QUADS (3, Variance, variance);
QUADS (4, Gate, gate);
QUADS_OUT (5, Coefficients, coefficients);
layout (push_constant) uniform Push { uint c4; float eps; };

void
main ()
{
  uint k = flat_index ();
  if (k >= c4)
    return;
  vec4 g = GATED ? LOAD (gate, k) : vec4 (1);
  coefficients[3 * k] = LOAD (mean, k);
  coefficients[3 * k + 1] = IS_RSTD ? g * LOAD (gamma, k) * LOAD (variance, k) : g * LOAD (gamma, k) / sqrt (LOAD (variance, k) + eps);
  coefficients[3 * k + 2] = g * LOAD (beta, k);
}
