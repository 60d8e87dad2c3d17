/* SPDX-License-Identifier: MIT */
/* From scores to kept channels: rounding, ties, floors, locks and the two kinds of budget. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "net.h"
#include "prune/budget/budget.h"
#include "prune/criterion.h"

static void
rounding (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/rounding.json");
  JsonArray *cases = json_node_get_array (fixture_at (o, "floor_keep/cases_C_r_K"));
  for (guint i = 0; i < json_array_get_length (cases); i++) {
    JsonArray *row = json_array_get_array_element (cases, i);
    int c = (int) json_array_get_int_element (row, 0), k = (int) json_array_get_int_element (row, 2);
    g_assert_cmpint (pj_keep_count (c, json_array_get_double_element (row, 1), 1), ==, k);
  }
  g_assert_cmpint (pj_keep_count (64, 0.3, 8), ==, 24);
  g_assert_cmpint (pj_keep_count (20, 0.95, 8), ==, 20);
  g_assert_cmpint (pj_keep_count (64, 0.5, 8), ==, 32);
}

/* AMC's rule; where it would leave nothing, the group stays whole.  Groups with blocks keep multiples of both. */
static void
rounding_amc (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/rounding.json");
  JsonArray *cases = json_node_get_array (fixture_at (o, "amc_keep/cases_C_a_K"));
  for (guint i = 0; i < json_array_get_length (cases); i++) {
    JsonArray *row = json_array_get_array_element (cases, i);
    int c = (int) json_array_get_int_element (row, 0), k = (int) json_array_get_int_element (row, 2);
    g_assert_cmpint (pj_keep_count (c, json_array_get_double_element (row, 1), PJ_ROUND_AMC), ==, k > 0 ? k : c);
  }
  g_assert_cmpint (pj_keep_count (17, 0.5, PJ_ROUND_AMC), ==, 8);
  g_assert_cmpint (pj_keep_count (20, 0.95, PJ_ROUND_AMC), ==, 16);
  PjGroup group = { .n_channels = 96, .n_blocks = 3 };
  g_assert_cmpint (pj_group_keep_count (&group, 0.3, PJ_ROUND_AMC), ==, 48);
  g_assert_cmpint (pj_group_keep_count (&group, 1, PJ_ROUND_AMC), ==, 96);
  group.n_channels = 60;
  g_assert_cmpint (pj_group_keep_count (&group, 0.9, PJ_ROUND_AMC), ==, 48);
}

static void
ties (void)
{
  const double score[] = { 3, 1, 2, 1, 1 };
  guint8 keep[5];
  pj_keep_top (score, 5, 3, keep);
  /* Three channels score 1; the lower indices go first. */
  const guint8 expected[] = { 1, 0, 1, 0, 1 };
  g_assert_cmpmem (keep, 5, expected, 5);
}

/* --- scores made by hand --- */

static PjScores *
make_scores (const PjGroups *groups)
{
  PjScores *scores = g_new0 (PjScores, 1);
  scores->criterion = g_strdup ("by hand");
  scores->groups = g_new0 (PjGroupScores, pj_groups_n (groups));
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    if (group->lock_reason != NULL)
      continue;
    PjGroupScores *g = &scores->groups[scores->n_groups++];
    *g = (PjGroupScores) { group->id, group->n_channels, g_new (double, group->n_channels), NULL };
    for (int c = 0; c < group->n_channels; c++)
      g->score[c] = (c * 7 % group->n_channels + 1) * (1.0 + 10 * i);
  }
  return scores;
}

typedef struct {
  PjGraph *graph;
  PjGroups *groups;
  PjScores *scores;
  double *ratios;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->graph = net_residual ();
  f->groups = pj_groups_new (f->graph);
  f->scores = make_scores (f->groups);
  f->ratios = g_new (double, pj_groups_n (f->groups));
  for (unsigned i = 0; i < pj_groups_n (f->groups); i++)
    f->ratios[i] = 1;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pj_graph_unref (f->graph);
  pj_groups_unref (f->groups);
  pj_scores_free (f->scores);
  g_free (f->ratios);
}

static PjGroupScores *
of_group (Fixture *f, const char *name)
{
  return (PjGroupScores *) pj_scores_get (f->scores, pj_groups_find (f->groups, name)->id);
}

static void
not_finite (Fixture *f, gconstpointer data)
{
  of_group (f, "a1")->score[2] = NAN;
  g_autoptr (GError) error = NULL;
  g_assert_null (pj_budget_local (f->groups, f->scores, f->ratios, 1, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_NUMERIC);
  g_assert_nonnull (strstr (error->message, "“a1”"));
  g_assert_nonnull (strstr (error->message, "channel 2"));
  g_clear_error (&error);
  of_group (f, "a1")->score[2] = INFINITY;
  g_assert_null (pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_MACS, 0.5, 0, FALSE, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_NUMERIC);
}

static void
local (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const PjGroup *stem = pj_groups_find (f->groups, "stem"), *b1 = pj_groups_find (f->groups, "b1");
  f->ratios[stem->id] = 0.6;
  f->ratios[b1->id] = 0.01;
  g_autoptr (PjCutPlan) plan = pj_budget_local (f->groups, f->scores, f->ratios, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (plan->n_cuts, ==, 2);
  g_assert_cmpint (pj_cut_plan_n_kept (plan, stem), ==, 3);
  g_assert_cmpint (pj_cut_plan_n_kept (plan, b1), ==, 1);
  /* scores of stem: 1 3 5 2 4 */
  const guint8 expected[] = { 0, 1, 1, 0, 1 };
  g_assert_cmpmem (pj_cut_plan_get (plan, stem->id)->keep, 5, expected, 5);
}

static void
local_refuses (Fixture *f, gconstpointer data)
{
  const PjGroup *stem = pj_groups_find (f->groups, "stem"), *fc = pj_groups_find (f->groups, "fc");
  g_autoptr (GError) error = NULL;

  f->ratios[fc->id] = 0.5;
  g_assert_null (pj_budget_local (f->groups, f->scores, f->ratios, 1, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_LOCKED);
  g_assert_nonnull (strstr (error->message, fc->lock_reason));
  g_clear_error (&error);

  f->ratios[fc->id] = 1;
  f->ratios[stem->id] = 0;
  g_assert_null (pj_budget_local (f->groups, f->scores, f->ratios, 1, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_clear_error (&error);

  PjGroupScores *scores = of_group (f, "stem");
  g_clear_pointer (&scores->score, g_free);
  scores->refusal = g_strdup ("it has no ReLU");
  f->ratios[stem->id] = 0.5;
  g_assert_null (pj_budget_local (f->groups, f->scores, f->ratios, 1, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT);
  g_assert_nonnull (strstr (error->message, "no ReLU"));
}

/* --- one list --- */

/* Removes one channel after the other, as the definition says. */
static PjCutPlan *
slow_global (Fixture *f, double target)
{
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  PjCost base, now;
  pj_graph_cost (f->graph, &base);
  for (now = base; now.macs > target * base.macs;) {
    int group = -1, channel = -1;
    double least = 0;
    for (unsigned i = 0; i < f->scores->n_groups; i++) {
      const PjGroupScores *g = &f->scores->groups[i];
      const PjGroupCut *cut = pj_cut_plan_get (plan, g->group);
      for (int c = 0; c < g->n_channels; c++)
        if ((cut == NULL || cut->keep[c]) && (group < 0 || g->score[c] < least)
            && pj_cut_plan_n_kept (plan, pj_groups_get (f->groups, g->group)) > 1) {
          group = g->group;
          channel = c;
          least = g->score[c];
        }
    }
    g_assert_cmpint (group, >=, 0);
    const PjGroup *of = pj_groups_get (f->groups, group);
    g_autofree guint8 *keep = g_malloc (of->n_channels);
    memset (keep, 1, of->n_channels);
    if (pj_cut_plan_get (plan, group) != NULL)
      memcpy (keep, pj_cut_plan_get (plan, group)->keep, of->n_channels);
    keep[channel] = 0;
    pj_cut_plan_set (plan, of, keep, NULL);
    g_assert_true (pj_cut_predict_cost (f->graph, f->groups, plan, &now, NULL));
  }
  return g_steal_pointer (&plan);
}

static void
assert_same_plan (const PjCutPlan *a, const PjCutPlan *b)
{
  g_assert_cmpuint (a->n_cuts, ==, b->n_cuts);
  for (unsigned i = 0; i < a->n_cuts; i++) {
    g_assert_cmpint (a->cuts[i].group, ==, b->cuts[i].group);
    g_assert_cmpmem (a->cuts[i].keep, a->cuts[i].n_channels, b->cuts[i].keep, b->cuts[i].n_channels);
  }
}

static void
global_macs (Fixture *f, gconstpointer data)
{
  const double targets[] = { 1, 0.93, 0.7, 0.51, 0.3 };
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (PjCutPlan) plan = pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_MACS, targets[i], 0, FALSE, &error);
    g_assert_no_error (error);
    g_autoptr (PjCutPlan) slow = slow_global (f, targets[i]);
    assert_same_plan (plan, slow);
  }
}

static void
global_floors (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  /* Nothing can go below 60 %, so no plan keeps 40 % of the channels; the message names the limit. */
  g_assert_null (pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_CHANNELS, 0.4, 0.6, FALSE, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "at least"));
  g_clear_error (&error);
  g_autoptr (PjCutPlan) plan = pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_CHANNELS, 0.8, 0.6, FALSE, &error);
  g_assert_no_error (error);
  int kept = 0, all = 0;
  for (unsigned i = 0; i < pj_groups_n (f->groups); i++) {
    const PjGroup *group = pj_groups_get (f->groups, i);
    if (group->lock_reason != NULL) {
      g_assert_null (pj_cut_plan_get (plan, group->id));
      continue;
    }
    kept += pj_cut_plan_n_kept (plan, group);
    all += group->n_channels;
    g_assert_cmpint (pj_cut_plan_n_kept (plan, group), >=, (int) ceil (0.6 * group->n_channels));
  }
  g_assert_cmpint (kept, ==, (int) floor (0.8 * all));
}

/* Scores of later groups are larger by construction; only with normalisation do they lose channels early. */
static void
global_normalise (Fixture *f, gconstpointer data)
{
  const PjGroup *last = pj_groups_find (f->groups, "b1");
  g_autoptr (PjCutPlan) raw = pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_CHANNELS, 0.8, 0, FALSE, NULL);
  g_autoptr (PjCutPlan) fair = pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_CHANNELS, 0.8, 0, TRUE, NULL);
  g_assert_cmpint (pj_cut_plan_n_kept (raw, last), ==, last->n_channels);
  g_assert_cmpint (pj_cut_plan_n_kept (fair, last), <, last->n_channels);
}

static void
global_refused (Fixture *f, gconstpointer data)
{
  PjGroupScores *stem = of_group (f, "stem");
  g_clear_pointer (&stem->score, g_free);
  stem->refusal = g_strdup ("for a reason");
  g_autoptr (PjCutPlan) plan = pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_PARAMS, 0.6, 0, FALSE, NULL);
  g_assert_nonnull (plan);
  g_assert_null (pj_cut_plan_get (plan, stem->group));
  PjCost base, cost;
  pj_graph_cost (f->graph, &base);
  g_assert_true (pj_cut_predict_cost (f->graph, f->groups, plan, &cost, NULL));
  g_assert_cmpfloat ((double) cost.learnable, <=, 0.6 * base.learnable);
}

/* --- groups with blocks --- */

static void
set_up_blocks (Fixture *f, gconstpointer data)
{
  f->graph = net_bottleneck (3, FALSE);
  f->groups = pj_groups_new (f->graph);
  f->scores = make_scores (f->groups);
  f->ratios = g_new (double, pj_groups_n (f->groups));
  for (unsigned i = 0; i < pj_groups_n (f->groups); i++)
    f->ratios[i] = 1;
}

static void
count_blocks (Fixture *f)
{
  const PjGroup *a = pj_groups_find (f->groups, "a");
  g_assert_cmpint (a->n_blocks, ==, 3);
  /* Twelve channels in three blocks of four: whole numbers of each, rounded down as a whole group would be. */
  g_assert_cmpint (pj_group_keep_count (a, 0.5, 1), ==, 6);
  g_assert_cmpint (pj_group_keep_count (a, 0.7, 1), ==, 6);
  g_assert_cmpint (pj_group_keep_count (a, 0.01, 1), ==, 3);
  g_assert_cmpint (pj_group_keep_count (a, 1, 1), ==, 12);
  /* A multiple of 2 and of 3. */
  g_assert_cmpint (pj_group_keep_count (a, 0.25, 2), ==, 6);
  g_assert_cmpint (pj_group_keep_count (a, 0.75, 2), ==, 12);
  g_assert_cmpint (pj_group_keep_count (a, 0.5, 8), ==, 12);
}

/* The best of each block stay, not the best of all. */
static void
local_blocks (Fixture *f, gconstpointer data)
{
  const PjGroup *a = pj_groups_find (f->groups, "a");
  const double score[12] = { 1, 2, 3, 4, 50, 80, 70, 60, 9, 5, 8, 7 };
  const guint8 expected[12] = { 0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 0 };
  count_blocks (f);
  memcpy (of_group (f, "a")->score, score, sizeof score);
  f->ratios[a->id] = 0.5;
  g_autoptr (PjCutPlan) plan = pj_budget_local (f->groups, f->scores, f->ratios, 1, NULL);
  g_assert_nonnull (plan);
  g_assert_cmpmem (pj_cut_plan_get (plan, a->id)->keep, 12, expected, 12);
}

/* A global budget takes one channel of each block at a time, by their mean. */
static void
global_blocks (Fixture *f, gconstpointer data)
{
  const PjGroup *a = pj_groups_find (f->groups, "a"), *b = pj_groups_find (f->groups, "b");
  const double score[12] = { 1, 2, 3, 4, 50, 80, 70, 60, 9, 5, 8, 7 };
  g_autoptr (GError) error = NULL;

  memcpy (of_group (f, "a")->score, score, sizeof score);
  for (int c = 0; c < 12; c++)
    of_group (f, "b")->score[c] = 24.5;
  for (double target = 0.95; target > 0.3; target -= 0.05) {
    g_autoptr (PjCutPlan) plan = pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_MACS, target, 0, FALSE, &error);
    g_assert_no_error (error);
    g_autoptr (PjGraph) cut = pj_cut (f->graph, f->groups, plan, &error);
    g_assert_no_error (error);
    /* Rows of "a" have means 18.7, 23, 27, 32 beside 24.5 of "b". */
    int n_a = pj_cut_plan_n_kept (plan, a), n_b = pj_cut_plan_n_kept (plan, b);
    g_assert_cmpint (n_a % 3 + n_b % 3, ==, 0);
    g_assert_true (n_b == 12 || n_a <= 6);
    g_assert_true (n_a >= 6 || n_b == 3);
  }
  g_autoptr (PjCutPlan) floors = pj_budget_global (f->graph, f->groups, f->scores, PJ_BUDGET_CHANNELS, 0.6, 0.6, FALSE, NULL);
  g_assert_null (floors);
}

static void
copies (Fixture *f, gconstpointer data)
{
  g_autoptr (PjScores) copy = pj_scores_copy (f->scores);
  of_group (f, "a1")->score[0] = 1e9;
  const PjGroupScores *a1 = pj_scores_get (copy, of_group (f, "a1")->group);
  g_assert_cmpfloat (a1->score[0], <, 1e6);
  g_assert_null (pj_scores_get (copy, 1000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/budget/rounding", rounding);
  g_test_add_func ("/prune/budget/rounding-amc", rounding_amc);
  g_test_add_func ("/prune/budget/ties", ties);
#define ADD(name, function) g_test_add ("/prune/budget/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("not-finite", not_finite);
  ADD ("local", local);
  ADD ("local-refuses", local_refuses);
  ADD ("global-macs", global_macs);
  ADD ("global-floors", global_floors);
  ADD ("global-normalise", global_normalise);
  ADD ("global-refused", global_refused);
  ADD ("copies", copies);
#define ADD_BLOCKS(name, function) g_test_add ("/prune/budget/" name, Fixture, NULL, set_up_blocks, function, tear_down)
  ADD_BLOCKS ("local-blocks", local_blocks);
  ADD_BLOCKS ("global-blocks", global_blocks);
  return g_test_run ();
}
