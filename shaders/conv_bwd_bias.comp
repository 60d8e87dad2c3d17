// conv_bwd_bias: partial sums of dy over images and pixels; conv_bwd_weight_sum.comp adds them.
//   dy          quads
//   partial     [n_splits][c4] quads, written (=)
//   dispatch    one invocation per quad of partial, folded into x and y by the host
//
// Limit: memory: one addition per 4 bytes.  Occupancy: one quad of registers; up to 64 slices of each block of channels
// keep a few thousand invocations in flight.  Expected: 0.8 of the memory limit on hardware, one core's pass otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, Dy, dy);
QUADS_OUT (1, Partial, partial);
layout (push_constant) uniform Push {
  int n_splits, first_split;
  int images, c4, plane, image_quads;
} p;

void
main ()
{
  int i = int (flat_index ());

  if (i >= p.n_splits * p.c4)
    return;
  // Neighbouring invocations read neighbouring pixels: a split takes every n_splits-th pixel of each image.
  int block = i / p.n_splits, split = i - block * p.n_splits;
  vec4 sum = vec4 (0);
  for (int n = 0; n < p.images; n++)
    for (int pixel = split; pixel < p.plane; pixel += p.n_splits)
      sum += LOAD (dy, n * p.image_quads + block * p.plane + pixel);
  partial[(p.first_split + split) * p.c4 + block] = sum;
}
