/* SPDX-License-Identifier: MIT */
/* Widths by sensitivity: each group is masked to several widths, and all groups are cut to where they lose alike. */
#include "prune/equal-loss.h"
#include "prune/methods/methods.h"

#define IMAGES 512

static const double ratios[] = { 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1 };

static const char *const criteria[] = { "weight-sum", "bn-scale", "apoz", "taylor", "taylor-fo-bn", "kl", NULL };
static const char *const losses[] = { "kl", "accuracy", NULL };

static const PjMethodOption options[] = {
  { "by", "criterion that says which channels of a group go first", 0, 0, 5, TRUE, criteria },
  { "loss", "what is kept equal: the divergence of the output, or the accuracy that goes", 0, 0, 1, TRUE, losses },
  { NULL }
};

static const PjCriterion *
criterion_of (const PjMethod *self, const PjPruneSettings *settings)
{
  return pj_criterion_find (criteria[(int) pj_method_value (self, settings, "by")]);
}

/* Decides on training pictures: the test part judges the result. */
static PjCutPlan *
choose_widths (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, const PjScores *scores, GError **error)
{
  g_autoptr (PjLatency) latency = NULL;
  PjBudget budget;
  PjHooksSpan span;
  PjScoring part = *scoring;

  if (!pj_method_budget (scoring, settings, &budget, &latency, error))
    return NULL;
  g_autoptr (PjDataset) subset = pj_dataset_subset (scoring->dataset, scoring->n_images > 0 ? scoring->n_images : IMAGES, 0, scoring->seed);
  pj_hooks_span_init (&span, scoring->hooks, 0.2, 1, NULL);
  part.dataset = subset;
  part.hooks = &span.hooks;
  PjSweepOptions sweep_options = {
    .criterion = criterion_of (self, settings), .ratios = ratios, .n_ratios = G_N_ELEMENTS (ratios), .on_training_part = TRUE,
  };
  g_autoptr (PjSweep) sweep = pj_sweep (&part, &sweep_options, NULL, NULL, error);
  if (sweep == NULL)
    return NULL;
  PjLossKind kind = pj_method_value (self, settings, "loss") == 1 ? PJ_LOSS_TOP1 : PJ_LOSS_KL;
  return pj_equal_loss_spend (scoring->graph, scoring->groups, scores, sweep, kind, &budget, NULL, error);
}

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  PjScoring first = *scoring;
  PjHooksSpan span;

  pj_hooks_span_init (&span, scoring->hooks, 0, settings->global ? 0.2 : 1, NULL);
  first.hooks = &span.hooks;
  g_autoptr (PjScores) measured = pj_criterion_score (criterion_of (self, settings), &first, error);
  if (measured == NULL)
    return NULL;
  PjCutPlan *plan = settings->global ? choose_widths (self, scoring, settings, measured, error)
                                     : pj_method_spend (self, scoring, settings, measured, error);
  if (plan != NULL && scores != NULL)
    *scores = g_steal_pointer (&measured);
  return plan;
}

/* The criterion must be able to judge what is to be cut: a group at least, or all that a person names. */
static gboolean
check (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  const PjCriterion *criterion = criterion_of (self, settings);
  g_autoptr (GError) first = NULL;
  unsigned n_fit = 0;

  for (unsigned i = 0; criterion->fit != NULL && i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    g_autoptr (GError) reason = NULL;
    if (group->lock_reason != NULL || (settings->ratios != NULL && settings->ratios[i] == 1))
      continue;
    if (criterion->fit (scoring, group, &reason))
      n_fit++;
    else if (first == NULL)
      first = g_steal_pointer (&reason);
  }
  if (first == NULL || (settings->global && n_fit > 0))
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&first), "%s: ", criterion->title);
  return FALSE;
}

const PjMethod pj_method_equal_loss = {
  .name = "equal-loss", .title = "Equal loss",
  .about = "Measures what each group loses at several widths, and cuts all groups to where they lose alike, so that robust layers "
           "give the most. "
           "It decides widths under a budget; a criterion decides which channels go.",
  .source = "the rule of FastNAS (NVIDIA Model Optimizer), AIMET and PaddleSlim",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS, .gives_scores = TRUE, .allocates = TRUE,
  .options = options, .check = check, .judge = criterion_of, .choose = choose,
};
