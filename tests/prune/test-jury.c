/* SPDX-License-Identifier: MIT */
/* What a comparison says, on made-up rows whose answers are known. */
#include <math.h>

#include "lab.h"
#include "prune/compare/jury.h"

typedef struct {
  PjGraph *graph;
  PjGroups *groups;
  PjComparison *comparison;
} Court;

static void
court_init (Court *self)
{
  self->graph = net_residual ();
  self->groups = pj_groups_new (self->graph);
  self->comparison = g_new0 (PjComparison, 1);
  self->comparison->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_compare_row_free);
}

static void
court_clear (Court *self)
{
  pj_comparison_free (self->comparison);
  pj_groups_unref (self->groups);
  pj_graph_unref (self->graph);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Court, court_clear)

static PjCompareRow *
add_row (Court *self, const char *method, double ratio, uint64_t seed, double cut, double tuned, uint64_t macs)
{
  PjCompareRow *row = g_new0 (PjCompareRow, 1);

  row->method = g_strdup (method);
  row->ratio = ratio;
  row->seed = seed;
  row->start = PJ_COMPARE_OWN;
  row->cut = cut;
  row->recalibrated = -1;
  row->tuned = tuned;
  row->cost.macs = macs;
  g_ptr_array_add (self->comparison->rows, row);
  return row;
}

static const PjVerdict *
verdict_of (const GPtrArray *verdicts, unsigned i)
{
  return verdicts->pdata[i];
}

static void
mean_and_spread (void)
{
  g_auto (Court) court;
  court_init (&court);
  add_row (&court, "random", 0.5, 1, 0.2, 0.7, 100);
  add_row (&court, "apoz", 0.5, 1, 0.4, -1, 100);
  add_row (&court, "random", 0.5, 2, 0.3, 0.8, 100);
  add_row (&court, "random", 0.25, 1, 0.1, -1, 50);
  add_row (&court, "random", 0.5, 3, 0.7, 0.9, 100);
  add_row (&court, "random", 0.5, 1, 0.2, 0.1, 100)->start = PJ_COMPARE_RECALIBRATED;
  g_autoptr (GPtrArray) verdicts = pj_verdicts_new (court.comparison);
  g_assert_cmpuint (verdicts->len, ==, 4);
  const PjVerdict *random = verdict_of (verdicts, 0), *apoz = verdict_of (verdicts, 1);
  g_assert_cmpuint (random->cut.n, ==, 3);
  g_assert_cmpfloat_with_epsilon (random->cut.mean, 0.4, 1e-12);
  g_assert_cmpfloat_with_epsilon (random->cut.spread, sqrt (0.14 / 2), 1e-12);
  g_assert_cmpfloat_with_epsilon (random->last.mean, 0.8, 1e-12);
  g_assert_cmpfloat_with_epsilon (random->last.spread, 0.1, 1e-12);
  g_assert_cmpuint (random->recalibrated.n, ==, 0);
  g_assert_cmpfloat (random->recalibrated.mean, ==, -1);
  g_assert_cmpfloat (apoz->last.mean, ==, 0.4);
  g_assert_cmpfloat (apoz->last.spread, ==, 0);
  g_assert_cmpuint (verdict_of (verdicts, 3)->start, ==, PJ_COMPARE_RECALIBRATED);
}

static void
front (void)
{
  static const gboolean expected[] = { TRUE, FALSE, TRUE, FALSE, TRUE, FALSE };
  gboolean on_front[6];
  g_auto (Court) court;
  court_init (&court);
  add_row (&court, "a", 0.5, 1, 0.8, -1, 100);
  add_row (&court, "b", 0.5, 1, 0.7, -1, 100);
  add_row (&court, "a", 0.25, 1, 0.6, -1, 50);
  add_row (&court, "b", 0.25, 1, 0.55, -1, 60);
  add_row (&court, "c", 0.25, 1, 0.6, -1, 50);
  add_row (&court, "d", 0.25, 1, -1, -1, 10)->refusal = g_strdup ("no");
  g_autoptr (GPtrArray) verdicts = pj_verdicts_new (court.comparison);
  pj_verdicts_front (verdicts, on_front);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpint (on_front[i], ==, expected[i]);
}

static PjScores *
scores_of (const Court *court, const double *stem, const double *b1)
{
  const double *values[] = { stem, b1 };
  const char *const names[] = { "stem", "b1" };
  PjScores *scores = g_new0 (PjScores, 1);

  scores->n_groups = 2;
  scores->groups = g_new0 (PjGroupScores, 2);
  for (guint i = 0; i < 2; i++) {
    const PjGroup *group = pj_groups_find (court->groups, names[i]);
    scores->groups[i].group = group->id;
    scores->groups[i].n_channels = group->n_channels;
    scores->groups[i].score = values[i] != NULL ? g_memdup2 (values[i], group->n_channels * sizeof (double)) : NULL;
  }
  return scores;
}

static PjCutPlan *
plan_of (const Court *court, const guint8 *stem)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  pj_cut_plan_set (plan, pj_groups_find (court->groups, "stem"), stem, NULL);
  return plan;
}

/* Seeds are paired; a pair without a common seed falls back on the first rows. */
static void
agreement (void)
{
  static const guint8 x[] = { 1, 1, 1, 0, 0 }, y[] = { 0, 1, 1, 1, 0 };
  static const double up[] = { 1, 2, 3, 4, 5 }, down[] = { 5, 4, 3, 2, 1 }, b1[] = { 1, 2, 3, 4 };
  g_auto (Court) court;
  court_init (&court);
  PjCompareRow *rows[] = {
    add_row (&court, "a", 0.5, 1, 0.1, -1, 1), add_row (&court, "a", 0.5, 2, 0.1, -1, 1),
    add_row (&court, "b", 0.5, 1, 0.1, -1, 1), add_row (&court, "b", 0.5, 2, 0.1, -1, 1),
    add_row (&court, "c", 0.5, 9, 0.1, -1, 1), add_row (&court, "d", 0.5, 1, -1, -1, 0),
  };
  const guint8 *const keeps[] = { x, x, x, y, y };
  for (guint i = 0; i < 5; i++)
    rows[i]->plan = plan_of (&court, keeps[i]);
  rows[5]->refusal = g_strdup ("no");
  rows[0]->scores = scores_of (&court, up, b1);
  rows[1]->scores = scores_of (&court, up, b1);
  rows[2]->scores = scores_of (&court, down, b1);
  rows[3]->scores = scores_of (&court, up, NULL);
  g_autoptr (GPtrArray) v = pj_verdicts_new (court.comparison);
  g_assert_cmpfloat_with_epsilon (pj_verdict_overlap (court.groups, verdict_of (v, 0), verdict_of (v, 1)), (1 + 0.5) / 2, 1e-12);
  g_assert_cmpfloat_with_epsilon (pj_verdict_overlap (court.groups, verdict_of (v, 0), verdict_of (v, 2)), 0.5, 1e-12);
  g_assert_true (isnan (pj_verdict_overlap (court.groups, verdict_of (v, 0), verdict_of (v, 3))));
  /* Seed 1: five channels at −1, four at 1; seed 2: only the stem, at 1. */
  g_assert_cmpfloat_with_epsilon (pj_verdict_correlation (court.groups, verdict_of (v, 0), verdict_of (v, 1)),
                                  ((4.0 - 5.0) / 9 + 1) / 2, 1e-12);
  g_assert_true (isnan (pj_verdict_correlation (court.groups, verdict_of (v, 0), verdict_of (v, 2))));
}

static void
layer_winner (void)
{
  static const double first[] = { 0.3, -1 }, second[] = { 0.1, -1 }, other[] = { 0.15, 2 };
  const double *const kl[] = { first, second, other };
  g_auto (Court) court;
  court_init (&court);
  PjCompareRow *rows[] = {
    add_row (&court, "a", 0.5, 1, 0.1, -1, 1), add_row (&court, "a", 0.5, 2, 0.1, -1, 1), add_row (&court, "b", 0.5, 1, 0.1, -1, 1),
  };
  for (guint i = 0; i < 3; i++) {
    rows[i]->n_groups = 2;
    rows[i]->layer_kl = g_memdup2 (kl[i], 2 * sizeof (double));
  }
  g_autoptr (GPtrArray) v = pj_verdicts_new (court.comparison);
  double best;
  g_assert_cmpfloat_with_epsilon (pj_verdict_layer_kl (verdict_of (v, 0), 0), 0.2, 1e-12);
  g_assert_cmpint (pj_verdicts_layer_winner (v, 0.5, 0, &best), ==, 1);
  g_assert_cmpfloat (best, ==, 0.15);
  g_assert_cmpint (pj_verdicts_layer_winner (v, 0.5, 1, NULL), ==, 1);
  g_assert_cmpint (pj_verdicts_layer_winner (v, 0.25, 0, &best), ==, -1);
  g_assert_cmpfloat (best, ==, -1);
}

static void
classes (void)
{
  static const uint16_t labels[] = { 0, 0, 2, 2, 2, 2 }, base[] = { 0, 1, 2, 2, 2, 0 }, changed[] = { 0, 0, 2, 1, 1, PJ_NO_ANSWER };
  g_autoptr (GArray) changes = pj_class_changes_new (labels, base, changed, 6, 3);
  g_assert_cmpuint (changes->len, ==, 2);
  const PjClassChange *first = &g_array_index (changes, PjClassChange, 0), *second = &g_array_index (changes, PjClassChange, 1);
  g_assert_true (first->label == 0 && first->n == 2 && first->base == 0.5 && first->changed == 1);
  g_assert_true (second->label == 2 && second->n == 4 && second->base == 0.75 && second->changed == 0.25);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/jury/mean-and-spread", mean_and_spread);
  g_test_add_func ("/prune/jury/front", front);
  g_test_add_func ("/prune/jury/agreement", agreement);
  g_test_add_func ("/prune/jury/layer-winner", layer_winner);
  g_test_add_func ("/prune/jury/classes", classes);
  return g_test_run ();
}
