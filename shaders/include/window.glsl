// Windows of pooling.  Constants 1 to 4 are the window and its stride; the rest is pushed.
#ifndef WINDOW_GLSL
#define WINDOW_GLSL

layout (constant_id = 1) const int KH = 1;
layout (constant_id = 2) const int KW = 1;
layout (constant_id = 3) const int SH = 1;
layout (constant_id = 4) const int SW = 1;
layout (push_constant) uniform Push {
  uint n;                                       // quads of the tensor that is written
  int h, w, oh, ow;                             // maps of the input and of the output
  int pad_top, pad_left, pad_bottom, pad_right;
};

// Plane and pixel of quad i of a map that is width wide.
ivec3
place (uint i, int height, int width)
{
  uint plane = quotient (i, uint (height * width)), pixel = i - plane * uint (height * width);
  uint y = quotient (pixel, uint (width));
  return ivec3 (int (pixel - y * uint (width)), int (y), int (plane));
}

// How often a pixel can be covered along one axis.
const int COVER_H = (KH + SH - 1) / SH;
const int COVER_W = (KW + SW - 1) / SW;

#endif
