/* SPDX-License-Identifier: MIT */
/* Channel-Pruning: the specification's LASSO path, the conditions of an optimum, selection, and the whole method. */
#include <math.h>
#include <string.h>

#include "lab.h"
#include "prune/budget.h"
#include "prune/lasso.h"
#include "train/evaluate.h"

/* Fixture numbers pass through single precision. */
#define EXACT 2e-6

static PjGram *
fixture_gram (JsonObject *o)
{
  int n, n_y;
  g_autofree float *z = fixture_floats (o, "Z", &n), *y = fixture_floats (o, "Y_No", &n_y);
  PjGram *gram = pj_gram_new (4, NULL);

  g_assert_cmpint (n, ==, 4 * n_y);
  pj_gram_add (gram, z, y, (size_t) n_y);
  return gram;
}

/* |q_j − (Gβ)_j| ≤ α everywhere, with equality and the sign of β_j where it is not 0; all over m. */
static void
check_optimal (const PjGram *gram, double alpha, const double *beta, double tolerance)
{
  double m = (double) gram->n_rows;
  for (int j = 0; j < gram->n; j++) {
    double pull = gram->b[j];
    for (int i = 0; i < gram->n; i++)
      pull -= gram->g[(size_t) j * gram->n + i] * beta[i];
    pull /= m;
    if (beta[j] != 0)
      g_assert_cmpfloat_with_epsilon (pull, beta[j] > 0 ? alpha : -alpha, tolerance);
    else
      g_assert_cmpfloat (fabs (pull), <=, alpha + tolerance);
  }
}

static void
path_matches_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/channel_pruning.json");
  g_autoptr (PjGram) gram = fixture_gram (o);
  JsonArray *path = json_node_get_array (fixture_at (o, "path"));
  double beta[4] = { 0 };

  g_assert_cmpfloat_with_epsilon (pj_lasso_alpha_max (gram), fixture_number (o, "alpha_max"), EXACT);
  for (guint i = 0; i < json_array_get_length (path); i++) {
    JsonObject *point = json_array_get_object_element (path, i);
    JsonArray *expected = json_object_get_array_member (point, "beta");
    double alpha = json_object_get_double_member (point, "alpha"), objective = gram->yy, m = (double) gram->n_rows;
    pj_lasso_solve (gram, alpha, 1e-13, beta);
    for (int j = 0; j < 4; j++) {
      g_assert_cmpfloat_with_epsilon (beta[j], json_array_get_double_element (expected, (guint) j), EXACT);
      objective -= 2 * beta[j] * gram->b[j];
      for (int k = 0; k < 4; k++)
        objective += beta[j] * gram->g[4 * j + k] * beta[k];
    }
    objective = objective / (2 * m) + alpha * (fabs (beta[0]) + fabs (beta[1]) + fabs (beta[2]) + fabs (beta[3]));
    g_assert_cmpfloat_with_epsilon (objective, json_object_get_double_member (point, "objective"), EXACT);
    check_optimal (gram, alpha, beta, 1e-10);
  }
  pj_lasso_solve (gram, pj_lasso_alpha_max (gram) * (1 + 1e-12), 1e-13, beta);
  for (int j = 0; j < 4; j++)
    g_assert_cmpfloat (beta[j], ==, 0);
}

static void
selection_matches_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/channel_pruning.json");
  g_autoptr (PjGram) gram = fixture_gram (o);
  int n;
  g_autofree int *kept = fixture_ints (o, "select_2/kept", &n);
  g_autofree float *at_stop = fixture_floats (o, "select_2/beta_at_stop", NULL);
  guint8 keep[4], expected[4] = { 0 };
  double score[4], beta[4] = { 0 }, w[4];

  for (int i = 0; i < n; i++)
    expected[kept[i]] = 1;
  pj_lasso_score (gram, 2, score);
  pj_keep_top (score, 4, 2, keep);
  g_assert_cmpmem (keep, 4, expected, 4);
  pj_lasso_solve (gram, fixture_number (o, "select_2/alpha_at_stop"), 1e-13, beta);
  for (int j = 0; j < 4; j++)
    g_assert_cmpfloat_with_epsilon (beta[j], at_stop[j], EXACT);
  g_assert_cmpfloat_with_epsilon (pj_gram_error (gram, keep, NULL), fixture_number (o, "select_2/sq_error_old_weights"), 1e-4);
  /* Factors help, but new weights for every filter, which a factor per channel cannot be, help more. */
  pj_gram_fit (gram, keep, w, NULL);
  g_assert_cmpfloat (pj_gram_error (gram, keep, w), <, fixture_number (o, "select_2/sq_error_old_weights"));
  g_assert_cmpfloat (pj_gram_error (gram, keep, w), >, fixture_number (o, "select_2/sq_error_new_weights"));
}

/* Every count is met, also where columns are zero or the same. */
static void
awkward_columns (void)
{
  enum { N = 9, ROWS = 60 };
  g_autoptr (PjGram) gram = pj_gram_new (N, NULL);
  g_autofree float *noise = net_noise (N * ROWS, 5);
  float y[ROWS];
  guint8 keep[N];
  double score[N], beta[N] = { 0 };

  for (int r = 0; r < ROWS; r++) {
    float *row = noise + r * N;
    row[2] = 0;
    row[7] = row[4];
    y[r] = 0;
    for (int j = 0; j < N; j++)
      y[r] += row[j] * (float) (j == 0 ? 3 : 1);
  }
  pj_gram_add (gram, noise, y, ROWS);
  for (int k = 1; k <= N; k++) {
    int n = 0;
    pj_lasso_score (gram, k, score);
    pj_keep_top (score, N, k, keep);
    for (int j = 0; j < N; j++)
      n += keep[j];
    g_assert_cmpint (n, ==, k);
    g_assert_cmpint (keep[0], ==, 1);
    g_assert_cmpint (keep[2], ==, k == N);
    g_assert_cmpfloat (score[2], ==, 0);
  }
  pj_lasso_solve (gram, 0.05 * pj_lasso_alpha_max (gram), 1e-13, beta);
  check_optimal (gram, 0.05 * pj_lasso_alpha_max (gram), beta, 1e-9);
}

/* --- the method --- */

static void
whole_method (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  g_autoptr (PjScores) scores = NULL, again = NULL;
  lab_init_chain (&lab, 64, FALSE, 1);
  const PjMethod *method = pj_method_find ("channel-pruning");
  g_autofree double *ratios = lab_ratios (&lab, "a b", 0.5);
  PjPruneSettings settings = { .ratios = ratios, .scale = TRUE };
  g_autoptr (PjCutPlan) plan = method->choose (method, &lab.scoring, &settings, &scores, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (plan->n_cuts, ==, 2);
  for (unsigned i = 0; i < 2; i++) {
    const PjGroupCut *cut = &plan->cuts[i];
    const PjGroupScores *s = pj_scores_get (scores, cut->group);
    double lowest = INFINITY, highest = 0;
    int n = 0;
    g_assert_nonnull (cut->scale);
    for (int c = 0; c < cut->n_channels; c++) {
      n += cut->keep[c];
      if (cut->keep[c])
        lowest = MIN (lowest, s->score[c]);
      else
        highest = MAX (highest, s->score[c]);
    }
    g_assert_cmpint (n, ==, cut->n_channels / 2);
    g_assert_cmpfloat (lowest, >=, highest);
  }
  g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, &error);
  g_assert_no_error (error);
  /* Without factors the same channels stay in the first layer, and nothing is scaled. */
  settings.scale = FALSE;
  g_autoptr (PjCutPlan) plain = method->choose (method, &lab.scoring, &settings, &again, &error);
  g_assert_null (plain->cuts[0].scale);
  g_assert_cmpmem (plain->cuts[0].keep, 6, plan->cuts[0].keep, 6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/lasso/path-matches-fixture", path_matches_fixture);
  g_test_add_func ("/prune/lasso/selection-matches-fixture", selection_matches_fixture);
  g_test_add_func ("/prune/lasso/awkward-columns", awkward_columns);
  g_test_add_func ("/prune/lasso/whole-method", whole_method);
  return g_test_run ();
}
