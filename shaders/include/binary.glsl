// The four operations, see PjBinary.
#ifndef BINARY_GLSL
#define BINARY_GLSL

layout (constant_id = 1) const uint OP = 0;

#define COMBINE(a, b) (OP == 0 ? (a) + (b) : OP == 1 ? (a) - (b) : OP == 2 ? (a) * (b) : (a) / (b))

#endif
