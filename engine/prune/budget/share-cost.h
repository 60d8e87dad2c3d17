/* SPDX-License-Identifier: MIT */
/* What a network would cost if each group kept a share of its channels: multiply-adds or weights as a function of shares
 * that need not be whole channels.  For searches; the exact cost of whole channels is pj_cut_predict_cost(). */
#pragma once

#include "prune/budget/amount.h"

G_BEGIN_DECLS

typedef struct _PjShareCost PjShareCost;

/* @kind: PJ_BUDGET_MACS or PJ_BUDGET_PARAMS. (transfer full) */
PjShareCost *pj_share_cost_new (const PjGraph *graph, const PjGroups *groups, PjBudgetKind kind);
void pj_share_cost_free (PjShareCost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjShareCost, pj_share_cost_free)

/* @share: by group id */
double pj_share_cost (const PjShareCost *self, const double *share);

G_END_DECLS
