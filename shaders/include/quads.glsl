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

// Flat kernels: each invocation handles PER_INVOCATION items, WG apart, so that neighbours read
// neighbours.  The host folds the groups into x and y.
const uint PER_INVOCATION = 4;

uint
group_index ()
{
  return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
}

uint
item (uint k)
{
  return (group_index () * PER_INVOCATION + k) * WG + gl_LocalInvocationID.x;
}

// For kernels with one item per invocation.
uint
flat_index ()
{
  return group_index () * WG + gl_LocalInvocationID.x;
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

// Block of channels of quad i of a tensor with c4 blocks of plane pixels.
uint
block_of (uint i, uint plane, uint c4)
{
  uint row = quotient (i, plane);
  return row - quotient (row, c4) * c4;
}

// 1 in the lanes that are channels below c, 0 in pad lanes, for block k.
vec4
lanes_below (uint k, uint c)
{
  return vec4 (lessThan (uvec4 (k * 4u) + uvec4 (0, 1, 2, 3), uvec4 (c)));
}

#endif
