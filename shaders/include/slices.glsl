// Sums over all images and pixels of a channel in a fixed order: the items of each block of channels are cut into
// n_slices slices; one worker sums one slice, another kernel sums the slices.
//
// A worker is one invocation in the texel family: a software driver has few cores, and its invocations share nothing
// cheaply.  In the tiled family it is a whole group, whose lanes add every LANES-th item and then each other's sums in
// a tree: a graphics card needs tens of thousands of loads in flight before its memory is busy.
#ifndef SLICES_GLSL
#define SLICES_GLSL

#ifdef TEXEL
const uint LANES = 1u;
uint worker () { return flat_index (); }
uint lane () { return 0u; }
#define TOTAL(v) (v)
#else
#define LANES WG
uint worker () { return group_index (); }
uint lane () { return gl_LocalInvocationID.x; }

shared vec4 tree[WG];

// Sum of v over the lanes, in a fixed order; all lanes call it.  WG is a power of two.
vec4
total (vec4 v)
{
  uint own = lane ();
  barrier ();
  tree[own] = v;
  for (uint half_ = WG / 2u; half_ > 0u; half_ /= 2u) {
    barrier ();
    if (own < half_)
      tree[own] += tree[own + half_];
  }
  barrier ();
  return tree[0];
}
#define TOTAL(v) total (v)
#endif

// Where a lane is: the quad it looks at and how to get to its next one, image_step · plane + pixel_step items on.
struct Walk { uint quad, pixel, image_quads, plane, image_step, pixel_step; };

Walk
walk_begin (uint block, uint item, uint plane, uint c4, uint image_step, uint pixel_step)
{
  uint image = quotient (item, plane), pixel = item - image * plane;
  return Walk ((image * c4 + block) * plane + pixel, pixel, c4 * plane, plane, image_step, pixel_step);
}

void
walk_next (inout Walk w)
{
  uint pixel = w.pixel + w.pixel_step;
  uint carry = uint (pixel >= w.plane);
  w.quad += (w.image_step + carry) * w.image_quads + w.pixel_step - carry * w.plane;
  w.pixel = pixel - carry * w.plane;
}

// Items of a slice, the first item of a lane and its number of items.  Texel family: every n_slices-th item of the
// channel.  Tiled: a run of neighbours, so that lanes read neighbours; steps are LANES items.
#ifdef TEXEL
uint
slice_count (uint items, uint slice, uint n_slices)
{
  uint whole = quotient (items, n_slices);
  return whole + uint (slice < items - whole * n_slices);
}

uint
slice_first (uint items, uint slice, uint n_slices)
{
  return slice;
}
#else
uint
slice_first (uint items, uint slice, uint n_slices)
{
  return min (slice * ((items + n_slices - 1u) / n_slices), items);
}

uint
slice_count (uint items, uint slice, uint n_slices)
{
  return slice_first (items, slice + 1u, n_slices) - slice_first (items, slice, n_slices);
}
#endif

uint
lane_count (uint count)
{
  return (count + LANES - 1u - lane ()) / LANES;
}

#endif
