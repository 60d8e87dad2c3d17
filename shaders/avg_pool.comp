// SPDX-License-Identifier: MIT
// avg_pool: mean of each window.
//   x           [planes][h][w] quads
//   y           [planes][oh][ow] quads
//   dispatch    flat over the quads of y
//
// Limit: memory: an addition per element read, and windows that overlap meet it in the cache; a handful of registers leaves every group resident, and
// neighbouring lanes touch neighbouring quads. Expected: 0.8 of the memory limit on hardware; on software drivers a
// fetch costs what 20 multiply-adds do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "window.glsl"
#include "share.glsl"

QUADS (0, X, x);
QUADS_OUT (1, Y, y);

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      ivec3 at = place (i, oh, ow);
      int top = at.y * SH - pad_top, left = at.x * SW - pad_left;
      vec4 sum = vec4 (0);
      for (int ky = 0; ky < KH; ky++) {
        vec4 row = vec4 (0);
        for (int kx = 0; kx < KW; kx++) {
          int iy = top + ky, ix = left + kx;
          bool inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
          vec4 v = LOAD (x, (at.z * h + clamp (iy, 0, h - 1)) * w + clamp (ix, 0, w - 1));
          row += mix (vec4 (0), v, bvec4 (inside));
        }
        sum += row;
      }
      y[i] = sum * share (at.y, at.x);
    }
  }
}
