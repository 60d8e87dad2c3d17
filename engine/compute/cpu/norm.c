/* SPDX-License-Identifier: MIT */
/* Batch normalisation and gates forward. */
#include "compute/cpu/norm.h"

#include <math.h>
#include <string.h>

const float *
pj_cpu_lanes (const PjCpuStep *step, const float *c, int k, float lanes[PJ_CPU_LANES])
{
  c += k * step->view.block;
  if (step->view.block == PJ_CPU_LANES)
    return c;
  for (int l = 0; l < PJ_CPU_LANES; l++)
    lanes[l] = c[l % step->view.block];
  return lanes;
}

void
pj_cpu_norm_scale (float gamma, float beta, float mean, float rstd, float gate, float *s, float *t)
{
  double scale = (double) gamma * rstd;
  *s = (float) (gate * scale);
  *t = (float) (gate * (beta - scale * mean));
}

void
pj_cpu_norm_stored_scale (const PjCpuStep *step, float gamma, float beta, float mean, float var, float gate,
                          float *s, float *t)
{
  double scale = gamma / sqrt ((double) var + step->call->norm.eps), g = gate;
  *s = (float) (g * scale);
  *t = (float) (g * (beta - scale * mean));
}

/* --- y = relu? (s·x + t + r) --- */

/* @s, @t: per padded channel; @r: (nullable): the residual */
typedef struct {
  const PjCpuStep *step;
  const PjCpuLoops *loops;
  const float *x, *r;
  float *s, *t, *y;
  float ceiling;
} Affine;

/* With s and t that are all zero, as they stay for channels of padding. */
static Affine
affine_of (PjCpuExec *e, const PjCpuStep *step)
{
  float *s = pj_cpu_temp (e, step, 1);
  memset (s, 0, 2 * pj_cpu_padded (step) * sizeof (float));
  return (Affine) {
    .step = step, .loops = e->device->loops, .x = pj_cpu_in (e, step, 0), .r = pj_cpu_in (e, step, PJ_CPU_RESIDUAL),
    .s = s, .t = s + pj_cpu_padded (step), .y = pj_cpu_out (e, step, 0), .ceiling = pj_call_ceiling (step->call),
  };
}

static void
apply_plane (gpointer data, int n, int k)
{
  const Affine *a = data;
  float s[PJ_CPU_LANES], t[PJ_CPU_LANES];
  size_t at = pj_cpu_plane_at (a->step, n, k);
  a->loops->affine (a->x + at, pj_cpu_plane_elems (a->step), pj_cpu_lanes (a->step, a->s, k, s),
                    pj_cpu_lanes (a->step, a->t, k, t), a->r != NULL ? a->r + at : NULL, a->ceiling, a->y + at);
}

static void
apply (Affine *a)
{
  pj_cpu_walk (&(PjCpuWalk) { .step = a->step, .second = apply_plane }, a);
}

/* --- training: with the statistics of the batch --- */

typedef struct {
  Affine affine;        /* at first, so that apply_plane() can have this */
  double *moments;
  const float *gamma, *beta, *gate;
  float *running_mean, *running_var, *saved_mean, *saved_rstd;
  float momentum;
} Train;

static void
moments_of_plane (gpointer data, int n, int k)
{
  const Train *t = data;
  const PjCpuStep *step = t->affine.step;
  t->affine.loops->moments (t->affine.x + pj_cpu_plane_at (step, n, k), pj_cpu_plane_elems (step), step->view.block,
                            pj_cpu_plane_sums (step, t->moments, n, k));
}

static void
statistics_of_block (gpointer data, int k)
{
  const Train *t = data;
  const PjCpuStep *step = t->affine.step;
  double joined[2 * PJ_CPU_LANES], count = (double) step->view.n * step->view.hw;

  t->affine.loops->join_moments (pj_cpu_plane_sums (step, t->moments, 0, k), step->view.n, 2 * pj_cpu_padded (step),
                                 step->view.block, step->view.hw, joined);
  for (int l = 0; l < pj_cpu_block_channels (step, k); l++) {
    int c = k * step->view.block + l;
    double mean = joined[l], var = MAX (joined[step->view.block + l], 0.0) / count;
    t->saved_mean[c] = (float) mean;
    t->saved_rstd[c] = (float) (1.0 / sqrt (var + step->call->norm.eps));
    pj_cpu_norm_scale (t->gamma[c], t->beta[c], t->saved_mean[c], t->saved_rstd[c], t->gate != NULL ? t->gate[c] : 1.0f,
                       &t->affine.s[c], &t->affine.t[c]);
    t->running_mean[c] += t->momentum * ((float) mean - t->running_mean[c]);
    /* One value has no unbiased variance; keep what is there. */
    if (count > 1)
      t->running_var[c] += t->momentum * ((float) (var * count / (count - 1)) - t->running_var[c]);
  }
}

static gboolean
norm_train_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  Train t = {
    .affine = affine_of (e, step), .moments = (double *) pj_cpu_temp (e, step, 0),
    .gamma = pj_cpu_in (e, step, 1), .beta = pj_cpu_in (e, step, 2), .gate = pj_cpu_in (e, step, 6),
    .running_mean = pj_cpu_in (e, step, 3), .running_var = pj_cpu_in (e, step, 4),
    .saved_mean = pj_cpu_out (e, step, 1), .saved_rstd = pj_cpu_out (e, step, 2),
    .momentum = pj_cpu_in (e, step, 5)[PJ_HYPER_NORM_MOMENTUM],
  };
  pj_cpu_walk (&(PjCpuWalk) { step, moments_of_plane, statistics_of_block, apply_plane }, &t);
  return TRUE;
}

/* --- with statistics that are there, and gates --- */

static gboolean
norm_apply_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *gamma = pj_cpu_in (e, step, 1), *beta = pj_cpu_in (e, step, 2);
  const float *mean = pj_cpu_in (e, step, 3), *rstd = pj_cpu_in (e, step, 4), *gate = pj_cpu_in (e, step, 5);
  Affine a = affine_of (e, step);

  for (int c = 0; c < step->view.c; c++)
    pj_cpu_norm_scale (gamma[c], beta[c], mean[c], rstd[c], gate != NULL ? gate[c] : 1.0f, &a.s[c], &a.t[c]);
  apply (&a);
  return TRUE;
}

static gboolean
norm_eval_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *gamma = pj_cpu_in (e, step, 1), *beta = pj_cpu_in (e, step, 2);
  const float *mean = pj_cpu_in (e, step, 3), *var = pj_cpu_in (e, step, 4), *gate = pj_cpu_in (e, step, 5);
  Affine a = affine_of (e, step);

  for (int c = 0; c < step->view.c; c++)
    pj_cpu_norm_stored_scale (step, gamma[c], beta[c], mean[c], var[c], gate != NULL ? gate[c] : 1.0f, &a.s[c], &a.t[c]);
  apply (&a);
  return TRUE;
}

static gboolean
gate_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  Affine a = affine_of (e, step);
  memcpy (a.s, pj_cpu_in (e, step, 1), (size_t) step->view.c * sizeof (float));
  apply (&a);
  return TRUE;
}

/* --- preparation --- */

static int
block_for (PjCpuExec *e, int slot, int block)
{
  return pj_cpu_shape (e, slot)->rank == 4 ? block : 1;
}

/* Operands of a joined call that its kernel alone has not, into @extra: residual, second, masked.  Outputs take the
 * memory of inputs that nobody needs any more: y that of the residual, the masked gradient that of dy, dx that of the
 * second gradient. */
static gboolean
get_extra (PjCpuExec *e, int block, int extra[3], GError **error)
{
  const PjCpuCall *self = &e->calls[e->call_index];
  const PjCall *call = &self->call;

  extra[0] = extra[1] = extra[2] = -1;
  if (self->residual >= 0) {
    extra[0] = pj_cpu_get (e, self->residual, block_for (e, self->residual, block), error);
    if (extra[0] < 0)
      return FALSE;
    int over = e->last_use[self->residual] <= e->call_index ? self->residual : call->in[0];
    pj_cpu_define (e, call->out[0], block_for (e, call->out[0], block), over);
  }
  if (self->second >= 0) {
    extra[1] = pj_cpu_get (e, self->second, block_for (e, self->second, block), error);
    if (extra[1] < 0)
      return FALSE;
  }
  if (self->masked >= 0) {
    int dy_block = block_for (e, call->in[2], block);
    if (pj_cpu_get (e, call->in[2], dy_block, error) < 0)
      return FALSE;
    extra[2] = pj_cpu_define (e, self->masked, dy_block, call->in[2]);
    pj_cpu_define (e, call->out[0], dy_block, self->second);
  }
  return TRUE;
}

gboolean
pj_cpu_norm_step (PjCpuExec *e, PjCpuRun run, int over, GError **error)
{
  const PjCall *call = pj_cpu_call (e);
  int block = e->slots[call->in[0]].block, extra[3];

  if (!get_extra (e, block, extra, error))
    return FALSE;
  PjCpuStep *step = pj_cpu_step_for_call (e, run, block, over, error);
  if (step == NULL)
    return FALSE;
  memcpy (step->mems + PJ_CPU_RESIDUAL, extra, sizeof extra);
  pj_cpu_step_temp (e, step, 0, (size_t) step->view.n * pj_cpu_padded (step) * 2 * sizeof (double));
  pj_cpu_step_temp (e, step, 1, pj_cpu_padded (step) * 6 * sizeof (float));
  return TRUE;
}

gboolean
pj_cpu_norm_train (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_norm_step (e, norm_train_run, 0, error);
}

gboolean
pj_cpu_norm_eval (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_norm_step (e, norm_eval_run, 0, error);
}

gboolean
pj_cpu_norm_apply (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_norm_step (e, norm_apply_run, 0, error);
}

gboolean
pj_cpu_gate (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_norm_step (e, gate_run, 0, error);
}

