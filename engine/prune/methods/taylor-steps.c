/* SPDX-License-Identifier: MIT */
/* Taylor pruning as it was published: a few channels go, the network trains on, more go.
 *
 *   batch: (∂L/∂gate)² ─ sum ─▶ … round: mean, mixed with the rounds before ─ the lowest of all layers close ─▶ … training goes on
 *
 * The gates stand behind the norm and the non-linearity of each layer; a stream has one gate at several places, whose
 * gradient is a sum over them, so its square is divided by their number.  What closed stays closed. */
#include <math.h>

#include "prune/gates/dynamic.h"
#include "prune/methods/gated-run.h"
#include "prune/methods/methods.h"

/* Numbers of the run: steps since the last round, rounds so far. */
enum { SINCE, ROUNDS, N_STATE };
/* Numbers of a channel: sum of the squares since the last round, its score, multiply-adds that it costs as a share of the
 * dearest layer's. */
enum { SUM, SCORE, PRICE, N_EXTRA };

/* Below all scores, also with a price. */
#define CLOSED (-2.0)
#define LEAST_BATCHES 4

static double *
numbers (const PjGate *gate, int which)
{
  return gate->extra + (gsize) which * gate->n;
}

static double
value (const PjGatedRun *run, const char *option)
{
  return pj_method_value (run->method, run->settings, option);
}

/* What one channel of the group saves, or one of each of its blocks. */
static gboolean
saved_macs (const PjGatedRun *run, const PjGroup *group, double *saved, GError **error)
{
  g_autofree guint8 *keep = g_malloc ((gsize) group->n_channels);
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  int per_block = group->n_channels / group->n_blocks;
  PjCost whole, less;

  *saved = 0;
  if (per_block < 2)
    return TRUE;
  for (int c = 0; c < group->n_channels; c++)
    keep[c] = c % per_block != 0;
  pj_cut_plan_set (plan, group, keep, NULL);
  pj_graph_cost (run->scoring->graph, &whole);
  if (!pj_cut_predict_cost (run->scoring->graph, run->scoring->groups, plan, &less, error))
    return FALSE;
  *saved = ((double) whole.macs - (double) less.macs) / group->n_blocks;
  return TRUE;
}

static gboolean
begin (PjGatedRun *run, GError **error)
{
  double most = 0;
  g_autofree double *saved = g_new0 (double, run->gates->n_gates);

  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    if (!saved_macs (run, run->gates->gates[g].group, &saved[g], error))
      return FALSE;
    most = MAX (most, saved[g]);
  }
  for (unsigned g = 0; g < run->gates->n_gates; g++)
    for (int c = 0; most > 0 && c < run->gates->gates[g].n; c++)
      numbers (&run->gates->gates[g], PRICE)[c] = saved[g] / most;
  return TRUE;
}

static PjScores *
score (const PjGatedRun *run)
{
  g_autofree double **of = g_new (double *, run->gates->n_gates);
  for (unsigned g = 0; g < run->gates->n_gates; g++)
    of[g] = numbers (&run->gates->gates[g], run->state[ROUNDS] > 0 ? SCORE : SUM);
  return pj_gates_scores (run->gates, run->scoring->groups, run->method->name, of);
}

/* What the channels of one layer are ranked by; what is closed comes first. */
static double *
rank (const PjGate *gate, double price)
{
  double *out = g_new (double, gate->n);
  for (int c = 0; c < gate->n; c++)
    out[c] = gate->gate[c] > 0 ? numbers (gate, SCORE)[c] : 0;
  if (price > 0) {
    pj_dynamic_normalise (out, gate->n);
    pj_dynamic_charge (out, numbers (gate, PRICE), gate->n, price);
  }
  for (int c = 0; c < gate->n; c++)
    out[c] = gate->gate[c] > 0 ? out[c] : CLOSED;
  return out;
}

/* @n_rounds: of the run */
static gboolean
end_round (PjGatedRun *run, double n_rounds, GError **error)
{
  double momentum = run->state[ROUNDS] > 0 ? value (run, "score-momentum") : 0, price = value (run, "flops");
  g_autoptr (GPtrArray) of = g_ptr_array_new_with_free_func (g_free);

  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    PjGate *gate = &run->gates->gates[g];
    pj_dynamic_mix (numbers (gate, SCORE), numbers (gate, SUM), gate->n, run->state[SINCE], momentum);
    g_ptr_array_add (of, rank (gate, price));
  }
  run->state[SINCE] = 0;
  run->state[ROUNDS]++;
  return pj_gated_draw (run, (double *const *) of->pdata, run->state[ROUNDS] / n_rounds, error);
}

/* Steps that the rounds share, and how many they are: a gradient of one batch says too little. */
static double
count_rounds (const PjGatedRun *run, double *steps)
{
  *steps = MAX (1, floor (run->n_steps * value (run, "until")));
  return CLAMP (value (run, "rounds"), 1, MAX (1, floor (*steps / LEAST_BATCHES)));
}

static gboolean
step (PjGatedRun *run, GError **error)
{
  double steps, n_rounds = count_rounds (run, &steps);

  if (run->state[ROUNDS] >= n_rounds)
    return TRUE;
  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    PjGate *gate = &run->gates->gates[g];
    double *sum = numbers (gate, SUM);
    for (int c = 0; c < gate->n; c++)
      sum[c] += gate->grad[c] * gate->grad[c] / gate->places->len;
  }
  run->state[SINCE]++;
  return (run->step + 1) * n_rounds < (run->state[ROUNDS] + 1) * steps || end_round (run, n_rounds, error);
}

/* A person may end the training before all rounds are over: then the scores say what else goes. */
static PjCutPlan *
spend (const PjGatedRun *run, const PjScores *scores, GError **error)
{
  double steps, n_rounds = count_rounds (run, &steps);
  return run->state[ROUNDS] < n_rounds ? pj_gated_spend (run, scores, error) : pj_gated_masks (run);
}

static const PjGatedRule rule = {
  .n_extra = N_EXTRA, .n_state = N_STATE, .drops = { 0.4, 0.8 }, .begin = begin, .step = step, .score = score, .spend = spend,
};

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  return pj_gated_choose (self, &rule, NULL, scoring, settings, scores, error);
}

static const PjMethodOption options[] = {
  PJ_GATED_OPTIONS (6, 0.01),
  { "rounds", "in how many rounds channels go, equally many in each; a round has at least 4 batches", 20, 1, 10000, TRUE, NULL },
  { "until", "share of the training that the rounds take", 0.4, 0.05, 1, FALSE, NULL },
  { "score-momentum", "how much of a score comes from the rounds before", 0.9, 0, 0.999, FALSE, NULL },
  { "flops", "price of a channel’s multiply-adds, as in 2017: 0.001; scores then have length 1 in each layer", 0, 0, 1, FALSE, NULL },
  { NULL }
};

const PjMethod pj_method_taylor_steps = {
  .name = "taylor-steps", .title = "Taylor, step by step",
  .about = "Trains the network and closes a few channels after each round of batches, those whose removal would change the loss least. "
           "What is left adapts before more go, as the criterion was published; the score alone cuts everything at once.",
  .source = "Molchanov, Mallya, Tyree, Frosio, Kautz: Importance Estimation for Neural Network Pruning, CVPR 2019",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS, .allocates = TRUE,
  .fit = pj_gated_fit, .options = options, .check = pj_gated_check, .work = pj_gated_work, .choose = choose,
};
