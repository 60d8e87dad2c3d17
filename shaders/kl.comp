// SPDX-License-Identifier: MIT
// kl: with p = softmax (target/T), q = softmax (logits/T):  loss = T^2 * sum p (log p - log q), or with REVERSE
// T^2 * sum q (log q - log p);  dlogits = weight * T * (q - p), or weight * T * q ((log q - log p) - sum).
//   logits, target [n][c4] quads, c classes
//   loss        [n]
//   dlogits     [n][c4] quads, = ; only if GRAD
//   dispatch    one invocation per image
//
// Limit: the launch: a few numbers per channel or picture, once per pass. Neither arithmetic nor memory is
// near a limit.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "classes.glsl"

layout (constant_id = 1) const bool GRAD = false;
layout (constant_id = 2) const bool REVERSE = false;
QUADS (0, Logits, logits);
QUADS (1, Target, target);
layout (binding = 2, std430) writeonly buffer Loss { float loss[]; };
QUADS_OUT (3, DLogits, dlogits);
layout (push_constant) uniform Push { uint n, c, c4; float weight, temperature; };

void
main ()
{
  uint i = flat_index ();
  if (i >= n)
    return;
  float largest_p, largest_q, log_p, log_q, inv_t = 1.0 / temperature;
  SOFTMAX_SUMS (target, i * c4, c, c4, inv_t, largest_p, log_p);
  SOFTMAX_SUMS (logits, i * c4, c, c4, inv_t, largest_q, log_q);
  vec4 sums = vec4 (0);
  for (uint k = 0; k < c4; k++) {
    vec4 a = (LOAD (target, i * c4 + k) - largest_p) * inv_t - log_p;
    vec4 b = (LOAD (logits, i * c4 + k) - largest_q) * inv_t - log_q;
    sums += mix (vec4 (0), REVERSE ? exp (b) * (b - a) : exp (a) * (a - b), bvec4 (lanes_below (k, c)));
  }
  float sum = (sums.x + sums.y) + (sums.z + sums.w);
  loss[i] = temperature * temperature * sum;
  if (GRAD)
    for (uint k = 0; k < c4; k++) {
      vec4 a = (LOAD (target, i * c4 + k) - largest_p) * inv_t - log_p;
      vec4 b = (LOAD (logits, i * c4 + k) - largest_q) * inv_t - log_q;
      vec4 d = REVERSE ? exp (b) * ((b - a) - sum) : exp (b) - exp (a);
      dlogits[i * c4 + k] = mix (vec4 (0), weight * temperature * d, bvec4 (lanes_below (k, c)));
    }
}
