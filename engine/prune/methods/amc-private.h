/* SPDX-License-Identifier: MIT */
/* What AMC's parts share: the search, and one episode of it. */
#pragma once

#include "prune/search/amc.h"
#include "prune/search/ddpg.h"
#include "prune/method.h"
#include "prune/budget/share-cost.h"

G_BEGIN_DECLS

/* Batches that measure the norms of a candidate. */
#define PJ_AMC_NORM_BATCHES 4

/* @actions: groups in the order of decisions; @fixed: their own numbers, scaled; @share: by group id, of the episode that
 * runs; @best: channels kept by action; @numbers: the agent's */
typedef struct {
  const PjMethod *method;
  const PjScoring *scoring;
  const PjPruneSettings *settings;
  PjShareCost *cost;
  PjDataset *judged;
  GPtrArray *actions;
  PjScores *scores;
  double *fixed, *share, *numbers;
  int *best;
  double budget, whole, least, best_reward;
  PjAgent agent;
  unsigned episode, n_episodes, warmup;
  int tile;
  gboolean free_cost;
  PjKeeper keeper;
} PjAmc;

/* Σ|W[·,c]| over the layers that read each group: what AMC keeps channels by. (transfer full) */
PjScores *pj_amc_scores (const PjMethod *method, const PjScoring *scoring);
/* The layer that reads the group of action @i first, as the agent sees it: PJ_AMC_FIXED numbers. */
void pj_amc_describe (const PjAmc *self, unsigned i, double *row);
/* Keeps @kept channels of the groups, by action. (transfer full) */
PjCutPlan *pj_amc_plan (const PjAmc *self, const int *kept);
/* What a budget counts, exact. */
gboolean pj_amc_amount (const PjAmc *self, const PjCutPlan *plan, double *amount, GError **error);
/* One walk through the layers, its judgement, and what the agent learns from it. */
gboolean pj_amc_episode (PjAmc *self, GError **error);

G_END_DECLS
