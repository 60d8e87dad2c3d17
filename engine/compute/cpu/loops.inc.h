/* SPDX-License-Identifier: MIT */
/* Body of loops-base.c, loops-v3.c and loops-v4.c, which set PJ_CPU_LOOPS to the name of their table. */
#include "compute/cpu/loops.h"

#include <float.h>
#include <string.h>

/* Vectors are only passed between functions of one file, where the calling convention does not matter. */
#pragma GCC diagnostic ignored "-Wpsabi"

#define L PJ_CPU_LANES
/* Vectors per partial sum in single precision: short enough for its error, small enough for the first
 * level cache. */
#define CHUNK ((size_t) 256 * L)

typedef float Vec __attribute__ ((vector_size (L * sizeof (float)), aligned (4), may_alias));
typedef gint32 Mask __attribute__ ((vector_size (L * sizeof (float)), aligned (4), may_alias));

#define LOAD(p) (*(const Vec *) (p))
#define STORE(p, v) (*(Vec *) (p) = (v))
/* Lanes of @v where @mask is set, zero elsewhere. */
#define WHERE(mask, v) ((Vec) ((Mask) (mask) & (Mask) (v)))

/* Runs @body for whole vectors, then once for a last, partial one: FETCH fills it up with zeros and PUT
 * writes only its first lanes. */
#define EACH_VECTOR(n, i, full, partial) \
  do { \
    size_t whole_ = (n) / L * L; \
    size_t i = 0; \
    for (; i < whole_; i += L) { full; } \
    if (i < (n)) { partial; } \
  } while (0)

static inline Vec
fetch (const float *p, size_t n)
{
  Vec v = { 0 };
  memcpy (&v, p, n * sizeof (float));
  return v;
}

static inline void
put (float *p, Vec v, size_t n)
{
  memcpy (p, &v, n * sizeof (float));
}

/* 1 in the first @n lanes: keeps the filling out of sums in which zero would count. */
static inline Vec
first_lanes (size_t n)
{
  Vec v = { 0 };
  for (size_t l = 0; l < n; l++)
    v[l] = 1.0f;
  return v;
}

static inline void
flush (double *sum, Vec part)
{
  for (int l = 0; l < L; l++)
    sum[l] += part[l];
}

static inline __attribute__ ((always_inline)) Vec
get (const float *p, size_t i, size_t n)
{
  return n == L ? LOAD (p + i) : fetch (p + i, n);
}

static inline Vec
rectify (Vec v)
{
  return WHERE (v > 0, v);
}

static inline Vec
clip (Vec v, Vec top)
{
  Vec r = rectify (v);
  Mask low = (Mask) (r < top);
  return (Vec) ((low & (Mask) r) | (~low & (Mask) top));
}

#include "compute/cpu/norm-loops.inc.h"

static void
stats (const float *x, size_t n, double *stat)
{
  const Mask sign = (Mask) { 0 } + 0x7fffffff;
  memset (stat, 0, 4 * L * sizeof (double));
  for (size_t start = 0; start < n; start += CHUNK) {
    size_t end = start + MIN (CHUNK, n - start), i = start;
    Mask zeros = { 0 };
    Vec sum = { 0 }, absolute = { 0 }, squares = { 0 };
    for (; i + L <= end; i += L) {
      Vec v = LOAD (x + i);
      zeros -= (Mask) (v == 0);
      sum += v;
      absolute += (Vec) ((Mask) v & sign);
      squares += v * v;
    }
    if (i < end) {
      Vec v = fetch (x + i, end - i);
      zeros -= (Mask) (v == 0) & (Mask) (first_lanes (end - i) > 0);
      sum += v;
      absolute += (Vec) ((Mask) v & sign);
      squares += v * v;
    }
    for (int l = 0; l < L; l++)
      stat[l] += zeros[l];
    flush (stat + L, sum);
    flush (stat + 2 * L, absolute);
    flush (stat + 3 * L, squares);
  }
}

static void
add (const float *a, const float *b, size_t n, gboolean relu, float *y)
{
  if (relu)
    EACH_VECTOR (n, i, STORE (y + i, rectify (LOAD (a + i) + LOAD (b + i))),
                 put (y + i, rectify (fetch (a + i, n - i) + fetch (b + i, n - i)), n - i));
  else
    EACH_VECTOR (n, i, STORE (y + i, LOAD (a + i) + LOAD (b + i)),
                 put (y + i, fetch (a + i, n - i) + fetch (b + i, n - i), n - i));
}

static void
relu (const float *x, size_t n, float *y)
{
  EACH_VECTOR (n, i, STORE (y + i, rectify (LOAD (x + i))), put (y + i, rectify (fetch (x + i, n - i)), n - i));
}

static void
relu_bwd (const float *y, const float *dy, size_t n, float *dx)
{
  Behind b = behind_of (&(PjCpuBehind) { .dy = dy, .y = y, .ceiling = G_MAXFLOAT }, NULL, FROM_Y);
  EACH_VECTOR (n, i, STORE (dx + i, behind (&b, FROM_Y, FALSE, i, L)), put (dx + i, behind (&b, FROM_Y, FALSE, i, n - i), n - i));
}

static void
sgd (float *w, const float *g, float *v, size_t n, float lr, float mu, float wd, gboolean nesterov)
{
  for (size_t i = 0; i < n; i++) {
    float d = g[i] + wd * w[i];
    v[i] = mu * v[i] + d;
    w[i] -= lr * (nesterov ? d + mu * v[i] : v[i]);
  }
}

/* --- pooling and single channels: one copy of the body for each block of channels --- */

/* First and one past the last tap of the window at output @o that lie inside the input of @size. */
static inline void
taps (int o, int stride, int pad, int kernel, int size, int *first, int *end)
{
  int start = o * stride - pad;
  *first = start < 0 ? -start : 0;
  *end = MIN (kernel, size - start);
}

/* 1 / (taps inside the input), or inside the padded input. */
static inline float
share (const PjCpuWindow *p, int oy, int ox, int ky0, int ky1, int kx0, int kx1)
{
  if (!p->count_include_pad)
    return 1.0f / (float) ((ky1 - ky0) * (kx1 - kx0));
  int rows = MIN (p->kernel[0], p->h + p->pad[0] + p->pad[2] - oy * p->stride[0]);
  int columns = MIN (p->kernel[1], p->w + p->pad[1] + p->pad[3] - ox * p->stride[1]);
  return 1.0f / (float) (rows * columns);
}

#define BLOCK 16
#include "compute/cpu/pool-loops.inc.h"
#include "compute/cpu/without-loops.inc.h"
#undef BLOCK
#define BLOCK 8
#include "compute/cpu/pool-loops.inc.h"
#include "compute/cpu/without-loops.inc.h"
#undef BLOCK
#define BLOCK 1
#include "compute/cpu/pool-loops.inc.h"
#include "compute/cpu/without-loops.inc.h"
#undef BLOCK

#define FOR_BLOCK(p, name, ...) \
  do { \
    if ((p)->block == 16) name ## _16 (p, __VA_ARGS__); \
    else if ((p)->block == 8) name ## _8 (p, __VA_ARGS__); \
    else name ## _1 (p, __VA_ARGS__); \
  } while (0)

static void
max_pool (const PjCpuWindow *p, const float *x, float *y, gint32 *index)
{
  FOR_BLOCK (p, max_pool, x, y, index);
}

static void
max_pool_bwd (const PjCpuWindow *p, const float *dy, const gint32 *index, float *dx)
{
  FOR_BLOCK (p, max_pool_bwd, dy, index, dx);
}

static void
avg_pool (const PjCpuWindow *p, const float *x, float *y)
{
  FOR_BLOCK (p, avg_pool, x, y);
}

static void
avg_pool_bwd (const PjCpuWindow *p, const float *dy, float *dx)
{
  FOR_BLOCK (p, avg_pool_bwd, dy, dx);
}

static void
without (const PjCpuWithout *p, const float *x, const float *w, const float *z, float *y)
{
  FOR_BLOCK (p, without, x, w, z, y);
}

const PjCpuLoops PJ_CPU_LOOPS = {
  .name = PJ_CPU_LOOPS_NAME, .moments = moments, .centred = centred, .join_moments = join_moments, .join_sums = join_sums,
  .affine = affine, .sums_bwd = sums_bwd, .affine_bwd = affine_bwd, .stats = stats, .add = add, .relu = relu, .relu_bwd = relu_bwd, .sgd = sgd, .without = without,
  .max_pool = max_pool, .max_pool_bwd = max_pool_bwd, .avg_pool = avg_pool, .avg_pool_bwd = avg_pool_bwd,
};
