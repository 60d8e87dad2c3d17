// SPDX-License-Identifier: MIT
// binary: y = a op b where each operand has the channels of y, and either its pixels or one for all, and either
// its images or one for all.
//   y           [images][c4][plane] quads, c channels
//   a, b        quads; steps from image to image, block to block and pixel to pixel, 0 where one serves all
//   dispatch    flat over the n quads of y
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "binary.glsl"

QUADS (0, A, a);
QUADS (1, B, b);
QUADS_OUT (2, Y, y);
layout (push_constant) uniform Push {
  uint n, c, c4, plane, a_image, a_block, a_pixel, b_image, b_block, b_pixel;
};

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint row = quotient (i, plane), pixel = i - row * plane, image = quotient (row, c4), block = row - image * c4;
      vec4 left = LOAD (a, image * a_image + block * a_block + pixel * a_pixel);
      vec4 right = LOAD (b, image * b_image + block * b_block + pixel * b_pixel);
      // Pad lanes hold zeros, and 0 / 0 must not spread.
      y[i] = mix (vec4 (0), COMBINE (left, right), bvec4 (lanes_below (block, c)));
    }
  }
}
