/* SPDX-License-Identifier: MIT */
/* Channel-Pruning: the specification's LASSO path, the conditions of an optimum, selection, and the whole method. */
#include <math.h>
#include <string.h>

#include "lab.h"
#include "prune/budget/budget.h"
#include "prune/reconstruct/lasso.h"
#include "prune/reconstruct/refit.h"
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
  g_autofree float *g_over_m = fixture_floats (o, "gram_over_m", NULL), *b_over_m = fixture_floats (o, "zty_over_m", NULL);
  double beta[4] = { 0 };

  for (int i = 0; i < 16; i++) {
    g_assert_cmpfloat_with_epsilon (gram->g[i] / (double) gram->n_rows, g_over_m[i], EXACT);
    g_assert_cmpfloat_with_epsilon (gram->b[i / 4] / (double) gram->n_rows, b_over_m[i / 4], EXACT);
  }
  g_assert_cmpfloat_with_epsilon (pj_lasso_alpha_max (gram), fixture_number (o, "alpha_max"), EXACT);
  for (guint i = 0; i < json_array_get_length (path); i++) {
    JsonObject *point = json_array_get_object_element (path, i);
    JsonArray *expected = json_object_get_array_member (point, "beta");
    double alpha = json_object_get_double_member (point, "alpha"), objective = gram->yy, m = (double) gram->n_rows;
    int n_left = 0;
    pj_lasso_solve (gram, alpha, 1e-13, beta);
    for (int j = 0; j < 4; j++)
      n_left += fabs (beta[j]) > EXACT;
    g_assert_cmpint (n_left, ==, (int) json_object_get_int_member (point, "nonzero"));
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

/* New weights for every filter, from the kept inputs alone; with all inputs they are the old ones. */
static void
refit_matches_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/channel_pruning.json");
  enum { ROWS = 6, IN = 4, OUT = 3 };
  int n;
  g_autofree float *x = fixture_floats (o, "X_NCkk", &n), *y = fixture_floats (o, "Y_No", &n), *old = fixture_floats (o, "W_OIkk", &n);
  g_autofree float *expected = fixture_floats (o, "select_2/new_W", &n);
  g_autofree int *kept = fixture_ints (o, "select_2/kept", &n);
  g_autoptr (PjRefit) some = pj_refit_new (2, OUT, NULL), all = pj_refit_new (IN, OUT, NULL);
  float w[OUT * IN], shift[OUT], taken[ROWS * 2];
  double error = 0;

  for (int r = 0; r < ROWS; r++)
    for (int k = 0; k < 2; k++)
      taken[2 * r + k] = x[IN * r + kept[k]];
  pj_refit_add (some, taken, y, ROWS);
  g_assert_true (pj_refit_solve (some, FALSE, w, NULL, NULL));
  assert_close (w, expected, OUT * 2, 2e-6, "new weights");
  for (int r = 0; r < ROWS; r++)
    for (int c = 0; c < OUT; c++) {
      double off = y[OUT * r + c] - w[2 * c] * taken[2 * r] - w[2 * c + 1] * taken[2 * r + 1];
      error += off * off;
    }
  g_assert_cmpfloat_with_epsilon (error, fixture_number (o, "select_2/sq_error_new_weights"), 1e-5);
  g_assert_cmpfloat (error, <, fixture_number (o, "select_2/sq_error_old_weights"));
  pj_refit_add (all, x, y, ROWS);
  g_assert_true (pj_refit_solve (all, FALSE, w, NULL, NULL));
  assert_close (w, old, OUT * IN, 2e-5, "weights with all inputs");
  /* An offset of the outputs is the intercept's. */
  g_autoptr (PjRefit) shifted = pj_refit_new (2, OUT, NULL);
  float moved[OUT] = { 0.5f, -2, 0 };
  for (int i = 0; i < ROWS * OUT; i++)
    y[i] = taken[i / OUT * 2] + moved[i % OUT];
  pj_refit_add (shifted, taken, y, ROWS);
  g_assert_true (pj_refit_solve (shifted, TRUE, w, shift, NULL));
  assert_close (shift, moved, OUT, 1e-5, "intercept");
}

/* Mean square difference of the logits of the cut network and the original one. */
static double
error_of (const Lab *lab, const PjCutPlan *plan, const float *x, unsigned n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) cut = pj_cut (lab->graph, lab->groups, plan, &error);
  g_assert_no_error (error);
  int total = (int) (n * pj_graph_n_classes (cut));
  g_autofree float *a = net_run (lab->graph, NULL, NULL, x, n), *b = net_run (cut, NULL, NULL, x, n);
  double sum = 0;
  for (int i = 0; i < total; i++)
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum / total;
}

/* The whole method: new weights come closer than old ones, travel with the plan, and survive a restart. */
typedef struct { GBytes *state; unsigned n; } Kept;

static gboolean
keep_state_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  Kept *self = data;
  if (self->n++ == 0)
    self->state = g_bytes_ref (state);
  return TRUE;
}

static void
new_weights_mend (void)
{
  g_auto (Lab) lab = { 0 };
  lab_init_chain (&lab, 200, FALSE, 1);
  g_autofree double *ratios = lab_ratios (&lab, "a b", 0.5);
  g_autofree float *x = net_noise (8 * 64, 3);
  const PjMethod *m = pj_method_find ("channel-pruning");
  Kept kept = { 0 };
  PjMethodLife life = { .save = keep_state_cb, .data = &kept };
  PjPruneSettings settings = { .ratios = ratios, .multiple = 1, .scale = TRUE, .life = &life };
  g_autoptr (PjCutPlan) mended = m->choose (m, &lab.scoring, &settings, NULL, NULL);
  settings.scale = FALSE;
  settings.life = NULL;
  g_autoptr (PjCutPlan) plain = m->choose (m, &lab.scoring, &settings, NULL, NULL);
  g_assert_nonnull (mended->weights);
  g_assert_null (plain->weights);
  g_assert_cmpfloat (error_of (&lab, mended, x, 8), <, 0.8 * error_of (&lab, plain, x, 8));
  /* What the first group's checkpoint leaves to do gives the same. */
  life.save = NULL;
  life.resume = kept.state;
  settings.life = &life;
  settings.scale = TRUE;
  g_assert_cmpuint (kept.n, ==, 2);
  g_autoptr (PjCutPlan) resumed = m->choose (m, &lab.scoring, &settings, NULL, NULL);
  g_assert_nonnull (resumed);
  g_autoptr (PjGraph) a = pj_cut (lab.graph, lab.groups, mended, NULL), b = pj_cut (lab.graph, lab.groups, resumed, NULL);
  g_autofree float *ya = net_run (a, NULL, NULL, x, 8), *yb = net_run (b, NULL, NULL, x, 8);
  g_assert_cmpmem (ya, 8 * pj_graph_n_classes (a) * sizeof (float), yb, 8 * pj_graph_n_classes (b) * sizeof (float));
  g_bytes_unref (kept.state);
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
    /* New weights, not factors. */
    g_assert_null (cut->scale);
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
  g_assert_nonnull (plan->weights);
  /* Without mending the same channels stay in the first layer, and nothing is scaled. */
  settings.scale = FALSE;
  g_autoptr (PjCutPlan) plain = method->choose (method, &lab.scoring, &settings, &again, &error);
  g_assert_null (plain->cuts[0].scale);
  g_assert_cmpmem (plain->cuts[0].keep, 6, plan->cuts[0].keep, 6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/channel-pruning/refit", refit_matches_fixture);
  g_test_add_func ("/prune/channel-pruning/new-weights", new_weights_mend);
  g_test_add_func ("/prune/lasso/path-matches-fixture", path_matches_fixture);
  g_test_add_func ("/prune/lasso/selection-matches-fixture", selection_matches_fixture);
  g_test_add_func ("/prune/lasso/awkward-columns", awkward_columns);
  g_test_add_func ("/prune/lasso/whole-method", whole_method);
  return g_test_run ();
}
