// SPDX-License-Identifier: MIT
// lrn_bwd_parts: what both halves of the gradient of lrn.comp need of each channel.
//   x, dy       [n] quads of blocked tensors with c channels
//   direct      dy * d^-beta
//   shared_part dy * x * d^(-beta - 1)
//   dispatch    flat over n
//
// Limit: memory: a dozen operations and two powers for the 16 bytes of an element; a handful of registers leaves every group resident, and
// neighbouring lanes touch neighbouring quads. Expected: 0.8 of the memory limit on hardware; on software drivers a
// fetch costs what 20 multiply-adds do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "lrn.glsl"

QUADS (0, X, x);
QUADS (1, DY, dy);
QUADS_OUT (2, Direct, direct);
QUADS_OUT (3, Shared, shared_part);

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uvec2 at = column (i);
      vec4 d = vec4 (1), gradient = LOAD (dy, i);
      for (int lane = 0; lane < 4; lane++) {
        int channel = int (at.y) * 4 + lane;
        float sum;
        SUM_CHANNELS (x, at.x, channel - (size - 1) / 2, channel + size / 2, true, sum);
        d[lane] = bias + alpha / float (size) * sum;
      }
      vec4 p = gradient * pow (d, vec4 (-beta));
      direct[i] = mix (vec4 (0), p, bvec4 (lanes_below (at.y, c)));
      shared_part[i] = mix (vec4 (0), p * LOAD (x, i) / d, bvec4 (lanes_below (at.y, c)));
    }
  }
}
