/* SPDX-License-Identifier: MIT */
#include "prune/scores/divergence.h"

#include <math.h>

/* ln Σ exp x. */
static double
log_sum (const float *x, unsigned n)
{
  double largest = x[0], sum = 0;

  for (unsigned k = 1; k < n; k++)
    largest = fmax (largest, x[k]);
  for (unsigned k = 0; k < n; k++)
    sum += exp (x[k] - largest);
  return largest + log (sum);
}

/* Σ a·(ln a − ln b). */
static double
divergence (const float *a, const float *b, unsigned n)
{
  double norm_a = log_sum (a, n), norm_b = log_sum (b, n), sum = 0;

  for (unsigned k = 0; k < n; k++) {
    double log_a = a[k] - norm_a, log_b = b[k] - norm_b;
    sum += exp (log_a) * (log_a - log_b);
  }
  return sum;
}

double
pj_kl_divergence (const float *reference, const float *changed, unsigned n, unsigned n_classes, PjDivergence direction)
{
  double sum = 0;

  for (size_t i = 0; i < n; i++) {
    const float *p = reference + i * n_classes, *q = changed + i * n_classes;
    sum += direction == PJ_DIVERGENCE_FORWARD ? divergence (p, q, n_classes) : divergence (q, p, n_classes);
  }
  /* The comparison lets what is not a number pass, for the caller to see. */
  return sum < 0 ? 0 : sum / MAX (n, 1);
}
