/* SPDX-License-Identifier: MIT */
/* Surgery: turns kept-channel lists into a really smaller graph. */
#pragma once

#include <glib.h>

#include "graph/graph.h"
#include "graph/groups.h"

G_BEGIN_DECLS

/**
 * PjCutPlan: what a scorer hands to the cutter, for one graph.
 *
 * For each group a mask of C bytes (1 keeps), and optionally a factor per channel that multiplies
 * the group's consumers' input weights (ThiNet's least squares, AutoPruner's codes).
 *
 * A method that changes weights (refits a consumer, trains while it chooses) puts the network with its new weights into
 * the plan: the cut then gathers from that one.
 */
typedef struct {
  int group;              /* group id */
  int n_channels;
  guint8 *keep;           /* n_channels */
  float *scale;           /* (nullable): n_channels factors on the inputs of the consumers */
} PjGroupCut;

typedef struct {
  gatomicrefcount ref;
  unsigned n_cuts;
  PjGroupCut *cuts;       /* ascending by group; groups that are not named stay whole */
  PjGraph *weights;       /* (nullable): the same structure with other parameters */
} PjCutPlan;

PjCutPlan *pj_cut_plan_new (void);
PjCutPlan *pj_cut_plan_ref (PjCutPlan *self);
void pj_cut_plan_unref (PjCutPlan *self);
PjCutPlan *pj_cut_plan_copy (const PjCutPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjCutPlan, pj_cut_plan_unref)

/* Sets the cut of one group, copying @keep and @scale (nullable); replaces an earlier one. */
void pj_cut_plan_set (PjCutPlan *self, const PjGroup *group, const guint8 *keep, const float *scale);
/* Sets the network whose parameters are cut instead of the reference's; it has the same nodes and shapes. NULL: none. */
void pj_cut_plan_set_weights (PjCutPlan *self, PjGraph *weights);
/* The network that a cut of @graph gathers from: the plan's own or @graph. */
const PjGraph *pj_cut_plan_source (const PjCutPlan *self, const PjGraph *graph);
/* Removes the cut of one group. */
void pj_cut_plan_unset (PjCutPlan *self, int group);
/* The cut of a group, or NULL. */
const PjGroupCut *pj_cut_plan_get (const PjCutPlan *self, int group);
/* Channels kept of a group; C if the plan does not name it. */
int pj_cut_plan_n_kept (const PjCutPlan *self, const PjGroup *group);

/**
 * pj_cut:
 * @graph: the reference
 * @groups: its groups
 * @plan: what to keep
 * @error: PJ_GRAPH_ERROR_LOCKED, PJ_GRAPH_ERROR_INVALID, PJ_ERROR_NO_MEMORY
 *
 * Validates @plan, then gathers every member axis and infers all shapes again.  Parameters that do not
 * change are shared.  The result computes what @graph computes with the removed channels multiplied by 0
 * at every mask point, to rounding; kept factors are multiplied into the consumers' weights.
 *
 * The groups of a grouped convolution keep as many channels each, or none: a group of which neither inputs nor outputs
 * stay goes whole, and the convolution has one group less.
 *
 * Returns: (transfer full): the smaller graph
 */
PjGraph *pj_cut (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, GError **error);

/**
 * pj_cut_put_back:
 * @small: what pj_cut() made of the same @graph and @plan, with parameters that changed since
 *
 * The way back: @graph with the parameters of @small where they came from, factors of @plan included, which must not be
 * applied again.  What was removed keeps its old parameters.  A later cut of the result with the same masks and no
 * factors is @small. (transfer full)
 */
PjGraph *pj_cut_put_back (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, const PjGraph *small,
                          GError **error);

/* The cost that pj_cut() would give, from channel counts alone: exact, no tensor is touched. */
gboolean pj_cut_predict_cost (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan,
                              PjCost *cost, GError **error);

/* What pj_cut() would give, with exact shapes and parameters without data: only shapes and costs may be
 * asked of it. For the cost of single nodes. (transfer full) */
PjGraph *pj_cut_outline (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, GError **error);

/**
 * pj_cut_permute:
 * @order: for each group channel the old channel that takes its place
 *
 * Reorders a group's channels everywhere.  Outputs must not change: the test that a group is complete.
 * Channels stay in their block (PjGroup.block); an order that moves one to another is PJ_GRAPH_ERROR_INVALID.
 */
PjGraph *pj_cut_permute (const PjGraph *graph, const PjGroups *groups, int group, const int *order, GError **error);

/* Folds every norm that follows a conv or fc with no other reader into it.
 * For export and speed measurement only. (transfer full) */
PjGraph *pj_fold_norms (const PjGraph *graph, GError **error);
/* The same for the norms that @wanted says TRUE of. */
PjGraph *pj_fold_norms_if (const PjGraph *graph, gboolean (*wanted) (const PjNode *norm), GError **error);

G_END_DECLS
