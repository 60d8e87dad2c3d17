/* SPDX-License-Identifier: MIT */
/* Softmax, cross-entropy and the Kullback-Leibler divergence of softened outputs (Hinton et al. 2015). */
#include "reference.h"

#include <math.h>

static int64_t
classes (const RefCall *c)
{
  return (int64_t) pj_shape_n_elems (c->in_shape[0]) / c->in_shape[0]->dim[0];
}

/* log softmax (z/t) of one row into @out. */
static void
log_softmax (const double *z, int64_t k, double t, double *out)
{
  double largest = -INFINITY, sum = 0;
  for (int64_t i = 0; i < k; i++)
    largest = MAX (largest, z[i] / t);
  for (int64_t i = 0; i < k; i++)
    sum += exp (z[i] / t - largest);
  for (int64_t i = 0; i < k; i++)
    out[i] = z[i] / t - largest - log (sum);
}

void
ref_softmax (const RefCall *c)
{
  int64_t k = classes (c);
  for (int64_t n = 0; n < c->in_shape[0]->dim[0]; n++) {
    log_softmax (c->in[0] + n * k, k, 1, c->out[0] + n * k);
    for (int64_t i = 0; i < k && !c->call->softmax.log; i++)
      c->out[0][n * k + i] = exp (c->out[0][n * k + i]);
  }
}

void
ref_cross_entropy (const RefCall *c)
{
  int64_t k = classes (c);
  g_autofree double *q = g_new (double, k);
  for (int64_t n = 0; n < c->in_shape[0]->dim[0]; n++) {
    int64_t label = (int64_t) c->in[1][n];
    log_softmax (c->in[0] + n * k, k, 1, q);
    c->out[0][n] = -q[label];
    for (int64_t i = 0; c->out[1] != NULL && i < k; i++)
      c->out[1][n * k + i] = c->call->loss.weight * (exp (q[i]) - (i == label));
  }
}

void
ref_kl (const RefCall *c)
{
  int64_t k = classes (c);
  double t = c->call->kl.temperature, weight = c->call->kl.weight;
  g_autofree double *p = g_new (double, k), *q = g_new (double, k);

  for (int64_t n = 0; n < c->in_shape[0]->dim[0]; n++) {
    double kl = 0;
    log_softmax (c->in[0] + n * k, k, t, q);
    log_softmax (c->in[1] + n * k, k, t, p);
    for (int64_t i = 0; i < k; i++)
      kl += c->call->kl.reverse ? exp (q[i]) * (q[i] - p[i]) : exp (p[i]) * (p[i] - q[i]);
    c->out[0][n] = t * t * kl;
    /* ∂q_i/∂z_j = q_i·(δ_ij − q_j)/T */
    for (int64_t j = 0; c->out[1] != NULL && j < k; j++)
      c->out[1][n * k + j] = weight * t * (c->call->kl.reverse ? exp (q[j]) * (q[j] - p[j] - kl) : exp (q[j]) - exp (p[j]));
  }
}
