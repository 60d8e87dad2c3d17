/* SPDX-License-Identifier: MIT */
/* What a budget counts. */
#pragma once

#include "graph/cut.h"
#include "prune/budget/latency.h"

G_BEGIN_DECLS

/**
 * PjBudgetKind:
 * @PJ_BUDGET_CHANNELS: channels of all groups that are not locked
 * @PJ_BUDGET_MACS: multiply-adds
 * @PJ_BUDGET_PARAMS: learnable parameters
 * @PJ_BUDGET_MEMORY: bytes of one picture's pass: parameters, and the most that is alive at once of the activations
 * @PJ_BUDGET_MS: predicted milliseconds of one picture, see PjLatency
 */
typedef enum {
  PJ_BUDGET_CHANNELS, PJ_BUDGET_MACS, PJ_BUDGET_PARAMS, PJ_BUDGET_MEMORY, PJ_BUDGET_MS, PJ_N_BUDGETS
} PjBudgetKind;

/* "multiply-adds", "predicted milliseconds". */
const char *pj_budget_kind_title (PjBudgetKind kind);

/* @plan: (nullable): NULL counts the whole network. @latency: (nullable): needed for PJ_BUDGET_MS alone.
 * No tensor is touched. */
gboolean pj_budget_amount (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, PjBudgetKind kind,
                           const PjLatency *latency, double *amount, GError **error);

/* The most bytes of activations that are alive at once, nodes one after the other; a value lives until its last reader. */
size_t pj_graph_peak_bytes (const PjGraph *graph);

G_END_DECLS
