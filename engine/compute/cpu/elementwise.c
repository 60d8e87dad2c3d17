/* SPDX-License-Identifier: MIT */
/* Passes over whole tensors where neither shape nor layout matters, and the optimiser. */
#include "compute/cpu/internal.h"

#include <string.h>

/* Elements per task: large enough to be worth a task, small enough for the second level cache. */
#define TASK ((size_t) 16384)

#define EACH_TASK(n, at, count, body) \
  do { \
    size_t n_ = (n); \
    _Pragma ("omp parallel for if (n_ > TASK)") \
    for (size_t at = 0; at < n_; at += TASK) { \
      size_t count = MIN (TASK, n_ - at); \
      body; \
    } \
  } while (0)

static size_t
n_elems (PjCpuExec *e, const PjCpuStep *step, int mem)
{
  return pj_cpu_mem (e, step->mems[mem])->size_bytes / sizeof (float);
}

static gboolean
add_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *a = pj_cpu_in (e, step, 0), *b = pj_cpu_in (e, step, 1);
  float *y = pj_cpu_out (e, step, 0);
  EACH_TASK (n_elems (e, step, PJ_CPU_OUT), at, n, e->device->loops->add (a + at, b + at, n, step->call->relu, y + at));
  return TRUE;
}

static gboolean
relu_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  EACH_TASK (n_elems (e, step, PJ_CPU_OUT), at, n, e->device->loops->relu (x + at, n, y + at));
  return TRUE;
}

static gboolean
relu_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *y = pj_cpu_in (e, step, 0), *dy = pj_cpu_in (e, step, 1);
  float *dx = pj_cpu_out (e, step, 0);
  EACH_TASK (n_elems (e, step, PJ_CPU_OUT), at, n, e->device->loops->relu_bwd (y + at, dy + at, n, dx + at));
  return TRUE;
}

static gboolean
copy_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  if (x != y)
    EACH_TASK (n_elems (e, step, PJ_CPU_OUT), at, n, memcpy (y + at, x + at, n * sizeof (float)));
  return TRUE;
}

static gboolean
sgd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *hyper = pj_cpu_in (e, step, 0);
  const PjCall *call = step->call;
  float *w = (float *) e->stores[PJ_STORE_PARAMS]->data, *v = (float *) e->stores[PJ_STORE_MOMENTUM]->data;
  const float *g = (const float *) e->stores[PJ_STORE_GRADS]->data;
  float lr = hyper[PJ_HYPER_LR], mu = hyper[PJ_HYPER_MOMENTUM];
  gboolean nesterov = hyper[PJ_HYPER_NESTEROV] != 0;
  const struct { size_t start, n; float decay; } parts[] = {
    { 0, call->sgd.n_decay, hyper[PJ_HYPER_WEIGHT_DECAY] }, { call->sgd.n_decay, call->sgd.n_plain, 0 },
  };

  for (guint p = 0; p < G_N_ELEMENTS (parts); p++)
    EACH_TASK (parts[p].n, at, n, e->device->loops->sgd (w + parts[p].start + at, g + parts[p].start + at, v + parts[p].start + at,
                                                         n, lr, mu, parts[p].decay, nesterov));
  return TRUE;
}

/* --- preparation --- */

gboolean
pj_cpu_add (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, add_run, e->slots[call->in[0]].block, 0, error) != NULL;
}

gboolean
pj_cpu_relu (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, relu_run, e->slots[call->in[0]].block, 0, error) != NULL;
}

gboolean
pj_cpu_relu_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, relu_bwd_run, e->slots[call->in[0]].block, 1, error) != NULL;
}

/* Both sides are plain; in place if nobody else needs the input. */
gboolean
pj_cpu_reshape (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, copy_run, 1, 0, error) != NULL;
}

gboolean
pj_cpu_sgd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, sgd_run, 1, -1, error) != NULL;
}
