/* SPDX-License-Identifier: MIT */
/* A walk over the layers as bytes, for checkpoints: the groups that are decided, and the weights by then. */
#pragma once

#include "prune/method.h"

G_BEGIN_DECLS

/* The first @n_done groups of @scores are decided in @plan. */
GBytes *pj_layerwise_save (const PjScoring *scoring, const PjCutPlan *plan, const PjScores *scores, unsigned n_done,
                           GError **error);
/* Fills @plan and the scores of the groups that are decided. PJ_ERROR_INVALID if @state belongs to something else. */
gboolean pj_layerwise_restore (GBytes *state, const PjScoring *scoring, PjCutPlan *plan, PjScores *scores, unsigned *n_done,
                               GError **error);

G_END_DECLS
