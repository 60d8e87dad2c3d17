// SPDX-License-Identifier: MIT
// fold_coefficients: the factor of each output channel's weights and its new bias, for a norm (NORM) or a gate that
// is folded into the convolution before it.
//   bias, gamma, beta, mean, variance, gate  [c4] quads; bias only if BIAS, gate only if GATED, the rest if NORM
//   scale, new_bias [c4] quads
//   dispatch    one invocation per block of channels
//
// Limit: the launch: a few numbers per channel or picture, once per pass. Neither arithmetic nor memory is
// near a limit.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

layout (constant_id = 1) const bool NORM = true;
layout (constant_id = 2) const bool BIAS = false;
layout (constant_id = 3) const bool GATED = false;
QUADS (0, Bias, bias);
QUADS (1, Gamma, gamma);
QUADS (2, Beta, beta);
QUADS (3, Mean, mean);
QUADS (4, Variance, variance);
QUADS (5, Gate, gate);
QUADS_OUT (6, Scale, scale);
QUADS_OUT (7, NewBias, new_bias);
layout (push_constant) uniform Push { uint c4, c; float eps; };

void
main ()
{
  uint k = flat_index ();
  if (k >= c4)
    return;
  vec4 g = GATED ? LOAD (gate, k) : vec4 (1), b = BIAS ? LOAD (bias, k) : vec4 (0), s = g;
  if (NORM) {
    s = g * LOAD (gamma, k) / sqrt (LOAD (variance, k) + eps);
    b = g * LOAD (beta, k) + s * (b - LOAD (mean, k));
  } else {
    b *= g;
  }
  scale[k] = s * lanes_below (k, c);
  new_bias[k] = b * lanes_below (k, c);
}
