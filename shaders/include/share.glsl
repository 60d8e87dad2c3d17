// Divisor of an averaging window: its taps inside the input, or (COUNT_PAD) inside the padded input.
#ifndef SHARE_GLSL
#define SHARE_GLSL

layout (constant_id = 5) const bool COUNT_PAD = false;

float
share (int oy, int ox)
{
  int top = oy * SH - pad_top, left = ox * SW - pad_left;
  ivec2 end = COUNT_PAD ? ivec2 (h + pad_bottom, w + pad_right) : ivec2 (h, w);
  ivec2 start = COUNT_PAD ? ivec2 (top, left) : max (ivec2 (top, left), ivec2 (0));
  ivec2 size = min (ivec2 (top + KH, left + KW), end) - start;
  return 1.0 / float (max (size.x * size.y, 1));
}

#endif
