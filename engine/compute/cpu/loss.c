/* SPDX-License-Identifier: MIT */
/* Softmax and the losses: small tensors, one image per task, in double. */
#include "compute/cpu/internal.h"

#include <math.h>

/* log Σ exp (z/T), stable. */
static double
log_sum_exp (const float *z, int64_t k, double t)
{
  double largest = z[0], sum = 0;
  for (int64_t i = 1; i < k; i++)
    largest = MAX (largest, z[i]);
  for (int64_t i = 0; i < k; i++)
    sum += exp ((z[i] - largest) / t);
  return largest / t + log (sum);
}

/* Number of classes: everything of one image. */
static int64_t
classes (PjCpuExec *e, int slot)
{
  const PjShape *shape = pj_cpu_shape (e, slot);
  return (int64_t) pj_shape_n_elems (shape) / shape->dim[0];
}

static gboolean
softmax_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  int64_t k = classes (e, step->call->in[0]);

#pragma omp parallel for if ((size_t) step->view.n * (size_t) k >= PJ_CPU_PARALLEL / 16)   /* exp is dear */
  for (int n = 0; n < step->view.n; n++) {
    double lse = log_sum_exp (x + n * k, k, 1);
    for (int64_t i = 0; i < k; i++)
      y[n * k + i] = (float) (step->call->softmax.log ? x[n * k + i] - lse : exp (x[n * k + i] - lse));
  }
  return TRUE;
}

static gboolean
cross_entropy_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *z = pj_cpu_in (e, step, 0);
  const gint32 *labels = (const gint32 *) pj_cpu_in (e, step, 1);
  float *loss = pj_cpu_out (e, step, 0), *dz = pj_cpu_out (e, step, 1);
  int64_t k = classes (e, step->call->in[0]);
  double weight = step->call->loss.weight;

#pragma omp parallel for if ((size_t) step->view.n * (size_t) k >= PJ_CPU_PARALLEL / 16)   /* exp is dear */
  for (int n = 0; n < step->view.n; n++) {
    double lse = log_sum_exp (z + n * k, k, 1);
    loss[n] = (float) (lse - z[n * k + labels[n]]);
    for (int64_t i = 0; dz != NULL && i < k; i++)
      dz[n * k + i] = (float) (weight * (exp (z[n * k + i] - lse) - (i == labels[n])));
  }
  return TRUE;
}

/* With a = log p and b = log q at temperature T:  ∂/∂z of T²·Σ p (a − b) is T·(q − p), and of
 * T²·Σ q (b − a) it is T·q·((b − a) − Σ q (b − a)). */
static gboolean
kl_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *z = pj_cpu_in (e, step, 0), *target = pj_cpu_in (e, step, 1);
  float *loss = pj_cpu_out (e, step, 0), *dz = pj_cpu_out (e, step, 1);
  int64_t k = classes (e, step->call->in[0]);
  double t = step->call->kl.temperature, weight = step->call->kl.weight;
  gboolean reverse = step->call->kl.reverse;

#pragma omp parallel for if ((size_t) step->view.n * (size_t) k >= PJ_CPU_PARALLEL / 16)   /* exp is dear */
  for (int n = 0; n < step->view.n; n++) {
    const float *zn = z + n * k, *tn = target + n * k;
    double lse_q = log_sum_exp (zn, k, t), lse_p = log_sum_exp (tn, k, t), sum = 0;
    for (int64_t i = 0; i < k; i++) {
      double a = tn[i] / t - lse_p, b = zn[i] / t - lse_q;
      sum += reverse ? exp (b) * (b - a) : exp (a) * (a - b);
    }
    loss[n] = (float) (t * t * sum);
    for (int64_t i = 0; dz != NULL && i < k; i++) {
      double a = tn[i] / t - lse_p, b = zn[i] / t - lse_q;
      dz[n * k + i] = (float) (weight * t * (reverse ? exp (b) * ((b - a) - sum) : exp (b) - exp (a)));
    }
  }
  return TRUE;
}

gboolean
pj_cpu_softmax (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, softmax_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_cross_entropy (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, cross_entropy_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_kl (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, kl_run, 1, -1, error) != NULL;
}
