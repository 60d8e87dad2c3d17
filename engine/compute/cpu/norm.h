/* SPDX-License-Identifier: MIT */
/* What norms and gates, forward and backward, have in common.  All of them are y = relu? (s·x + t) per channel forward,
 * and dx = a·d + b·x + c backward after two sums per channel; only the coefficients differ. */
#pragma once

#include "compute/cpu/internal.h"

G_BEGIN_DECLS

/* --- walk.c --- */

/* Of one plane: block @k of the channels of image @n. */
typedef void (*PjCpuPlane) (gpointer data, int n, int k);
/* Of all planes of block @k. */
typedef void (*PjCpuBlock) (gpointer data, int k);

/**
 * PjCpuWalk: two passes over the planes of a step's view, with something for every block of channels in between.
 * @first: (nullable)
 * @join: (nullable): called when @first is done with all planes
 * @second: called when @join is done with all blocks
 *
 * The functions are called from several threads.  What they find must not depend on the order of the planes, or of the
 * blocks: that depends on the number of threads.
 */
typedef struct {
  const PjCpuStep *step;
  PjCpuPlane first;
  PjCpuBlock join;
  PjCpuPlane second;
} PjCpuWalk;

void pj_cpu_walk (const PjCpuWalk *walk, gpointer data);

/* --- norm.c --- */

/* Channels with padding, rounded up so that a vector can be loaded at every block. */
static inline size_t
pj_cpu_padded (const PjCpuStep *step)
{
  return (size_t) step->view.n_blocks * (size_t) step->view.block;
}

static inline size_t
pj_cpu_plane_elems (const PjCpuStep *step)
{
  return (size_t) step->view.hw * (size_t) step->view.block;
}

/* Where the plane begins in a tensor. */
static inline size_t
pj_cpu_plane_at (const PjCpuStep *step, int n, int k)
{
  return ((size_t) n * (size_t) step->view.n_blocks + (size_t) k) * pj_cpu_plane_elems (step);
}

/* Two sums of every channel of the plane, for PjCpuLoops: [n][k][2][block]. */
static inline double *
pj_cpu_plane_sums (const PjCpuStep *step, double *sums, int n, int k)
{
  return sums + 2 * ((size_t) n * pj_cpu_padded (step) + (size_t) k * (size_t) step->view.block);
}

/* Channels of block @k that are not padding. */
static inline int
pj_cpu_block_channels (const PjCpuStep *step, int k)
{
  return MIN (step->view.block, step->view.c - k * step->view.block);
}

/* The coefficients @c of block @k for all lanes of a vector; @lanes is for blocks that are smaller. */
const float *pj_cpu_lanes (const PjCpuStep *step, const float *c, int k, float lanes[PJ_CPU_LANES]);

/* s and t of a norm's channel, from the statistics as they are kept, so that NORM_APPLY finds the same. */
void pj_cpu_norm_scale (float gamma, float beta, float mean, float rstd, float gate, float *s, float *t);
/* The same from running statistics. */
void pj_cpu_norm_stored_scale (const PjCpuStep *step, float gamma, float beta, float mean, float var, float gate,
                               float *s, float *t);

/* The step of a norm or gate, whose first output may be over input @over.  Scratch: 0: sums per plane, 1: six
 * coefficients per padded channel. */
gboolean pj_cpu_norm_step (PjCpuExec *e, PjCpuRun run, int over, GError **error);

G_END_DECLS
