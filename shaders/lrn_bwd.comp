// SPDX-License-Identifier: MIT
// lrn_bwd: dx = direct - 2 alpha beta / size * x * sum of shared_part over the channels whose neighbourhood holds x.
//   x, direct, shared_part, dx  [n] quads of blocked tensors with c channels
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
QUADS (1, Direct, direct);
QUADS (2, Shared, shared_part);
QUADS_OUT (3, DX, dx);

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uvec2 at = column (i);
      vec4 sums = vec4 (0);
      for (int lane = 0; lane < 4; lane++) {
        int channel = int (at.y) * 4 + lane;
        float sum;
        SUM_CHANNELS (shared_part, at.x, channel - size / 2, channel + (size - 1) / 2, false, sum);
        sums[lane] = sum;
      }
      dx[i] = LOAD (direct, i) - 2.0 * alpha * beta / float (size) * LOAD (x, i) * sums;
    }
  }
}
