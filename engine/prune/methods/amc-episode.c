/* SPDX-License-Identifier: MIT */
/* One walk of AMC's agent through the layers. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "ops/op.h"
#include "ops/params.h"
#include "prune/methods/amc-private.h"
#include "train/evaluate.h"

static const PjGroup *
action (const PjAmc *self, unsigned i)
{
  return self->actions->pdata[i];
}

/* --- what a layer is --- */

/* Σ|W[·,c]| over the layers that read the group: what AMC keeps channels by. */
static void
add_columns (const PjGraph *graph, const PjMember *member, double *sum)
{
  const PjValue *weight = pj_graph_value (graph, member->value);
  const float *w = pj_blob_data (weight->data);
  gsize rows = (gsize) weight->shape.dim[0], columns = (gsize) member->n / (gsize) member->n_slices;
  gsize plane = pj_shape_n_elems (&weight->shape) / (rows * columns);

  for (gsize o = 0; o < rows; o++)
    for (gsize i = 0; i < columns; i++) {
      int c = member->map[o / (rows / (gsize) member->n_slices) * columns + i];
      for (gsize k = 0; c >= 0 && k < plane; k++)
        sum[c] += fabs (w[(o * columns + i) * plane + k]);
    }
}

PjScores *
pj_amc_scores (const PjMethod *method, const PjScoring *scoring)
{
  PjScores *scores = g_new0 (PjScores, 1);
  scores->criterion = g_strdup (method->name);
  scores->seed = scoring->seed;
  scores->groups = g_new0 (PjGroupScores, pj_groups_n (scoring->groups));
  for (unsigned g = 0; g < pj_groups_n (scoring->groups); g++) {
    const PjGroup *group = pj_groups_get (scoring->groups, g);
    if (group->lock_reason != NULL)
      continue;
    PjGroupScores *entry = &scores->groups[scores->n_groups++];
    *entry = (PjGroupScores) { group->id, group->n_channels, g_new0 (double, group->n_channels), NULL };
    for (unsigned m = 0; m < group->n_members; m++)
      if (group->members[m].is_param && group->members[m].role == PJ_ROLE_CONSUMER && group->members[m].axis == 1)
        add_columns (scoring->graph, &group->members[m], entry->score);
  }
  return scores;
}

/* The layer that reads the group first, as the agent sees it. */
void
pj_amc_describe (const PjAmc *self, unsigned i, double *row)
{
  const PjGroup *group = action (self, i);
  const PjGraph *graph = self->scoring->graph;
  int reader = group->consumers->len > 0 ? g_array_index (group->consumers, int, 0) : g_array_index (group->producers, int, 0);
  const PjNode *node = pj_graph_node (graph, reader);
  gboolean is_conv = node->op == &pj_op_conv;
  const PjConvParams *conv = node->params;
  PjCost cost = { 0 };

  pj_graph_node_cost (graph, reader, &cost);
  const double numbers[PJ_AMC_FIXED] = {
    i, !is_conv, group->n_channels, (double) pj_graph_value (graph, node->outputs[0])->shape.dim[1], is_conv ? conv->stride[0] : 0,
    is_conv ? conv->kernel[0] : 1, (double) cost.weights,
  };
  memcpy (row, numbers, sizeof numbers);
}

/* --- an episode --- */

static double
cost_cb (const double *share, gpointer data)
{
  PjAmc *self = data;
  for (unsigned i = 0; i < self->actions->len; i++)
    self->share[action (self, i)->id] = share[i];
  return pj_share_cost (self->cost, self->share);
}

/* What the agent sees before action @i: the layer, what was saved so far, what is left to decide on, what it did last. */
static void
look (PjAmc *self, const double *taken, unsigned i, double *state)
{
  g_autofree double *tried = g_new (double, self->actions->len);

  memcpy (state, self->fixed + (gsize) i * PJ_AMC_FIXED, PJ_AMC_FIXED * sizeof (double));
  for (unsigned k = 0; k < self->actions->len; k++)
    tried[k] = k < i ? taken[k] : 1;
  double so_far = cost_cb (tried, self);
  for (unsigned k = i; k < self->actions->len; k++)
    tried[k] = 0;
  double settled = cost_cb (tried, self);
  state[PJ_AMC_FIXED] = (self->whole - so_far) / self->whole;
  state[PJ_AMC_FIXED + 1] = (so_far - settled) / self->whole;
  state[PJ_AMC_FIXED + 2] = i > 0 ? taken[i - 1] : 1;
}

static double
propose (const PjAmc *self, const double *state, unsigned i)
{
  PjRng rng;

  pj_rng_init (&rng, self->scoring->seed, PJ_STREAM (PJ_STREAM_CRITERION, 0xa3c00 + self->episode, i));
  if (self->episode < self->warmup)
    return self->least + (1 - self->least) * pj_rng_uniform (&rng);
  double said = pj_agent_act (&self->agent, state), sigma = pj_amc_noise (self->episode - self->warmup);
  for (int t = 0; t < 100; t++) {
    double a = said + sigma * pj_rng_normal (&rng);
    if (a >= self->least && a <= 1)
      return a;
  }
  return CLAMP (said, self->least, 1);
}

/* Channels that action @i keeps of @k, even over blocks. */
static int
even (const PjAmc *self, unsigned i, int k)
{
  int blocks = action (self, i)->n_blocks;
  return CLAMP (k / blocks * blocks, blocks, action (self, i)->n_channels);
}

PjCutPlan *
pj_amc_plan (const PjAmc *self, const int *kept)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  for (unsigned i = 0; i < self->actions->len; i++) {
    const PjGroup *group = action (self, i);
    g_autofree guint8 *keep = g_malloc ((gsize) group->n_channels);
    if (kept[i] == group->n_channels)
      continue;
    pj_group_keep_top (group, pj_scores_get (self->scores, group->id)->score, kept[i], keep);
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  return plan;
}

gboolean
pj_amc_amount (const PjAmc *self, const PjCutPlan *plan, double *amount, GError **error)
{
  PjCost cost;
  if (!pj_cut_predict_cost (self->scoring->graph, self->scoring->groups, plan, &cost, error))
    return FALSE;
  *amount = self->settings->global && self->settings->kind == PJ_BUDGET_PARAMS ? (double) cost.weights : (double) cost.macs;
  return TRUE;
}

/* Takes from the widest group until whole channels meet the budget, too: a tile at a time as long as there are tiles. */
static gboolean
fit_counts (const PjAmc *self, int *kept, GError **error)
{
  for (;;) {
    g_autoptr (PjCutPlan) plan = pj_amc_plan (self, kept);
    double amount;
    int step = self->tile, widest = -1;
    if (!pj_amc_amount (self, plan, &amount, error))
      return FALSE;
    if (amount <= self->budget)
      return TRUE;
    for (; widest < 0 && step >= 1; step = step > 1 ? 1 : 0)
      for (unsigned i = 0; i < self->actions->len; i++)
        if (even (self, i, kept[i] - step) < kept[i] && kept[i] > step && (widest < 0 || kept[i] > kept[widest]))
          widest = (int) i;
    if (widest < 0) {
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                   "even one channel of each layer costs %.1f %% of what the budget allows; ask for more", 100 * amount / self->budget);
      return FALSE;
    }
    int less = kept[widest] > self->tile ? self->tile : 1;
    kept[widest] = even (self, (unsigned) widest, kept[widest] - less);
  }
}

/* Accuracy of a candidate with its norms measured again. */
static gboolean
judge (const PjAmc *self, const PjCutPlan *plan, double *top1, GError **error)
{
  const PjScoring *s = self->scoring;
  PjHooks quiet = s->hooks != NULL ? *s->hooks : (PjHooks) { 0 };
  PjAccuracy accuracy;

  quiet.progress = NULL;
  quiet.metric = NULL;
  g_autoptr (PjGraph) cut = pj_cut (s->graph, s->groups, plan, error);
  g_autoptr (PjGraph) ready = cut != NULL ? pj_recalibrate (s->device, cut, self->judged, s->format, PJ_AMC_NORM_BATCHES, s->seed, &quiet, error) : NULL;
  if (ready == NULL || !pj_evaluate (s->device, ready, self->judged, PJ_SPLIT_TRAIN, s->format, 0, NULL, NULL, &quiet, &accuracy, error))
    return FALSE;
  *top1 = accuracy.top1;
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

static void
learn (PjAmc *self, const double *states, const double *taken, double reward)
{
  unsigned n = self->actions->len;
  for (unsigned i = 0; i < n; i++) {
    const double *state = states + (gsize) i * PJ_AMC_STATE, *next = i + 1 < n ? state + PJ_AMC_STATE : state;
    pj_agent_remember (&self->agent, state, taken[i], reward, next, i + 1 == n);
  }
  for (unsigned i = 0; self->episode >= self->warmup && i < n; i++)
    pj_agent_learn (&self->agent);
}

gboolean
pj_amc_episode (PjAmc *self, GError **error)
{
  unsigned n = self->actions->len;
  g_autofree double *states = g_new (double, (gsize) n * PJ_AMC_STATE), *taken = g_new (double, n);
  g_autofree int *kept = g_new (int, n);
  double top1, amount;

  for (unsigned i = 0; i < n; i++) {
    double *state = states + (gsize) i * PJ_AMC_STATE;
    look (self, taken, i, state);
    double cap = pj_amc_cap (cost_cb, self, taken, n, i, self->least, self->budget);
    taken[i] = pj_amc_take (propose (self, state, i), cap, self->least);
    kept[i] = even (self, i, pj_amc_count (action (self, i)->n_channels, taken[i], self->tile));
  }
  if (!fit_counts (self, kept, error))
    return FALSE;
  g_autoptr (PjCutPlan) plan = pj_amc_plan (self, kept);
  if (!judge (self, plan, &top1, error) || !pj_amc_amount (self, plan, &amount, error))
    return FALSE;
  double reward = pj_amc_reward (top1, amount, self->free_cost);
  if (self->episode == 0 || reward > self->best_reward) {
    self->best_reward = reward;
    memcpy (self->best, kept, n * sizeof (int));
  }
  learn (self, states, taken, reward);
  pj_hooks_metric (self->scoring->hooks, "reward", self->episode, reward);
  pj_hooks_metric (self->scoring->hooks, "best reward", self->episode, self->best_reward);
  self->episode++;
  return TRUE;
}
