// Local response norm: the neighbourhood of a channel.
#ifndef LRN_GLSL
#define LRN_GLSL

layout (push_constant) uniform Push {
  uint n, c, c4, plane;
  int size;
  float alpha, beta, bias;
};

// Base of the rows of an image's pixel, and block, of quad i.
uvec2
column (uint i)
{
  uint row = quotient (i, plane), image = quotient (row, c4);
  return uvec2 (image * c4 * plane + i - row * plane, row - image * c4);
}

// Sum of name[k]^power over channels first to last of the column, POWER 1 or 2.
#define SUM_CHANNELS(name, base, first, last, square, result) \
  do { \
    result = 0.0; \
    for (int k_ = max (first, 0); k_ <= min (last, int (c) - 1); k_++) { \
      float v_ = LOAD (name, base + uint (k_ / 4) * plane)[k_ % 4]; \
      result += square ? v_ * v_ : v_; \
    } \
  } while (false)

#endif
