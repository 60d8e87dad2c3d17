// conv, tiled family in half precision: as conv_tiled.comp, with the matrix units of the device (cooperative matrices): x and the
// weights are rounded to float16 on their way into shared memory, products are added in float32.
//   x, r, y     quads; r (the residual) may be absent: bind anything and leave HAS_R false
//   w           packed weights; b  bias, [y_channels], quads
//   dispatch    (groups of PIXELS pixels, tiles of TILE result channels, splits of the sum)
//
// SCALE: x is multiplied by this power of two before it is rounded, and the result divided.  Gradients are small: with 4096
// what is above 1.5e-8 keeps 11 bits, and what is above 16 is cut off there instead of becoming infinite.
//
// A group of 8 subgroups of 32 computes TILE = 16·FO·SO channels of PIXELS = 16·FP·SP pixels: a subgroup holds FO × FP fragments
// of 16 × 16 sums.  A step is 8 blocks of channels, 32 numbers: two multiplications of fragments for each.  With FO = 2,
// SO = 4, FP = 4, SP = 2 a float from memory serves 64 multiply-adds, as in conv_tiled.comp's largest tile: matrix units
// would want more, so memory and the way into shared memory bound it.  Rows of shared memory are 16 bytes longer than
// they need be, so that lanes which store neighbours meet different banks.  Sums leave through 1.25 KiB of shared memory for
// each subgroup, since a fragment does not say which lane holds what: 31 KiB in all.  64 to 128 registers for sums.
//
// Limit: bytes: 64 multiply-adds a float are 32 flops a byte.  Expected: three times conv_tiled.comp.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_NV_cooperative_matrix : require
#pragma use_vulkan_memory_model
#include "quads.glsl"
#include "conv.glsl"

layout (constant_id = 1) const bool HAS_B = false;
layout (constant_id = 2) const bool HAS_R = false;
layout (constant_id = 3) const bool WHOLE = false;
layout (constant_id = 4) const bool SPLIT = false;
layout (constant_id = 5) const float SCALE = 1.0;
const int K = 8;
const int TILE = 16 * FO * SO;
const int PIXELS = 16 * FP * SP;
#define LOADS_X (8 * 16 * FP * SP / 256)
#define LOADS_W (8 * 16 * FO * SO / 256)
#define ROW 10                  // pairs of words: 32 halves and 8 to spare
#define STAGE_ROW 20            // floats: 16 and 4 to spare

QUADS (0, X, x);
QUADS (1, W, w);
QUADS (2, B, b);
QUADS (3, Residual, r);
QUADS_OUT (4, Y, y);

shared uvec2 shared_w[TILE * ROW];      // [channel][k]
shared uvec2 shared_x[PIXELS * ROW];    // [pixel][k]
shared float stage[8 * 16 * STAGE_ROW]; // [subgroup][pixel][channel]

#include "conv_walk.glsl"

fcoopmatNV<32, gl_ScopeSubgroup, 16, 16> acc[FO][FP];

uvec2
halves (vec4 v)
{
  v = clamp (v, vec4 (-65504), vec4 (65504));
  return uvec2 (packHalf2x16 (v.xy), packHalf2x16 (v.zw));
}

void
put ()
{
  [[unroll]] for (int j = 0; j < LOADS_X; j++) {
    int e = id + j * 256;
    shared_x[e % PIXELS * ROW + e / PIXELS] = halves (SCALE * next_x[j]);
  }
  [[unroll]] for (int j = 0; j < LOADS_W; j++) {
    int e = id + j * 256;
    shared_w[e % TILE * ROW + e / TILE] = halves (next_w[j]);
  }
}

void
compute (int own_o, int own_p)
{
  [[unroll]] for (int k = 0; k < 2; k++) {
    fcoopmatNV<16, gl_ScopeSubgroup, 16, 16> a[FO], v;
    [[unroll]] for (int i = 0; i < FO; i++)
      coopMatLoadNV (a[i], shared_w, uint (16 * (own_o * FO + i) * ROW + 4 * k), ROW, false);
    [[unroll]] for (int j = 0; j < FP; j++) {
      coopMatLoadNV (v, shared_x, uint (16 * (own_p * FP + j) * ROW + 4 * k), ROW, true);
      [[unroll]] for (int i = 0; i < FO; i++)
        acc[i][j] = coopMatMulAddNV (a[i], v, acc[i][j]);
    }
  }
}

void
store (int first_pixel, int n_pixels, int own_o, int own_p)
{
  int own = int (gl_SubgroupID) * 16 * STAGE_ROW, lane = int (gl_SubgroupInvocationID);

  [[unroll]] for (int j = 0; j < FP; j++)
    [[unroll]] for (int i = 0; i < FO; i++) {
      coopMatStoreNV (acc[i][j], stage, uint (own), STAGE_ROW, true);
      controlBarrier (gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
      [[unroll]] for (int t = 0; t < 2; t++) {
        int e = lane + 32 * t, at = own + e % 16 * STAGE_ROW + e / 16 * 4;
        int pixel = first_pixel + 16 * (own_p * FP + j) + e % 16;
        vec4 v = vec4 (stage[at], stage[at + 1], stage[at + 2], stage[at + 3]) / SCALE;
        put_result (pixel, n_pixels, locate (pixel), int (gl_WorkGroupID.y) * TILE / 4 + 4 * (own_o * FO + i) + e / 16, v);
      }
      controlBarrier (gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
    }
}

void
main ()
{
  id = int (gl_LocalInvocationID.x);
  int own_o = int (gl_SubgroupID) / SP, own_p = int (gl_SubgroupID) - own_o * SP;
  int first_pixel = int (gl_WorkGroupID.x) * PIXELS, n_pixels = p.images * p.rows * p.columns;
  ivec2 part = begin (first_pixel, n_pixels);

  [[unroll]] for (int i = 0; i < FO; i++)
    [[unroll]] for (int j = 0; j < FP; j++)
      acc[i][j] = fcoopmatNV<32, gl_ScopeSubgroup, 16, 16> (0.0);
  for (int step_ = part.x; step_ < part.y; step_++) {
    put ();
    barrier ();
    if (step_ + 1 < part.y)
      fetch (step_ + 1);
    compute (own_o, own_p);
    barrier ();
  }
  store (first_pixel, n_pixels, own_o, own_p);
}
