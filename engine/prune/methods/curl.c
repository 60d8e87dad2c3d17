/* SPDX-License-Identifier: MIT */
/* CURL: residual streams and inner widths judged together, by how far the output moves without a channel, and cut from
 * one list until the budget is met.  What belongs to it after cutting, mixup with
 * distillation and label refinement, are trainings: pj_train_options_curl_a() and _b(). */
#include "prune/methods/methods.h"

/* Of a group, where nobody says otherwise. */
#define FLOOR 0.3

static const char *const directions[] = { "forward", "reverse", NULL };

static const PjMethodOption options[] = {
  { "direction", "of the divergence: forward as the paper writes it, reverse as the authors' program", 0, 0, 1, TRUE, directions },
  { NULL }
};

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  gboolean reverse = pj_method_value (self, settings, "direction") == 1;
  PjScoring alive = *scoring;
  alive.life = settings->life;
  g_autoptr (PjScores) measured = pj_criterion_score (pj_criterion_find (reverse ? "kl-reverse" : "kl"), &alive, error);
  g_autoptr (PjLatency) latency = NULL;
  PjCutPlan *plan = NULL;
  PjBudget budget;

  if (measured == NULL)
    return NULL;
  if (!settings->global) {
    plan = pj_budget_local (scoring->groups, measured, settings->ratios, settings->multiple, error);
  } else if (pj_method_budget (scoring, settings, &budget, &latency, error)) {
    budget.floor_is_passed = settings->floor == 0;
    budget.floor = settings->floor > 0 ? settings->floor : FLOOR;
    g_autoptr (PjScores) own = pj_scores_copy (measured);
    pj_widths_scores (settings->widths, scoring->graph, scoring->groups, FALSE, own);
    plan = pj_budget_spend (scoring->graph, scoring->groups, own, &budget, error);
  }
  if (plan != NULL && scores != NULL)
    *scores = g_steal_pointer (&measured);
  return plan;
}

const PjMethod pj_method_curl = {
  .name = "curl", .title = "CURL",
  .about = "Takes the channels whose absence moves the network's answers least, from residual streams and inner layers alike, "
           "until the budget is met; no group falls far below 30 %. "
           "It is made for a budget of multiply-adds, and for fine-tuning with a teacher and refined labels.",
  .source = "Luo, Wu: Neural Network Pruning with Residual-Connections and Limited-Data, CVPR 2020",
  .needs = PJ_NEEDS_IMAGES, .gives_scores = TRUE, .allocates = TRUE,
  .options = options, .choose = choose,
};
