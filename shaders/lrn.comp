// SPDX-License-Identifier: MIT
// lrn: y = x / d^beta with d = bias + alpha/size * sum of x^2 over size channels around.
//   x, y        [n] quads of blocked tensors with c channels
//   dispatch    flat over n
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "lrn.glsl"

QUADS (0, X, x);
QUADS_OUT (1, Y, y);

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uvec2 at = column (i);
      vec4 d = vec4 (1);
      for (int lane = 0; lane < 4; lane++) {
        int channel = int (at.y) * 4 + lane;
        float sum;
        SUM_CHANNELS (x, at.x, channel - (size - 1) / 2, channel + size / 2, true, sum);
        d[lane] = bias + alpha / float (size) * sum;
      }
      y[i] = mix (vec4 (0), LOAD (x, i) * pow (d, vec4 (-beta)), bvec4 (lanes_below (at.y, c)));
    }
  }
}
