// SPDX-License-Identifier: MIT
// max_pool: largest value of each window; pads are minus infinity.
//   x           [planes][h][w] quads
//   y           [planes][oh][ow] quads
//   tap         only if INDEX: where the maximum was, ky * KW + kx, first in row-major order; four 8-bit numbers in
//               one word per quad, or WIDE: four 16-bit numbers in two words
//   dispatch    flat over the quads of y
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "window.glsl"

layout (constant_id = 5) const bool INDEX = false;
layout (constant_id = 6) const bool WIDE = false;
QUADS (0, X, x);
QUADS_OUT (1, Y, y);
layout (binding = 2, std430) writeonly buffer Tap { uint tap[]; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      ivec3 at = place (i, oh, ow);
      int top = at.y * SH - pad_top, left = at.x * SW - pad_left;
      vec4 best = vec4 (uintBitsToFloat (0xff800000u));
      uvec4 where = uvec4 (0);
      for (int ky = 0; ky < KH; ky++)
        for (int kx = 0; kx < KW; kx++) {
          int iy = top + ky, ix = left + kx;
          bool inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
          vec4 v = LOAD (x, (at.z * h + clamp (iy, 0, h - 1)) * w + clamp (ix, 0, w - 1));
          bvec4 better = bvec4 (uvec4 (greaterThan (v, best)) * uint (inside));
          best = mix (best, v, better);
          where = mix (where, uvec4 (ky * KW + kx), better);
        }
      y[i] = best;
      if (INDEX && WIDE) {
        tap[2 * i] = where.x | where.y << 16;
        tap[2 * i + 1] = where.z | where.w << 16;
      } else if (INDEX) {
        tap[i] = where.x | where.y << 8 | where.z << 16 | where.w << 24;
      }
    }
  }
}
