/* SPDX-License-Identifier: MIT */
/* AMC: the wall, rewards and states against the specification's numbers, the agent on a riddle, and whole searches. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "lab.h"
#include "prune/search/amc.h"
#include "prune/search/ddpg.h"
#include "prune/methods/amc-private.h"
#include "prune/budget/share-cost.h"

/* --- the fixture --- */

/* A chain: layer i reads share i of its inputs and gives share i + 1; its depthwise layer follows the inputs. */
typedef struct { int n; float *macs, *depthwise; } Chain;

static double
chain_cost (const double *share, gpointer data)
{
  const Chain *self = data;
  double sum = 0;
  for (int i = 0; i < self->n; i++)
    sum += self->macs[i] * share[i] * (i + 1 < self->n ? share[i + 1] : 1) + self->depthwise[i] * share[i];
  return sum;
}

static void
wall (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/amc.json");
  JsonArray *steps = json_node_get_array (fixture_at (o, "steps"));
  Chain chain;
  g_autofree float *macs = chain.macs = fixture_floats (o, "macs", &chain.n);
  g_autofree float *depthwise = chain.depthwise = fixture_floats (o, "depthwise_before_layer", &chain.n);
  double least = fixture_number (o, "lower_bound"), budget = fixture_number (o, "budget"), share[4] = { least, least, least, least };
  const double all[4] = { 1, 1, 1, 1 };

  g_assert_nonnull (macs);
  g_assert_nonnull (depthwise);
  g_assert_cmpfloat_with_epsilon (chain_cost (all, &chain), fixture_number (o, "total"), 1e-9);
  g_assert_cmpfloat_with_epsilon (fixture_number (o, "target_ratio") * chain_cost (all, &chain), budget, 1e-9);
  for (unsigned i = 0; i < json_array_get_length (steps); i++) {
    JsonObject *row = json_array_get_object_element (steps, i);
    g_assert_cmpint ((int) fixture_number (row, "layer"), ==, (int) i);
    double cap = pj_amc_cap (chain_cost, &chain, share, 4, i, least, budget);
    g_assert_cmpfloat_with_epsilon (cap, fixture_number (row, "cap"), 1e-9);
    share[i] = pj_amc_take (fixture_number (row, "proposed"), cap, least);
    g_assert_cmpfloat_with_epsilon (share[i], fixture_number (row, "taken"), 1e-9);
    g_assert_cmpfloat_with_epsilon (chain_cost (share, &chain), fixture_number (row, "macs_now"), 1e-6);
  }
  g_assert_cmpfloat_with_epsilon (chain_cost (share, &chain), fixture_number (o, "final_macs"), 1e-6);
}

static double
square_cost (const double *share, gpointer data)
{
  return 10 + 20 * share[0] + 70 * share[0] * share[0];
}

/* A residual stream is read and written by one layer: its share counts twice. */
static void
wall_of_a_stream (void)
{
  double cap = pj_amc_cap (square_cost, NULL, NULL, 1, 0, 0.2, 50);
  g_assert_cmpfloat_with_epsilon (square_cost (&cap, NULL), 50, 1e-9);
}

static void
numbers (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/amc.json");
  g_autoptr (JsonObject) rounding = fixture_load ("spec/rounding.json");
  int n;
  g_autofree int *episodes = fixture_ints (o, "noise_sigma/episode_minus_warmup", &n);
  g_autofree float *sigma = fixture_floats (o, "noise_sigma/sigma", &n);
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (pj_amc_noise (episodes[i]), sigma[i], 1e-7);
  g_assert_cmpfloat_with_epsilon (pj_amc_reward (0.882, 3e8, FALSE), fixture_number (o, "reward/fixed_budget_top5_88.2"), 1e-9);
  g_assert_cmpfloat_with_epsilon (pj_amc_reward (0.882, 3e8, TRUE), fixture_number (o, "reward/accuracy_guaranteed_top5_88.2_macs_3e8"), 1e-9);
  g_autofree float *means = fixture_floats (o, "moving_baseline/batch_means", &n);
  g_autofree float *baselines = fixture_floats (o, "moving_baseline/baseline", &n);
  double baseline = NAN;
  for (int i = 0; i < n; i++) {
    baseline = pj_amc_baseline (baseline, means[i]);
    g_assert_cmpfloat_with_epsilon (baseline, baselines[i], 1e-6);
  }
  double target = fixture_number (o, "soft_update/target"), source = fixture_number (o, "soft_update/source");
  pj_agent_follow (&target, &source, 1, fixture_number (o, "soft_update/tau"));
  g_assert_cmpfloat_with_epsilon (target, fixture_number (o, "soft_update/after"), 1e-9);

  g_autofree float *raw = fixture_floats (o, "state_normalised/raw", &n), *scaled = fixture_floats (o, "state_normalised/scaled", &n);
  g_autofree double *rows = g_new (double, n);
  for (int i = 0; i < n; i++)
    rows[i] = raw[i];
  pj_amc_scale (rows, 3, PJ_AMC_FIXED);
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (rows[i], scaled[i], 1e-6);

  g_autofree float *cases = fixture_floats (rounding, "amc_keep/cases_C_a_K", &n);
  for (int i = 0; i < n; i += 3) {
    int k = pj_amc_count ((int) cases[i], cases[i + 1], 8);
    /* Where the published rule leaves nothing, all stay. */
    g_assert_cmpint (k, ==, cases[i + 2] > 0 ? (int) cases[i + 2] : (int) cases[i]);
  }
}

/* Channels stay by what reads them. */
static void
columns (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/filter_norm.json");
  g_autofree float *w = fixture_floats (o, "w_OIHW", NULL), *expected = fixture_floats (o, "input_channel_l1_AMC", NULL);
  g_autoptr (PjGraph) g = pj_graph_new ("columns");
  int y = net_conv (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 4, 4)), net_param (g, "w1", PJ_SHAPE (2, 1, 1, 1), 0, 1, 1), -1, 1, 0);
  pj_graph_set_output (g, net_conv (g, "b", y, net_param_from (g, "w2", PJ_SHAPE (5, 2, 2, 2), w), -1, 1, 0));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  const PjScoring scoring = { .graph = g, .groups = groups };
  g_autoptr (PjScores) scores = pj_amc_scores (pj_method_find ("amc"), &scoring);
  const PjGroupScores *a = pj_scores_get (scores, pj_groups_find (groups, "a")->id);
  for (int c = 0; c < 2; c++)
    g_assert_cmpfloat_with_epsilon (a->score[c], expected[c], 1e-5);
}

/* --- the agent --- */

/* The gradients of a small network of each kind are the slopes of what it gives. */
static void
mlp_slopes (void)
{
  for (int relu = 0; relu < 2; relu++) {
    PjMlp mlp = { .n_layers = 3, .size = { 3, 7, 5, 1 }, .relu = relu };
    gsize n = pj_mlp_n_weights (&mlp);
    g_autofree double *w = mlp.w = g_new (double, n), *dw = g_new0 (double, n), *acts = g_new (double, pj_mlp_n_acts (&mlp, 2));
    const double dy[2] = { 1, -0.5 };
    double x[6] = { 0.3, -1, 0.8, 1.2, 0.1, -0.4 }, dx[6];
    pj_mlp_start (&mlp, 5, 1);
    const double *y = pj_mlp_run (&mlp, x, 2, acts);
    double before = dy[0] * y[0] + dy[1] * y[1], step = 1e-6;
    pj_mlp_back (&mlp, x, 2, acts, dy, dw, dx);
    for (gsize i = 0; i < n + 6; i++) {
      double *moved = i < n ? &w[i] : &x[i - n], was = *moved;
      *moved += step;
      y = pj_mlp_run (&mlp, x, 2, acts);
      double slope = (dy[0] * y[0] + dy[1] * y[1] - before) / step;
      *moved = was;
      g_assert_cmpfloat_with_epsilon (slope, i < n ? dw[i] : dx[i - n], 1e-5);
    }
  }
}

/* A riddle: the nearer the action to 0.8, the better.  The agent finds out from random tries. */
static void
agent_learns (void)
{
  enum { N_STATES = 2, CAPACITY = 200 };
  g_autofree double *all = g_new0 (double, pj_agent_n_numbers (N_STATES, CAPACITY));
  const double state[N_STATES] = { 0.5, 1 };
  PjAgent agent;
  PjRng rng;
  pj_agent_init (&agent, all, N_STATES, CAPACITY, 3);
  pj_agent_start (&agent);
  pj_rng_init (&rng, 3, 9);
  for (int i = 0; i < CAPACITY; i++) {
    double a = pj_rng_uniform (&rng);
    pj_agent_remember (&agent, state, a, 1 - 4 * (a - 0.8) * (a - 0.8), state, TRUE);
  }
  double first = pj_agent_act (&agent, state);
  for (int i = 0; i < 60; i++)
    pj_agent_learn (&agent);
  double last = pj_agent_act (&agent, state);
  g_test_message ("first %.3f, then %.3f", first, last);
  g_assert_cmpfloat (fabs (last - 0.8), <, 0.1);
  g_assert_cmpfloat (fabs (first - 0.8), >, 0.3);
}

/* --- searches --- */

/* With whole channels the cost by shares is the cost. */
static void
share_cost (void)
{
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 40);
  for (int k = 0; k < 2; k++) {
    g_autoptr (PjShareCost) cost = pj_share_cost_new (lab.graph, lab.groups, k == 0 ? PJ_BUDGET_MACS : PJ_BUDGET_PARAMS);
    g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
    g_autofree double *share = lab_ratios (&lab, "", 1);
    for (unsigned g = 0; g < pj_groups_n (lab.groups); g++) {
      const PjGroup *group = pj_groups_get (lab.groups, g);
      g_autofree guint8 *keep = g_malloc0 ((gsize) group->n_channels);
      if (group->lock_reason != NULL)
        continue;
      keep[1] = keep[2] = 1;
      share[group->id] = 2.0 / group->n_channels;
      pj_cut_plan_set (plan, group, keep, NULL);
    }
    PjCost exact;
    g_assert_true (pj_cut_predict_cost (lab.graph, lab.groups, plan, &exact, &error));
    g_assert_cmpfloat_with_epsilon (pj_share_cost (cost, share), (double) (k == 0 ? exact.macs : exact.weights), 1e-6);
  }
}

static gboolean
save_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  GBytes **kept = data;
  g_clear_pointer (kept, g_bytes_unref);
  *kept = g_bytes_ref (state);
  return TRUE;
}

static PjCutPlan *
run_amc (Lab *lab, const double *ratios, double macs, const PjMethodLife *life, GError **error)
{
  static const char *const set[] = { "episodes=8", "warmup=4", "tile=1", NULL };
  const PjMethod *method = pj_method_find ("amc");
  g_autofree double *values = pj_method_values (method, set, error);
  PjPruneSettings settings = {
    .ratios = ratios, .global = macs > 0, .kind = PJ_BUDGET_MACS, .target = macs, .values = values, .life = life,
  };
  return method->choose (method, &lab->scoring, &settings, NULL, error);
}

static void
assert_same (const PjCutPlan *a, const PjCutPlan *b)
{
  g_assert_cmpuint (a->n_cuts, ==, b->n_cuts);
  for (unsigned i = 0; i < a->n_cuts; i++)
    g_assert_cmpmem (a->cuts[i].keep, (size_t) a->cuts[i].n_channels, b->cuts[i].keep, (size_t) b->cuts[i].n_channels);
}

/* Within the budget, the same for the same seed, and the same when it was stopped and goes on. */
static void
searches (void)
{
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  PjCost whole, cost;
  lab_init_residual (&lab, 160);
  pj_graph_cost (lab.graph, &whole);
  g_autoptr (PjCutPlan) plan = run_amc (&lab, NULL, 0.5, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (pj_cut_predict_cost (lab.graph, lab.groups, plan, &cost, &error));
  g_test_message ("%.3f of the MACs", (double) cost.macs / (double) whole.macs);
  g_assert_cmpfloat ((double) cost.macs, <=, 0.5 * (double) whole.macs);
  g_assert_cmpfloat ((double) cost.macs, >=, 0.2 * (double) whole.macs);
  static const int stops[] = { 3, 20, 37 };
  for (guint stop = 0; stop < G_N_ELEMENTS (stops); stop++) {
    g_autoptr (GBytes) state = NULL;
    PjMethodLife life = { .seconds = 1e9, .save = save_cb, .data = &state };
    lab_cancel_after (&lab, stops[stop]);
    g_autoptr (PjCutPlan) none = run_amc (&lab, NULL, 0.5, &life, &error);
    g_assert_null (none);
    g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    g_assert_nonnull (state);
    g_clear_error (&error);
    lab.scoring.hooks = NULL;
    life.resume = state;
    life.save = NULL;
    g_autoptr (PjCutPlan) again = run_amc (&lab, NULL, 0.5, &life, &error);
    g_assert_no_error (error);
    assert_same (again, plan);
    g_autoptr (GBytes) half = g_bytes_new_from_bytes (state, 0, g_bytes_get_size (state) / 2);
    life.resume = half;
    g_assert_null (run_amc (&lab, NULL, 0.5, &life, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
    g_clear_error (&error);
  }
  /* Keep ratios say how much may be spent, and on which groups. */
  g_autofree double *ratios = lab_ratios (&lab, "x y", 0.4);
  g_autoptr (PjCutPlan) local = run_amc (&lab, ratios, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (pj_cut_plan_n_kept (local, pj_groups_find (lab.groups, "stem")), ==, 4);
  g_assert_cmpint (pj_cut_plan_n_kept (local, pj_groups_find (lab.groups, "x")), <, 5);
}

static void
refuses (void)
{
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  const PjMethod *method = pj_method_find ("amc");
  g_autofree double *values = pj_method_values (method, NULL, NULL);
  lab_init_residual (&lab, 40);
  PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.02, .values = values };
  g_assert_null (method->choose (method, &lab.scoring, &settings, NULL, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "smaller floor"));
  g_clear_error (&error);
  settings.target = 0.5;
  settings.kind = PJ_BUDGET_MEMORY;
  g_assert_null (method->choose (method, &lab.scoring, &settings, NULL, &error));
  g_assert_nonnull (strstr (error->message, "multiply-adds or parameters"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/amc/fixture/wall", wall);
  g_test_add_func ("/prune/amc/fixture/numbers", numbers);
  g_test_add_func ("/prune/amc/fixture/columns", columns);
  g_test_add_func ("/prune/amc/wall-of-a-stream", wall_of_a_stream);
  g_test_add_func ("/prune/amc/mlp-slopes", mlp_slopes);
  g_test_add_func ("/prune/amc/agent-learns", agent_learns);
  g_test_add_func ("/prune/amc/share-cost", share_cost);
  g_test_add_func ("/prune/amc/searches", searches);
  g_test_add_func ("/prune/amc/refuses", refuses);
  return g_test_run ();
}
