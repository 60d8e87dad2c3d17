/* SPDX-License-Identifier: MIT */
#include "prune/reconstruct/gram.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "prune/reconstruct/linalg.h"

/* Relative residual at which more channels change nothing; differences of large sums are noise below. */
#define NOISE 1e-10
/* Ridge of the elimination, relative to the mean of the diagonal: its updates divide by what is left. */
#define ELIMINATION_RIDGE 1e-9
/* Multiply-adds of a tile from which several threads are worth waking. */
#define PARALLEL_WORK 1e8
/* Eliminations after which the inverse is made anew, before rounding adds up. */
#define REFRESH 64

PjGram *
pj_gram_new (int n, GError **error)
{
  g_autoptr (PjGram) self = g_new0 (PjGram, 1);

  self->n = n;
  self->g = pj_alloc ((size_t) n * n * sizeof (double), "a Gram matrix", error);
  if (self->g == NULL)
    return NULL;
  self->b = g_new0 (double, n);
  return g_steal_pointer (&self);
}

void
pj_gram_free (PjGram *self)
{
  if (self == NULL)
    return;
  pj_free (self->g);
  g_free (self->b);
  g_free (self);
}

/* --- sums --- */

/* Adds row @i of one tile to G, from the diagonal on. */
static void
add_tile_row (PjGram *self, int i, const float *x, size_t n_rows, float *sum)
{
  int n = self->n;
  double *g = self->g + (size_t) i * n;

  memset (sum, 0, n * sizeof (float));
  for (size_t r = 0; r < n_rows; r++) {
    const float *row = x + r * n;
    float xi = row[i];
    if (xi == 0)
      continue;
    for (int j = i; j < n; j++)
      sum[j] += xi * row[j];
  }
  for (int j = i; j < n; j++)
    g[j] += sum[j];
}

static void
add_tile (PjGram *self, const float *x, const float *y, size_t n_rows)
{
  int n = self->n;

  /* Each row of G belongs to one thread and is summed in the order of the samples. */
#pragma omp parallel if ((double) n * n * (double) n_rows > 2 * PARALLEL_WORK)
  {
    g_autofree float *sum = g_new (float, n);
#pragma omp for schedule(dynamic, 8)
    for (int i = 0; i < n; i++)
      add_tile_row (self, i, x, n_rows, sum);
  }
  for (size_t r = 0; r < n_rows; r++) {
    for (int j = 0; j < n; j++)
      self->b[j] += (double) x[r * n + j] * y[r];
    self->yy += (double) y[r] * y[r];
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      self->g[(size_t) i * n + j] = self->g[(size_t) j * n + i];
  self->n_rows += n_rows;
}

void
pj_gram_add (PjGram *self, const float *x, const float *y, size_t n_rows)
{
  for (size_t start = 0; start < n_rows; start += PJ_GRAM_TILE)
    add_tile (self, x + start * self->n, y + start, MIN (PJ_GRAM_TILE, n_rows - start));
}

void
pj_gram_merge (PjGram *self, const PjGram *other, double factor)
{
  g_return_if_fail (self->n == other->n);
  for (size_t i = 0; i < (size_t) self->n * self->n; i++)
    self->g[i] += factor * other->g[i];
  for (int j = 0; j < self->n; j++)
    self->b[j] += factor * other->b[j];
  self->yy += factor * other->yy;
  self->n_rows += other->n_rows;
}

/* --- orders --- */

/* With r = y − Σ_kept x: losing channel j adds 2·x_jᵀr + G_jj to ‖r‖².  Only v = Xᵀr has to be kept. */
static void
order_remove (const PjGram *self, int *order)
{
  int n = self->n;
  g_autofree double *v = g_memdup2 (self->b, n * sizeof (double));
  g_autofree gboolean *gone = g_new0 (gboolean, n);

  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      v[i] -= self->g[(size_t) i * n + j];
  for (int step = 0; step < n; step++) {
    int best = -1;
    double least = 0;
    for (int j = 0; j < n; j++) {
      double cost = 2 * v[j] + self->g[(size_t) j * n + j];
      if (!gone[j] && (best < 0 || cost < least)) {
        best = j;
        least = cost;
      }
    }
    gone[best] = TRUE;
    order[step] = best;
    for (int j = 0; j < n; j++)
      v[j] += self->g[(size_t) best * n + j];
  }
}

/* Channels that the forward search did not need, the weakest first. */
static void
order_rest (const PjGram *self, gboolean *taken, int *order, int n_rest)
{
  for (int step = n_rest - 1; step >= 0; step--) {
    int best = -1;
    for (int j = 0; j < self->n; j++)
      if (!taken[j] && (best < 0 || self->g[(size_t) j * self->n + j] >= self->g[(size_t) best * self->n + best]))
        best = j;
    taken[best] = TRUE;
    order[step] = best;
  }
}

/* Appends channel @j to the factor of the chosen sub-matrix; FALSE if it depends on those before. */
static gboolean
grow_factor (const PjGram *self, double *l, const int *chosen, int k, int j, double ridge, double min_pivot)
{
  int n = self->n;
  double *row = l + (size_t) k * n;
  double pivot = self->g[(size_t) j * n + j] + ridge;

  for (int i = 0; i < k; i++) {
    double sum = self->g[(size_t) j * n + chosen[i]];
    for (int t = 0; t < i; t++)
      sum -= row[t] * l[(size_t) i * n + t];
    row[i] = sum / l[(size_t) i * n + i];
    pivot -= row[i] * row[i];
  }
  if (!(pivot > min_pivot))
    return FALSE;
  row[k] = sqrt (pivot);
  return TRUE;
}

/* The factors of the chosen channels, and c = Xᵀ(y − X_S·w). Returns the squared residual. */
static double
refit (const PjGram *self, const double *l, const int *chosen, int k, double *w, double *c)
{
  int n = self->n;
  double error = self->yy;

  for (int i = 0; i < k; i++)
    w[i] = self->b[chosen[i]];
  /* @l has rows of n entries, so the solver's n is the stride; it is applied to the leading block. */
  for (int i = 0; i < k; i++) {
    for (int t = 0; t < i; t++)
      w[i] -= l[(size_t) i * n + t] * w[t];
    w[i] /= l[(size_t) i * n + i];
  }
  for (int i = k - 1; i >= 0; i--) {
    w[i] /= l[(size_t) i * n + i];
    for (int t = 0; t < i; t++)
      w[t] -= l[(size_t) i * n + t] * w[i];
  }
  memcpy (c, self->b, n * sizeof (double));
  for (int i = 0; i < k; i++) {
    const double *row = self->g + (size_t) chosen[i] * n;
    for (int j = 0; j < n; j++)
      c[j] -= w[i] * row[j];
    error -= w[i] * self->b[chosen[i]];
  }
  return error;
}

static void
order_forward (const PjGram *self, int *order)
{
  int n = self->n, k = 0;
  g_autofree double *l = g_new (double, (size_t) n * n);
  g_autofree double *w = g_new (double, n);
  g_autofree double *c = g_memdup2 (self->b, n * sizeof (double));
  g_autofree gboolean *taken = g_new0 (gboolean, n);
  g_autofree gboolean *useless = g_new0 (gboolean, n);
  g_autofree int *chosen = g_new (int, n);
  double trace = 0, largest = 0, error = self->yy;

  for (int j = 0; j < n; j++) {
    trace += self->g[(size_t) j * n + j];
    largest = MAX (largest, self->g[(size_t) j * n + j]);
  }
  while (k < n && error > NOISE * self->yy) {
    int best = -1;
    double gain = 0;
    for (int j = 0; j < n; j++) {
      double own = self->g[(size_t) j * n + j];
      if (taken[j] || useless[j] || !(own > 1e-12 * largest))
        continue;
      double g = c[j] * c[j] / own;
      if (best < 0 || g > gain) {
        best = j;
        gain = g;
      }
    }
    if (best < 0)
      break;
    if (!grow_factor (self, l, chosen, k, best, 1e-10 * trace / n, 1e-12 * largest)) {
      useless[best] = TRUE;
      continue;
    }
    taken[best] = TRUE;
    chosen[k++] = best;
    error = refit (self, l, chosen, k, w, c);
  }
  for (int i = 0; i < k; i++)
    order[n - 1 - i] = chosen[i];
  order_rest (self, taken, order, n - k);
}

/* Inverse of the kept part of G + λI and the factors of the kept channels, in full size. */
static void
eliminate_restart (const PjGram *self, const gboolean *gone, double ridge, double *p, double *w)
{
  int n = self->n, k = 0;
  g_autofree int *left = g_new (int, n);

  for (int j = 0; j < n; j++)
    if (!gone[j])
      left[k++] = j;
  g_autofree double *small = g_new (double, (size_t) k * k);
  gboolean done;
  do {
    for (int i = 0; i < k; i++)
      for (int j = 0; j < k; j++)
        small[(size_t) i * k + j] = self->g[(size_t) left[i] * n + left[j]] + (i == j ? ridge : 0);
    done = pj_invert_spd (small, k);
    ridge *= 10;
  } while (!done);
  memset (p, 0, (size_t) n * n * sizeof (double));
  memset (w, 0, n * sizeof (double));
  for (int i = 0; i < k; i++)
    for (int j = 0; j < k; j++) {
      p[(size_t) left[i] * n + left[j]] = small[(size_t) i * k + j];
      w[left[i]] += small[(size_t) i * k + j] * self->b[left[j]];
    }
}

static void
order_residual (const PjGram *self, int *order)
{
  int n = self->n;
  g_autofree double *p = g_new (double, (size_t) n * n);
  g_autofree double *w = g_new (double, n);
  g_autofree double *column = g_new (double, n);
  g_autofree gboolean *gone = g_new0 (gboolean, n);
  double trace = 0;

  for (int j = 0; j < n; j++)
    trace += self->g[(size_t) j * n + j];
  for (int step = 0; step < n; step++) {
    int best = -1;
    double least = 0;
    if (step % REFRESH == 0)
      eliminate_restart (self, gone, trace > 0 ? ELIMINATION_RIDGE * trace / n : 1, p, w);
    for (int j = 0; j < n; j++) {
      double cost = gone[j] ? 0 : w[j] * w[j] / p[(size_t) j * n + j];
      if (!gone[j] && (best < 0 || cost < least)) {
        best = j;
        least = cost;
      }
    }
    gone[best] = TRUE;
    order[step] = best;
    memcpy (column, p + (size_t) best * n, n * sizeof (double));
    double pivot = column[best], factor = w[best];
    for (int i = 0; i < n; i++) {
      double share = column[i] / pivot;
      w[i] -= share * factor;
      if (share != 0)
        for (int j = 0; j < n; j++)
          p[(size_t) i * n + j] -= share * column[j];
    }
  }
}

void
pj_gram_order (const PjGram *self, PjGramOrder how, int *order)
{
  static void (*const functions[]) (const PjGram *, int *) = {
    [PJ_GRAM_REMOVE] = order_remove, [PJ_GRAM_FORWARD] = order_forward, [PJ_GRAM_RESIDUAL] = order_residual,
  };
  functions[how] (self, order);
}

void
pj_gram_keep (const int *order, int n, int k, guint8 *keep)
{
  for (int i = 0; i < n; i++)
    keep[order[i]] = i >= n - k;
}

/* --- factors and errors --- */

void
pj_gram_fit (const PjGram *self, const guint8 *keep, double *w, double *ridge)
{
  int n = self->n, k = 0;
  g_autofree int *kept = g_new (int, n);

  for (int j = 0; j < n; j++)
    if (keep[j])
      kept[k++] = j;
  g_autofree double *a = g_new (double, (size_t) k * k);
  g_autofree double *b = g_new (double, k);
  g_autofree double *x = g_new (double, k);
  for (int i = 0; i < k; i++) {
    b[i] = self->b[kept[i]];
    for (int j = 0; j < k; j++)
      a[(size_t) i * k + j] = self->g[(size_t) kept[i] * n + kept[j]];
  }
  pj_solve_spd (a, k, b, x, ridge);
  memset (w, 0, n * sizeof (double));
  for (int i = 0; i < k; i++)
    w[kept[i]] = x[i];
}

double
pj_gram_error (const PjGram *self, const guint8 *keep, const double *w)
{
  double error = self->yy;

  for (int i = 0; i < self->n; i++) {
    double wi = keep[i] ? (w != NULL ? w[i] : 1.0) : 0.0;
    double inner = -2 * self->b[i];
    if (wi == 0)
      continue;
    for (int j = 0; j < self->n; j++)
      if (keep[j])
        inner += (w != NULL ? w[j] : 1.0) * self->g[(size_t) i * self->n + j];
    error += wi * inner;
  }
  return MAX (error, 0.0);
}
