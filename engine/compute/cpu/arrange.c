/* SPDX-License-Identifier: MIT */
/* Kernels that only move numbers: strided views, concatenation, channels in another order. */
#include "compute/cpu/internal.h"

#include <string.h>

/* --- views --- */

/* Offset in x of row @r of y (all dimensions but the last), or FALSE if it lies in the padding. */
static gboolean
row_offset (const PjView *v, size_t r, int64_t *offset)
{
  *offset = v->offset;
  for (unsigned i = v->rank - 1; i-- > 0; r /= (size_t) v->dim[i]) {
    int64_t p = (int64_t) (r % (size_t) v->dim[i]) - v->before[i];
    if (p < 0 || p >= v->extent[i])
      return FALSE;
    *offset += p * v->stride[i];
  }
  return TRUE;
}

static size_t
n_rows_of (const PjView *v)
{
  size_t n = 1;
  for (unsigned i = 0; i + 1 < v->rank; i++)
    n *= (size_t) v->dim[i];
  return n;
}

static gboolean
view_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjView *v = &step->call->view;
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  unsigned last = v->rank - 1;
  int64_t n = v->dim[last], from = CLAMP (v->before[last], 0, n), to = CLAMP (v->before[last] + v->extent[last], from, n);
  size_t n_rows = n_rows_of (v);

#pragma omp parallel for
  for (size_t r = 0; r < n_rows; r++) {
    float *line = y + (int64_t) r * n;
    int64_t offset;
    if (!row_offset (v, r, &offset)) {
      for (int64_t i = 0; i < n; i++)
        line[i] = v->fill;
      continue;
    }
    for (int64_t i = 0; i < from; i++)
      line[i] = v->fill;
    const float *source = x + offset - v->before[last] * v->stride[last];
    if (v->stride[last] == 1)
      memcpy (line + from, source + from, (size_t) (to - from) * sizeof *line);
    else
      for (int64_t i = from; i < to; i++)
        line[i] = source[i * v->stride[last]];
    for (int64_t i = to; i < n; i++)
      line[i] = v->fill;
  }
  return TRUE;
}

static gboolean
view_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjView *v = &step->call->view;
  const float *dy = pj_cpu_in (e, step, 0);
  float *dx = pj_cpu_out (e, step, 0);
  unsigned last = v->rank - 1;
  int64_t n = v->dim[last], from = CLAMP (v->before[last], 0, n), to = CLAMP (v->before[last] + v->extent[last], from, n);
  size_t n_rows = n_rows_of (v);

  memset (dx, 0, pj_cpu_mem (e, step->mems[PJ_CPU_OUT])->size_bytes);
#pragma omp parallel for
  for (size_t r = 0; r < n_rows; r++) {
    int64_t offset;
    if (!row_offset (v, r, &offset))
      continue;
    float *target = dx + offset - v->before[last] * v->stride[last];
    for (int64_t i = from; i < to; i++)
      target[i * v->stride[last]] = dy[(int64_t) r * n + i];
  }
  return TRUE;
}

gboolean
pj_cpu_view (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, view_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_view_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, view_bwd_run, 1, -1, error) != NULL;
}

/* --- concatenation --- */

/* Numbers of @slot from axis @axis on, in its layout. */
static size_t
n_inner (PjCpuExec *e, int slot, int axis)
{
  const PjShape *shape = pj_cpu_shape (e, slot);
  size_t n = pj_cpu_size (shape, e->slots[slot].block) / sizeof (float);
  for (int i = 0; i < axis; i++)
    n /= (size_t) shape->dim[i];
  return n;
}

static gboolean
concat_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjCall *call = step->call;
  const PjShape *ys = pj_cpu_shape (e, call->out[0]);
  size_t n_outer = 1, sizes[PJ_CALL_MAX_IN], offsets[PJ_CALL_MAX_IN], whole = 0;
  int n_in = 0;

  for (int i = 0; i < call->concat.axis; i++)
    n_outer *= (size_t) ys->dim[i];
  for (; n_in < PJ_CALL_MAX_IN && call->in[n_in] >= 0; n_in++) {
    const PjShape *shape = pj_cpu_shape (e, call->in[n_in]);
    sizes[n_in] = pj_cpu_size (shape, step->view.block) / sizeof (float) / n_outer;
    offsets[n_in] = whole;
    whole += sizes[n_in];
  }
  float *y = pj_cpu_out (e, step, 0);
#pragma omp parallel for collapse (2)
  for (size_t o = 0; o < n_outer; o++)
    for (int i = 0; i < n_in; i++)
      memcpy (y + o * whole + offsets[i], pj_cpu_in (e, step, i) + o * sizes[i], sizes[i] * sizeof *y);
  return TRUE;
}

/* Channel blocks can be copied whole where every part fills its last block. */
gboolean
pj_cpu_concat (PjCpuExec *e, const PjCall *call, GError **error)
{
  int block = pj_cpu_shape (e, call->in[0])->rank == 4 && call->concat.axis == 1 ? e->slots[call->in[0]].block : 1;
  for (int i = 0; i < PJ_CALL_MAX_IN && call->in[i] >= 0; i++)
    if (pj_cpu_shape (e, call->in[i])->dim[1] % block != 0 || e->slots[call->in[i]].block != block)
      block = 1;
  PjCpuStep *step = pj_cpu_step_for_call (e, concat_run, block, -1, error);
  if (step != NULL)
    step->view.block = block;
  return step != NULL;
}

/* --- channels by a list --- */

static gboolean
gather_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *xs = pj_cpu_shape (e, step->call->in[0]), *ys = pj_cpu_shape (e, step->call->out[0]);
  const float *x = pj_cpu_in (e, step, 0), *list = pj_cpu_in (e, step, 1);
  float *y = pj_cpu_out (e, step, 0);
  size_t c = (size_t) xs->dim[1], k = (size_t) ys->dim[1], plane = n_inner (e, step->call->out[0], 2);

#pragma omp parallel for collapse (2)
  for (size_t n = 0; n < (size_t) ys->dim[0]; n++)
    for (size_t i = 0; i < k; i++)
      memcpy (y + (n * k + i) * plane, x + (n * c + (size_t) list[i]) * plane, plane * sizeof *y);
  return TRUE;
}

static gboolean
gather_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *dxs = pj_cpu_shape (e, step->call->out[0]), *dys = pj_cpu_shape (e, step->call->in[0]);
  const float *dy = pj_cpu_in (e, step, 0), *list = pj_cpu_in (e, step, 1);
  float *dx = pj_cpu_out (e, step, 0);
  size_t c = (size_t) dxs->dim[1], k = (size_t) dys->dim[1], plane = n_inner (e, step->call->out[0], 2);

  memset (dx, 0, pj_cpu_mem (e, step->mems[PJ_CPU_OUT])->size_bytes);
  /* Pictures are independent; inside one the list is walked in order, so that sums have one order. */
#pragma omp parallel for
  for (size_t n = 0; n < (size_t) dys->dim[0]; n++)
    for (size_t i = 0; i < k; i++) {
      float *target = dx + (n * c + (size_t) list[i]) * plane;
      const float *source = dy + (n * k + i) * plane;
      for (size_t p = 0; p < plane; p++)
        target[p] += source[p];
    }
  return TRUE;
}

gboolean
pj_cpu_gather (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, gather_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_gather_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, gather_bwd_run, 1, -1, error) != NULL;
}
