/* SPDX-License-Identifier: MIT */
/* Pooling on the layout of its input, one plane per task. */
#include "compute/cpu/internal.h"

/* @x: slot of the input's shape; @y: slot of the output's shape. */
static PjCpuWindow
window (PjCpuExec *e, const PjCpuStep *step, int x, int y)
{
  const PjPoolParams *p = &step->call->pool;
  const PjShape *xs = pj_cpu_shape (e, x), *ys = pj_cpu_shape (e, y);
  return (PjCpuWindow) {
    .h = (int) xs->dim[2], .w = (int) xs->dim[3], .oh = (int) ys->dim[2], .ow = (int) ys->dim[3],
    .kernel = { p->kernel[0], p->kernel[1] }, .stride = { p->stride[0], p->stride[1] },
    .pad = { p->pad[0], p->pad[1], p->pad[2], p->pad[3] }, .block = step->view.block,
    .count_include_pad = p->count_include_pad,
  };
}

/* Runs @body for every plane with the offsets of its input-sized and output-sized tensors. */
#define EACH_PLANE(step, p, at_x, at_y, body) \
  do { \
    int n_planes_ = (step)->view.n * (step)->view.n_blocks; \
    size_t x_elems_ = (size_t) (p).h * (p).w * (p).block, y_elems_ = (size_t) (p).oh * (p).ow * (p).block; \
    _Pragma ("omp parallel for if ((size_t) n_planes_ * x_elems_ >= PJ_CPU_PARALLEL)") \
    for (int plane_ = 0; plane_ < n_planes_; plane_++) { \
      size_t at_x = (size_t) plane_ * x_elems_, at_y = (size_t) plane_ * y_elems_; \
      body; \
    } \
  } while (0)

static gboolean
max_pool_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  PjCpuWindow p = window (e, step, step->call->in[0], step->call->out[0]);
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  gint32 *index = (gint32 *) pj_cpu_out (e, step, 1);
  EACH_PLANE (step, p, at_x, at_y, e->device->loops->max_pool (&p, x + at_x, y + at_y, index ? index + at_y : NULL));
  return TRUE;
}

static gboolean
max_pool_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  PjCpuWindow p = window (e, step, step->call->out[0], step->call->in[0]);
  const float *dy = pj_cpu_in (e, step, 0);
  const gint32 *index = (const gint32 *) pj_cpu_in (e, step, 1);
  float *dx = pj_cpu_out (e, step, 0);
  EACH_PLANE (step, p, at_x, at_y, e->device->loops->max_pool_bwd (&p, dy + at_y, index + at_y, dx + at_x));
  return TRUE;
}

static gboolean
avg_pool_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  PjCpuWindow p = window (e, step, step->call->in[0], step->call->out[0]);
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  EACH_PLANE (step, p, at_x, at_y, e->device->loops->avg_pool (&p, x + at_x, y + at_y));
  return TRUE;
}

static gboolean
avg_pool_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  PjCpuWindow p = window (e, step, step->call->out[0], step->call->in[0]);
  const float *dy = pj_cpu_in (e, step, 0);
  float *dx = pj_cpu_out (e, step, 0);
  EACH_PLANE (step, p, at_x, at_y, e->device->loops->avg_pool_bwd (&p, dy + at_y, dx + at_x));
  return TRUE;
}

/* The view's block must be the layout's, also on maps of one pixel, where the number of planes and
 * their size must fit each other. */
static gboolean
prepare (PjCpuExec *e, PjCpuRun run, int block, GError **error)
{
  PjCpuStep *step = pj_cpu_step_for_call (e, run, block, -1, error);
  if (step == NULL)
    return FALSE;
  step->view.block = block;
  step->view.n_blocks = (step->view.c + block - 1) / block;
  return TRUE;
}

gboolean
pj_cpu_max_pool (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, max_pool_run, e->slots[call->in[0]].block, error);
}

/* The indices are in the layout of the forward pass, so the gradient must be too. */
gboolean
pj_cpu_max_pool_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, max_pool_bwd_run, e->slots[call->in[1]].block, error);
}

gboolean
pj_cpu_avg_pool (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, avg_pool_run, e->slots[call->in[0]].block, error);
}

/* A gradient of one pixel per map often comes from a fully connected layer and is plain. */
gboolean
pj_cpu_avg_pool_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  int block = e->slots[call->in[0]].block, c = (int) pj_cpu_shape (e, call->in[0])->dim[1];
  const PjShape *dy = pj_cpu_shape (e, call->in[0]);
  if (block == 1 && dy->dim[2] * dy->dim[3] == 1)
    block = c % 16 == 0 ? 16 : c % 8 == 0 ? 8 : 1;
  return prepare (e, avg_pool_bwd_run, block, error);
}
