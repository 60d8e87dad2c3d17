// SPDX-License-Identifier: MIT
// max_pool_bwd: dx of a pixel is the sum of dy of the windows whose maximum it was.  Backward of max_pool.comp;
// gathers, so that the order of the sum is fixed.
//   dy          [planes][oh][ow] quads
//   tap         of max_pool.comp
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

layout (constant_id = 5) const bool WIDE = false;
QUADS (0, DY, dy);
#ifdef TEXEL
layout (binding = 1) uniform utextureBuffer tap;
#define TAP(i) texelFetch (tap, int (i)).x
#else
layout (binding = 1, std430) readonly buffer Tap { uint tap[]; };
#define TAP(i) tap[i]
#endif
QUADS_OUT (2, DX, dx);

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
          int oy = down / SH - a, ox = right / SW - b, ky = down - oy * SH, kx = right - ox * SW;
          bool inside = oy >= 0 && oy < oh && ox >= 0 && ox < ow && ky < KH && kx < KW;
          uint o = uint ((at.z * oh + clamp (oy, 0, oh - 1)) * ow + clamp (ox, 0, ow - 1));
          uvec4 where;
          if (WIDE) {
            uint low = TAP (2 * o), high = TAP (2 * o + 1);
            where = uvec4 (low & 0xffffu, low >> 16, high & 0xffffu, high >> 16);
          } else {
            where = uvec4 (TAP (o)) >> uvec4 (0, 8, 16, 24) & 0xffu;
          }
          uint mine = inside ? uint (ky * KW + kx) : 0xffffffffu;
          sum += mix (vec4 (0), LOAD (dy, o), equal (where, uvec4 (mine)));
        }
      dx[i] = sum;
    }
  }
}
