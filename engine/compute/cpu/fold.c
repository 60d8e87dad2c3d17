/* SPDX-License-Identifier: MIT */
/* Folds norms and gates into weights; runs in the prologue on the plain parameters. */
#include "compute/cpu/internal.h"

#include <math.h>

/* w2 = s·w for row @o. */
static void
scale_row (const float *w, float *w2, int64_t o, size_t row, double s)
{
  for (size_t i = 0; i < row; i++)
    w2[(size_t) o * row + i] = (float) (s * w[(size_t) o * row + i]);
}

static gboolean
fold_norm_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *shape = pj_cpu_shape (e, step->call->in[0]);
  const float *w = pj_cpu_in (e, step, 0), *b = pj_cpu_in (e, step, 1), *gamma = pj_cpu_in (e, step, 2);
  const float *beta = pj_cpu_in (e, step, 3), *mean = pj_cpu_in (e, step, 4), *var = pj_cpu_in (e, step, 5);
  const float *gate = pj_cpu_in (e, step, 6);
  float *w2 = pj_cpu_out (e, step, 0), *b2 = pj_cpu_out (e, step, 1);
  size_t row = pj_shape_n_elems (shape) / (size_t) shape->dim[0];

#pragma omp parallel for if ((size_t) shape->dim[0] * row >= PJ_CPU_PARALLEL)
  for (int64_t o = 0; o < shape->dim[0]; o++) {
    double g = gate != NULL ? gate[o] : 1.0, s = g * gamma[o] / sqrt ((double) var[o] + step->call->norm.eps);
    scale_row (w, w2, o, row, s);
    b2[o] = (float) (g * beta[o] + s * ((b != NULL ? b[o] : 0.0) - mean[o]));
  }
  return TRUE;
}

static gboolean
fold_gate_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *shape = pj_cpu_shape (e, step->call->in[0]);
  const float *w = pj_cpu_in (e, step, 0), *b = pj_cpu_in (e, step, 1), *gate = pj_cpu_in (e, step, 2);
  float *w2 = pj_cpu_out (e, step, 0), *b2 = pj_cpu_out (e, step, 1);
  size_t row = pj_shape_n_elems (shape) / (size_t) shape->dim[0];

#pragma omp parallel for if ((size_t) shape->dim[0] * row >= PJ_CPU_PARALLEL)
  for (int64_t o = 0; o < shape->dim[0]; o++) {
    scale_row (w, w2, o, row, gate[o]);
    if (b2 != NULL)
      b2[o] = b != NULL ? gate[o] * b[o] : 0.0f;
  }
  return TRUE;
}

gboolean
pj_cpu_fold_norm (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, fold_norm_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_fold_gate (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, fold_gate_run, 1, -1, error) != NULL;
}
