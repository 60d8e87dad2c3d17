/* SPDX-License-Identifier: MIT */
/* Judging whole blocks: against the fixture's answers with and without one, and what is refused. */
#include <math.h>

#include "lab.h"
#include "prune/scores/part-scores.h"

static double
divergence (const float *p, const float *q, int n, int classes)
{
  double sum = 0;
  for (int i = 0; i < n; i++, p += classes, q += classes) {
    double zp = 0, zq = 0;
    for (int c = 0; c < classes; c++) {
      zp += exp (p[c]);
      zq += exp (q[c]);
    }
    for (int c = 0; c < classes; c++)
      sum += exp (p[c]) / zp * (p[c] - log (zp) - q[c] + log (zq));
  }
  return sum / n;
}

static void
toy (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_autoptr (GError) error = NULL;
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  g_autoptr (PjParts) parts = pj_parts_new (lab.graph);
  g_autofree double *scores = g_new0 (double, pj_parts_n (parts));
  unsigned n_images, n_judged = 0;
  g_assert_true (pj_parts_score (&lab.scoring, parts, PJ_PART_BRANCH, scores, &n_images, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_images, ==, 4);
  int n, last = -1;
  for (unsigned i = 0; i < pj_parts_n (parts); i++) {
    gboolean branch = pj_parts_get (parts, i)->kind == PJ_PART_BRANCH;
    g_assert_true (branch == (scores[i] >= 0));
    n_judged += branch;
    last = branch ? (int) i : last;
  }
  g_assert_cmpuint (n_judged, ==, 2);
  g_autofree float *whole = fixture_floats (o, "logits", &n), *without = fixture_floats (o, "without_block2_branch_logits", NULL);
  g_assert_cmpfloat_with_epsilon (scores[last], divergence (whole, without, 4, n / 4), 1e-6);
}

static void
cancel_and_refusals (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_autoptr (GError) error = NULL;
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  g_autoptr (PjParts) parts = pj_parts_new (lab.graph);
  g_autofree double *scores = g_new0 (double, pj_parts_n (parts));
  lab_cancel_after (&lab, 2);
  lab.scoring.hooks = &lab.hooks;
  g_assert_false (pj_parts_score (&lab.scoring, parts, PJ_PART_BRANCH, scores, NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  lab.scoring.hooks = NULL;
  lab.scoring.dataset = NULL;
  g_assert_false (pj_parts_score (&lab.scoring, parts, PJ_PART_BRANCH, scores, NULL, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/parts/toy-network", toy);
  g_test_add_func ("/prune/parts/cancel-and-refusals", cancel_and_refusals);
  return g_test_run ();
}
