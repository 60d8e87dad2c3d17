// conv_bwd_weight_sum: adds the parts of a gradient by the weights, in order, and puts it into plain order.
//   partial     quads (see conv_bwd_weight.glsl); with PLANES [split][block][tap], whose four floats are four
//               channels with one weight per tap each: depthwise weights, and biases with one "tap"
//   dw          [O][I / groups][taps], plain; written (=) or, with accumulate, added to (+=)
//   dispatch    one invocation per weight, folded into x and y by the host; in the tiled family LANES neighbours per
//               weight, each of which adds every LANES-th part before they add each other's sums in a tree
//
// Limit: memory: one addition per 4 bytes, of quads of which a weight uses a quarter; neighbours find the rest in the
// cache.  Occupancy: a sum and an index in registers, so every group is resident; lanes make enough of them where
// weights are few and parts many.  Expected: the memory limit where the parts are many, a launch otherwise.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "quads.glsl"

QUADS (0, Partial, partial);
#ifdef TEXEL
const int LANES = 1;
#else
layout (constant_id = 1) const int LANES = 1;           // a power of two, at most WG
shared float tree[WG];
#endif
layout (binding = 1, std430) buffer Dw { float dw[]; };
layout (push_constant) uniform Push {
  int n, taps;                  // weights, taps of a pair of channels
  int n_splits, split;          // parts, quads of one part
  int out_quads, in_quads;      // size of a tile in blocks of channels
  int in_tiles, n_blocks, x_c4;
  int group_out, group_in;
  int accumulate;
  int row_taps;                 // T
} p;

int
#ifdef PLANES
place (int i, out int lane)
{
  int channel = i / p.taps, tap = i - channel * p.taps;
  lane = channel & 3;
  return (channel >> 2) * p.taps + tap;
}
#else
place (int i, out int lane)
{
  int pair = i / p.taps, tap = i - pair * p.taps;
  int o = pair / p.group_in, group = o / p.group_out;
  int out_tile = o / (4 * p.out_quads), first_of_tile = out_tile * 4 * p.out_quads;
  int first = min (first_of_tile / p.group_out * p.group_in / 4, p.x_c4 - p.n_blocks);
  int channel = group * p.group_in + pair - o * p.group_in - 4 * first, block = channel >> 2;
  int in_tile = block / p.in_quads;
  int tile = out_tile * p.in_tiles + in_tile;
  int tap_group = tap / p.row_taps, t = tap - tap_group * p.row_taps;

  lane = channel & 3;
  return (((tile * (p.taps / p.row_taps) + tap_group) * p.row_taps + t) * 4 * p.out_quads + o - first_of_tile)
         * p.in_quads + block - in_tile * p.in_quads;
}
#endif

void
main ()
{
  int index = int (flat_index ()), i = index / LANES, own = index - i * LANES, lane;
  int at = place (min (i, p.n - 1), lane);
  vec4 sum = vec4 (0);

  for (int s = own; s < p.n_splits; s += LANES)
    sum += LOAD (partial, at + s * p.split);
  float total = sum[lane];
#ifndef TEXEL
  if (LANES > 1) {
    int id = int (gl_LocalInvocationID.x);
    tree[id] = total;
    for (int step_ = LANES / 2; step_ > 0; step_ /= 2) {
      barrier ();
      if (own < step_)
        tree[id] += tree[id + step_];
    }
    total = tree[id];
  }
#endif
  if (i < p.n && own == 0)
    dw[i] = p.accumulate != 0 ? dw[i] + total : total;
}
