/* SPDX-License-Identifier: MIT */
/* The same loss everywhere: every group gives up as many channels as it can for one tolerated loss, measured group by
 * group, and the loss is raised until the budget is met.  The rule that FastNAS, AIMET and PaddleSlim agree on. */
#pragma once

#include "prune/budget/budget.h"
#include "prune/search/sweep.h"

G_BEGIN_DECLS

/**
 * PjLossKind:
 * @PJ_LOSS_KL: how far the output moves
 * @PJ_LOSS_TOP1: accuracy that goes, 0 … 1
 */
typedef enum { PJ_LOSS_KL, PJ_LOSS_TOP1 } PjLossKind;

/* The loss of @group with @n_kept channels: the sweep's points joined by straight lines, 0 for the whole group, and never
 * falling as channels go. */
double pj_equal_loss_at (const PjSweep *sweep, const PjGroupSweep *group, PjLossKind kind, int n_kept);

/**
 * pj_equal_loss_spend:
 * @scores: which channels of a group go first
 * @sweep: what each group loses; groups that it does not have stay whole, and no group goes below its narrowest point
 * @loss: (out) (optional): the loss that was tolerated
 * @error: as pj_budget_spend()
 */
PjCutPlan *pj_equal_loss_spend (const PjGraph *graph, const PjGroups *groups, const PjScores *scores, const PjSweep *sweep,
                                PjLossKind kind, const PjBudget *budget, double *loss, GError **error);

G_END_DECLS
