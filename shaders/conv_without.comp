// SPDX-License-Identifier: MIT
// conv_without: y = relu? (z - conv (x, w) of one input channel alone).
//   x           [images][x_c4][h][w] quads
//   w           [y_c][x_c][KH][KW] floats, plain, read as quads
//   z, y        [images][y_c4][oh][ow] quads
//   channel     one whole number as a float; -1: none
//   dispatch    flat over the n quads of y
//
// Limit: memory: 9 multiply-adds of a quad for the 32 bytes of z and y; the channel's reads of x and the 36 weights of a quad
// are shared by neighbouring invocations and meet the cache.  A dozen registers leave every group resident: expected at 0.7 of
// the memory limit on hardware.  On software drivers the fetches bound it: 45 for a quad of a 3 x 3.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

layout (constant_id = 1) const int KH = 1;
layout (constant_id = 2) const int KW = 1;
layout (constant_id = 3) const int SH = 1;
layout (constant_id = 4) const int SW = 1;
layout (constant_id = 5) const int DH = 1;
layout (constant_id = 6) const int DW = 1;

QUADS (0, X, x);
QUADS (1, W, w);
QUADS (2, Z, z);
QUADS (3, Channel, channel);
QUADS_OUT (4, Y, y);
layout (push_constant) uniform Push {
  uint n, x_c, x_c4, y_c, y_c4;
  int h, w_, oh, ow, pad_top, pad_left;
  float ceiling;
};

// Weight of output channel o, input channel c, one tap.
float
weight (uint o, uint c, uint tap)
{
  uint at = (min (o, y_c - 1) * x_c + c) * uint (KH * KW) + tap;
  return LOAD (w, at / 4)[at % 4];
}

void
main ()
{
  int picked = int (LOAD (channel, 0).x);
  uint c = uint (max (picked, 0));
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint plane = uint (oh * ow), row = quotient (i, plane), pixel = i - row * plane, image = quotient (row, y_c4), block = row - image * y_c4;
      int oy = int (quotient (pixel, uint (ow))), ox = int (pixel) - oy * ow;
      uint source = (image * x_c4 + c / 4) * uint (h * w_);
      vec4 v = LOAD (z, i), inside = lanes_below (block, y_c);
      for (int ky = 0; ky < KH && picked >= 0; ky++)
        for (int kx = 0; kx < KW; kx++) {
          int iy = oy * SH - pad_top + ky * DH, ix = ox * SW - pad_left + kx * DW;
          if (iy >= 0 && iy < h && ix >= 0 && ix < w_) {
            uint tap = uint (ky * KW + kx);
            float value = LOAD (x, source + uint (iy * w_ + ix))[c % 4];
            v -= value * inside * vec4 (weight (block * 4, c, tap), weight (block * 4 + 1, c, tap),
                                        weight (block * 4 + 2, c, tap), weight (block * 4 + 3, c, tap));
          }
        }
      y[i] = ceiling >= 0.0 ? min (max (v, vec4 (0)), vec4 (ceiling)) : v;
    }
  }
}
