// SPDX-License-Identifier: MIT
// avg_pool_bwd: dx of a pixel is the sum of the shares of dy of the windows that cover it.  Backward of
// avg_pool.comp.
//   dy          [planes][oh][ow] quads
//   dx          [planes][h][w] quads, =
//   dispatch    flat over the quads of dx
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "window.glsl"
#include "share.glsl"

QUADS (0, DY, dy);
QUADS_OUT (1, DX, dx);

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      ivec3 at = place (i, h, w);
      int down = at.y + pad_top, right = at.x + pad_left;
      vec4 sum = vec4 (0);
      for (int a = COVER_H - 1; a >= 0; a--)
        for (int b = COVER_W - 1; b >= 0; b--) {
          int oy = down / SH - a, ox = right / SW - b;
          bool inside = oy >= 0 && oy < oh && ox >= 0 && ox < ow && down - oy * SH < KH && right - ox * SW < KW;
          int y = clamp (oy, 0, oh - 1), x = clamp (ox, 0, ow - 1);
          sum += mix (vec4 (0), LOAD (dy, (at.z * oh + y) * ow + x) * share (y, x), bvec4 (inside));
        }
      dx[i] = sum;
    }
  }
}
