/* SPDX-License-Identifier: MIT */
/* Criteria against the specification's fixtures, end to end on the toy network, and the properties of its section 22. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "compute/program.h"
#include "lab.h"
#include "ops/op.h"
#include "prune/scores/statistics.h"
#include "train/evaluate.h"

/* --- fixtures, without a device --- */

/* What CHANNEL_STATS gives for one plane, in plain loops. */
static void
plane_stats (const float *x, int n, float *out)
{
  double sum = 0, m2 = 0;
  memset (out, 0, PJ_N_STATS * sizeof (float));
  for (int i = 0; i < n; i++) {
    out[PJ_STAT_ZEROS] += x[i] == 0;
    out[PJ_STAT_ABS] += fabsf (x[i]);
    out[PJ_STAT_SQUARES] += x[i] * x[i];
    sum += x[i];
  }
  for (int i = 0; i < n; i++)
    m2 += (x[i] - sum / n) * (x[i] - sum / n);
  out[PJ_STAT_SUM] = (float) sum;
  out[PJ_STAT_M2] = (float) m2;
}

static PjStatistics *
stats_of (const float *x, int n, int c, int positions, int value)
{
  PjStatistics *statistics = pj_statistics_new (PJ_NEEDS_STATS);
  PjActivity *activity = pj_activity_new (value, c, positions);
  g_autofree float *stats = g_new (float, c * PJ_N_STATS);
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < c; k++)
      plane_stats (x + (i * c + k) * positions, positions, stats + k * PJ_N_STATS);
    pj_activity_add (activity, stats);
  }
  pj_statistics_take (statistics, activity, NULL);
  return statistics;
}

static const struct { const char *name, *path; } activation_criteria[] = {
  { "apoz", "apoz" }, { "mean-mean", "mean_mean" }, { "mean-std", "mean_std" }, { "mean-l1", "mean_l1" },
  { "mean-l2", "mean_l2" }, { "var-l2", "var_l2" },
};

static void
activation_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/activation_stats.json");
  g_autofree float *x = fixture_floats (o, "activations_NCHW", NULL);
  g_autoptr (PjGraph) graph = lab_four_channels ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjGroup *group = pj_groups_find (groups, "a");
  const PjScoring scoring = { .graph = graph, .groups = groups };
  g_autoptr (PjStatistics) statistics = stats_of (x, 3, 4, 4, pj_group_activation (graph, group));
  g_autofree float *l2 = fixture_floats (o, "statistics/per_image_l2", NULL), *variance = fixture_floats (o, "statistics/var_l2_population", NULL);
  g_autofree float *deviation = fixture_floats (o, "statistics/mean_std_population", NULL);
  const PjActivity *sums = pj_statistics_get (statistics, pj_group_activation (graph, group));
  for (int c = 0; c < 4; c++) {
    assert_near (sums->sum_l2[c], l2[c] + l2[4 + c] + l2[8 + c], 1e-5, "norms of all pictures");
    assert_near (sums->var_l2[c] / 3, variance[c], 1e-6, "their variance");
    assert_near (sums->sum_std[c] / 3, deviation[c], 1e-6, "mean deviation");
  }

  for (guint i = 0; i < G_N_ELEMENTS (activation_criteria); i++) {
    g_autofree char *path = g_strdup_printf ("importance_low_is_removed/%s", activation_criteria[i].path);
    g_autofree char *order_path = g_strdup_printf ("removal_order/%s", activation_criteria[i].path);
    g_autofree float *expected = fixture_floats (o, path, NULL);
    int n_order;
    g_autofree int *order = fixture_ints (o, order_path, &n_order);
    double out[4] = { 0 };
    g_assert_true (lab_criterion (activation_criteria[i].name)->score (&scoring, statistics, group, out, NULL));
    for (int c = 0; c < 4; c++)
      assert_near (out[c], expected[c], 1e-6, activation_criteria[i].name);
    for (int k = 1; k < 4; k++) {
      guint8 keep[4];
      pj_keep_top (out, 4, 4 - k, keep);
      for (int r = 0; r < 4; r++)
        g_assert_cmpint (keep[order[r]], ==, r >= k);
    }
  }
}

/* In two parts the running variance is the same as in one. */
static void
streaming (void)
{
  g_autofree float *x = net_noise (40 * 9, 3);
  g_autoptr (PjStatistics) statistics = stats_of (x, 40, 1, 9, 0);
  const PjActivity *a = pj_statistics_get (statistics, 0);
  double mean = 0, m2 = 0, l2[40];
  for (int i = 0; i < 40; i++) {
    l2[i] = 0;
    for (int k = 0; k < 9; k++)
      l2[i] += x[i * 9 + k] * x[i * 9 + k];
    l2[i] = sqrt (l2[i]);
    mean += l2[i] / 40;
  }
  for (int i = 0; i < 40; i++)
    m2 += (l2[i] - mean) * (l2[i] - mean);
  assert_near (a->var_l2[0], m2, 1e-6 * m2, "squared deviations");
}

static void
weight_sum_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/filter_norm.json");
  g_autofree float *w = fixture_floats (o, "w_OIHW", NULL), *expected = fixture_floats (o, "l1", NULL);
  g_autoptr (PjGraph) g = pj_graph_new ("filters");
  int y = net_conv (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 4, 4)), net_param_from (g, "w", PJ_SHAPE (5, 2, 2, 2), w), -1, 1, 0);
  pj_graph_set_output (g, net_conv (g, "b", y, net_param (g, "w2", PJ_SHAPE (2, 5, 1, 1), 0, 1, 1), -1, 1, 0));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  const PjScoring scoring = { .graph = g, .groups = groups };
  g_autoptr (PjScores) scores = pj_criterion_score (lab_criterion ("weight-sum"), &scoring, NULL);
  const PjGroupScores *a = pj_scores_get (scores, pj_groups_find (groups, "a")->id);
  for (int c = 0; c < 5; c++)
    assert_near (a->score[c], expected[c], 1e-6, "weight sum");
  static const struct { double ratio; const char *path; } cases[] = { { 0.5, "keep_r_0.5/kept" }, { 0.6, "keep_r_0.6/kept" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    int n_kept;
    g_autofree int *kept = fixture_ints (o, cases[i].path, &n_kept);
    guint8 keep[5], wanted[5] = { 0 };
    for (int k = 0; k < n_kept; k++)
      wanted[kept[k]] = 1;
    g_autofree char *count = g_strdup_printf ("keep_r_%g/K", cases[i].ratio);
    g_assert_cmpint (pj_keep_count (5, cases[i].ratio, 1), ==, (int) fixture_number (o, count));
    pj_keep_top (a->score, 5, pj_keep_count (5, cases[i].ratio, 1), keep);
    g_assert_cmpmem (keep, 5, wanted, 5);
  }
  int n_removed;
  g_autofree int *removed = fixture_ints (o, "keep_r_0.5/removed", &n_removed), *order = fixture_ints (o, "ascending_order_l1", NULL);
  for (int k = 1; k < 5; k++) {
    guint8 keep[5];
    pj_keep_top (a->score, 5, 5 - k, keep);
    for (int r = 0; r < 5; r++)
      g_assert_cmpint (keep[order[r]], ==, r >= k);
    for (int r = 0; k == n_removed && r < n_removed; r++)
      g_assert_false (keep[removed[r]]);
  }
}

/* --- the toy network, end to end --- */

static const char *const inner[] = { "stem", "b1_1", "b1_2", "b2_1", "b2_2" };

static void
toy_activations (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  for (guint i = 0; i < G_N_ELEMENTS (activation_criteria); i++) {
    g_autoptr (PjScores) scores = lab_score (&lab, activation_criteria[i].name);
    g_assert_cmpuint (scores->n_images, ==, 4);
    for (guint k = 0; k < G_N_ELEMENTS (inner); k++) {
      g_autofree char *path = g_strdup_printf ("scores/activation_statistics/%s/%s", inner[k], activation_criteria[i].path);
      int n;
      g_autofree float *expected = fixture_floats (o, path, &n);
      const PjGroupScores *s = lab_scores_of (&lab, scores, inner[k]);
      g_assert_cmpint (s->n_channels, ==, n);
      for (int c = 0; c < n; c++) {
        double e = i == 0 ? 1 - expected[c] : expected[c];
        assert_near (s->score[c], e, 1e-5 * MAX (1, fabs (e)), path);
      }
    }
    /* The stream is judged by its two ReLU outputs, each with an equal voice. */
    const PjGroupScores *stream = lab_scores_of (&lab, scores, "stream");
    double mean = 0;
    for (int c = 0; c < 6; c++)
      mean += stream->score[c] / 6;
    if (i > 0)
      assert_near (mean, 1, 1e-9, "mean score of the stream");
  }
}

static void
toy_weight_sum (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  g_autoptr (PjScores) scores = lab_score (&lab, "weight-sum");
  g_assert_cmpuint (scores->n_images, ==, 0);
  for (guint k = 0; k < G_N_ELEMENTS (inner); k++) {
    g_autofree char *path = g_strdup_printf ("scores/weight_sum_first_producer/%s", inner[k]);
    int n;
    g_autofree float *expected = fixture_floats (o, path, &n);
    for (int c = 0; c < n; c++)
      assert_near (lab_scores_of (&lab, scores, inner[k])->score[c], expected[c], 1e-5, path);
  }
  /* Three producers, each divided by its mean. */
  static const char *const producers[] = { "params/proj_w", "params/b1_w3", "params/b2_w3" };
  double expected[6] = { 0 };
  for (int p = 0; p < 3; p++) {
    int n;
    g_autofree float *w = fixture_floats (o, producers[p], &n);
    double sum[6] = { 0 }, mean = 0;
    for (int i = 0; i < n; i++)
      sum[i / (n / 6)] += fabs (w[i]);
    for (int c = 0; c < 6; c++)
      mean += sum[c] / 6;
    for (int c = 0; c < 6; c++)
      expected[c] += sum[c] / mean;
  }
  for (int c = 0; c < 6; c++)
    assert_near (lab_scores_of (&lab, scores, "stream")->score[c], expected[c], 1e-6, "stream");
}

/* --- properties --- */

static void
shared_pass (void)
{
  g_auto (Lab) lab;
  lab_init_residual (&lab, 40);
  g_autoptr (PjStatistics) statistics = pj_statistics_measure_for (&lab.scoring, PJ_NEEDS_STATS | PJ_NEEDS_GRADIENTS, NULL);
  g_assert_nonnull (statistics);
  g_assert_cmpuint (pj_statistics_n_images (statistics, PJ_NEEDS_STATS), ==, 40);
  g_assert_cmpuint (pj_statistics_n_images (statistics, PJ_NEEDS_GRADIENTS), ==, 40);
  for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++) {
    g_autoptr (PjScores) shared = pj_criterion_score_with (*c, &lab.scoring, statistics, NULL);
    g_autoptr (PjScores) alone = pj_criterion_score (*c, &lab.scoring, NULL);
    g_assert_cmpuint (shared->n_groups, ==, 4);
    for (unsigned i = 0; i < shared->n_groups; i++) {
      const PjGroupScores *a = &shared->groups[i], *b = &alone->groups[i];
      g_assert_null (a->refusal);
      g_assert_cmpmem (a->score, a->n_channels * sizeof (double), b->score, b->n_channels * sizeof (double));
      for (int k = 0; k < a->n_channels; k++) {
        g_assert_true (isfinite (a->score[k]));
        g_assert_cmpfloat (a->score[k], >=, 0);
      }
    }
  }
}

/* The order of the pictures does not matter, except to mini-batches. */
static void
permuted_pictures (void)
{
  g_auto (Lab) one, two;
  lab_init_chain (&one, 50, FALSE, 1);
  lab_init_chain (&two, 50, FALSE, 2);
  for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++) {
    if (g_str_has_prefix ((*c)->name, "taylor-fo"))
      continue;
    g_autoptr (PjScores) a = lab_score (&one, (*c)->name), b = lab_score (&two, (*c)->name);
    for (unsigned i = 0; i < a->n_groups; i++)
      for (int k = 0; k < a->groups[i].n_channels; k++)
        assert_near (a->groups[i].score[k], b->groups[i].score[k], 1e-5 * fabs (a->groups[i].score[k]) + 1e-12, (*c)->name);
  }
}

static void
seeded (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 60, FALSE, 1);
  lab.scoring.n_images = 20;
  for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++) {
    g_autoptr (PjScores) a = lab_score (&lab, (*c)->name), b = lab_score (&lab, (*c)->name);
    for (unsigned i = 0; i < a->n_groups; i++)
      g_assert_cmpmem (a->groups[i].score, a->groups[i].n_channels * sizeof (double),
                       b->groups[i].score, b->groups[i].n_channels * sizeof (double));
  }
  /* Another seed takes other pictures. */
  g_autoptr (PjScores) a = lab_score (&lab, "mean-mean");
  g_assert_cmpuint (a->n_images, ==, 20);
  lab.scoring.seed = 2;
  g_autoptr (PjScores) b = lab_score (&lab, "mean-mean");
  g_assert_cmpfloat (a->groups[0].score[0], !=, b->groups[0].score[0]);
}

static void
random_is_uniform (void)
{
  enum { SEEDS = 4000, K = 3 };
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  PjScoring scoring = { .graph = graph, .groups = groups };
  int kept[7] = { 0 };
  const PjGroup *stream = pj_groups_find (groups, "a2");
  for (scoring.seed = 0; scoring.seed < SEEDS; scoring.seed++) {
    double out[7];
    guint8 keep[7];
    g_assert_true (lab_criterion ("random")->score (&scoring, NULL, stream, out, NULL));
    pj_keep_top (out, 7, K, keep);
    for (int c = 0; c < 7; c++)
      kept[c] += keep[c];
  }
  double p = K / 7.0, sigma = sqrt (p * (1 - p) / SEEDS);
  for (int c = 0; c < 7; c++)
    assert_near (kept[c] / (double) SEEDS, p, 4 * sigma, "share of draws that keep a channel");
}

/* After a ReLU the L1 norm is H·W times the mean. */
static void
same_order (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 20, FALSE, 1);
  g_autoptr (PjScores) mean = lab_score (&lab, "mean-mean"), l1 = lab_score (&lab, "mean-l1");
  const PjGroupScores *a = lab_scores_of (&lab, mean, "a"), *b = lab_scores_of (&lab, l1, "a");
  for (int c = 0; c < a->n_channels; c++)
    assert_near (b->score[c], 64 * a->score[c], 1e-4 * b->score[c] + 1e-9, "L1 norm");
}

/* A channel whose norm is zero never does anything: no gradient criterion may keep it. */
static void
dead_channel (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 20, FALSE, 1);
  static const char *const zeroed[] = { "b.gamma", "b.beta" };
  for (int i = 0; i < 2; i++) {
    int value = pj_graph_find_value (lab.graph, zeroed[i]);
    float *data = pj_alloc (8 * sizeof (float), NULL, NULL);
    memcpy (data, pj_blob_data (pj_graph_value (lab.graph, value)->data), 8 * sizeof (float));
    data[5] = 0;
    pj_graph_set_param (lab.graph, value, PJ_SHAPE (8), pj_blob_new_take (data, 8));
  }
  static const char *const names[] = { "taylor", "taylor-fo", "taylor-fo-bn", "apoz", "mean-mean", "bn-scale" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (PjScores) scores = lab_score (&lab, names[i]);
    assert_near (lab_scores_of (&lab, scores, "b")->score[5], 0, 0, names[i]);
    g_assert_cmpfloat (lab_scores_of (&lab, scores, "b")->score[4], >, 0);
  }
}

/* --- refusals --- */

static void
assert_refused (const Lab *lab, const char *name, const char *group, const char *because)
{
  g_autoptr (PjScores) scores = lab_score (lab, name);
  const PjGroupScores *s = lab_scores_of (lab, scores, group);
  g_assert_null (s->score);
  g_assert_nonnull (s->refusal);
  g_assert_nonnull (strstr (s->refusal, group));
  g_assert_nonnull (strstr (s->refusal, because));
}

static void
refusals (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 10, TRUE, 1);
  assert_refused (&lab, "apoz", "c", "no ReLU");
  lab.scoring.n_images = 1;
  assert_refused (&lab, "var-l2", "a", "at least 2");
  lab.scoring.n_images = 0;

  g_autoptr (PjGraph) g = pj_graph_new ("fc");
  int y = net_unary (g, "flatten", &pj_op_flatten, pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8)));
  y = net_unary (g, "relu", &pj_op_relu, net_gemm (g, "fc1", y, net_param (g, "w1", PJ_SHAPE (5, 64), 0, 1, 1), -1));
  pj_graph_set_output (g, net_gemm (g, "fc2", y, net_param (g, "w2", PJ_SHAPE (3, 5), 0, 1, 1), -1));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  Lab flat = lab;
  flat.scoring.graph = g;
  flat.scoring.groups = flat.groups = groups;
  assert_refused (&flat, "mean-std", "fc1", "single position");
  assert_refused (&flat, "bn-scale", "fc1", "no batch norm");
  g_autoptr (PjScores) apoz = lab_score (&flat, "apoz");
  g_assert_nonnull (lab_scores_of (&flat, apoz, "fc1")->score);
}

static void
no_pictures (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 10, FALSE, 1);
  lab.scoring.dataset = NULL;
  g_assert_null (pj_criterion_score (lab_criterion ("apoz"), &lab.scoring, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
}

static void
not_finite (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 10, FALSE, 1);
  int value = pj_graph_find_value (lab.graph, "b.w");
  const PjValue *w = pj_graph_value (lab.graph, value);
  float *data = pj_alloc (pj_blob_n_elems (w->data) * sizeof (float), NULL, NULL);
  memcpy (data, pj_blob_data (w->data), pj_blob_n_elems (w->data) * sizeof (float));
  data[7] = NAN;
  pj_graph_set_param (lab.graph, value, w->shape, pj_blob_new_take (data, pj_blob_n_elems (w->data)));
  g_assert_null (pj_criterion_score (lab_criterion ("weight-sum"), &lab.scoring, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_NUMERIC);
  g_assert_nonnull (strstr (error->message, "“b”"));
}

static void
cancel (void)
{
  static const char *const names[] = { "apoz", "taylor" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (int after = 0; after < 2; after++) {
      g_auto (Lab) lab;
      g_autoptr (GError) error = NULL;
      lab_init_chain (&lab, 100, FALSE, 1);
      lab_cancel_after (&lab, after);
      g_assert_null (pj_criterion_score (lab_criterion (names[i]), &lab.scoring, &error));
      g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    }
}

/* What a person reads of each member: two sentences, and where it comes from. */
static void
registry (void)
{
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    unsigned n_sentences = 0;
    for (const char *p = (*m)->about; *p != '\0'; p++)
      n_sentences += *p == '.' && (p[1] == ' ' || p[1] == '\0');
    g_assert_cmpuint (n_sentences, ==, 2);
    g_assert_cmpstr ((*m)->source, !=, "");
    g_assert_true (pj_method_find ((*m)->name) == *m);
    g_assert_nonnull ((*m)->choose);
  }
  for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++)
    g_assert_true (pj_method_find ((*c)->name)->criterion == *c);
  g_assert_null (pj_method_find ("no such method"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/criteria/fixture/activations", activation_fixture);
  g_test_add_func ("/prune/criteria/fixture/streaming", streaming);
  g_test_add_func ("/prune/criteria/fixture/weight-sum", weight_sum_fixture);
  g_test_add_func ("/prune/criteria/toy/activations", toy_activations);
  g_test_add_func ("/prune/criteria/toy/weight-sum", toy_weight_sum);
  g_test_add_func ("/prune/criteria/shared-pass", shared_pass);
  g_test_add_func ("/prune/criteria/permuted-pictures", permuted_pictures);
  g_test_add_func ("/prune/criteria/seeded", seeded);
  g_test_add_func ("/prune/criteria/random-is-uniform", random_is_uniform);
  g_test_add_func ("/prune/criteria/same-order", same_order);
  g_test_add_func ("/prune/criteria/dead-channel", dead_channel);
  g_test_add_func ("/prune/criteria/refusals", refusals);
  g_test_add_func ("/prune/criteria/no-pictures", no_pictures);
  g_test_add_func ("/prune/criteria/not-finite", not_finite);
  g_test_add_func ("/prune/criteria/cancel", cancel);
  g_test_add_func ("/prune/criteria/registry", registry);
  return g_test_run ();
}
