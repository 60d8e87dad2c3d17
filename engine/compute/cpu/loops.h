/* SPDX-License-Identifier: MIT */
/* The inner loops of the CPU device.  They are compiled several times, for several instruction sets;
 * the device takes the best set that the processor has.
 *
 * A loop works on one plane: all positions of one block of channels of one image, that is n = h·w·block
 * neighbouring floats.  Element i belongs to channel i mod block, and block divides PJ_CPU_LANES, so that
 * a vector of PJ_CPU_LANES coefficients, the block's repeated, fits every aligned run.  Sums named with [l] come
 * back in PJ_CPU_LANES lanes; the caller adds up the lanes of a channel.  Sums run in one fixed order whatever the
 * number of threads, and partial sums of more than a few hundred terms are kept in double. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PJ_CPU_LANES 16

/* Geometry of a pooling window over one plane. */
typedef struct {
  int h, w, oh, ow, kernel[2], stride[2], pad[4], block;
  gboolean count_include_pad;
} PjCpuWindow;

/**
 * PjCpuBehind: a gradient behind a ReLU: d = dy + more where 0 < v < ceiling, else 0.
 * @more: (nullable)
 * @y: (nullable): v is what the ReLU wrote
 * @s, @t: (nullable): without @y: v is what @affine makes of x with these.  Without both there is no ReLU: d = dy + more
 * @d: (nullable): where d is kept for who needs it later; may be dy.  It must be there if @more is
 */
typedef struct {
  const float *dy, *more, *y, *s, *t;
  float ceiling;
  float *d;
} PjCpuBehind;

/**
 * PjCpuWithout: what one input channel adds to a convolution, on one block of output channels.
 * @width: of a row of the channel, which has its padding around it
 * @ceiling: negative for no ReLU
 */
typedef struct {
  int oh, ow, width, kernel[2], stride[2], dilation[2], block;
  float ceiling;
} PjCpuWithout;

/**
 * PjCpuLoops:
 * @moments: mean and Σ (x − mean)² of every channel: out[2][block]
 * @centred: m2[l] = Σ (x − mean[l])²
 * @join_moments: of @n planes with @hw elements of every channel, from theirs: @planes[i·stride] has what @moments wrote
 * @join_sums: out[i] = Σ planes[·][i]
 * @affine: y = s·x + t + r, with @ceiling >= 0 min (ceiling, max (0, ·)); r (nullable); y may be x or r
 * @sums_bwd: Σ d and Σ d·(x − mean) of every channel, d of @in: out[2][block]
 * @affine_bwd: dx = a·d + b·x + c, d of @in, which has neither more nor d; dx may be dy
 * @stats: zeros, Σx, Σ|x|, Σx² in lanes: stat[4][PJ_CPU_LANES]
 * @add: y = relu? (a + b); y may be a
 * @relu_bwd: dx = dy·[y > 0]; dx may be dy
 * @sgd: one step over @n elements, see PJ_KERNEL_SGD
 * @without: y = relu? (z − Σ over taps of x·w[tap]); x: rows of one channel, w: [tap][block]; no x: y = relu? (z)
 * @max_pool: @index (nullable): number of the window's tap that was taken
 */
typedef struct {
  const char *name;
  void (*moments) (const float *x, size_t n, int block, double *out);
  void (*centred) (const float *x, size_t n, const float *mean, double *m2);
  void (*join_moments) (const double *planes, int n, size_t stride, int block, double hw, double *out);
  void (*join_sums) (const double *planes, int n, size_t stride, int n_sums, double *out);
  void (*affine) (const float *x, size_t n, const float *s, const float *t, const float *r, float ceiling, float *y);
  void (*sums_bwd) (const PjCpuBehind *in, const float *x, size_t n, int block, const float *mean, double *out);
  void (*affine_bwd) (const PjCpuBehind *in, const float *x, size_t n, const float *a, const float *b, const float *c, float *dx);
  void (*stats) (const float *x, size_t n, double *stat);
  void (*add) (const float *a, const float *b, size_t n, gboolean relu, float *y);
  void (*relu) (const float *x, size_t n, float *y);
  void (*relu_bwd) (const float *y, const float *dy, size_t n, float *dx);
  void (*sgd) (float *w, const float *g, float *v, size_t n, float lr, float mu, float wd, gboolean nesterov);
  void (*without) (const PjCpuWithout *p, const float *x, const float *w, const float *z, float *y);
  void (*max_pool) (const PjCpuWindow *p, const float *x, float *y, gint32 *index);
  void (*max_pool_bwd) (const PjCpuWindow *p, const float *dy, const gint32 *index, float *dx);
  void (*avg_pool) (const PjCpuWindow *p, const float *x, float *y);
  void (*avg_pool_bwd) (const PjCpuWindow *p, const float *dy, float *dx);
} PjCpuLoops;

extern const PjCpuLoops pj_cpu_loops_base;
#if defined (__x86_64__) && defined (__GNUC__) && !defined (__clang__)
#define PJ_CPU_HAS_X86_LOOPS 1
extern const PjCpuLoops pj_cpu_loops_v3, pj_cpu_loops_v4;
#endif

/* The best set for this processor. */
const PjCpuLoops *pj_cpu_loops_best (void);

G_END_DECLS
