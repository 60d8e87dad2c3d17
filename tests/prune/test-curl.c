/* SPDX-License-Identifier: MIT */
/* CURL's choice: the specification's divergences, its list of all channels and its floors; budgets of memory and of
 * predicted milliseconds. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "ops/op.h"
#include "prune/budget/budget.h"
#include "prune/scores/divergence.h"
#include "prune/search/equal-loss.h"
#include "prune/budget/latency.h"
#include "train/arch.h"

/* --- importance --- */

static void
importance (void)
{
  static const char *const channels[] = { "a", "b", "c" };
  g_autoptr (JsonObject) o = fixture_load ("spec/curl.json");
  int n;
  g_autofree float *reference = fixture_floats (o, "importance/reference_logits", &n);
  g_assert_cmpint (n, ==, 8);
  for (guint i = 0; i < G_N_ELEMENTS (channels); i++) {
    g_autofree char *logits = g_strdup_printf ("importance/channels/%s/logits", channels[i]);
    g_autofree char *forward = g_strdup_printf ("importance/channels/%s/kl_p_q", channels[i]);
    g_autofree char *reverse = g_strdup_printf ("importance/channels/%s/kl_q_p", channels[i]);
    g_autofree float *changed = fixture_floats (o, logits, &n);
    g_assert_cmpfloat_with_epsilon (pj_kl_divergence (reference, changed, 2, 4, PJ_DIVERGENCE_FORWARD), fixture_number (o, forward), 2e-7);
    g_assert_cmpfloat_with_epsilon (pj_kl_divergence (reference, changed, 2, 4, PJ_DIVERGENCE_REVERSE), fixture_number (o, reverse), 2e-7);
  }
}

/* --- the list of all channels --- */

/* Two layers of 4 and 10 channels, and a classifier of 3, which is locked. */
static PjGraph *
two_layers (void)
{
  PjGraph *g = pj_graph_new ("two");
  int y = net_block (g, "g1", net_block (g, "g0", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8)), 4, 3, 1, TRUE), 10, 3, 1, TRUE);
  pj_graph_set_output (g, net_classifier (g, y));
  return g;
}

static void
check_kept (JsonObject *o, const char *visits, const char *name, const PjGroup *group, const PjCutPlan *plan)
{
  g_autofree char *path = g_strdup_printf ("global_rank/kept_after_visiting_the_lowest/%s/%s", visits, name);
  int n;
  g_autofree int *kept = fixture_ints (o, path, &n);
  const PjGroupCut *cut = pj_cut_plan_get (plan, group->id);
  g_assert_cmpint (pj_cut_plan_n_kept (plan, group), ==, n);
  for (int i = 0; i < n; i++)
    g_assert_true (cut == NULL || cut->keep[kept[i]]);
}

static void
ranking (void)
{
  static const char *const names[] = { "g0", "g1", "locked" }, *const visits[] = { "3", "8", "14" };
  g_autoptr (JsonObject) o = fixture_load ("spec/curl.json");
  g_autoptr (PjGraph) graph = two_layers ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_assert_cmpuint (pj_groups_n (groups), ==, 3);
  PjGroupScores entries[3];
  PjScores scores = { .criterion = (char *) "kl", .n_groups = 3, .groups = entries };
  for (unsigned i = 0; i < 3; i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    g_autofree char *path = g_strdup_printf ("global_rank/scores/%s", names[i]);
    int n;
    g_autofree float *values = fixture_floats (o, path, &n);
    g_assert_cmpint (n, ==, group->n_channels);
    g_assert_true ((group->lock_reason != NULL) == (i == 2));
    entries[i] = (PjGroupScores) { group->id, n, g_new (double, n), NULL };
    for (int c = 0; c < n; c++)
      entries[i].score[c] = values[c];
  }
  const PjBudget budget = { .target = 1, .floor = fixture_number (o, "global_rank/floor"), .floor_is_passed = TRUE };
  for (guint v = 0; v < G_N_ELEMENTS (visits); v++) {
    g_autoptr (PjCutPlan) plan = pj_budget_visit (groups, &scores, &budget, (unsigned) atoi (visits[v]), NULL);
    for (unsigned i = 0; i < 3; i++)
      check_kept (o, visits[v], names[i], pj_groups_get (groups, i), plan);
  }
  for (unsigned i = 0; i < 3; i++)
    g_free (entries[i].score);
}

static void
floors (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/rounding.json");
  int n;
  g_autofree int *cases = fixture_ints (o, "curl_floor/cases_C_min", &n);
  const PjBudget passed = { .floor = 0.3, .floor_is_passed = TRUE }, kept = { .floor = 0.3 };
  for (int i = 0; i < n; i += 2) {
    g_assert_cmpint (pj_budget_floor (&passed, cases[i]), ==, cases[i + 1]);
    g_assert_cmpint (pj_budget_floor (&kept, cases[i]), ==, cases[i + 1] + 1);
  }
  g_assert_cmpint (pj_budget_floor (&passed, 1), ==, 1);
  g_assert_cmpint (pj_budget_floor (&passed, 3), ==, 1);
}

/* --- the method --- */

static PjCutPlan *
choose (Lab *lab, PjPruneSettings *settings, const char *set)
{
  const PjMethod *method = pj_method_find ("curl");
  const char *const sets[] = { set, NULL };
  g_autoptr (GError) error = NULL;
  g_autofree double *values = pj_method_values (method, sets, &error);
  g_assert_no_error (error);
  settings->values = values;
  g_assert_true (pj_prune_settings_check (method, &lab->scoring, settings, &error));
  PjCutPlan *plan = method->choose (method, &lab->scoring, settings, NULL, &error);
  g_assert_no_error (error);
  settings->values = NULL;
  return plan;
}

/* Streams and inner layers share one budget; no group falls below its floor; both directions can be had. */
static void
method (void)
{
  g_auto (Lab) lab;
  lab_init_residual (&lab, 64);
  PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.45 };
  g_autoptr (PjCutPlan) plan = choose (&lab, &settings, NULL), again = choose (&lab, &settings, "direction=forward");
  g_autoptr (PjCutPlan) other = choose (&lab, &settings, "direction=reverse");
  const PjBudget floor = { .floor = 0.3, .floor_is_passed = TRUE };
  PjCost cost, base;
  g_assert_nonnull (pj_cut_plan_get (plan, pj_groups_find (lab.groups, "proj")->id));
  for (unsigned i = 0; i < pj_groups_n (lab.groups); i++) {
    const PjGroup *group = pj_groups_get (lab.groups, i);
    g_assert_cmpint (pj_cut_plan_n_kept (plan, group), >=, pj_budget_floor (&floor, group->n_channels));
    g_assert_cmpint (pj_cut_plan_n_kept (plan, group), ==, pj_cut_plan_n_kept (again, group));
  }
  pj_graph_cost (lab.graph, &base);
  g_assert_true (pj_cut_predict_cost (lab.graph, lab.groups, plan, &cost, NULL));
  g_assert_cmpfloat ((double) cost.macs, <=, 0.45 * (double) base.macs);
  /* The scores are those of the criterion of that direction. */
  g_autoptr (PjScores) reversed = pj_criterion_score (pj_criterion_find ("kl-reverse"), &lab.scoring, NULL);
  const PjBudget same = { .kind = PJ_BUDGET_MACS, .target = 0.45, .floor = 0.3, .floor_is_passed = TRUE };
  g_autoptr (PjCutPlan) expected = pj_budget_spend (lab.graph, lab.groups, reversed, &same, NULL);
  for (unsigned i = 0; i < expected->n_cuts; i++)
    g_assert_cmpmem (expected->cuts[i].keep, expected->cuts[i].n_channels, other->cuts[i].keep, other->cuts[i].n_channels);
  /* A floor of one's own is kept. */
  settings.floor = 0.5;
  settings.target = 0.6;
  g_autoptr (PjCutPlan) high = choose (&lab, &settings, NULL);
  for (unsigned i = 0; i < high->n_cuts; i++)
    g_assert_cmpint (2 * pj_cut_plan_n_kept (high, pj_groups_get (lab.groups, (unsigned) high->cuts[i].group)), >=, high->cuts[i].n_channels);
}

/* --- memory and time --- */

static void
peak_memory (void)
{
  g_autoptr (PjGraph) graph = two_layers ();
  /* The widest moment: a norm or a ReLU of the second layer with its input, 10 channels of 8 x 8 each. */
  g_assert_cmpuint (pj_graph_peak_bytes (graph), ==, 4 * 64 * 20);
  g_auto (Lab) lab;
  lab_init_residual (&lab, 32);
  /* In the second block the stream (7) waits for the sum of two more such values. */
  g_assert_cmpuint (pj_graph_peak_bytes (lab.graph), ==, 4 * 64 * 21);
}

static void
budgets (void)
{
  g_auto (Lab) lab;
  lab_init_residual (&lab, 64);
  static const PjBudgetKind kinds[] = { PJ_BUDGET_CHANNELS, PJ_BUDGET_MACS, PJ_BUDGET_PARAMS, PJ_BUDGET_MEMORY, PJ_BUDGET_MS };
  g_autoptr (GError) error = NULL;
  g_autoptr (PjLatency) latency = pj_latency_measure (lab.device, lab.graph, lab.groups, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("weight-sum"), &lab.scoring, &error);
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
    double base, amount, least;
    PjBudget budget = { .kind = kinds[k], .target = 1, .normalise = TRUE, .latency = latency };
    g_autoptr (PjCutPlan) all = pj_budget_visit (lab.groups, scores, &budget, 1000, NULL);
    g_assert_true (pj_budget_amount (lab.graph, lab.groups, NULL, kinds[k], latency, &base, NULL)
                   && pj_budget_amount (lab.graph, lab.groups, all, kinds[k], latency, &least, NULL));
    g_assert_cmpfloat (base, >, 0);
    /* What cannot be reached is refused with how far it goes; half of what can be is met. */
    if (least > 0.02 * base) {
      budget.target = 0.5 * least / base;
      g_assert_null (pj_budget_spend (lab.graph, lab.groups, scores, &budget, &error));
      g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
      g_assert_nonnull (strstr (error->message, pj_budget_kind_title (kinds[k])));
      g_clear_error (&error);
    }
    budget.target = (1 + least / base) / 2;
    g_autoptr (PjCutPlan) plan = pj_budget_spend (lab.graph, lab.groups, scores, &budget, &error);
    g_assert_no_error (error);
    g_assert_true (pj_budget_amount (lab.graph, lab.groups, plan, kinds[k], latency, &amount, NULL));
    g_assert_cmpfloat (amount, <=, budget.target * base * (1 + 1e-12));
  }
}

/* The table gives back what was measured, never falls as layers widen, and a cut is never slower than the whole. */
static void
latency_table (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (Lab) lab;
  lab_init_chain (&lab, 32, FALSE, 1);
  g_autoptr (PjLatency) table = pj_latency_measure (lab.device, lab.graph, lab.groups, NULL, &error);
  g_assert_no_error (error);
  double before = 0;
  for (int k = 1; k <= 8; k++) {
    const PjGroup *group = pj_groups_find (lab.groups, "b");
    g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
    guint8 keep[8];
    for (int c = 0; c < 8; c++)
      keep[c] = c < k;
    pj_cut_plan_set (plan, group, keep, NULL);
    g_autoptr (PjGraph) outline = pj_cut_outline (lab.graph, lab.groups, plan, NULL);
    double ms = pj_latency_predict (table, outline);
    g_assert_cmpfloat (ms, >=, before);
    before = ms;
  }
  g_assert_cmpfloat (before, ==, pj_latency_predict (table, lab.graph));
  g_assert_cmpfloat (before, >, 0);
  lab_cancel_after (&lab, 2);
  g_assert_null (pj_latency_measure (lab.device, lab.graph, lab.groups, &lab.hooks, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
}

/* --- the same loss everywhere --- */

/* Two groups of 4 and 10 with known curves. */
static PjSweep *
known_sweep (const PjGroups *groups)
{
  PjSweep *sweep = pj_sweep_new ();
  const struct { int n; struct { int n_kept; double kl, top1; } points[3]; } parts[] = {
    { 2, { { 3, 0.4, 0.80 }, { 1, 0.8, 0.5 } } },
    /* The narrowest is measured as better than the one before: that is luck. */
    { 3, { { 8, 0.1, 0.89 }, { 5, 0.3, 0.85 }, { 2, 0.2, 0.86 } } },
  };
  sweep->base_top1 = 0.9;
  sweep->n_pictures = 100;
  for (unsigned g = 0; g < 2; g++) {
    PjGroupSweep *part = pj_group_sweep_new (pj_groups_get (groups, g), (unsigned) parts[g].n);
    for (int i = 0; i < parts[g].n; i++)
      part->points[i] = (PjSweepPoint) { parts[g].points[i].n_kept / (double) part->n_channels, parts[g].points[i].n_kept,
                                         parts[g].points[i].top1, parts[g].points[i].kl };
    g_ptr_array_add (sweep->groups, part);
  }
  return sweep;
}

static void
equal_loss_rule (void)
{
  g_autoptr (PjGraph) graph = two_layers ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjSweep) sweep = known_sweep (groups);
  PjScoring scoring = { .graph = graph, .groups = groups, .seed = 1 };
  g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("weight-sum"), &scoring, NULL);
  const PjGroup *g0 = pj_groups_get (groups, 0), *g1 = pj_groups_get (groups, 1);
  const PjGroupSweep *first = pj_sweep_get (sweep, g0->id), *second = pj_sweep_get (sweep, g1->id);
  g_autoptr (GError) error = NULL;
  /* Straight lines between points, 0 for the whole, and no way back. */
  const struct { int n_kept; double kl; } lines[] = { { 10, 0 }, { 9, 0.05 }, { 8, 0.1 }, { 6, 0.1 + 0.2 * 2 / 3 }, { 5, 0.3 }, { 3, 0.3 }, { 2, 0.3 } };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    g_assert_cmpfloat_with_epsilon (pj_equal_loss_at (sweep, second, PJ_LOSS_KL, lines[i].n_kept), lines[i].kl, 1e-12);
  g_assert_cmpfloat_with_epsilon (pj_equal_loss_at (sweep, first, PJ_LOSS_KL, 2), 0.6, 1e-12);
  g_assert_cmpfloat_with_epsilon (pj_equal_loss_at (sweep, first, PJ_LOSS_TOP1, 3), 0.1, 1e-12);

  double loss, base, before = 0;
  for (int k = 9; k >= 5; k--) {
    const PjBudget budget = { .kind = PJ_BUDGET_CHANNELS, .target = (4 + k) / 14.0, .floor = 0 };
    g_autoptr (PjCutPlan) plan = pj_equal_loss_spend (graph, groups, scores, sweep, PJ_LOSS_KL, &budget, &loss, &error);
    g_assert_no_error (error);
    int n0 = pj_cut_plan_n_kept (plan, g0), n1 = pj_cut_plan_n_kept (plan, g1);
    g_assert_cmpint (n0 + n1, <=, 4 + k);
    /* Neither loses more than what is tolerated, and either would with one channel less. */
    g_assert_cmpfloat (pj_equal_loss_at (sweep, first, PJ_LOSS_KL, n0), <=, loss);
    g_assert_cmpfloat (pj_equal_loss_at (sweep, second, PJ_LOSS_KL, n1), <=, loss);
    g_assert_true (n0 == 1 || pj_equal_loss_at (sweep, first, PJ_LOSS_KL, n0 - 1) > loss);
    g_assert_true (n1 == 2 || pj_equal_loss_at (sweep, second, PJ_LOSS_KL, n1 - 1) > loss);
    g_assert_cmpfloat (loss, >=, before);
    before = loss;
  }
  /* 0.3 lets the second layer go to its narrowest point at once; the first one, which would lose more, stays whole. */
  g_assert_cmpfloat_with_epsilon (before, 0.3, 1e-9);
  const PjBudget too_small = { .kind = PJ_BUDGET_CHANNELS, .target = 0.1 };
  g_assert_null (pj_equal_loss_spend (graph, groups, scores, sweep, PJ_LOSS_KL, &too_small, NULL, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "narrowest"));
  g_assert_true (pj_budget_amount (graph, groups, NULL, PJ_BUDGET_CHANNELS, NULL, &base, NULL) && base == 14);
}

/* The method meets its budget by either loss, and chooses the same again. */
static void
equal_loss_method (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 64);
  const PjMethod *method = pj_method_find ("equal-loss");
  const char *const sets[][2] = { { "loss=kl", NULL }, { "loss=accuracy", NULL } };
  for (guint i = 0; i < 2; i++) {
    g_autofree double *values = pj_method_values (method, sets[i], NULL);
    PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.6, .values = values };
    g_assert_true (pj_prune_settings_check (method, &lab.scoring, &settings, &error));
    g_autoptr (PjCutPlan) plan = method->choose (method, &lab.scoring, &settings, NULL, &error);
    g_autoptr (PjCutPlan) again = method->choose (method, &lab.scoring, &settings, NULL, NULL);
    g_assert_no_error (error);
    PjCost cost, base;
    pj_graph_cost (lab.graph, &base);
    g_assert_true (pj_cut_predict_cost (lab.graph, lab.groups, plan, &cost, NULL));
    g_assert_cmpfloat ((double) cost.macs, <=, 0.6 * (double) base.macs);
    for (unsigned k = 0; k < plan->n_cuts; k++)
      g_assert_cmpmem (plan->cuts[k].keep, plan->cuts[k].n_channels, again->cuts[k].keep, again->cuts[k].n_channels);
  }
}

static gboolean
keep_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  GBytes **kept = data;
  g_clear_pointer (kept, g_bytes_unref);
  *kept = g_bytes_ref (state);
  return TRUE;
}

/* Groups that were measured before a stop are not measured again, and the widths are the same. */
static void
equal_loss_resumes (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) state = NULL;
  const PjMethod *method = pj_method_find ("equal-loss");
  PjMethodLife life = { .seconds = 1e9, .save = keep_cb, .data = &state };
  PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.6 };
  double seconds;
  lab_init_residual (&lab, 64);
  g_assert_true (pj_method_estimate (method, &lab.scoring, &settings, &seconds, &error));
  g_assert_cmpfloat (seconds, >, 0);
  g_autoptr (PjCutPlan) whole = method->choose (method, &lab.scoring, &settings, NULL, &error);
  g_assert_no_error (error);
  int left = -1;
  for (int after = 1; after < 200; after++) {
    settings.life = &life;
    life.resume = NULL;
    lab_cancel_after (&lab, after);
    g_autoptr (PjCutPlan) none = method->choose (method, &lab.scoring, &settings, NULL, &error);
    if (none != NULL)
      break;
    g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    g_clear_error (&error);
    left = after;
  }
  /* The last stop was near the end: half as many polls finish what is left. */
  g_assert_cmpint (left, >, 10);
  g_assert_cmpuint (g_bytes_get_size (state), >, 0);
  g_autoptr (GBytes) stopped = g_steal_pointer (&state), half = g_bytes_new_from_bytes (stopped, 0, g_bytes_get_size (stopped) - 1);
  life.resume = stopped;
  lab_cancel_after (&lab, left / 2);
  g_test_message ("%d polls", left);
  g_autoptr (PjCutPlan) rest = method->choose (method, &lab.scoring, &settings, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rest->n_cuts, ==, whole->n_cuts);
  for (unsigned k = 0; k < whole->n_cuts; k++)
    g_assert_cmpmem (rest->cuts[k].keep, rest->cuts[k].n_channels, whole->cuts[k].keep, whole->cuts[k].n_channels);
  life.resume = half;
  lab.scoring.hooks = NULL;
  g_assert_null (method->choose (method, &lab.scoring, &settings, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/curl/importance/fixture", importance);
  g_test_add_func ("/prune/curl/ranking/fixture", ranking);
  g_test_add_func ("/prune/curl/floors/fixture", floors);
  g_test_add_func ("/prune/curl/method", method);
  g_test_add_func ("/prune/budget/peak-memory", peak_memory);
  g_test_add_func ("/prune/budget/kinds", budgets);
  g_test_add_func ("/prune/budget/latency-table", latency_table);
  g_test_add_func ("/prune/equal-loss/rule", equal_loss_rule);
  g_test_add_func ("/prune/equal-loss/method", equal_loss_method);
  g_test_add_func ("/prune/equal-loss/resumes", equal_loss_resumes);
  return g_test_run ();
}
