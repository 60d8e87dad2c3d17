// SPDX-License-Identifier: MIT
// instance_norm_bwd: dx = gamma * rstd * (dy - mean dy - x^ * mean (dy * x^)) over each plane.
//   x, dy, dx   [n] quads; mean, rstd [n / plane] quads; gamma [c4] quads; sums of instance_bwd_sums.comp
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
QUADS (1, DY, dy);
QUADS (2, Gamma, gamma);
QUADS (3, Mean, mean);
QUADS (4, Rstd, rstd);
QUADS (5, Sums, sums);
QUADS_OUT (6, DX, dx);
layout (push_constant) uniform Push { uint n, plane, c4; };

void
main ()
{
  for (uint k = 0; k < PER_INVOCATION; k++) {
    uint i = item (k);
    if (i < n) {
      uint row = quotient (i, plane), block = row - quotient (row, c4) * c4;
      vec4 r = LOAD (rstd, row), normalised = (LOAD (x, i) - LOAD (mean, row)) * r;
      vec4 share = (LOAD (sums, 2 * row) + normalised * LOAD (sums, 2 * row + 1)) / float (plane);
      dx[i] = LOAD (gamma, block) * r * (LOAD (dy, i) - share);
    }
  }
}
