/* SPDX-License-Identifier: MIT */
/* Grouped convolutions as a plan leaves them: all groups keep as many channels, and a group may go
 * whole, with its inputs and its outputs. */
#pragma once

#include "graph/cut.h"

G_BEGIN_DECLS

/* FALSE with PJ_GRAPH_ERROR_INVALID, which names the convolution. @plan: checked group by group before. */
gboolean pj_grouped_check (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, GError **error);

/**
 * pj_grouped_drop:
 * @node: name of a grouped convolution
 * @drop: its groups that go, @n numbers from 0
 * @plan: (inout): gets the cut
 * @error: PJ_GRAPH_ERROR_INVALID for another layer or another number, PJ_GRAPH_ERROR_LOCKED
 *
 * Marks all inputs and outputs of these groups.  Where that takes all inputs or all outputs of a group of another
 * convolution, that group goes with them.
 */
gboolean pj_grouped_drop (const PjGraph *graph, const PjGroups *groups, const char *node, const int *drop, unsigned n,
                          PjCutPlan *plan, GError **error);

G_END_DECLS
