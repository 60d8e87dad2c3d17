/* SPDX-License-Identifier: MIT */
/* Convolutions of 3×3 with stride 1 by Winograd's algorithm F(4×4, 3×3) (Lavin and Gray: Fast Algorithms for Convolutional
 * Neural Networks, CVPR 2016): 36 products per channel for a tile of 4×4 outputs instead of 144.
 *
 *   forward     Y = Aᵀ [Σ_c U ⊙ V] A         U = G g Gᵀ (6×6 of a filter), V = Bᵀ d B (6×6 of a tile of inputs)
 *   by inputs   the same, of dy with filters that are turned round and have their channels exchanged
 *   by weights  dg = Gᵀ [Σ_tiles V ⊙ Z] G    Z = A dy Aᵀ
 *
 * The polynomials are evaluated at 0, ±5/8, ±3/2 and ∞, for which all factors of V, Y and Z are exact in single precision.
 * Rounding errors are about those of the direct sum: 1e-6 of the largest result, a third of what ±1 and ±2 would give.
 *
 * A thread works on bands of some dozen tiles.  It transforms the tiles of all channels, multiplies point by point, and
 * transforms back while everything is in its second-level cache, so that activations are read and written once.  The
 * activations are in channel blocks (see internal.h, “Layouts”) of as many channels as a vector has lanes.
 *
 *   x, y   [n][blocks][height][width][lanes]
 *   U      [36][out blocks][in channels][lanes]     sums of V ⊙ Z have this shape, too
 *   V      [36][in blocks][band][lanes]
 *   M, Z   [36][out blocks][band][lanes]            M: the products */
#pragma once

#include <glib.h>

#include "compute/cpu/loops.h"

G_BEGIN_DECLS

/**
 * PjCpuTiles: the geometry of a convolution.
 * @in_blocks, @out_blocks: blocks of channels
 * @pad: rows above and columns left of the input; may be negative
 * @down, @across: tiles in a column and in a row of an output map; tiles are counted image by image, row by row
 * @band: tiles that are transformed together, at most
 * @group: blocks of output channels of which the products are there at the same time
 * @u_step, @v_step, @m_step: floats between two of the 36 points
 */
typedef struct {
  int n, in_blocks, out_blocks, in_h, in_w, out_h, out_w, pad[2], down, across, band, group;
  size_t u_step, v_step, m_step;
} PjCpuTiles;

/* A thread's share: tiles [@first, @last), blocks of output channels [@first_block, @last_block). */
typedef struct {
  int first, last, first_block, last_block;
} PjCpuShare;

/* Weights, as [out][in][3][3]: @turned: the first index is that of the convolution's input. */
typedef struct {
  int n_in, n_out;
  gboolean turned;
} PjCpuFilters;

/* What follows the sum: bias of @n_out channels (nullable), what @y holds already, ReLU with its ceiling (none below 0). */
typedef struct {
  const float *bias;
  int n_out;
  gboolean add;
  float ceiling;
} PjCpuTail;

/**
 * PjCpuWinograd:
 * @filters: U of input channels [@first, @last) of all blocks of output channels
 * @forward: y of tiles and blocks of output channels; @scratch: for V and M
 * @gradients: adds V ⊙ Z of tiles and blocks of output channels to @sums, Σ dy to @bias (nullable, out_blocks × lanes);
 *   @scratch: for V and Z
 * @weights: dg of input channels [@first, @last) from @n_parts sums, @part_step floats apart
 */
typedef struct {
  int lanes;
  void (*filters) (const PjCpuTiles *t, const PjCpuFilters *f, const float *w, int first, int last, float *u);
  void (*forward) (const PjCpuTiles *t, const PjCpuTail *tail, const PjCpuShare *s, const float *x, const float *u,
                   float *scratch, float *y);
  void (*gradients) (const PjCpuTiles *t, const PjCpuShare *s, const float *x, const float *dy, float *scratch, float *sums,
                     double *bias);
  void (*weights) (const PjCpuTiles *t, const PjCpuFilters *f, const float *sums, int n_parts, size_t part_step, gboolean accumulate,
                   int first, int last, float *dw);
} PjCpuWinograd;

#ifdef PJ_CPU_HAS_X86_LOOPS
extern const PjCpuWinograd pj_cpu_winograd_v3, pj_cpu_winograd_v4;
#endif

G_END_DECLS
