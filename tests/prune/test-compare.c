/* SPDX-License-Identifier: MIT */
/* The comparison: rows, refusals, going on from an interrupted run, and the two measures of agreement. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "prune/compare/compare.h"

static const double ratios[] = { 0.5, 0.75 };

static PjCompareOptions
options_for (const char *const *methods)
{
  PjCompareOptions o = { .methods = methods, .ratios = ratios, .n_ratios = 2 };
  pj_train_options_init (&o.tune);
  o.tune.epochs = 0;
  o.tune.batch = 16;
  return o;
}

static const PjCompareRow *
row_of (const PjComparison *c, unsigned i)
{
  return c->rows->pdata[i];
}

static void
count_cb (const PjComparison *comparison, unsigned row, gpointer data)
{
  unsigned *n = data;
  g_assert_cmpuint (row, ==, *n);
  g_assert_cmpuint (comparison->rows->len, ==, row + 1);
  (*n)++;
}

static void
rows (void)
{
  static const char *const methods[] = { "weight-sum", "taylor", "thinet-ls", NULL };
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 64);
  PjCompareOptions o = options_for (methods);
  o.recalibrate = TRUE;
  o.tune.epochs = 1;
  unsigned n = 0;
  g_autoptr (PjComparison) c = pj_compare (&lab.scoring, &o, count_cb, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 6);
  g_assert_cmpuint (c->n_test, ==, 8);
  PjCost base;
  pj_graph_cost (lab.graph, &base);
  g_assert_cmpuint (c->base_cost.macs, ==, base.macs);
  g_assert_cmpfloat (c->base_images_per_second, >, 0);
  for (unsigned i = 0; i < 6; i++) {
    const PjCompareRow *row = row_of (c, i);
    g_assert_cmpstr (row->method, ==, methods[i / 2]);
    g_assert_cmpfloat (row->ratio, ==, ratios[i % 2]);
    g_assert_null (row->refusal);
    g_assert_nonnull (row->scores);
    /* What was rebuilt begins as it is, what was scored with norms measured again. */
    g_assert_cmpuint (row->start, ==, i < 4 ? PJ_COMPARE_RECALIBRATED : PJ_COMPARE_OWN);
    g_assert_true (row->cut >= 0 && row->recalibrated >= 0 && row->tuned >= 0 && row->tuned <= 1);
    /* All methods cut the same groups, so the cost depends on the ratio alone: ThiNet leaves the stream whole, and
     * therefore all do. */
    g_assert_cmpuint (row->cost.macs, ==, row_of (c, i % 2)->cost.macs);
    g_assert_cmpuint (row->cost.macs, <, base.macs);
    g_assert_cmpuint (row->plan->n_cuts, ==, 3);
    g_assert_null (pj_cut_plan_get (row->plan, pj_groups_find (lab.groups, "proj")->id));
  }
}

/* The figures of a row are those of the same choice made by hand. */
static void
same_as_by_hand (void)
{
  static const char *const methods[] = { "apoz", NULL };
  g_auto (Lab) lab;
  lab_init_chain (&lab, 64, FALSE, 1);
  PjCompareOptions o = options_for (methods);
  g_autoptr (PjComparison) c = pj_compare (&lab.scoring, &o, NULL, NULL, NULL);
  g_assert_nonnull (c);
  g_autofree double *half = lab_ratios (&lab, "a b c", 0.5);
  const PjMethod *m = pj_method_find ("apoz");
  const PjPruneSettings settings = { .ratios = half };
  g_autoptr (PjCutPlan) plan = m->choose (m, &lab.scoring, &settings, NULL, NULL);
  g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, NULL);
  PjAccuracy accuracy = { 0 };
  g_assert_true (pj_evaluate (lab.device, cut, lab.dataset, PJ_SPLIT_TEST, &lab.format, 0, NULL, NULL, NULL, &accuracy, NULL));
  g_assert_cmpfloat (row_of (c, 0)->cut, ==, accuracy.top1);
  g_assert_cmpfloat (row_of (c, 0)->recalibrated, <, 0);
  g_assert_cmpfloat (row_of (c, 0)->tuned, <, 0);
  g_assert_cmpfloat (pj_cut_plan_overlap (lab.groups, plan, row_of (c, 0)->plan), ==, 1);
  pj_accuracy_clear (&accuracy);
}

/* A method that can judge nothing says so in its rows; the others go on. */
static void
refusal (void)
{
  static const char *const methods[] = { "var-l2", "weight-sum", NULL };
  g_auto (Lab) lab;
  lab_init_chain (&lab, 64, FALSE, 1);
  lab.scoring.n_images = 1;
  PjCompareOptions o = options_for (methods);
  g_autoptr (PjComparison) c = pj_compare (&lab.scoring, &o, NULL, NULL, NULL);
  g_assert_cmpuint (c->rows->len, ==, 4);
  g_assert_nonnull (strstr (row_of (c, 0)->refusal, "at least 2"));
  g_assert_null (row_of (c, 0)->plan);
  g_assert_cmpfloat (row_of (c, 0)->cut, <, 0);
  g_assert_null (row_of (c, 2)->refusal);
}

static void
go_on (void)
{
  static const char *const methods[] = { "random", "apoz", NULL };
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 64, FALSE, 1);
  PjCompareOptions o = options_for (methods);
  g_autoptr (PjComparison) whole = pj_compare (&lab.scoring, &o, NULL, NULL, &error);
  g_assert_no_error (error);

  /* What an interrupted run had: two rows, and a base figure that shows where it comes from. */
  PjComparison before = { .base_accuracy = 0.123, .base_images_per_second = 5, .n_test = 8 };
  before.rows = g_ptr_array_new ();
  g_ptr_array_add (before.rows, whole->rows->pdata[0]);
  g_ptr_array_add (before.rows, whole->rows->pdata[3]);
  o.before = &before;
  g_autoptr (PjComparison) rest = pj_compare (&lab.scoring, &o, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rest->rows->len, ==, 2);
  g_assert_cmpfloat (rest->base_accuracy, ==, 0.123);
  for (unsigned i = 0; i < 2; i++) {
    const PjCompareRow *a = row_of (rest, i), *b = row_of (whole, i + 1);
    g_assert_cmpstr (a->method, ==, b->method);
    g_assert_cmpfloat (a->ratio, ==, b->ratio);
    g_assert_cmpfloat (a->cut, ==, b->cut);
    g_assert_cmpfloat (pj_cut_plan_overlap (lab.groups, a->plan, b->plan), ==, 1);
  }
  g_ptr_array_unref (before.rows);
}

static void
count_rows_cb (const PjComparison *comparison, unsigned row, gpointer data)
{
  (*(unsigned *) data)++;
}

/* Seed by seed; criteria that draw get more of them, counting on from the largest. */
static void
seeds (void)
{
  static const char *const methods[] = { "random", "weight-sum", NULL };
  static const uint64_t two[] = { 7, 3 };
  static const struct { const char *method; double ratio; uint64_t seed; } expected[] = {
    { "random", 0.5, 7 }, { "random", 0.75, 7 }, { "weight-sum", 0.5, 7 }, { "weight-sum", 0.75, 7 },
    { "random", 0.5, 3 }, { "random", 0.75, 3 }, { "weight-sum", 0.5, 3 }, { "weight-sum", 0.75, 3 },
    { "random", 0.5, 8 }, { "random", 0.75, 8 },
  };
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 64, FALSE, 1);
  PjCompareOptions o = options_for (methods);
  o.seeds = two;
  o.n_seeds = 2;
  o.n_drawn = 3;
  g_autoptr (PjComparison) c = pj_compare (&lab.scoring, &o, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (c->rows->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < c->rows->len; i++) {
    g_assert_cmpstr (row_of (c, i)->method, ==, expected[i].method);
    g_assert_cmpfloat (row_of (c, i)->ratio, ==, expected[i].ratio);
    g_assert_cmpuint (row_of (c, i)->seed, ==, expected[i].seed);
  }
  /* Lots differ between seeds; a score of the weights does not. */
  g_assert_cmpfloat (pj_cut_plan_overlap (lab.groups, row_of (c, 0)->plan, row_of (c, 4)->plan), <, 1);
  g_assert_cmpfloat (pj_cut_plan_overlap (lab.groups, row_of (c, 2)->plan, row_of (c, 6)->plan), ==, 1);

  /* An interrupted run goes on with what is missing, whatever it had. */
  PjComparison before = { .base_accuracy = 0.5, .n_test = c->n_test, .rows = g_ptr_array_new () };
  for (guint i = 0; i < 9; i++)
    if (i != 5)
      g_ptr_array_add (before.rows, c->rows->pdata[i]);
  o.before = &before;
  unsigned n = 0;
  g_autoptr (PjComparison) rest = pj_compare (&lab.scoring, &o, count_rows_cb, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (row_of (rest, 0)->seed, ==, 3);
  g_assert_cmpfloat (row_of (rest, 0)->cut, ==, row_of (c, 5)->cut);
  g_assert_cmpuint (row_of (rest, 1)->seed, ==, 8);
  g_ptr_array_unref (before.rows);
}

/* What only chooses channels begins with norms measured again, what fits or trains its network with that. */
static void
beginnings (void)
{
  static const struct {
    const char *method;
    unsigned starts;
  } expected[] = {
    { "random", PJ_COMPARE_RECALIBRATED }, { "kl", PJ_COMPARE_RECALIBRATED },     { "curl", PJ_COMPARE_RECALIBRATED },
    { "thinet-ls", PJ_COMPARE_OWN },       { "channel-pruning", PJ_COMPARE_OWN }, { "autopruner", PJ_COMPARE_OWN },
    { "scratch-e", PJ_COMPARE_OWN },
  };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    const PjMethod *method = pj_method_find (expected[i].method);
    g_assert_nonnull (method);
    g_assert_cmpuint (pj_compare_starts (method, 0, TRUE), ==, expected[i].starts);
    g_assert_cmpuint (pj_compare_starts (method, 0, FALSE), ==, PJ_COMPARE_OWN);
  }
}

/* Both beginnings of fine-tuning, each as if it had been asked for alone. */
static void
starts (void)
{
  static const char *const methods[] = { "weight-sum", NULL };
  static const unsigned sets[] = { PJ_COMPARE_OWN, PJ_COMPARE_RECALIBRATED, PJ_COMPARE_OWN | PJ_COMPARE_RECALIBRATED };
  PjComparison *c[3];
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 64);
  for (guint i = 0; i < 3; i++) {
    PjCompareOptions o = options_for (methods);
    o.n_ratios = 1;
    o.tune.epochs = 1;
    o.starts = sets[i];
    c[i] = pj_compare (&lab.scoring, &o, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (c[i]->rows->len, ==, i < 2 ? 1 : 2);
  }
  for (guint i = 0; i < 2; i++) {
    const PjCompareRow *alone = row_of (c[i], 0), *both = row_of (c[2], i);
    g_assert_cmpuint (alone->start, ==, sets[i]);
    g_assert_cmpuint (both->start, ==, sets[i]);
    g_assert_cmpfloat (alone->tuned, ==, both->tuned);
    g_assert_cmpfloat (alone->cut, ==, both->cut);
    g_assert_cmpmem (alone->answers, c[i]->n_test * 2, both->answers, c[2]->n_test * 2);
  }
  g_assert_cmpfloat (row_of (c[0], 0)->recalibrated, <, 0);
  g_assert_cmpfloat (row_of (c[1], 0)->recalibrated, >=, 0);
  for (guint i = 0; i < 3; i++)
    pj_comparison_free (c[i]);
}

/* Answers say the same as the accuracies; a layer's own damage is that of its mask alone. */
static void
answers (void)
{
  static const char *const methods[] = { "random", NULL };
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 64, FALSE, 1);
  PjCompareOptions o = options_for (methods);
  o.n_ratios = 1;
  o.n_layer_test = 8;
  g_autoptr (PjComparison) c = pj_compare (&lab.scoring, &o, NULL, NULL, &error);
  g_assert_no_error (error);
  const PjCompareRow *row = row_of (c, 0);
  unsigned base = 0, cut = 0;
  for (unsigned i = 0; i < c->n_test; i++) {
    g_assert_cmpint (c->labels[i], ==, pj_dataset_label (lab.dataset, PJ_SPLIT_TEST, i));
    base += c->answers[i] == c->labels[i];
    cut += row->answers[i] == c->labels[i];
  }
  g_assert_cmpfloat_with_epsilon (c->base_accuracy, (double) base / c->n_test, 1e-9);
  g_assert_cmpfloat_with_epsilon (row->cut, (double) cut / c->n_test, 1e-9);
  g_assert_cmpuint (row->n_groups, ==, pj_groups_n (lab.groups));
  unsigned n_judged = 0;
  for (unsigned g = 0; g < row->n_groups; g++) {
    gboolean is_cut = pj_cut_plan_get (row->plan, (int) g) != NULL;
    g_assert_true (is_cut ? row->layer_kl[g] > 0 : row->layer_kl[g] < 0);
    n_judged += is_cut;
  }
  g_assert_cmpuint (n_judged, ==, 3);
}

static void
bad_options (void)
{
  static const char *const unknown[] = { "apoz", "magic", NULL }, *const none[] = { NULL }, *const good[] = { "apoz", NULL };
  static const double bad_ratio[] = { 0 };
  g_auto (Lab) lab;
  lab_init_chain (&lab, 32, FALSE, 1);
  struct { const char *const *methods; const double *ratios; const char *text; } cases[] = {
    { unknown, ratios, "magic" }, { none, ratios, "nothing to compare" }, { good, bad_ratio, "keep ratio of 0" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    PjCompareOptions o = options_for (cases[i].methods);
    o.ratios = cases[i].ratios;
    o.n_ratios = 1;
    g_assert_null (pj_compare (&lab.scoring, &o, NULL, NULL, &error));
    g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
    g_assert_nonnull (strstr (error->message, cases[i].text));
  }
}

/* Rows that were handed out before the cancel stay valid; the comparison itself is not returned. */
static void
cancel (void)
{
  static const char *const methods[] = { "weight-sum", "thinet", NULL };
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 100, FALSE, 1);
  PjCompareOptions o = options_for (methods);
  unsigned n = 0;
  lab_cancel_after (&lab, 7);
  g_assert_null (pj_compare (&lab.scoring, &o, count_cb, &n, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
  g_assert_cmpuint (n, >, 0);
  g_assert_cmpuint (n, <, 4);
}

/* --- agreement --- */

static void
overlap (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjGroup *stem = pj_groups_find (groups, "stem"), *b1 = pj_groups_find (groups, "b1");
  g_autoptr (PjCutPlan) a = pj_cut_plan_new (), b = pj_cut_plan_new ();
  g_assert_cmpfloat (pj_cut_plan_overlap (groups, a, b), ==, 1);
  const guint8 x[] = { 1, 1, 1, 0, 0 }, y[] = { 0, 1, 1, 1, 0 }, z[] = { 1, 0, 0, 1 };
  pj_cut_plan_set (a, stem, x, NULL);
  pj_cut_plan_set (b, stem, y, NULL);
  g_assert_cmpfloat (pj_cut_plan_overlap (groups, a, b), ==, 0.5);
  /* A group that only one of them cuts: the other keeps all four. */
  pj_cut_plan_set (a, b1, z, NULL);
  g_assert_cmpfloat (pj_cut_plan_overlap (groups, a, b), ==, 4.0 / 8);
  g_assert_cmpfloat (pj_cut_plan_overlap (groups, b, a), ==, 4.0 / 8);
}

static void
rank_correlation (void)
{
  const double a[] = { 1, 2, 3, 4, 5 }, monotone[] = { 1, 10, 100, 1000, 10000 }, reversed[] = { 5, 4, 3, 2, 1 };
  const double ties[] = { 1, 1, 2, 2, 3 }, flat[] = { 7, 7, 7, 7, 7 }, swapped[] = { 2, 1, 3, 4, 5 };
  g_assert_cmpfloat_with_epsilon (pj_rank_correlation (a, monotone, 5), 1, 1e-12);
  g_assert_cmpfloat_with_epsilon (pj_rank_correlation (a, reversed, 5), -1, 1e-12);
  g_assert_cmpfloat_with_epsilon (pj_rank_correlation (a, swapped, 5), 0.9, 1e-12);
  /* Ranks 0.5 0.5 2.5 2.5 4 against 0 … 4: 9/√(10·9). */
  g_assert_cmpfloat_with_epsilon (pj_rank_correlation (a, ties, 5), 9 / sqrt (90), 1e-12);
  g_assert_cmpfloat (pj_rank_correlation (a, flat, 5), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/compare/rows", rows);
  g_test_add_func ("/prune/compare/same-as-by-hand", same_as_by_hand);
  g_test_add_func ("/prune/compare/refusal", refusal);
  g_test_add_func ("/prune/compare/go-on", go_on);
  g_test_add_func ("/prune/compare/seeds", seeds);
  g_test_add_func ("/prune/compare/beginnings", beginnings);
  g_test_add_func ("/prune/compare/starts", starts);
  g_test_add_func ("/prune/compare/answers", answers);
  g_test_add_func ("/prune/compare/bad-options", bad_options);
  g_test_add_func ("/prune/compare/cancel", cancel);
  g_test_add_func ("/prune/agreement/overlap", overlap);
  g_test_add_func ("/prune/agreement/rank-correlation", rank_correlation);
  return g_test_run ();
}
