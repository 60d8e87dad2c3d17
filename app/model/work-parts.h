/* SPDX-License-Identifier: MIT */
/* Jobs that judge and remove whole branches and layers: kinds "judge-parts", "remove-parts", "gate-blocks". */
#pragma once

#include "graph/parts.h"
#include "model/work.h"

G_BEGIN_DECLS

/**
 * pj_work_judge_parts:
 * @n_images: calibration pictures, 0 for the default
 * @scores: (out caller-allocates): by part id, see pj_parts_score()
 */
gboolean pj_work_judge_parts (const PjWork *work, const PjParts *parts, PjPartKind kind, unsigned n_images, uint64_t seed,
                              double *scores, PjWorkDone *done, GError **error);

/* Marks the @n parts of @kind whose removal moves the answers least; @scores: of pj_work_judge_parts(). FALSE with
 * PJ_ERROR_INVALID if there are not so many. */
gboolean pj_work_weakest_parts (const PjParts *parts, PjPartKind kind, const double *scores, unsigned n, guint8 *removed,
                                GError **error);

/* Marks the parts of @kind that are called by NULL-terminated @names. PJ_ERROR_INVALID for a name that is none,
 * PJ_GRAPH_ERROR_LOCKED. */
gboolean pj_work_named_parts (const PjParts *parts, PjPartKind kind, const char *const *names, guint8 *removed, GError **error);

/**
 * pj_work_remove_parts:
 * @removed: by part id, 1 for what goes
 * @base_accuracy: (nullable): as for pj_work_cut()
 *
 * Removes them and notes in the network where it came from.  Makes PJ_STEP_CUT. (transfer full)
 */
PjGraph *pj_work_remove_parts (const PjWork *work, const PjParts *parts, const guint8 *removed, uint64_t seed,
                               const char *base_accuracy, PjWorkDone *done, GError **error);

/**
 * pj_work_gate_blocks:
 * @keep: share of the residual blocks to keep, above 0 and below 1
 * @set: (nullable): settings of the method autopruner, "name=value" each
 * @n_images: training pictures, 0 for all
 * @base_accuracy: (nullable): as for pj_work_cut()
 *
 * Trains a gate for every block with the network (prune/gates/block-gates.h) and removes the blocks whose gate closed.  Makes
 * PJ_STEP_CUT.  Goes on from its checkpoint, as other long jobs do. (transfer full)
 */
PjGraph *pj_work_gate_blocks (const PjWork *work, double keep, const char *const *set, unsigned n_images, uint64_t seed,
                              const char *base_accuracy, PjWorkDone *done, GError **error);
/* Refuses what the job would refuse before it trains anything; the device may be NULL. */
gboolean pj_work_gate_blocks_check (const PjWork *work, double keep, const char *const *set, unsigned n_images, GError **error);
/* Seconds that it is going to take; refuses the same. */
gboolean pj_work_gate_blocks_estimate (const PjWork *work, double keep, const char *const *set, unsigned n_images,
                                       double *seconds, GError **error);

G_END_DECLS
