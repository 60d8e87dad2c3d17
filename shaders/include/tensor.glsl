// Single elements of tensors of any layout, by their logical row-major index.  Made for kernels that move
// numbers in odd ways; every access costs divisions.
#ifndef TENSOR_GLSL
#define TENSOR_GLSL

// Channels and plane of a blocked tensor; c = 0: plain.
struct Tensor { uint c, plane; };

// Place of a logical element, in floats.
uint
physical (Tensor t, uint logical)
{
  if (t.c == 0u)
    return logical;
  uint row = logical / t.plane, image = row / t.c, channel = row - image * t.c;
  return ((image * ((t.c + 3u) / 4u) + channel / 4u) * t.plane + logical - row * t.plane) * 4u + channel % 4u;
}

// The logical element in a lane of quad i, or NONE for padding.
const uint NONE = 0xffffffffu;

uint
logical_of (Tensor t, uint n_elems, uint i, uint lane)
{
  uint logical = i * 4u + lane;
  if (t.c > 0u) {
    uint c4 = (t.c + 3u) / 4u, row = i / t.plane, image = row / c4, channel = (row - image * c4) * 4u + lane;
    logical = channel < t.c ? (image * t.c + channel) * t.plane + i - row * t.plane : NONE;
  }
  return logical < n_elems ? logical : NONE;
}

#define ELEMENT(name, place) LOAD (name, (place) / 4u)[(place) % 4u]

#endif
