// SPDX-License-Identifier: MIT
// sgd: one step of stochastic gradient descent over packed parameters, in place.
//   hyper       2 quads, see PjHyper
//   w, dw, v    [n] quads; w and v are read through one binding and written through another
//   dispatch    flat over n
// Weight decay only if DECAY.
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

layout (constant_id = 1) const bool DECAY = true;
QUADS (0, Hyper, hyper);
QUADS (1, W, w);
QUADS (2, DW, dw);
QUADS (3, V, v);
QUADS_OUT (4, NewW, new_w);
QUADS_OUT (5, NewV, new_v);
layout (push_constant) uniform Push { uint n; };

void
main ()
{
  vec4 h = LOAD (hyper, 0);   // learning rate, momentum, weight decay, nesterov
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      vec4 old = LOAD (w, i), d = LOAD (dw, i);
      if (DECAY)
        d += h.z * old;
      vec4 momentum = h.y * LOAD (v, i) + d;
      new_v[i] = momentum;
      new_w[i] = old - h.x * (h.w != 0.0 ? d + h.y * momentum : momentum);
    }
  }
}
