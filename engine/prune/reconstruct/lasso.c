/* SPDX-License-Identifier: MIT */
#include "prune/reconstruct/lasso.h"

#include <math.h>
#include <string.h>

#define MAX_SWEEPS 2000
#define MAX_HALVINGS 60
/* The search only asks which coefficients are zero. */
#define SEARCH_TOLERANCE 1e-8

static double
n_samples (const PjGram *gram)
{
  return gram->n_rows > 0 ? (double) gram->n_rows : 1;
}

double
pj_lasso_alpha_max (const PjGram *gram)
{
  double largest = 0;

  for (int j = 0; j < gram->n; j++)
    largest = fmax (largest, fabs (gram->b[j]));
  return largest / n_samples (gram);
}

static double
shrink (double x, double by)
{
  return x > by ? x - by : x < -by ? x + by : 0;
}

/* One sweep over all coordinates. @fit: Gβ, kept up to date. @size: (out): the largest |β_j|·‖z_j‖.
 * Returns the largest move of such a part. */
static double
sweep (const PjGram *gram, double threshold, double *beta, double *fit, double *size)
{
  int n = gram->n;
  double largest = 0;

  *size = 0;
  for (int j = 0; j < n; j++) {
    const double *row = gram->g + (size_t) j * n;
    if (!(row[j] > 0))
      continue;
    double norm = sqrt (row[j]);
    double value = shrink (gram->b[j] - fit[j] + row[j] * beta[j], threshold) / row[j], move = value - beta[j];
    *size = fmax (*size, fabs (value) * norm);
    if (move == 0)
      continue;
    beta[j] = value;
    largest = fmax (largest, fabs (move) * norm);
    for (int i = 0; i < n; i++)
      fit[i] += move * row[i];
  }
  return largest;
}

void
pj_lasso_solve (const PjGram *gram, double alpha, double tolerance, double *beta)
{
  int n = gram->n;
  g_autofree double *fit = g_new0 (double, n);

  for (int j = 0; j < n; j++) {
    if (!(gram->g[(size_t) j * n + j] > 0))
      beta[j] = 0;
    for (int i = 0; beta[j] != 0 && i < n; i++)
      fit[i] += beta[j] * gram->g[(size_t) j * n + i];
  }
  for (int s = 0; s < MAX_SWEEPS; s++) {
    double size, move = sweep (gram, alpha * n_samples (gram), beta, fit, &size);
    if (move <= tolerance * size)
      break;
  }
}

/* --- selection --- */

static int
solve_and_count (const PjGram *gram, double alpha, double *beta)
{
  int n = 0;

  pj_lasso_solve (gram, alpha, SEARCH_TOLERANCE, beta);
  for (int j = 0; j < gram->n; j++)
    n += beta[j] != 0;
  return n;
}

/* @beta: the sparsest solution met with at least @k coefficients, if there is one. */
static void
search (const PjGram *gram, int k, double *beta)
{
  double low = 1e-3 * pj_lasso_alpha_max (gram), high = low;
  size_t size = gram->n * sizeof (double);
  g_autofree double *trial = g_malloc0 (size);
  int count = solve_and_count (gram, low, trial);

  memcpy (beta, trial, size);
  /* So few have any weight at all: the rest is a matter of ties. */
  if (count < k) {
    solve_and_count (gram, 0, beta);
    return;
  }
  for (int i = 0; i < 2 * MAX_HALVINGS && count > 1.1 * k; i++) {
    /* Doubling until too few are left, then bisecting. */
    double alpha = high > low ? (low + high) / 2 : 2 * low;
    int n = solve_and_count (gram, alpha, trial);
    if (n < k) {
      high = alpha;
      continue;
    }
    low = alpha;
    high = fmax (high, low);
    count = n;
    memcpy (beta, trial, size);
  }
}

void
pj_lasso_score (const PjGram *gram, int k, double *score)
{
  int n = gram->n;
  g_autofree double *beta = g_new0 (double, n);

  search (gram, k, beta);
  for (int j = 0; j < n; j++)
    score[j] = fabs (beta[j]) * sqrt (fmax (gram->g[(size_t) j * n + j], 0));
}
