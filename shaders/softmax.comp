// SPDX-License-Identifier: MIT
// softmax: y = exp (x) / sum exp (x) over the classes of each image.
//   x, y        [n][c4] quads, c classes
//   dispatch    one invocation per image
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"
#include "classes.glsl"

QUADS (0, X, x);
QUADS_OUT (1, Y, y);
layout (push_constant) uniform Push { uint n, c, c4; };

void
main ()
{
  uint i = flat_index ();
  if (i >= n)
    return;
  float lse;
  LOG_SUM_EXP (x, i * c4, c, c4, 1.0, lse);
  for (uint q = 0; q < c4; q++)
    y[i * c4 + q] = exp (LOAD (x, i * c4 + q) - lse) * lanes_below (q, c);
}
