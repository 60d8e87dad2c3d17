/* SPDX-License-Identifier: MIT */
/* Judging whole branches and layers: how far the answers of the network move without one of them. */
#pragma once

#include "graph/parts.h"
#include "prune/criterion.h"

G_BEGIN_DECLS

/**
 * pj_parts_score:
 * @scoring: needs pictures; labels are not looked at
 * @kind: parts of this kind are judged
 * @scores: (out caller-allocates): by part id: D_KL (p ‖ q), p the answers of the whole network, q those without the part,
 *   mean over the pictures; -1 for parts that are locked or of another kind
 * @n_images: (out) (optional): pictures used; the default is PJ_DEFAULT_KL_IMAGES
 * @error: PJ_PRUNE_ERROR_SETTING without data, PJ_PRUNE_ERROR_NUMERIC if an answer is not a number
 *
 * One pass over the pictures for the whole network and one for each part.  Cancel is polled once per batch.
 */
gboolean pj_parts_score (const PjScoring *scoring, const PjParts *parts, PjPartKind kind, double *scores,
                         unsigned *n_images, GError **error);

G_END_DECLS
