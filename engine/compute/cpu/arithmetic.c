/* SPDX-License-Identifier: MIT */
/* Functions of one number, arithmetic with broadcasting, and sums over dimensions. */
#include "compute/cpu/internal.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

/* Elements per task. */
#define TASK ((size_t) 8192)

/* --- functions of one number --- */

#define LOOP(expression) \
  for (size_t i = 0; i < n; i++) { \
    const float x = from[i]; \
    to[i] = (expression); \
  } \
  break

static float
sigmoid (float x)
{
  return 1.0f / (1.0f + expf (-x));
}

static float
clamp (float x, float low, float high)
{
  return x < low ? low : x > high ? high : x;
}

static void
apply (const PjUnaryParams *p, const float *restrict from, size_t n, float *restrict to)
{
  const float a = p->alpha, b = p->beta;
  switch (p->function) {
  case PJ_FN_LINEAR:       LOOP (a * x + b);
  case PJ_FN_LEAKY_RELU:   LOOP (x >= 0 ? x : a * x);
  case PJ_FN_ELU:          LOOP (x >= 0 ? x : a * expm1f (x));
  case PJ_FN_SIGMOID:      LOOP (sigmoid (x));
  case PJ_FN_HARD_SIGMOID: LOOP (clamp (a * x + b, 0, 1));
  case PJ_FN_HARD_SWISH:   LOOP (x * clamp (x * (1.0f / 6) + 0.5f, 0, 1));
  case PJ_FN_SWISH:        LOOP (x * sigmoid (x));
  case PJ_FN_TANH:         LOOP (tanhf (x));
  case PJ_FN_GELU:         LOOP (0.5f * x * (1.0f + erff (x * (float) G_SQRT2 / 2)));
  case PJ_FN_SOFTPLUS:     LOOP (MAX (x, 0) + log1pf (expf (-fabsf (x))));
  case PJ_FN_CLIP:         LOOP (clamp (x, a, b));
  case PJ_FN_ERF:          LOOP (erff (x));
  case PJ_FN_EXP:          LOOP (expf (x));
  case PJ_FN_LOG:          LOOP (logf (x));
  case PJ_FN_SQRT:         LOOP (sqrtf (x));
  case PJ_FN_ABS:          LOOP (fabsf (x));
  case PJ_FN_POWER:        LOOP (a == 2.0f ? x * x : powf (x, a));
  case PJ_FN_RECIPROCAL:   LOOP (a / x);
  case PJ_N_FUNCTIONS:     break;
  }
}

/* f′(x); kinks take the derivative from the left, except at 0 of a leaky ReLU. */
static void
derive (const PjUnaryParams *p, const float *restrict from, size_t n, float *restrict to)
{
  const float a = p->alpha, b = p->beta;
  switch (p->function) {
  case PJ_FN_LINEAR:       LOOP (a + 0 * x);
  case PJ_FN_LEAKY_RELU:   LOOP (x >= 0 ? 1 : a);
  case PJ_FN_ELU:          LOOP (x >= 0 ? 1 : a * expf (x));
  case PJ_FN_SIGMOID:      LOOP (sigmoid (x) * (1 - sigmoid (x)));
  case PJ_FN_HARD_SIGMOID: LOOP (a * x + b > 0 && a * x + b < 1 ? a : 0);
  case PJ_FN_HARD_SWISH:   LOOP (x <= -3 ? 0 : x >= 3 ? 1 : x * (1.0f / 3) + 0.5f);
  case PJ_FN_SWISH:        LOOP (sigmoid (x) * (1 + x * (1 - sigmoid (x))));
  case PJ_FN_TANH:         LOOP (1 - tanhf (x) * tanhf (x));
  case PJ_FN_GELU:
    LOOP (0.5f * (1 + erff (x * (float) G_SQRT2 / 2)) + x * expf (-0.5f * x * x) * 0.3989422804f);
  case PJ_FN_SOFTPLUS:     LOOP (sigmoid (x));
  case PJ_FN_CLIP:         LOOP (x > a && x < b ? 1 : 0);
  case PJ_FN_ERF:          LOOP (1.1283791671f * expf (-x * x));
  case PJ_FN_EXP:          LOOP (expf (x));
  case PJ_FN_LOG:          LOOP (1 / x);
  case PJ_FN_SQRT:         LOOP (0.5f / sqrtf (x));
  case PJ_FN_ABS:          LOOP (x > 0 ? 1 : x < 0 ? -1 : 0);
  case PJ_FN_POWER:        LOOP (a == 2.0f ? 2 * x : a * powf (x, a - 1));
  case PJ_FN_RECIPROCAL:   LOOP (-a / (x * x));
  case PJ_N_FUNCTIONS:     break;
  }
}

static gboolean
keeps_zero (const PjUnaryParams *p)
{
  const float zero = 0;
  float y = 1;
  apply (p, &zero, 1, &y);
  return y == 0;
}

static gboolean
unary_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  size_t n = pj_cpu_mem (e, step->mems[PJ_CPU_OUT])->size_bytes / sizeof (float);
#pragma omp parallel for
  for (size_t at = 0; at < n; at += TASK)
    apply (&step->call->unary, x + at, MIN (TASK, n - at), y + at);
  return TRUE;
}

static gboolean
unary_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0), *dy = pj_cpu_in (e, step, 1);
  float *dx = pj_cpu_out (e, step, 0);
  size_t n = pj_cpu_mem (e, step->mems[PJ_CPU_OUT])->size_bytes / sizeof (float);
#pragma omp parallel for
  for (size_t at = 0; at < n; at += TASK) {
    float slope[TASK];
    size_t count = MIN (TASK, n - at);
    derive (&step->call->unary, x + at, count, slope);
    /* A padded channel has dy = 0, but its slope may be infinite. */
    for (size_t i = 0; i < count; i++)
      dx[at + i] = dy[at + i] != 0 ? dy[at + i] * slope[i] : 0;
  }
  return TRUE;
}

gboolean
pj_cpu_unary (PjCpuExec *e, const PjCall *call, GError **error)
{
  int block = keeps_zero (&call->unary) ? e->slots[call->in[0]].block : 1;
  return pj_cpu_step_for_call (e, unary_run, block, -1, error) != NULL;
}

gboolean
pj_cpu_unary_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, unary_bwd_run, e->slots[call->in[0]].block, -1, error) != NULL;
}

/* --- arithmetic --- */

/* y as three loops, the largest that keep each operand's stride regular: dimensions that all operands
 * walk alike are joined. */
typedef struct {
  unsigned rank;
  size_t dim[PJ_MAX_RANK], a[PJ_MAX_RANK], b[PJ_MAX_RANK];
} Walk;

/* Stride of dimension @i, 0 where it repeats. */
static void
broadcast_strides (const PjShape *shape, size_t stride[PJ_MAX_RANK])
{
  size_t step = 1;
  for (unsigned i = shape->rank; i-- > 0;) {
    stride[i] = shape->dim[i] == 1 ? 0 : step;
    step *= (size_t) shape->dim[i];
  }
}

static void
plan_walk (const PjShape *y, const PjShape *a, const PjShape *b, Walk *walk)
{
  size_t sa[PJ_MAX_RANK], sb[PJ_MAX_RANK];
  broadcast_strides (a, sa);
  broadcast_strides (b, sb);
  walk->rank = 0;
  for (unsigned i = 0; i < y->rank; i++) {
    size_t n = (size_t) y->dim[i];
    unsigned k = walk->rank - 1;
    if (n == 1)
      continue;
    if (walk->rank > 0 && walk->a[k] == n * sa[i] && walk->b[k] == n * sb[i]) {
      walk->dim[k] *= n;
      walk->a[k] = sa[i];
      walk->b[k] = sb[i];
      continue;
    }
    walk->dim[walk->rank] = n;
    walk->a[walk->rank] = sa[i];
    walk->b[walk->rank++] = sb[i];
  }
  if (walk->rank == 0)
    *walk = (Walk) { 1, { 1 }, { 0 }, { 0 } };
}

#define ROW(expression) \
  for (size_t i = 0; i < n; i++) { \
    const float u = a[i * sa], v = b[i * sb]; \
    y[i] = (expression); \
  } \
  break

static void
row (PjBinary op, const float *a, size_t sa, const float *b, size_t sb, size_t n, float *y)
{
  switch (op) {
  case PJ_BINARY_ADD: ROW (u + v);
  case PJ_BINARY_SUB: ROW (u - v);
  case PJ_BINARY_MUL: ROW (u * v);
  case PJ_BINARY_DIV: ROW (u / v);
  }
}

/* Operands with one number, or one per element, get loops without strides. */
static void
fast_row (PjBinary op, const float *a, size_t sa, const float *b, size_t sb, size_t n, float *y)
{
  if (sa == 1 && sb == 1)
    row (op, a, 1, b, 1, n, y);
  else if (sa == 1 && sb == 0)
    row (op, a, 1, b, 0, n, y);
  else
    row (op, a, sa, b, sb, n, y);
}

static gboolean
binary_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjCall *call = step->call;
  const PjShape *shape = pj_cpu_shape (e, call->out[0]);
  const float *a = pj_cpu_in (e, step, 0), *b = pj_cpu_in (e, step, 1);
  float *y = pj_cpu_out (e, step, 0);
  Walk walk;

  plan_walk (shape, pj_cpu_shape (e, call->in[0]), pj_cpu_shape (e, call->in[1]), &walk);
  unsigned last = walk.rank - 1;
  size_t n = walk.dim[last], n_rows = pj_shape_n_elems (shape) / n;
  /* One long row is cut in tasks. */
  size_t piece = n_rows >= 64 ? n : MIN (n, TASK), n_pieces = (n + piece - 1) / piece;
#pragma omp parallel for
  for (size_t t = 0; t < n_rows * n_pieces; t++) {
    size_t r = t / n_pieces, from = t % n_pieces * piece, at_a = from * walk.a[last], at_b = from * walk.b[last], rest = r;
    for (unsigned i = last; i-- > 0; rest /= walk.dim[i]) {
      at_a += rest % walk.dim[i] * walk.a[i];
      at_b += rest % walk.dim[i] * walk.b[i];
    }
    fast_row (call->binary.op, a + at_a, walk.a[last], b + at_b, walk.b[last], MIN (piece, n - from), y + r * n + from);
  }
  return TRUE;
}

gboolean
pj_cpu_binary (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, binary_run, 1, -1, error) != NULL;
}

/* --- sums --- */

/* Sum over the dimensions where @y has 1, for one element of y whose first element of x is at @from. */
typedef struct {
  unsigned rank;
  size_t dim[PJ_MAX_RANK], stride[PJ_MAX_RANK];
} Reduced;

static double
sum_reduced (const Reduced *r, const float *x, unsigned i)
{
  double sum = 0;
  if (i + 1 >= r->rank) {
    size_t n = r->rank > 0 ? r->dim[i] : 1, stride = r->rank > 0 ? r->stride[i] : 0;
    /* Four partial sums, added in one order. */
    double part[4] = { 0 };
    for (size_t k = 0; k < n; k++)
      part[k & 3] += (double) x[k * stride];
    return (part[0] + part[1]) + (part[2] + part[3]);
  }
  for (size_t k = 0; k < r->dim[i]; k++)
    sum += sum_reduced (r, x + k * r->stride[i], i + 1);
  return sum;
}

static gboolean
sum_to_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjCall *call = step->call;
  const PjShape *xs = pj_cpu_shape (e, call->in[0]), *ys = pj_cpu_shape (e, call->out[0]);
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  Reduced reduced = { 0 };
  size_t stride[PJ_MAX_RANK], step_size = 1, n = pj_shape_n_elems (ys);

  for (unsigned i = xs->rank; i-- > 0;) {
    stride[i] = step_size;
    step_size *= (size_t) xs->dim[i];
  }
  for (unsigned i = 0; i < xs->rank; i++)
    if (ys->dim[i] == 1 && xs->dim[i] > 1) {
      reduced.dim[reduced.rank] = (size_t) xs->dim[i];
      reduced.stride[reduced.rank++] = stride[i];
    }
#pragma omp parallel for
  for (size_t k = 0; k < n; k++) {
    size_t at = 0, rest = k;
    for (unsigned i = ys->rank; i-- > 0; rest /= (size_t) ys->dim[i])
      at += rest % (size_t) ys->dim[i] * stride[i];
    float sum = (float) (sum_reduced (&reduced, x + at, 0) * (double) call->sum.scale);
    y[k] = call->accumulate ? y[k] + sum : sum;
  }
  return TRUE;
}

gboolean
pj_cpu_sum_to (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, sum_to_run, 1, -1, error) != NULL;
}
