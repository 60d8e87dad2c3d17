// A strided view, see PjView in engine/compute/program.h.  Unused dimensions come first and have size 1.
#ifndef VIEW_GLSL
#define VIEW_GLSL

layout (push_constant) uniform Push {
  uint n, n_elems;              // quads and elements of the tensor that has the shape of the view
  int offset;
  float fill;
  uint whole_c, whole_plane;    // the tensor that is looked at
  uint view_c, view_plane;      // the tensor that has the shape of the view
  int dim[6], before[6], extent[6], stride[6];
};

// Index in the whole of element i of the view, or NONE where it is padding.
uint
seen (uint i)
{
  int at = offset;
  bool inside = true;
  uint rest = i;
  for (int k = 5; k >= 0; k--) {
    uint next = rest / uint (dim[k]);
    int p = int (rest - next * uint (dim[k])) - before[k];
    inside = inside && p >= 0 && p < extent[k];
    at += p * stride[k];
    rest = next;
  }
  return inside ? uint (at) : NONE;
}

#endif
