// SPDX-License-Identifier: MIT
// cross_entropy: loss = -log softmax of the label; dlogits = weight * (softmax - onehot).
//   logits      [n][c4] quads, c classes
//   label       [n]
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
QUADS (0, Logits, logits);
layout (binding = 1, std430) readonly buffer Label { int label[]; };
layout (binding = 2, std430) writeonly buffer Loss { float loss[]; };
QUADS_OUT (3, DLogits, dlogits);
layout (push_constant) uniform Push { uint n, c, c4; float weight; };

void
main ()
{
  uint i = flat_index ();
  if (i >= n)
    return;
  uint right = uint (label[i]);
  float largest, log_sum;
  SOFTMAX_SUMS (logits, i * c4, c, c4, 1.0, largest, log_sum);
  loss[i] = (largest - LOAD (logits, i * c4 + right / 4)[right % 4]) + log_sum;
  if (GRAD)
    for (uint q = 0; q < c4; q++) {
      vec4 onehot = vec4 (equal (uvec4 (q * 4) + uvec4 (0, 1, 2, 3), uvec4 (right)));
      vec4 d = weight * (exp (LOAD (logits, i * c4 + q) - largest - log_sum) - onehot);
      dlogits[i * c4 + q] = mix (vec4 (0), d, bvec4 (lanes_below (q, c)));
    }
}
