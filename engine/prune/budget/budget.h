/* SPDX-License-Identifier: MIT */
/* From scores and ratios to kept channels. */
#pragma once

#include "prune/budget/amount.h"
#include "prune/scores/scores.h"

G_BEGIN_DECLS

/* In place of a multiple, the rule of AMC's authors: C·r to the nearest whole number, halves to
 * the even one, then up to a multiple of 8, or down to one where that is more than C; C where less than 8 are there. */
#define PJ_ROUND_AMC (-8)
/* TRUE if @multiple asks for anything. */
#define PJ_ROUNDS(multiple) ((multiple) > 1 || (multiple) == PJ_ROUND_AMC)

/* K = max (1, ⌊C·r + 1e-9⌋) rounded up to @multiple (1: none; or PJ_ROUND_AMC), at most C.  0 < r <= 1. */
int pj_keep_count (int n_channels, double ratio, int multiple);

/* Marks the K highest scores; equal scores: the lower index is removed first. @keep: n bytes. */
void pj_keep_top (const double *score, int n, int k, guint8 *keep);

/* The same for one group: a group with blocks keeps pj_keep_count() of each, and @multiple is raised to a
 * multiple of their number. */
int pj_group_keep_count (const PjGroup *group, double ratio, int multiple);
/* Marks the highest scores of each block, @k in all (a multiple of the number of blocks).
 * @keep: n_channels bytes. */
void pj_group_keep_top (const PjGroup *group, const double *score, int k, guint8 *keep);

/**
 * pj_budget_local: each group keeps its own share.
 * @ratios: keep ratio by group id, pj_groups_n() values; 1 leaves a group whole
 * @multiple: see pj_group_keep_count()
 *
 * Groups that @scores refuses and whose ratio is below 1 raise PJ_PRUNE_ERROR_UNFIT, locked ones
 * PJ_PRUNE_ERROR_LOCKED, ratios outside (0, 1] PJ_PRUNE_ERROR_SETTING.  Groups that stay whole are not in
 * the plan.
 */
PjCutPlan *pj_budget_local (const PjGroups *groups, const PjScores *scores, const double *ratios,
                            int multiple, GError **error);

/**
 * PjBudget: what one budget for all groups allows.
 * @kind: what it counts
 * @target: share of the reference to keep, above 0 and at most 1
 * @floor: smallest share of a group that stays, at least one channel
 * @floor_is_passed: as CURL's authors have it: a group stops losing channels once its share is below @floor, so it may
 *   end one channel below
 * @normalise: divide each group's scores by their mean first
 * @latency: (nullable): for PJ_BUDGET_MS
 * @multiple: kept counts are rounded up to a multiple as in pj_group_keep_count(): what is removed last of a group comes
 *   back, and the budget is met with it; 0 or 1 for none; or PJ_ROUND_AMC
 */
typedef struct {
  PjBudgetKind kind;
  double target, floor;
  gboolean floor_is_passed, normalise;
  const PjLatency *latency;
  int multiple;
} PjBudget;

/* Channels of a group of @n_channels that stay whatever the budget: ⌈C·floor⌉, or ⌈C·floor⌉ − 1 if the floor is passed;
 * at least 1. */
int pj_budget_floor (const PjBudget *budget, int n_channels);

/**
 * pj_budget_spend: one ascending list of all channels, removed from the front until the budget is met,
 * found by bisection on the list position.
 * @error: PJ_PRUNE_ERROR_SETTING if floors, locks and refusals leave more than the target; the message says
 *   how much.  PJ_PRUNE_ERROR_NUMERIC.
 *
 * Groups with blocks lose one channel of each block at a time, ranked by the mean of their scores.
 * Groups that @scores refuses stay whole.  The result is the shortest prefix of the list that meets the
 * budget; each trial position costs one prediction from channel counts.
 */
PjCutPlan *pj_budget_spend (const PjGraph *graph, const PjGroups *groups, const PjScores *scores, const PjBudget *budget,
                            GError **error);

/* What the authors' program does in place of a budget: visits the @n least important channels, those of locked groups
 * included if they have scores, and removes each unless its group is locked or at its floor. */
PjCutPlan *pj_budget_visit (const PjGroups *groups, const PjScores *scores, const PjBudget *budget, unsigned n, GError **error);

/* pj_budget_spend() with an ordinary floor and without a latency table. */
PjCutPlan *pj_budget_global (const PjGraph *graph, const PjGroups *groups, const PjScores *scores,
                             PjBudgetKind kind, double target, double floor, gboolean normalise, GError **error);

G_END_DECLS
