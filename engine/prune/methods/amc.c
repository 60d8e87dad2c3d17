/* SPDX-License-Identifier: MIT */
/* AMC: an agent walks through the layers again and again, decides how much of each stays, behind a wall that keeps the
 * budget, and learns from the accuracy of what comes out.
 *
 *   episode: state ─ actor + noise ─ wall ─▶ … last layer ─ counts ─ cut ─ norms ─ accuracy ─▶ replay ─ learn
 *
 * Candidates are judged on training pictures, after their norms were measured again; the authors refit each layer
 * instead.  The test part sees only the result. */
#include <string.h>

#include "base/error.h"
#include "prune/methods/amc-private.h"
#include "prune/methods/methods.h"

#define MAGIC 0x434d4150u
#define LEAST 0.2
/* Training pictures that judge a candidate. */
#define IMAGES 512

/* --- checkpoints, at the border of an episode --- */

typedef struct { uint32_t magic, n_actions, n_numbers, episode; double best_reward; } Header;

static gsize
n_numbers (const PjAmc *self)
{
  return pj_agent_n_numbers (PJ_AMC_STATE, 100 * self->actions->len);
}

static GBytes *
state_cb (gconstpointer data, uint64_t *step, GError **error)
{
  const PjAmc *self = data;
  const Header header = { MAGIC, self->actions->len, (uint32_t) n_numbers (self), self->episode, self->best_reward };
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
  g_byte_array_append (bytes, (const guint8 *) self->numbers, (guint) (n_numbers (self) * sizeof (double)));
  g_byte_array_append (bytes, (const guint8 *) self->best, self->actions->len * sizeof (int));
  *step = self->episode;
  return g_byte_array_free_to_bytes (bytes);
}

static gboolean
restore (PjAmc *self, GBytes *state, GError **error)
{
  gsize size, wanted = sizeof (Header) + n_numbers (self) * sizeof (double) + self->actions->len * sizeof (int);
  const guint8 *at = g_bytes_get_data (state, &size);
  Header header = { 0 };

  if (size == wanted)
    memcpy (&header, at, sizeof header);
  if (header.magic != MAGIC || header.n_actions != self->actions->len || header.n_numbers != n_numbers (self)
      || header.episode > self->n_episodes) {
    g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID, "the checkpoint does not belong to a run with these settings; start it again");
    return FALSE;
  }
  self->episode = header.episode;
  self->best_reward = header.best_reward;
  memcpy (self->numbers, at + sizeof header, n_numbers (self) * sizeof (double));
  memcpy (self->best, at + sizeof header + n_numbers (self) * sizeof (double), self->actions->len * sizeof (int));
  return TRUE;
}

/* --- the search --- */

static gboolean
is_finished (const PjAmc *self)
{
  const PjMethodLife *life = self->settings->life;
  PjCommand command;
  gboolean over = FALSE;
  while (life != NULL && life->command != NULL && life->command (&command, life->data))
    over = over || command.kind == PJ_COMMAND_FINISH;
  return over && self->episode > 0;
}

static gboolean
search (PjAmc *self, GError **error)
{
  const PjMethodLife *life = self->settings->life;

  self->keeper = (PjKeeper) { life, state_cb, self, 0 };
  pj_keeper_start (&self->keeper);
  if (life != NULL && life->resume != NULL && !restore (self, life->resume, error))
    return FALSE;
  while (self->episode < self->n_episodes && !is_finished (self)) {
    if (!pj_hooks_go_on (self->scoring->hooks, error) || !pj_amc_episode (self, error))
      return FALSE;
    pj_hooks_progress (self->scoring->hooks, (double) self->episode / self->n_episodes, "episode %u of %u", self->episode, self->n_episodes);
    if (!pj_keeper_keep (&self->keeper, error))
      return FALSE;
  }
  return TRUE;
}

static unsigned
count_pictures (const PjScoring *scoring)
{
  unsigned n = pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN), wanted = scoring->n_images > 0 ? scoring->n_images : IMAGES;
  return MIN (n, wanted);
}

static gboolean
find_budget (PjAmc *self, GError **error)
{
  const PjScoring *s = self->scoring;
  g_autoptr (PjCutPlan) nothing = pj_cut_plan_new ();
  double whole;

  if (!pj_amc_amount (self, nothing, &whole, error))
    return FALSE;
  self->budget = whole * self->settings->target;
  if (self->settings->global)
    return TRUE;
  /* Keep ratios: the agent may spend what they would leave. */
  g_autoptr (PjCutPlan) plan = pj_budget_local (s->groups, self->scores, self->settings->ratios, 1, error);
  return plan != NULL && pj_amc_amount (self, plan, &self->budget, error);
}

static gboolean
open_search (PjAmc *self, GError **error)
{
  const PjScoring *s = self->scoring;
  unsigned n = self->actions->len;

  self->n_episodes = (unsigned) pj_method_value (self->method, self->settings, "episodes");
  self->warmup = (unsigned) pj_method_value (self->method, self->settings, "warmup");
  self->tile = self->settings->multiple > 1 ? self->settings->multiple : (int) pj_method_value (self->method, self->settings, "tile");
  self->free_cost = pj_method_value (self->method, self->settings, "reward") == 1;
  self->least = self->settings->floor > 0 ? self->settings->floor : LEAST;
  self->cost = pj_share_cost_new (s->graph, s->groups, self->settings->global ? self->settings->kind : PJ_BUDGET_MACS);
  self->share = g_new (double, pj_groups_n (s->groups));
  for (unsigned g = 0; g < pj_groups_n (s->groups); g++)
    self->share[g] = 1;
  self->whole = pj_share_cost (self->cost, self->share);
  self->best = g_new0 (int, n);
  self->fixed = g_new (double, (gsize) n * PJ_AMC_FIXED);
  for (unsigned i = 0; i < n; i++)
    pj_amc_describe (self, i, self->fixed + (gsize) i * PJ_AMC_FIXED);
  pj_amc_scale (self->fixed, n, PJ_AMC_FIXED);
  self->judged = pj_dataset_subset (s->dataset, count_pictures (s), 1, s->seed);
  if (!find_budget (self, error))
    return FALSE;
  self->numbers = g_new0 (double, n_numbers (self));
  pj_agent_init (&self->agent, self->numbers, PJ_AMC_STATE, 100 * n, s->seed);
  pj_agent_start (&self->agent);
  return TRUE;
}

static void
find_actions (PjAmc *self)
{
  self->actions = g_ptr_array_new ();
  for (unsigned g = 0; g < pj_groups_n (self->scoring->groups); g++) {
    const PjGroup *group = pj_groups_get (self->scoring->groups, g);
    if (group->lock_reason == NULL && (self->settings->global || self->settings->ratios[g] < 1))
      g_ptr_array_add (self->actions, (gpointer) group);
  }
}

static void
amc_clear (PjAmc *self)
{
  g_clear_pointer (&self->cost, pj_share_cost_free);
  g_clear_pointer (&self->judged, pj_dataset_unref);
  g_clear_pointer (&self->scores, pj_scores_free);
  g_ptr_array_unref (self->actions);
  g_free (self->fixed);
  g_free (self->share);
  g_free (self->numbers);
  g_free (self->best);
}

static PjCutPlan *
choose (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  PjAmc self = { .method = method, .scoring = scoring, .settings = settings };
  g_autoptr (GError) reason = NULL;
  PjCutPlan *plan = NULL;

  if (!pj_prune_settings_check (method, scoring, settings, error))
    return NULL;
  find_actions (&self);
  self.scores = pj_amc_scores (method, scoring);
  if (self.actions->len == 0)
    plan = pj_cut_plan_new ();
  else if (open_search (&self, &reason) && search (&self, &reason))
    plan = pj_amc_plan (&self, self.best);
  else if (self.keeper.data != NULL)
    pj_keeper_stopped (&self.keeper, &reason);
  if (plan != NULL && scores != NULL)
    *scores = g_steal_pointer (&self.scores);
  amc_clear (&self);
  if (plan == NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  return plan;
}

/* --- before the start --- */

static gboolean
check (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  if (!settings->global)
    return TRUE;
  if (settings->kind != PJ_BUDGET_MACS && settings->kind != PJ_BUDGET_PARAMS) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "AMC plans ahead in multiply-adds or parameters, not in %s",
                 pj_budget_kind_title (settings->kind));
    return FALSE;
  }
  g_autoptr (PjShareCost) cost = pj_share_cost_new (scoring->graph, scoring->groups, settings->kind);
  g_autofree double *share = g_new (double, pj_groups_n (scoring->groups));
  double least = settings->floor > 0 ? settings->floor : LEAST;
  for (unsigned g = 0; g < pj_groups_n (scoring->groups); g++)
    share[g] = 1;
  double whole = pj_share_cost (cost, share);
  for (unsigned g = 0; g < pj_groups_n (scoring->groups); g++)
    share[g] = pj_groups_get (scoring->groups, g)->lock_reason == NULL ? least : 1;
  double smallest = pj_share_cost (cost, share) / whole;
  if (smallest <= settings->target)
    return TRUE;
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
               "with at least %.0f %% of every layer, %.1f %% of the %s stay and the target is %.1f %%; ask for more or set a "
               "smaller floor", 100 * least, 100 * smallest, pj_budget_kind_title (settings->kind), 100 * settings->target);
  return FALSE;
}

static void
work (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, double *forward, double *trained)
{
  /* Candidates are about half as large as the network. */
  *forward = 0.5 * pj_method_value (method, settings, "episodes") * (count_pictures (scoring) + 64.0 * PJ_AMC_NORM_BATCHES);
  *trained = 0;
}

static const char *const rewards[] = { "accuracy", "accuracy-and-cost", NULL };

static const PjMethodOption options[] = {
  { "episodes", "walks through the network; published: 800", 200, 1, 100000, TRUE, NULL },
  { "warmup", "of these, the first ones at random; published: 100", 50, 0, 100000, TRUE, NULL },
  { "tile", "channel counts are rounded up to a multiple of this", 8, 1, 1024, TRUE, NULL },
  { "reward", "what the agent strives for: the accuracy under the budget, or the error weighted with the logarithm of the cost",
    0, 0, 1, TRUE, rewards },
  { NULL }
};

const PjMethod pj_method_amc = {
  .name = "amc", .title = "AutoML for model compression",
  .about = "An agent decides layer by layer how many channels stay, behind a wall that keeps the budget, and learns from the accuracy "
           "of hundreds of candidates. "
           "The channels whose weights in the next layers are smallest go.",
  .source = "He, Lin, Liu, Wang, Li, Han: AMC: AutoML for Model Compression and Acceleration on Mobile Devices, ECCV 2018",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS, .gives_scores = TRUE, .allocates = TRUE,
  .options = options, .check = check, .work = work, .choose = choose,
};
