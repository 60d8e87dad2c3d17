/* SPDX-License-Identifier: MIT */
#include "prune/reconstruct/refit.h"

#include <string.h>

#include "base/alloc.h"
#include "prune/reconstruct/linalg.h"
#include "prune/scores/scores.h"

/* Columns that one thread sums at a time. */
#define COLUMNS 64

PjRefit *
pj_refit_new (int n_in, int n_out, GError **error)
{
  g_autoptr (PjRefit) self = g_new0 (PjRefit, 1);
  size_t in = (size_t) n_in, out = (size_t) n_out;

  self->n_in = n_in;
  self->n_out = n_out;
  self->xx = pj_alloc (in * in * sizeof (double), "sums of a layer's inputs", error);
  self->xy = self->xx != NULL ? pj_alloc (in * out * sizeof (double), "sums of a layer's outputs", error) : NULL;
  self->x = g_new0 (double, in);
  self->y = g_new0 (double, out);
  return self->xy != NULL ? g_steal_pointer (&self) : NULL;
}

void
pj_refit_free (PjRefit *self)
{
  if (self == NULL)
    return;
  pj_free (self->xx);
  pj_free (self->xy);
  g_free (self->x);
  g_free (self->y);
  g_free (self);
}

/* sums[i][from … to) += Σ_r a[r][i]·b[r][…], f32 within these rows. */
static void
add_products (double *sums, const float *a, int i, int n_a, const float *b, int n_b, int from, int to, size_t n_rows)
{
  float part[COLUMNS] = { 0 };

  for (size_t r = 0; r < n_rows; r++) {
    float factor = a[r * (size_t) n_a + (size_t) i];
    const float *row = b + r * (size_t) n_b + from;
    for (int j = 0; factor != 0 && j < to - from; j++)
      part[j] += factor * row[j];
  }
  for (int j = 0; j < to - from; j++)
    sums[(size_t) i * (size_t) n_b + (size_t) (from + j)] += part[j];
}

static void
add_tile (PjRefit *self, const float *x, const float *y, size_t n_rows)
{
  int n = self->n_in, m = self->n_out;

#pragma omp parallel for schedule(dynamic, 4)
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j += COLUMNS)
      add_products (self->xx, x, i, n, x, n, j, MIN (j + COLUMNS, i + 1), n_rows);
    for (int j = 0; j < m; j += COLUMNS)
      add_products (self->xy, x, i, n, y, m, j, MIN (j + COLUMNS, m), n_rows);
    for (size_t r = 0; r < n_rows; r++)
      self->x[i] += x[r * (size_t) n + (size_t) i];
  }
  for (size_t r = 0; r < n_rows; r++)
    for (int j = 0; j < m; j++)
      self->y[j] += y[r * (size_t) m + (size_t) j];
}

void
pj_refit_add (PjRefit *self, const float *x, const float *y, size_t n_rows)
{
  for (size_t r = 0; r < n_rows; r += 1024)
    add_tile (self, x + r * (size_t) self->n_in, y + r * (size_t) self->n_out, MIN (1024, n_rows - r));
  self->n_rows += n_rows;
}

/* The lower triangle of the normal equations, centred for an intercept; returns the mean of the diagonal. */
static double
fill_matrix (const PjRefit *self, gboolean intercept, double *a)
{
  size_t n = (size_t) self->n_in;
  double trace = 0;

  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j <= i; j++)
      a[i * n + j] = self->xx[i * n + j] - (intercept ? self->x[i] * self->x[j] / (double) self->n_rows : 0);
    trace += a[i * n + i];
  }
  return trace / (double) n;
}

static gboolean
factorise (const PjRefit *self, gboolean intercept, double *a, GError **error)
{
  size_t n = (size_t) self->n_in;

  for (double ridge = 1e-8; ridge <= 1.1e-3; ridge *= 10) {
    double mean = fill_matrix (self, intercept, a);
    for (size_t i = 0; i < n; i++)
      a[i * n + i] += mean > 0 ? ridge * mean : 1;
    if (pj_cholesky (a, self->n_in, 0))
      return TRUE;
  }
  g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_NUMERIC,
                       "the weights of a layer cannot be fitted: its inputs are not finite or depend on each other");
  return FALSE;
}

gboolean
pj_refit_solve (const PjRefit *self, gboolean intercept, float *w, float *shift, GError **error)
{
  size_t n = (size_t) self->n_in, m = (size_t) self->n_out;
  double *a = pj_alloc (n * n * sizeof (double), "normal equations", error);
  gboolean ok = a != NULL && factorise (self, intercept, a, error);
  double rows = (double) MAX (self->n_rows, 1);

#pragma omp parallel for schedule(static) if (ok)
  for (size_t o = 0; o < (ok ? m : 0); o++) {
    g_autofree double *column = g_new (double, n);
    double offset = intercept ? self->y[o] / rows : 0;
    for (size_t i = 0; i < n; i++)
      column[i] = self->xy[i * m + o] - (intercept ? self->x[i] * self->y[o] / rows : 0);
    pj_cholesky_solve (a, self->n_in, column);
    for (size_t i = 0; i < n; i++) {
      w[o * n + i] = (float) column[i];
      offset -= intercept ? column[i] * self->x[i] / rows : 0;
    }
    if (shift != NULL)
      shift[o] = (float) offset;
  }
  pj_free (a);
  return ok;
}
