// SPDX-License-Identifier: MIT
// instance_norm: y = gamma * (x - mean) * rstd + beta with the statistics of each plane.
//   x, y        [n] quads; mean, rstd [n / plane] quads; gamma, beta [c4] quads
//   dispatch    flat over n
//
// Limit: memory: about one operation per element against the 4 to 16 bytes that it moves; neighbouring
// lanes touch neighbouring quads, a handful of registers leaves every group resident, so it is expected at
// 0.8 of the memory limit or better on hardware. On software drivers a fetch costs what 20 multiply-adds
// do: 4 ns an element.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, X, x);
QUADS (1, Gamma, gamma);
QUADS (2, Beta, beta);
QUADS (3, Mean, mean);
QUADS (4, Rstd, rstd);
QUADS_OUT (5, Y, y);
layout (push_constant) uniform Push { uint n, plane, c4; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint row = quotient (i, plane), block = row - quotient (row, c4) * c4;
      y[i] = (LOAD (x, i) - LOAD (mean, row)) * (LOAD (rstd, row) * LOAD (gamma, block)) + LOAD (beta, block);
    }
  }
}
