/* SPDX-License-Identifier: MIT */
/* A convolution's result less the share of one input channel: a pass over memory with few multiplications.  The channel is
 * read plain, with its padding around it in memory of the thread, so that the loop over taps has no borders. */
#include "compute/cpu/internal.h"

#include <string.h>

/* The map of the channel with its padding, and the plan of one plane of results. */
typedef struct {
  int h, w, height, n_out, n_in, n_taps, n_blocks;
  PjCpuWithout plane;
} Geometry;

static int
size_of (const PjShape *shape, unsigned dim)
{
  return shape->rank == 4 ? (int) shape->dim[dim] : 1;
}

static Geometry
geometry (PjCpuExec *e, const PjCall *call, int block)
{
  const PjShape *x = pj_cpu_shape (e, call->in[0]), *y = pj_cpu_shape (e, call->out[0]);
  const PjConvParams *p = &call->conv;
  Geometry g = {
    .h = size_of (x, 2), .w = size_of (x, 3), .n_out = (int) y->dim[1], .n_in = (int) x->dim[1], .n_taps = p->kernel[0] * p->kernel[1],
    .plane = {
      .oh = size_of (y, 2), .ow = size_of (y, 3), .kernel = { p->kernel[0], p->kernel[1] }, .stride = { p->stride[0], p->stride[1] },
      .dilation = { p->dilation[0], p->dilation[1] }, .block = block, .ceiling = pj_call_ceiling (call),
    },
  };
  g.height = g.h + p->pad[0] + p->pad[2];
  g.plane.width = g.w + p->pad[1] + p->pad[3];
  g.n_blocks = (g.n_out + block - 1) / block;
  return g;
}

/* The weights of input channel @c: [block of outputs][tap][output], zero where there is no output. */
static void
pick_weights (const Geometry *g, const float *w, int c, float *picked)
{
  int block = g->plane.block;

  memset (picked, 0, (size_t) (g->n_blocks * g->n_taps * block) * sizeof (float));
  for (int o = 0; o < g->n_out; o++)
    for (int t = 0; t < g->n_taps; t++)
      picked[((o / block) * g->n_taps + t) * block + o % block] = w[((size_t) o * (size_t) g->n_in + (size_t) c) * (size_t) g->n_taps + (size_t) t];
}

static void
pad (const Geometry *g, const PjConvParams *p, const float *x, float *padded)
{
  memset (padded, 0, (size_t) g->height * (size_t) g->plane.width * sizeof (float));
  for (int row = 0; row < g->h; row++)
    memcpy (padded + (size_t) (row + p->pad[0]) * (size_t) g->plane.width + p->pad[1], x + (size_t) row * (size_t) g->w, (size_t) g->w * sizeof (float));
}

static gboolean
without_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  Geometry g = geometry (e, step->call, step->view.block);
  int n = step->view.n, c = (int) pj_cpu_in (e, step, 3)[0], n_parts = MIN (n, e->device->n_threads);
  size_t x_plane = (size_t) g.h * (size_t) g.w, padded_elems = (size_t) g.height * (size_t) g.plane.width;
  size_t y_plane = (size_t) g.plane.oh * (size_t) g.plane.ow * (size_t) g.plane.block, taps = (size_t) (g.n_taps * g.plane.block);
  const float *x = pj_cpu_in (e, step, 0), *z = pj_cpu_in (e, step, 2);
  float *y = pj_cpu_out (e, step, 0), *picked = pj_cpu_temp (e, step, 0), *padded = pj_cpu_temp (e, step, 1);

  g_return_val_if_fail (c >= -1 && c < g.n_in, FALSE);
  if (c >= 0)
    pick_weights (&g, pj_cpu_in (e, step, 1), c, picked);
#pragma omp parallel for schedule (static) if ((size_t) n * g.n_blocks * y_plane >= PJ_CPU_PARALLEL)
  for (int part = 0; part < n_parts; part++) {
    float *mine = padded + (size_t) part * padded_elems;
    for (int i = n * part / n_parts; i < n * (part + 1) / n_parts; i++) {
      if (c >= 0)
        pad (&g, &step->call->conv, x + ((size_t) i * (size_t) g.n_in + (size_t) c) * x_plane, mine);
      for (int b = 0; b < g.n_blocks; b++) {
        size_t at = ((size_t) i * (size_t) g.n_blocks + (size_t) b) * y_plane;
        e->device->loops->without (&g.plane, c >= 0 ? mine : NULL, picked + (size_t) b * taps, z + at, y + at);
      }
    }
  }
  return TRUE;
}

/* Rows of a matrix are blocks already where these divide them. */
static int
block_for (PjCpuExec *e, const PjShape *y)
{
  if (y->rank == 4)
    return e->device->winograd != NULL ? e->device->winograd->lanes : 8;
  return y->dim[1] % 16 == 0 ? 16 : y->dim[1] % 8 == 0 ? 8 : 1;
}

gboolean
pj_cpu_conv_without (PjCpuExec *e, const PjCall *call, GError **error)
{
  const PjShape *shape = pj_cpu_shape (e, call->out[0]);
  int block = block_for (e, shape), layout = shape->rank == 4 ? block : 1;
  Geometry g = geometry (e, call, block);
  int x, w, z, channel;

  if ((x = pj_cpu_get (e, call->in[0], 1, error)) < 0 || (w = pj_cpu_get (e, call->in[1], 1, error)) < 0
      || (z = pj_cpu_get (e, call->in[2], layout, error)) < 0 || (channel = pj_cpu_get (e, call->in[3], 1, error)) < 0)
    return FALSE;
  int y = pj_cpu_define (e, call->out[0], layout, call->in[2]);
  PjCpuStep *step = pj_cpu_step_new (e, without_run);
  step->mems[0] = x;
  step->mems[1] = w;
  step->mems[2] = z;
  step->mems[3] = channel;
  step->mems[PJ_CPU_OUT] = y;
  step->view.n = (int) shape->dim[0];
  step->view.block = block;
  pj_cpu_step_temp (e, step, 0, (size_t) (g.n_blocks * g.n_taps * block) * sizeof (float));
  pj_cpu_step_temp (e, step, 1, (size_t) e->device->n_threads * (size_t) g.height * (size_t) g.plane.width * sizeof (float));
  return TRUE;
}
