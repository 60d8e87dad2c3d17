/* SPDX-License-Identifier: MIT */
/* Sensitivity of groups: its points are those of masking by hand, it goes on where it stopped, and says what it means. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "prune/search/sweep.h"
#include "train/evaluate.h"

static const double ratios[] = { 1, 0.8, 0.5, 0.45, 0.2 };

static PjSweepOptions
options_for (const char *criterion)
{
  return (PjSweepOptions) { .criterion = pj_criterion_find (criterion), .ratios = ratios, .n_ratios = G_N_ELEMENTS (ratios) };
}

/* --- divergence --- */

static void
divergence_matches_fixture (void)
{
  g_autoptr (JsonObject) fixture = fixture_load ("spec/curl.json");
  int n;
  g_autofree float *reference = fixture_floats (fixture, "importance/reference_logits", &n);

  g_assert_cmpint (n, ==, 8);
  for (const char *const *c = (const char *const[]) { "a", "b", "c", NULL }; *c != NULL; c++) {
    g_autofree char *logits = g_strdup_printf ("importance/channels/%s/logits", *c);
    g_autofree char *forward = g_strdup_printf ("importance/channels/%s/kl_p_q", *c);
    g_autofree char *reverse = g_strdup_printf ("importance/channels/%s/kl_q_p", *c);
    g_autofree float *changed = fixture_floats (fixture, logits, &n);
    double pq = pj_kl_divergence (reference, changed, 2, 4, PJ_DIVERGENCE_FORWARD);
    double qp = pj_kl_divergence (reference, changed, 2, 4, PJ_DIVERGENCE_REVERSE);
    /* The logits are floats here. */
    g_assert_cmpfloat_with_epsilon (pq, fixture_number (fixture, forward), 1e-6);
    g_assert_cmpfloat_with_epsilon (qp, fixture_number (fixture, reverse), 1e-6);
    g_assert_cmpfloat (pq, >=, 0);
  }
}

static void
divergence_survives_extremes (void)
{
  const float p[] = { 1000, -1000, 0 }, q[] = { 900, -1000, 0 }, broken[] = { NAN, 0, 0 };

  g_assert_cmpfloat_with_epsilon (pj_kl_divergence (p, q, 1, 3, PJ_DIVERGENCE_FORWARD), 0, 1e-12);
  g_assert_cmpfloat_with_epsilon (pj_kl_divergence (q, (const float[]) { 0, 900, 0 }, 1, 3, PJ_DIVERGENCE_FORWARD), 900, 1e-9);
  g_assert_true (isnan (pj_kl_divergence (p, broken, 1, 3, PJ_DIVERGENCE_FORWARD)));
}

/* --- the sweep --- */

/* Accuracy of the network with @group cut to @k by weight sum. */
static double
top1_by_hand (Lab *lab, const PjGroup *group, int k)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("weight-sum"), &lab->scoring, &error);
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  g_autofree guint8 *keep = g_malloc (group->n_channels);
  PjAccuracy accuracy;

  pj_keep_top (pj_scores_get (scores, group->id)->score, group->n_channels, k, keep);
  pj_cut_plan_set (plan, group, keep, NULL);
  g_autoptr (PjGraph) cut = pj_cut (lab->graph, lab->groups, plan, &error);
  g_assert_no_error (error);
  pj_evaluate (lab->device, cut, lab->dataset, PJ_SPLIT_TEST, &lab->format, 0, NULL, NULL, NULL, &accuracy, &error);
  g_assert_no_error (error);
  double top1 = accuracy.top1;
  pj_accuracy_clear (&accuracy);
  return top1;
}

static gboolean
count_cb (const PjSweep *sweep, const PjGroupSweep *group, gpointer data, GError **error)
{
  g_assert_true (sweep->groups->pdata[sweep->groups->len - 1] == group);
  ++*(unsigned *) data;
  return TRUE;
}

static void
points_are_those_of_cutting (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  unsigned n = 0;
  double largest = 0;
  lab_init_residual (&lab, 32);
  PjSweepOptions o = options_for ("weight-sum");
  g_autoptr (PjSweep) sweep = pj_sweep (&lab.scoring, &o, count_cb, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 4);
  g_assert_cmpuint (sweep->groups->len, ==, 4);
  g_assert_cmpuint (sweep->n_pictures, ==, 8);
  for (guint i = 0; i < 4; i++) {
    const PjGroupSweep *part = sweep->groups->pdata[i];
    const PjGroup *group = pj_groups_get (lab.groups, (unsigned) part->group);
    g_assert_cmpuint (part->n_points, ==, 5);
    g_assert_cmpfloat (part->points[0].top1, ==, sweep->base_top1);
    g_assert_cmpfloat (part->points[0].kl, ==, 0);
    for (unsigned p = 1; p < 5; p++) {
      g_assert_cmpfloat (part->points[p].ratio, ==, ratios[p]);
      g_assert_cmpint (part->points[p].n_kept, ==, pj_keep_count (group->n_channels, ratios[p], 1));
      g_assert_cmpfloat (part->points[p].top1, ==, top1_by_hand (&lab, group, part->points[p].n_kept));
      g_assert_cmpfloat (part->points[p].kl, >=, 0);
      largest = MAX (largest, part->points[p].kl);
    }
  }
  g_assert_cmpfloat (largest, >, 1e-4);
  /* 0.5 and 0.45 of five channels are the same two. */
  const PjGroupSweep *x = pj_sweep_get (sweep, pj_groups_find (lab.groups, "x")->id);
  g_assert_cmpfloat (x->points[2].kl, ==, x->points[3].kl);
}

static void
goes_on_from_before (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  unsigned n = 0;
  lab_init_residual (&lab, 32);
  PjSweepOptions o = options_for ("weight-sum");
  g_autoptr (PjSweep) before = pj_sweep_new ();
  PjGroupSweep *had = pj_group_sweep_new (pj_groups_find (lab.groups, "x"), G_N_ELEMENTS (ratios));
  had->points[2] = (PjSweepPoint) { 0.5, 2, 0.123, 4.5 };
  g_ptr_array_add (before->groups, had);
  o.before = before;
  g_autoptr (PjSweep) sweep = pj_sweep (&lab.scoring, &o, count_cb, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (sweep->groups->len, ==, 4);
  const PjGroupSweep *x = pj_sweep_get (sweep, had->group);
  g_assert_true (x != had);
  g_assert_cmpfloat (x->points[2].top1, ==, 0.123);
  g_assert_cmpfloat (x->points[2].kl, ==, 4.5);
}

static gboolean
refuse_cb (const PjSweep *sweep, const PjGroupSweep *group, gpointer data, GError **error)
{
  g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID, "full");
  return FALSE;
}

static void
refusals_and_cancel (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  static const double wrong[] = { 0.5, 0 };
  lab_init_residual (&lab, 32);
  PjSweepOptions o = options_for ("weight-sum");
  g_assert_null (pj_sweep (&lab.scoring, &o, refuse_cb, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  g_clear_error (&error);
  o.ratios = wrong;
  o.n_ratios = 2;
  g_assert_null (pj_sweep (&lab.scoring, &o, NULL, NULL, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_clear_error (&error);
  o.n_ratios = 0;
  g_assert_null (pj_sweep (&lab.scoring, &o, NULL, NULL, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_clear_error (&error);
  o = options_for ("weight-sum");
  lab_cancel_after (&lab, 3);
  g_assert_null (pj_sweep (&lab.scoring, &o, NULL, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
}

/* --- readings --- */

static char *
reading_of (const double *top1, const int *kept, unsigned n)
{
  PjGroup group = { .id = 0, .n_channels = 10 };
  g_autoptr (PjSweep) sweep = pj_sweep_new ();
  PjGroupSweep *part = pj_group_sweep_new (&group, n);
  g_ptr_array_add (sweep->groups, part);
  sweep->base_top1 = 0.9;
  for (unsigned i = 0; i < n; i++)
    part->points[i] = (PjSweepPoint) { kept[i] / 10.0, kept[i], top1[i], 0 };
  return pj_sweep_reading (sweep, part, PJ_SWEEP_TOLERANCE);
}

static void
readings (void)
{
  static const int kept[] = { 8, 6, 4, 2 };
  g_autofree char *some = reading_of ((const double[]) { 0.9, 0.897, 0.5, 0.2 }, kept, 4);
  g_autofree char *nothing = reading_of ((const double[]) { 0.91, 0.9, 0.5, 0.2 }, kept, 4);
  /* The lucky last point does not count. */
  g_autofree char *lucky = reading_of ((const double[]) { 0.897, 0.85, 0.5, 0.9 }, kept, 4);
  g_autofree char *none = reading_of ((const double[]) { 0.858, 0.7, 0.5, 0.2 }, kept, 4);
  g_autofree char *whole = reading_of ((const double[]) { 0.9 }, (const int[]) { 10 }, 1);
  g_autofree char *upwards = reading_of ((const double[]) { 0.2, 0.897 }, (const int[]) { 2, 6 }, 2);

  g_assert_cmpstr (some, ==, "can lose 40 % of its channels for 0.3 points");
  g_assert_cmpstr (nothing, ==, "can lose 40 % of its channels for nothing");
  g_assert_cmpstr (lucky, ==, "can lose 20 % of its channels for 0.3 points");
  g_assert_cmpstr (none, ==, "loses 4.2 points with its first 20 % of channels");
  g_assert_cmpstr (whole, ==, "was not cut by any of the ratios");
  g_assert_cmpstr (upwards, ==, "can lose 40 % of its channels for 0.3 points");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/divergence/matches-fixture", divergence_matches_fixture);
  g_test_add_func ("/prune/divergence/survives-extremes", divergence_survives_extremes);
  g_test_add_func ("/prune/sweep/points-are-those-of-cutting", points_are_those_of_cutting);
  g_test_add_func ("/prune/sweep/goes-on-from-before", goes_on_from_before);
  g_test_add_func ("/prune/sweep/refusals-and-cancel", refusals_and_cancel);
  g_test_add_func ("/prune/sweep/readings", readings);
  return g_test_run ();
}
