/* SPDX-License-Identifier: MIT */
/* ThiNet's mathematics against the specification's fixture and against the slow forms of the definitions. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "fixture.h"
#include "prune/reconstruct/gram.h"
#include "prune/reconstruct/linalg.h"

/* --- small helpers --- */

static PjGram *
gram_of (const float *x, const float *y, size_t m, int n)
{
  PjGram *gram = pj_gram_new (n, NULL);
  pj_gram_add (gram, x, y, m);
  return gram;
}

static float *
noise (size_t n, uint64_t seed)
{
  float *x = g_new (float, n);
  PjRng rng;
  pj_rng_init (&rng, seed, 5);
  for (size_t i = 0; i < n; i++)
    x[i] = (float) pj_rng_normal (&rng);
  return x;
}

static float *
row_sums (const float *x, size_t m, int n)
{
  float *y = g_new0 (float, m);
  for (size_t i = 0; i < m; i++)
    for (int j = 0; j < n; j++)
      y[i] += x[i * n + j];
  return y;
}

static void
assert_kept (const int *order, int n, JsonObject *o, const char *path)
{
  int n_kept;
  g_autofree int *kept = fixture_ints (o, path, &n_kept);
  g_autofree guint8 *keep = g_malloc (n), *expected = g_malloc0 (n);
  pj_gram_keep (order, n, n_kept, keep);
  for (int i = 0; i < n_kept; i++)
    expected[kept[i]] = 1;
  g_assert_cmpmem (keep, n, expected, n);
}

/* --- linear algebra --- */

static double *
random_spd (int n, int rank, uint64_t seed)
{
  g_autofree float *x = noise ((size_t) rank * n, seed);
  double *a = g_new0 (double, n * n);
  for (int r = 0; r < rank; r++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        a[i * n + j] += (double) x[r * n + i] * x[r * n + j];
  return a;
}

static void
solve (void)
{
  enum { N = 23 };
  g_autofree double *a = random_spd (N, 40, 1), *inverse = g_memdup2 (a, N * N * sizeof (double));
  double x[N], b[N], found[N], ridge;
  for (int i = 0; i < N; i++)
    x[i] = sin (i + 1.0);
  for (int i = 0; i < N; i++) {
    b[i] = 0;
    for (int j = 0; j < N; j++)
      b[i] += a[i * N + j] * x[j];
  }
  pj_solve_spd (a, N, b, found, &ridge);
  g_assert_cmpfloat (ridge, ==, 1e-10);
  for (int i = 0; i < N; i++)
    g_assert_cmpfloat_with_epsilon (found[i], x[i], 1e-11);
  g_assert_true (pj_invert_spd (inverse, N));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      double sum = 0;
      for (int k = 0; k < N; k++)
        sum += inverse[i * N + k] * a[k * N + j];
      g_assert_cmpfloat_with_epsilon (sum, i == j, 1e-10);
    }
}

/* Rank 3 of 6: any answer that solves the system is right, and it must be finite. */
static void
solve_singular (void)
{
  enum { N = 6 };
  g_autofree double *a = random_spd (N, 3, 2);
  double b[N] = { 0 }, x[N];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      b[i] += a[i * N + j];
  pj_solve_spd (a, N, b, x, NULL);
  for (int i = 0; i < N; i++) {
    double sum = 0;
    for (int j = 0; j < N; j++)
      sum += a[i * N + j] * x[j];
    g_assert_cmpfloat_with_epsilon (sum, b[i], 1e-7);
  }
  double zero[4] = { 0 }, none[2] = { 0, 0 };
  pj_solve_spd (zero, 2, none, x, NULL);
  g_assert_cmpfloat (x[0], ==, 0);
  g_assert_false (pj_invert_spd (zero, 2));
}

/* --- the fixture --- */

static void
fixture_sums (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/thinet.json");
  g_autofree float *x = fixture_floats (o, "X", NULL), *y = fixture_floats (o, "y", NULL);
  g_autofree float *g = fixture_floats (o, "gram", NULL), *b = fixture_floats (o, "xty", NULL);
  g_autoptr (PjGram) gram = gram_of (x, y, 10, 5);
  for (int i = 0; i < 25; i++)
    g_assert_cmpfloat_with_epsilon (gram->g[i], g[i], 1e-5);
  for (int j = 0; j < 5; j++) {
    double sum = 0;
    for (int i = 0; i < 5; i++)
      sum += gram->g[j * 5 + i];
    g_assert_cmpfloat_with_epsilon (gram->b[j], b[j], 1e-5);
    /* y is the sum of the columns, so b = G·1. */
    g_assert_cmpfloat_with_epsilon (sum, b[j], 1e-5);
  }
  g_assert_cmpfloat_with_epsilon (gram->yy, fixture_number (o, "yty"), 1e-5);
  g_assert_cmpuint (gram->n_rows, ==, 10);
}

/* Every step of @how: the channel and the error after it. */
static void
check_trace (PjGram *gram, PjGramOrder how, JsonObject *o, const char *variant, gboolean forward)
{
  int order[5];
  g_autofree char *path = g_strdup_printf ("%s/trace_channel_and_sq_error", variant), *kept = g_strdup_printf ("%s/kept", variant);
  JsonArray *trace = json_node_get_array (fixture_at (o, path));
  pj_gram_order (gram, how, order);
  assert_kept (order, 5, o, kept);
  for (guint step = 0; step < json_array_get_length (trace); step++) {
    JsonArray *row = json_array_get_array_element (trace, step);
    guint8 keep[5];
    double w[5];
    int position = forward ? 4 - (int) step : (int) step;
    g_assert_cmpint (order[position], ==, json_array_get_int_element (row, 0));
    pj_gram_keep (order, 5, forward ? (int) step + 1 : 4 - (int) step, keep);
    pj_gram_fit (gram, keep, w, NULL);
    g_assert_cmpfloat_with_epsilon (pj_gram_error (gram, keep, forward ? w : NULL), json_array_get_double_element (row, 1), 1e-4);
  }
}

static void
check_factors (PjGram *gram, JsonObject *o, const char *variant)
{
  int n_kept;
  g_autofree char *kept_path = g_strdup_printf ("%s/kept", variant), *w_path = g_strdup_printf ("%s/w", variant);
  g_autofree char *error_path = g_strdup_printf ("%s/sq_error_scaled", variant);
  g_autofree int *kept = fixture_ints (o, kept_path, &n_kept);
  g_autofree float *expected = fixture_floats (o, w_path, NULL);
  guint8 keep[5] = { 0 };
  double w[5];
  for (int i = 0; i < n_kept; i++)
    keep[kept[i]] = 1;
  pj_gram_fit (gram, keep, w, NULL);
  for (int i = 0; i < n_kept; i++)
    g_assert_cmpfloat_with_epsilon (w[kept[i]], expected[i], 2e-7);
  g_assert_cmpfloat_with_epsilon (pj_gram_error (gram, keep, w), fixture_number (o, error_path), 1e-5);
  g_assert_cmpfloat (pj_gram_error (gram, keep, w), <=, pj_gram_error (gram, keep, NULL));
}

/* The pair of channels with the least error, of all pairs. */
static void
check_best (PjGram *gram, JsonObject *o, const char *path, gboolean factors)
{
  int n, best[2] = { -1, -1 };
  double least = INFINITY, w[5];
  g_autofree int *expected = fixture_ints (o, path, &n);
  g_assert_cmpint (n, ==, (int) fixture_number (o, "keep"));
  for (int i = 0; i < 5; i++)
    for (int j = i + 1; j < 5; j++) {
      guint8 keep[5] = { 0 };
      keep[i] = keep[j] = 1;
      pj_gram_fit (gram, keep, w, NULL);
      double error = pj_gram_error (gram, keep, factors ? w : NULL);
      if (error < least) {
        least = error;
        best[0] = i;
        best[1] = j;
      }
    }
  g_assert_cmpmem (best, sizeof best, expected, 2 * sizeof (int));
}

static void
fixture_orders (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/thinet.json");
  g_autofree float *x = fixture_floats (o, "X", NULL), *y = fixture_floats (o, "y", NULL);
  g_autoptr (PjGram) gram = gram_of (x, y, 10, 5);
  check_trace (gram, PJ_GRAM_REMOVE, o, "remove_variant", FALSE);
  check_trace (gram, PJ_GRAM_FORWARD, o, "forward_variant", TRUE);
  check_factors (gram, o, "remove_variant");
  check_factors (gram, o, "forward_variant");
  guint8 left[5] = { 0, 0, 1, 0, 1 };
  g_assert_cmpfloat_with_epsilon (pj_gram_error (gram, left, NULL), fixture_number (o, "remove_variant/sq_error_unscaled"), 1e-5);
  check_best (gram, o, "exhaustive_best_scaled", TRUE);
  check_best (gram, o, "exhaustive_best_unscaled", FALSE);
  /* By elimination, worked out with a least-squares solver on the data: 3, 0, 1 go. */
  const int expected[] = { 3, 0, 1 };
  int order[5];
  pj_gram_order (gram, PJ_GRAM_RESIDUAL, order);
  g_assert_cmpmem (order, sizeof expected, expected, sizeof expected);
}

static void
fixture_duplicate (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/thinet.json");
  g_autofree float *x = fixture_floats (o, "duplicate_channel/X", NULL), *expected = fixture_floats (o, "duplicate_channel/w", NULL);
  /* The target stays that of the first matrix. */
  g_autofree float *y = fixture_floats (o, "y", NULL);
  g_autofree float *sums = row_sums (x, 10, 5);
  const float *targets[] = { y, sums };
  g_autofree int *forced = fixture_ints (o, "duplicate_channel/kept_forced", NULL);
  gboolean found = FALSE;
  for (int t = 0; t < 2; t++) {
    g_autoptr (PjGram) gram = gram_of (x, targets[t], 10, 5);
    guint8 keep[5] = { 0 };
    for (int k = 0; k < 3; k++)
      keep[forced[k]] = 1;
    double w[5], ridge;
    pj_gram_fit (gram, keep, w, &ridge);
    g_assert_cmpfloat (ridge, >=, 1e-10);
    g_assert_cmpfloat_with_epsilon (w[0], w[4], 1e-5);
    found |= fabs (w[0] - expected[0]) < 1e-5 && fabs (w[2] - expected[1]) < 1e-5;
  }
  g_assert_true (found);
}

static void
fixture_zero (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/thinet.json");
  g_autofree float *x = fixture_floats (o, "X", NULL);
  int column = (int) fixture_number (o, "zero_channel/column"), order[5];
  for (int i = 0; i < 10; i++)
    x[i * 5 + column] = 0;
  g_autofree float *y = row_sums (x, 10, 5);
  g_autoptr (PjGram) gram = gram_of (x, y, 10, 5);
  pj_gram_order (gram, PJ_GRAM_FORWARD, order);
  assert_kept (order, 5, o, "zero_channel/kept4_forward");
  pj_gram_order (gram, PJ_GRAM_REMOVE, order);
  assert_kept (order, 5, o, "zero_channel/kept4_remove");
  pj_gram_order (gram, PJ_GRAM_RESIDUAL, order);
  g_assert_cmpint (order[0], ==, column);
}

/* --- against the definitions, on the data --- */

enum { M = 3000, N = 17 };

static double
slow_residual (const float *x, const float *y, const guint8 *keep)
{
  g_autoptr (PjGram) gram = gram_of (x, y, M, N);
  double w[N], error = 0;
  pj_gram_fit (gram, keep, w, NULL);
  for (int i = 0; i < M; i++) {
    double r = y[i];
    for (int j = 0; j < N; j++)
      r -= keep[j] ? w[j] * x[i * N + j] : 0;
    error += r * r;
  }
  return error;
}

static double
slow_sum (const float *x, const float *y, const guint8 *keep)
{
  double error = 0;
  for (int i = 0; i < M; i++) {
    double r = y[i];
    for (int j = 0; j < N; j++)
      r -= keep[j] ? x[i * N + j] : 0;
    error += r * r;
  }
  return error;
}

/* Removes the channel whose loss costs least by @cost, again and again. */
static void
check_elimination (PjGramOrder how, double (*cost) (const float *, const float *, const guint8 *))
{
  g_autofree float *x = noise (M * N, 3), *y = row_sums (x, M, N), *extra = noise (M, 4);
  guint8 keep[N];
  int order[N];
  /* Correlated columns, and a target that no choice of channels meets: what earlier cuts leave behind. */
  for (int i = 0; i < M; i++)
    for (int j = 1; j < N; j++)
      x[i * N + j] = 0.6f * x[i * N + j - 1] + x[i * N + j] * (0.3f + 0.1f * (j % 5));
  for (int i = 0; i < M; i++)
    y[i] += extra[i];
  g_autoptr (PjGram) gram = gram_of (x, y, M, N);
  pj_gram_order (gram, how, order);
  memset (keep, 1, N);
  for (int step = 0; step < N - 1; step++) {
    int best = -1;
    double least = 0;
    for (int j = 0; j < N; j++) {
      if (!keep[j])
        continue;
      keep[j] = 0;
      double e = cost (x, y, keep);
      keep[j] = 1;
      if (best < 0 || e < least) {
        best = j;
        least = e;
      }
    }
    g_assert_cmpint (order[step], ==, best);
    keep[best] = 0;
  }
}

static void
remove_is_slow_form (void)
{
  check_elimination (PJ_GRAM_REMOVE, slow_sum);
}

static void
residual_is_slow_form (void)
{
  check_elimination (PJ_GRAM_RESIDUAL, slow_residual);
}

static void
whole_set (void)
{
  g_autofree float *x = noise (M * N, 6), *y = row_sums (x, M, N);
  g_autoptr (PjGram) gram = gram_of (x, y, M, N);
  guint8 keep[N];
  double w[N];
  memset (keep, 1, N);
  pj_gram_fit (gram, keep, w, NULL);
  for (int j = 0; j < N; j++)
    g_assert_cmpfloat_with_epsilon (w[j], 1, 1e-6);
  g_assert_cmpfloat (pj_gram_error (gram, keep, w), <=, 1e-9 * gram->yy);
}

/* Tiles of any size give the same sums to f32 rounding, and adding is repeatable bit for bit. */
static void
tiles (void)
{
  g_autofree float *x = noise (M * N, 8), *y = row_sums (x, M, N);
  g_autoptr (PjGram) whole = gram_of (x, y, M, N), again = gram_of (x, y, M, N), parts = pj_gram_new (N, NULL);
  for (int start = 0; start < M; start += 100)
    pj_gram_add (parts, x + start * N, y + start, 100);
  g_assert_cmpmem (whole->g, N * N * sizeof (double), again->g, N * N * sizeof (double));
  for (int i = 0; i < N * N; i++)
    g_assert_cmpfloat_with_epsilon (whole->g[i], parts->g[i], 1e-6 * whole->g[0]);
  g_autoptr (PjGram) sum = pj_gram_new (N, NULL);
  pj_gram_merge (sum, whole, 0.5);
  pj_gram_merge (sum, whole, 1.5);
  g_assert_cmpfloat_with_epsilon (sum->g[3], 2 * whole->g[3], 1e-9 * whole->g[0]);
  g_assert_cmpfloat_with_epsilon (sum->yy, 2 * whole->yy, 1e-9 * whole->yy);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/linalg/solve", solve);
  g_test_add_func ("/prune/linalg/solve-singular", solve_singular);
  g_test_add_func ("/prune/gram/fixture/sums", fixture_sums);
  g_test_add_func ("/prune/gram/fixture/orders", fixture_orders);
  g_test_add_func ("/prune/gram/fixture/duplicate", fixture_duplicate);
  g_test_add_func ("/prune/gram/fixture/zero", fixture_zero);
  g_test_add_func ("/prune/gram/remove/matches-slow-form", remove_is_slow_form);
  g_test_add_func ("/prune/gram/residual/matches-slow-form", residual_is_slow_form);
  g_test_add_func ("/prune/gram/whole-set", whole_set);
  g_test_add_func ("/prune/gram/tiles", tiles);
  return g_test_run ();
}
