/* SPDX-License-Identifier: MIT */
/* Which members of residual stages are cut, how tied layers are joined, and kept counts in multiples. */
#include <math.h>
#include <string.h>

#include "lab.h"
#include "prune/criteria/criteria.h"
#include "train/arch.h"

/* Stages 1 to 3 of a small residual network, each with one inner width per block; option B: three streams. */
static PjGraph *
network (const char *name)
{
  PjArchOptions options = { .c = 3, .h = 16, .w = 16, .n_classes = 10, .width = 1, .seed = 2 };
  PjGraph *graph = pj_arch_build (pj_arch_find (name), &options, NULL);
  g_assert_nonnull (graph);
  return graph;
}

static const PjGroup *
group_of (const PjGroups *groups, const char *name)
{
  const PjGroup *group = pj_groups_find (groups, name);
  if (group == NULL)
    g_error ("no group “%s”", name);
  return group;
}

static void
stages (void)
{
  g_autoptr (PjGraph) graph = network ("resnet20-b");
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autofree PjStageRole *roles = pj_stage_roles_new (graph, groups);
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const char *name = pj_groups_get (groups, g)->name;
    gboolean stream = strcmp (name, "stem") == 0 || strcmp (name, "stage2.block1.conv2") == 0 || strcmp (name, "stage3.block1.conv2") == 0;
    int stage = strcmp (name, "fc") == 0 ? -1 : strcmp (name, "stem") == 0 ? 0 : name[5] - '1';
    g_test_message ("%s", name);
    g_assert_cmpint (roles[g].stage, ==, stage);
    g_assert_true (roles[g].stream == stream);
  }
  /* Channels of zeros join the streams. */
  g_autoptr (PjGraph) padded = network ("resnet20");
  g_autoptr (PjGroups) one = pj_groups_new (padded);
  g_autofree PjStageRole *joined = pj_stage_roles_new (padded, one);
  for (unsigned g = 0; g < pj_groups_n (one); g++)
    g_assert_cmpint (joined[g].stage, ==, strcmp (pj_groups_get (one, g)->name, "fc") == 0 ? -1 : 0);
  /* Hidden widths of inverted residuals lie inside; what no shortcut touches is of no stage. */
  g_autoptr (PjGraph) mobile = network ("mobilenetv2");
  g_autoptr (PjGroups) hidden = pj_groups_new (mobile);
  g_autofree PjStageRole *inverted = pj_stage_roles_new (mobile, hidden);
  g_assert_cmpint (inverted[group_of (hidden, "last")->id].stage, ==, -1);
  g_assert_cmpint (inverted[group_of (hidden, "block2.expand")->id].stage, ==, -1);
  g_assert_true (inverted[group_of (hidden, "block2.project")->id].stream);
  g_assert_cmpint (inverted[group_of (hidden, "block3.expand")->id].stage, ==, inverted[group_of (hidden, "block2.project")->id].stage);
  g_assert_false (inverted[group_of (hidden, "block3.expand")->id].stream);
}

static void
ratios (void)
{
  g_autoptr (PjGraph) graph = network ("resnet20-b");
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (GError) error = NULL;
  unsigned n = pj_groups_n (groups);
  g_autofree double *r = g_new (double, n);
  g_autofree guint8 *named = g_malloc0 (n);
  int stream = group_of (groups, "stage2.block1.conv2")->id, inner = group_of (groups, "stage2.block3.conv1")->id;
  int other = group_of (groups, "stage3.block2.conv1")->id;

  for (unsigned g = 0; g < n; g++)
    r[g] = pj_groups_get (groups, g)->lock_reason != NULL ? 1 : 0.5;
  g_assert_true (pj_widths_ratios (PJ_WIDTHS_WALLET, graph, groups, NULL, r, NULL));
  g_assert_cmpfloat (r[stream], ==, 0.5);
  g_assert_true (pj_widths_ratios (PJ_WIDTHS_HOURGLASS, graph, groups, NULL, r, NULL));
  g_assert_cmpfloat (r[stream], ==, 1);
  g_assert_cmpfloat (r[inner], ==, 0.5);
  named[stream] = 1;
  r[stream] = 0.7;
  g_assert_false (pj_widths_ratios (PJ_WIDTHS_HOURGLASS, graph, groups, named, r, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "stage2.block1.conv2"));
  g_clear_error (&error);
  g_assert_true (pj_widths_ratios (PJ_WIDTHS_BOTTLENECK, graph, groups, named, r, NULL));
  g_assert_cmpfloat (r[inner], ==, 0.7);
  g_assert_cmpfloat (r[other], ==, 0.5);
  named[inner] = 1;
  r[inner] = 0.3;
  g_assert_false (pj_widths_ratios (PJ_WIDTHS_BOTTLENECK, graph, groups, named, r, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "one ratio"));
}

static PjCutPlan *
spend (PjGraph *graph, const PjGroups *groups, PjWidths widths, double target, int multiple)
{
  const PjMethod *method = pj_method_find ("weight-sum");
  g_autoptr (GError) error = NULL;
  PjScoring scoring = { .graph = graph, .groups = groups, .seed = 1 };
  PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = target, .widths = widths, .multiple = multiple };
  PjCutPlan *plan = method->choose (method, &scoring, &settings, NULL, &error);
  g_assert_no_error (error);
  PjCost before, after;
  pj_graph_cost (graph, &before);
  g_assert_true (pj_cut_predict_cost (graph, groups, plan, &after, NULL));
  g_assert_cmpfloat ((double) after.macs, <=, target * (double) before.macs);
  return plan;
}

static void
budgets (void)
{
  g_autoptr (PjGraph) graph = network ("resnet20-b");
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autofree PjStageRole *roles = pj_stage_roles_new (graph, groups);
  g_autoptr (PjCutPlan) hourglass = spend (graph, groups, PJ_WIDTHS_HOURGLASS, 0.6, 1);
  g_autoptr (PjCutPlan) bottleneck = spend (graph, groups, PJ_WIDTHS_BOTTLENECK, 0.6, 1);
  g_autoptr (PjCutPlan) wallet = spend (graph, groups, PJ_WIDTHS_WALLET, 0.6, 1);
  unsigned streams_cut = 0;

  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    if (roles[g].stage < 0)
      continue;
    if (roles[g].stream) {
      g_assert_cmpint (pj_cut_plan_n_kept (hourglass, group), ==, group->n_channels);
      streams_cut += pj_cut_plan_n_kept (wallet, group) < group->n_channels;
    }
    /* All members of a stage keep the same share, to the rounding of one channel. */
    for (unsigned o = 0; o < pj_groups_n (groups); o++) {
      const PjGroup *other = pj_groups_get (groups, o);
      double a = (double) pj_cut_plan_n_kept (bottleneck, group) / group->n_channels;
      double b = (double) pj_cut_plan_n_kept (bottleneck, other) / other->n_channels;
      if (roles[o].stage == roles[g].stage)
        g_assert_cmpfloat (fabs (a - b), <=, 1.0 / MIN (group->n_channels, other->n_channels) + 1e-9);
    }
  }
  g_assert_cmpuint (streams_cut, >, 0);
}

/* Kept counts are multiples, the budget is met nevertheless, and what came back is what scores highest. */
static void
multiples (void)
{
  g_autoptr (PjGraph) graph = network ("resnet20-b");
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = spend (graph, groups, PJ_WIDTHS_WALLET, 0.5, 4);
  PjScoring scoring = { .graph = graph, .groups = groups, .seed = 1 };
  g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("weight-sum"), &scoring, NULL);
  unsigned n_cut = 0;

  for (unsigned i = 0; i < plan->n_cuts; i++) {
    const PjGroupCut *cut = &plan->cuts[i];
    const double *s = pj_scores_get (scores, cut->group)->score;
    double weakest_kept = INFINITY, strongest_gone = -INFINITY;
    int kept = 0;
    for (int c = 0; c < cut->n_channels; c++) {
      kept += cut->keep[c] != 0;
      if (cut->keep[c])
        weakest_kept = MIN (weakest_kept, s[c]);
      else
        strongest_gone = MAX (strongest_gone, s[c]);
    }
    n_cut++;
    g_assert_cmpint (kept % 4, ==, 0);
    g_assert_cmpfloat (weakest_kept, >=, strongest_gone);
  }
  g_assert_cmpuint (n_cut, >, 3);
}

/* --- tied layers --- */

static void
combine (void)
{
  /* Means 2 and 10; halves carry 1.5 of 8 and 16 of 40. */
  const double parts[8] = { 0.5, 1, 2.5, 4, 14, 10, 10, 6 };
  static const struct { PjTied policy; double expected[4]; } cases[] = {
    { PJ_TIED_SUM, { 0.25 + 1.4, 0.5 + 1, 1.25 + 1, 2 + 0.6 } },
    { PJ_TIED_MEAN, { 0.825, 0.75, 1.125, 1.3 } },
    { PJ_TIED_MAX, { 1.4, 1, 1.25, 2 } },
    { PJ_TIED_FRAGILE, { 1.4, 1, 1, 0.6 } },
    { PJ_TIED_FIRST, { 0.5, 1, 2.5, 4 } },
    { PJ_TIED_USUAL, { 0.825, 0.75, 1.125, 1.3 } },
  };
  double out[4];
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    double copy[8];
    memcpy (copy, parts, sizeof copy);
    pj_tied_combine (cases[i].policy, PJ_TIED_MEAN, copy, 2, 4, TRUE, out);
    for (int c = 0; c < 4; c++)
      g_assert_cmpfloat_with_epsilon (out[c], cases[i].expected[c], 1e-12);
  }
  /* One layer alone says what it says. */
  double alone[4];
  memcpy (alone, parts, sizeof alone);
  for (int policy = 0; policy < PJ_N_TIED; policy++) {
    pj_tied_combine ((PjTied) policy, PJ_TIED_SUM, alone, 1, 4, TRUE, out);
    g_assert_cmpmem (out, sizeof out, parts, sizeof out);
  }
}

/* Each policy through a criterion; the first producer is in the fixture. */
static void
toy_policies (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  const PjGroup *stream = group_of (lab.groups, "stream");
  int n;
  g_autofree float *first = fixture_floats (o, "scores/weight_sum_first_producer/stream", &n);
  double by[PJ_N_TIED][6];
  g_assert_cmpint (n, ==, 6);
  for (int policy = 0; policy < PJ_N_TIED; policy++) {
    lab.scoring.tied = (PjTied) policy;
    g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("weight-sum"), &lab.scoring, NULL);
    memcpy (by[policy], pj_scores_get (scores, stream->id)->score, sizeof by[policy]);
  }
  for (int c = 0; c < 6; c++) {
    g_assert_cmpfloat_with_epsilon (by[PJ_TIED_FIRST][c], first[c], 1e-5);
    g_assert_cmpfloat (by[PJ_TIED_USUAL][c], ==, by[PJ_TIED_SUM][c]);
    g_assert_cmpfloat_with_epsilon (by[PJ_TIED_MEAN][c], by[PJ_TIED_SUM][c] / 3, 1e-12);
    g_assert_cmpfloat (by[PJ_TIED_MAX][c], <=, by[PJ_TIED_SUM][c]);
    g_assert_cmpfloat (by[PJ_TIED_MAX][c], >=, by[PJ_TIED_MEAN][c]);
    g_assert_cmpfloat (by[PJ_TIED_FRAGILE][c], <=, by[PJ_TIED_MAX][c]);
  }
}

/* What judges tied layers as one has no other policy, and says so. */
static void
as_one (void)
{
  static const char *const joined[] = { "weight-sum", "apoz", "taylor", "equal-loss", NULL };
  g_auto (Lab) lab;
  lab_init_residual (&lab, 64);
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    g_autoptr (GError) error = NULL;
    g_autofree double *values = pj_method_values (*m, NULL, NULL);
    PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.6, .values = values };
    lab.scoring.tied = PJ_TIED_MEAN;
    gboolean taken = pj_prune_settings_check (*m, &lab.scoring, &settings, &error);
    if (!(*m)->gives_scores && !(*m)->allocates)
      continue;
    if (g_strv_contains (joined, (*m)->name))
      g_assert_true (taken);
    else if ((*m)->criterion == NULL || !(*m)->criterion->joins)
      g_assert_true (!taken && strstr (error->message, "as one") != NULL);
    if ((*m)->criterion == NULL || (*m)->criterion->joins)
      continue;
    g_clear_error (&error);
    g_assert_null (pj_criterion_score ((*m)->criterion, &lab.scoring, &error));
    g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  }
}

static void
words (void)
{
  g_autoptr (GError) error = NULL;
  PjTied tied;
  PjWidths widths;
  for (int i = 0; i < PJ_N_TIED; i++)
    g_assert_true (pj_tied_find (pj_tied_rows[i].name, &tied, NULL) && tied == (PjTied) i);
  for (int i = 0; i < PJ_N_WIDTHS; i++)
    g_assert_true (pj_widths_find (pj_widths_rows[i].name, &widths, NULL) && widths == (PjWidths) i);
  g_assert_false (pj_tied_find ("median", &tied, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_clear_error (&error);
  g_assert_false (pj_widths_find ("purse", &widths, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/widths/stages", stages);
  g_test_add_func ("/prune/widths/ratios", ratios);
  g_test_add_func ("/prune/widths/budgets", budgets);
  g_test_add_func ("/prune/widths/multiples", multiples);
  g_test_add_func ("/prune/tied/combine", combine);
  g_test_add_func ("/prune/tied/toy-network", toy_policies);
  g_test_add_func ("/prune/tied/as-one", as_one);
  g_test_add_func ("/prune/words", words);
  return g_test_run ();
}
