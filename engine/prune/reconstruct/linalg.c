/* SPDX-License-Identifier: MIT */
#include "prune/reconstruct/linalg.h"

#include <math.h>
#include <string.h>

#define FIRST_RIDGE 1e-10
#define PIVOT_SHARE 1e-12

static double
dot (const double *a, const double *b, int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

gboolean
pj_cholesky (double *a, int n, double min_pivot)
{
  for (int i = 0; i < n; i++) {
    double *row = a + (size_t) i * n;
    for (int j = 0; j < i; j++) {
      const double *other = a + (size_t) j * n;
      row[j] = (row[j] - dot (row, other, j)) / other[j];
    }
    double pivot = row[i] - dot (row, row, i);
    if (!(pivot > min_pivot))
      return FALSE;
    row[i] = sqrt (pivot);
  }
  return TRUE;
}

void
pj_cholesky_solve (const double *l, int n, double *x)
{
  for (int i = 0; i < n; i++)
    x[i] = (x[i] - dot (l + (size_t) i * n, x, i)) / l[(size_t) i * n + i];
  for (int i = n - 1; i >= 0; i--) {
    const double *row = l + (size_t) i * n;
    x[i] /= row[i];
    for (int j = 0; j < i; j++)
      x[j] -= row[j] * x[i];
  }
}

/* Factor of A + λI with the smallest λ of the ladder that works. */
static double
factor_with_ridge (const double *a, int n, double *l)
{
  double trace = 0, largest = 0, relative = FIRST_RIDGE;

  for (int i = 0; i < n; i++) {
    trace += a[(size_t) i * n + i];
    largest = MAX (largest, a[(size_t) i * n + i]);
  }
  for (;; relative *= 10) {
    memcpy (l, a, (size_t) n * n * sizeof (double));
    for (int i = 0; i < n; i++)
      l[(size_t) i * n + i] += relative * trace / n;
    /* From λ = trace/n on every symmetric positive semi-definite matrix passes. */
    if (pj_cholesky (l, n, relative < 1 ? PIVOT_SHARE * largest : 0))
      return relative;
  }
}

void
pj_solve_spd (const double *a, int n, const double *b, double *x, double *ridge)
{
  g_autofree double *l = g_new (double, (size_t) n * n);
  g_autofree double *rest = g_new (double, n);
  double trace = 0;

  for (int i = 0; i < n; i++)
    trace += a[(size_t) i * n + i];
  if (ridge != NULL)
    *ridge = 0;
  memset (x, 0, n * sizeof (double));
  if (!(trace > 0) || !isfinite (trace))
    return;
  double relative = factor_with_ridge (a, n, l);
  memcpy (x, b, n * sizeof (double));
  pj_cholesky_solve (l, n, x);
  for (int i = 0; i < n; i++)
    rest[i] = b[i] - dot (a + (size_t) i * n, x, n);
  pj_cholesky_solve (l, n, rest);
  for (int i = 0; i < n; i++)
    x[i] += rest[i];
  if (ridge != NULL)
    *ridge = relative;
}

/* The lower triangle of @l becomes that of its inverse, row by row with the rows above. */
static void
invert_lower (double *l, int n)
{
  g_autofree double *sum = g_new (double, n);

  for (int i = 0; i < n; i++) {
    double *row = l + (size_t) i * n;
    memset (sum, 0, n * sizeof (double));
    for (int k = 0; k < i; k++) {
      const double *above = l + (size_t) k * n;
      for (int j = 0; j <= k; j++)
        sum[j] += row[k] * above[j];
    }
    for (int j = 0; j < i; j++)
      row[j] = -sum[j] / row[i];
    row[i] = 1 / row[i];
  }
}

gboolean
pj_invert_spd (double *a, int n)
{
  if (!pj_cholesky (a, n, 0))
    return FALSE;
  invert_lower (a, n);
  /* A⁻¹ = L⁻ᵀ·L⁻¹ is the sum of the outer products of the rows of L⁻¹. */
  g_autofree double *l = g_memdup2 (a, (size_t) n * n * sizeof (double));
  memset (a, 0, (size_t) n * n * sizeof (double));
  for (int k = 0; k < n; k++) {
    const double *row = l + (size_t) k * n;
    for (int i = 0; i <= k; i++)
      for (int j = 0; j <= i; j++)
        a[(size_t) i * n + j] += row[i] * row[j];
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      a[(size_t) j * n + i] = a[(size_t) i * n + j];
  return TRUE;
}
