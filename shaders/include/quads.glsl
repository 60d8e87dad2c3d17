// Loads and indices of blocked tensors.  A "quad" is a vec4: four neighbouring channels of one pixel.
#ifndef QUADS_GLSL
#define QUADS_GLSL

layout (constant_id = 0) const uint WG = 64;             // id 0 is always the group size
layout (local_size_x_id = 0) in;

// QUADS declares an operand that is read as vec4s and LOAD reads one.  Software drivers run texel
// fetches many times faster than loads from storage buffers.
#ifdef TEXEL
#define QUADS(b, Block, name) layout (binding = b) uniform textureBuffer name
#define LOAD(name, i) texelFetch (name, int (i))
#else
#define QUADS(b, Block, name) layout (binding = b, std430) readonly buffer Block { vec4 name[]; }
#define LOAD(name, i) name[i]
#endif
#define QUADS_OUT(b, Block, name) layout (binding = b, std430) writeonly buffer Block { vec4 name[]; }

// Index of this invocation in a dispatch whose groups are folded into x and y by the host.
uint
flat_index ()
{
  return (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * WG + gl_LocalInvocationID.x;
}

// a / b for a < 2^24, exact: the quotient of floats is off by at most one.  Vector integer division is
// slow everywhere.
uint
quotient (uint a, uint b)
{
  uint q = uint (float (a) / float (b));
  q -= uint (q * b > a);
  q += uint ((q + 1u) * b <= a);
  return q;
}

#endif
