/* SPDX-License-Identifier: MIT */
/* Batch normalisation and gates backward. */
#include "compute/cpu/norm.h"

#include <math.h>
#include <string.h>

#define L PJ_CPU_LANES

/**
 * Backward: what the passes go over.
 * @behind: the gradient behind the ReLU, for all planes; its s and t are per padded channel
 * @mean: per padded channel
 * @a, @b, @c: coefficients per padded channel
 */
typedef struct {
  PjCpuExec *e;
  const PjCpuStep *step;
  const PjCpuLoops *loops;
  const float *x;
  PjCpuBehind behind;
  double *sums;
  float *mean, *a, *b, *c, *dx;
} Backward;

/* All coefficients are zero at first, as they stay for channels of padding. */
static Backward
backward_of (PjCpuExec *e, const PjCpuStep *step)
{
  size_t padded = pj_cpu_padded (step);
  float *mean = pj_cpu_temp (e, step, 1);
  const PjCall *call = step->call;
  Backward b = {
    .e = e, .step = step, .loops = e->device->loops, .x = pj_cpu_in (e, step, 0),
    .behind = { .dy = pj_cpu_in (e, step, 2), .more = pj_cpu_in (e, step, PJ_CPU_SECOND), .d = pj_cpu_in (e, step, PJ_CPU_MASKED),
                .ceiling = pj_call_ceiling (call) },
    .sums = (double *) pj_cpu_temp (e, step, 0),
    .mean = mean, .a = mean + padded, .b = mean + 2 * padded, .c = mean + 3 * padded, .dx = pj_cpu_out (e, step, 0),
  };
  memset (mean, 0, 6 * padded * sizeof (float));
  /* Without the ReLU's output: from x, by the coefficients of the norm. */
  if (call->relu && call->in[1] >= 0) {
    b.behind.y = pj_cpu_in (e, step, 1);
  } else if (call->relu) {
    b.behind.s = mean + 4 * padded;
    b.behind.t = mean + 5 * padded;
  }
  return b;
}

/* @behind of one plane, which starts at element @at and is block @k of the channels; @lanes: for s and t. */
static PjCpuBehind
behind_at (const Backward *b, PjCpuBehind behind, size_t at, int k, float lanes[2][L])
{
  behind.dy += at;
  behind.more = behind.more != NULL ? behind.more + at : NULL;
  behind.y = behind.y != NULL ? behind.y + at : NULL;
  behind.d = behind.d != NULL ? behind.d + at : NULL;
  if (behind.s != NULL) {
    behind.s = pj_cpu_lanes (b->step, behind.s, k, lanes[0]);
    behind.t = pj_cpu_lanes (b->step, behind.t, k, lanes[1]);
  }
  return behind;
}

/* Σ d and Σ d·(x − mean). */
static void
sums_of_plane (gpointer data, int n, int k)
{
  const Backward *b = data;
  float mean[L], scale[2][L];
  size_t at = pj_cpu_plane_at (b->step, n, k);
  PjCpuBehind in = behind_at (b, b->behind, at, k, scale);
  b->loops->sums_bwd (&in, b->x + at, pj_cpu_plane_elems (b->step), b->step->view.block, pj_cpu_lanes (b->step, b->mean, k, mean),
                      pj_cpu_plane_sums (b->step, b->sums, n, k));
}

/* The same for a block of channels: [2][block]. */
static void
join_sums (const Backward *b, int k, double joined[2 * L])
{
  const PjCpuStep *step = b->step;
  b->loops->join_sums (pj_cpu_plane_sums (step, b->sums, 0, k), step->view.n, 2 * pj_cpu_padded (step), 2 * step->view.block, joined);
}

/* dx = a·d + b·x + c. */
static void
apply_plane (gpointer data, int n, int k)
{
  const Backward *b = data;
  float lanes[3][L], scale[2][L];
  size_t at = pj_cpu_plane_at (b->step, n, k);
  /* The first pass may have left d behind. */
  PjCpuBehind kept = { .dy = b->behind.d }, in = behind_at (b, b->behind.d != NULL ? kept : b->behind, at, k, scale);
  b->loops->affine_bwd (&in, b->x + at, pj_cpu_plane_elems (b->step), pj_cpu_lanes (b->step, b->a, k, lanes[0]),
                        pj_cpu_lanes (b->step, b->b, k, lanes[1]), pj_cpu_lanes (b->step, b->c, k, lanes[2]), b->dx + at);
}

/* --- norms --- */

static void
add_or_set (float *out, int c, double value, gboolean accumulate)
{
  if (out != NULL)
    out[c] = (float) value + (accumulate ? out[c] : 0.0f);
}

/* The gradients of γ, β and gate, and the coefficients. */
static void
norm_block (gpointer data, int k)
{
  const Backward *b = data;
  PjCpuExec *e = b->e;
  const PjCpuStep *step = b->step;
  const PjCall *call = step->call;
  gboolean frozen = call->kernel == PJ_KERNEL_NORM_EVAL_BWD;
  const float *gamma = pj_cpu_in (e, step, 3), *beta = pj_cpu_in (e, step, 4), *in_scale = pj_cpu_in (e, step, 6);
  const float *gate = pj_cpu_in (e, step, 7);
  double sums[2 * L], count = (double) step->view.n * step->view.hw;

  join_sums (b, k, sums);
  for (int l = 0; l < pj_cpu_block_channels (step, k); l++) {
    int c = k * step->view.block + l;
    double rstd = frozen ? 1.0 / sqrt ((double) in_scale[c] + call->norm.eps) : in_scale[c];
    double g = gate != NULL ? gate[c] : 1.0, sum_d = sums[l], sum_dx = sums[step->view.block + l] * rstd;
    add_or_set (pj_cpu_out (e, step, 1), c, g * sum_dx, call->accumulate);
    add_or_set (pj_cpu_out (e, step, 2), c, g * sum_d, call->accumulate);
    add_or_set (pj_cpu_out (e, step, 3), c, gamma[c] * sum_dx + beta[c] * sum_d, FALSE);
    double a = g * gamma[c] * rstd, slope = frozen ? 0.0 : -a * rstd * sum_dx / count;
    b->a[c] = (float) a;
    b->b[c] = (float) slope;
    b->c[c] = (float) (frozen ? 0.0 : -a * sum_d / count - slope * b->mean[c]);
  }
}

/* Both backward passes of the norm; in NORM_EVAL_BWD the statistics do not depend on x. */
static gboolean
norm_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  gboolean frozen = step->call->kernel == PJ_KERNEL_NORM_EVAL_BWD;
  const float *gamma = pj_cpu_in (e, step, 3), *beta = pj_cpu_in (e, step, 4);
  const float *in_mean = pj_cpu_in (e, step, 5), *in_scale = pj_cpu_in (e, step, 6), *gate = pj_cpu_in (e, step, 7);
  Backward b = backward_of (e, step);
  float *s = b.c + pj_cpu_padded (step), *t = s + pj_cpu_padded (step);

  memcpy (b.mean, in_mean, (size_t) step->view.c * sizeof (float));
  for (int c = 0; b.behind.s != NULL && c < step->view.c; c++)
    if (frozen)
      pj_cpu_norm_stored_scale (step, gamma[c], beta[c], in_mean[c], in_scale[c], gate != NULL ? gate[c] : 1.0f, &s[c], &t[c]);
    else
      pj_cpu_norm_scale (gamma[c], beta[c], in_mean[c], in_scale[c], gate != NULL ? gate[c] : 1.0f, &s[c], &t[c]);
  pj_cpu_walk (&(PjCpuWalk) { step, sums_of_plane, norm_block, apply_plane }, &b);
  return TRUE;
}

/* --- gates --- */

static void
gate_block (gpointer data, int k)
{
  const Backward *b = data;
  double sums[2 * L];
  join_sums (b, k, sums);
  for (int l = 0; l < pj_cpu_block_channels (b->step, k); l++)
    pj_cpu_out (b->e, b->step, 1)[k * b->step->view.block + l] = (float) sums[b->step->view.block + l];
}

static gboolean
gate_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  gboolean wanted = step->call->out[1] >= 0;
  Backward b = backward_of (e, step);

  memcpy (b.a, pj_cpu_in (e, step, 3), (size_t) step->view.c * sizeof (float));
  pj_cpu_walk (&(PjCpuWalk) { step, wanted ? sums_of_plane : NULL, wanted ? gate_block : NULL, apply_plane }, &b);
  return TRUE;
}

gboolean
pj_cpu_norm_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_norm_step (e, norm_bwd_run, 2, error);
}

gboolean
pj_cpu_gate_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_norm_step (e, gate_bwd_run, 2, error);
}
