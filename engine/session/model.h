/* SPDX-License-Identifier: MIT */
/* The graph side of the session: networks, cuts, scores and comparison rows go in and come out.
 *
 * Records name groups, never number them: a name outlives the analysis of a graph, an id does not. */
#pragma once

#include "graph/cut.h"
#include "graph/graph.h"
#include "graph/groups.h"
#include "prune/compare/compare.h"
#include "prune/scores/scores.h"
#include "session/session.h"

G_BEGIN_DECLS

/**
 * pj_session_put_graph:
 * @graph: a network; its name, notes and the names of values and nodes are kept
 * @error: PJ_STORE_ERROR, PJ_ONNX_ERROR
 *
 * Stores the weights that are not there yet, then the network.  Weights without a step are removed when
 * the session is opened the next time: add the step right after.
 *
 * Returns: id of the model, the same as before for the same network; 0 with @error set
 */
int64_t pj_session_put_graph (PjSession *self, PjGraph *graph, GError **error);

/* (transfer full): the network of a model, or NULL. PJ_STORE_ERROR_DAMAGED … */
PjGraph *pj_session_get_graph (PjSession *self, int64_t model, GError **error);

/**
 * pj_stored_cuts_new:
 * @plan: (nullable): what is cut; groups that it does not name are whole
 * @ratios: (nullable): keep ratio that was asked for, by group id; NULL takes kept/C
 *
 * Groups that are whole and whose ratio is 1 are left out.
 *
 * Returns: (transfer full) (element-type PjStoredCut)
 */
GPtrArray *pj_stored_cuts_new (const PjGroups *groups, const PjCutPlan *plan, const double *ratios);

/**
 * pj_stored_cuts_to_plan:
 * @cuts: (element-type PjStoredCut)
 * @ratios: (out caller-allocates) (nullable): pj_groups_n() values; 1 for groups without a record
 * @error: PJ_STORE_ERROR_DAMAGED if a record does not fit @groups
 *
 * Returns: (transfer full): the plan; whole groups are not in it
 */
PjCutPlan *pj_stored_cuts_to_plan (const PjGroups *groups, const GPtrArray *cuts, double *ratios, GError **error);

/* (transfer full) (element-type PjStoredScore). @scores may be NULL: an empty list. */
GPtrArray *pj_stored_scores_new (const PjGroups *groups, const PjScores *scores);

/**
 * pj_stored_scores_to_scores:
 * @stored: (element-type PjStoredScore)
 * @error: PJ_STORE_ERROR_DAMAGED if a record does not fit @groups
 *
 * Returns: (transfer full): ascending by group id
 */
PjScores *pj_stored_scores_to_scores (const PjGroups *groups, const GPtrArray *stored, const char *criterion,
                                      uint64_t seed, unsigned n_images, GError **error);

/* Stores and reads the scores of a model. Getting: NULL without error if there are none. */
gboolean pj_session_put_graph_scores (PjSession *self, int64_t model, const PjGroups *groups, const PjScores *scores,
                                      GError **error);
PjScores *pj_session_get_graph_scores (PjSession *self, int64_t model, const PjGroups *groups, const char *criterion,
                                       GError **error);

/* @n_test: of the comparison, the length of the row's answers. (transfer full) */
PjComparisonRowRecord *pj_compare_row_to_record (const PjGroups *groups, const PjCompareRow *row, unsigned n_test);
/* (transfer full): a row for pj_compare_row_free(); its cost has only MACs and learnable parameters. */
PjCompareRow *pj_compare_row_from_record (const PjGroups *groups, const PjComparisonRowRecord *record, GError **error);
G_END_DECLS
