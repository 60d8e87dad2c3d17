/* SPDX-License-Identifier: MIT */
/* A cut seen through gates: the masked network, which computes what the cut one will. */
#pragma once

#include "compute/plan.h"
#include "graph/cut.h"
#include "graph/groups.h"

G_BEGIN_DECLS

/* Values that need a gate, ascending, for PjPlanOptions: the mask points of the groups that @masks cuts, or
 * of all unlocked groups if it is NULL. (transfer container) (element-type int) */
GArray *pj_masks_gated (const PjGroups *groups, const PjCutPlan *masks);

/* Writes all gates of @gated: 0 for removed channels, 1 for the rest; @masks NULL opens them all. */
gboolean pj_masks_apply (PjPlan *plan, const PjGraph *graph, const PjGroups *groups, const GArray *gated,
                         const PjCutPlan *masks, GError **error);

/* @graph, or the network with other weights that @masks has, with the factors of @masks multiplied into the consumers and nothing removed: same structure.
 * Returns: (transfer full): @graph itself, referenced, if there are neither */
PjGraph *pj_masks_scaled (PjGraph *graph, const PjGroups *groups, const PjCutPlan *masks, GError **error);

G_END_DECLS
