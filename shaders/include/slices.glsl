// Sums over all images and pixels of a channel in a fixed order: the items of each block of channels are
// dealt to n_slices slices in turn; one invocation sums one slice, another kernel sums the slices.
#ifndef SLICES_GLSL
#define SLICES_GLSL

// Where a slice is: the quad it looks at and how to get to its next one.  n_slices = image_step ·
// plane + pixel_step.
struct Walk { uint quad, pixel, image_quads, plane, image_step, pixel_step; };

Walk
walk_begin (uint block, uint slice, uint plane, uint c4, uint image_step, uint pixel_step)
{
  uint image = quotient (slice, plane), pixel = slice - image * plane;
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

// Number of items of a slice.
uint
slice_count (uint items, uint slice, uint n_slices)
{
  uint whole = quotient (items, n_slices);
  return whole + uint (slice < items - whole * n_slices);
}

#endif
