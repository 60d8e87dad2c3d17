/* SPDX-License-Identifier: MIT */
/* The layers that read a group get new weights once it is known what stays: the last step of Channel-Pruning. */
#pragma once

#include "prune/scores/calibration.h"
#include "prune/reconstruct/reader.h"

G_BEGIN_DECLS

/* TRUE if all @readers (element-type PjReader) can be refitted: grouped convolutions and shared weights cannot. */
gboolean pj_channel_refit_fits (const PjGraph *graph, const GPtrArray *readers);

/**
 * pj_channel_refit:
 * @reference: the network whose outputs are to be met: the original one, or with training between the layers @cut itself
 * @cut: the network as cut so far, this group whole, which the readers follow (pj_reader_follow())
 * @source: parameters so far, in the structure of the original network scoring->graph
 * @keep: channels of the group that stay
 *
 * Outputs are taken before the bias; inputs are those of @cut at the same places.
 * Where the layer has a bias, an intercept goes into it.
 *
 * Returns: (transfer full): @source with new weights of the readers at the inputs that stay
 */
PjGraph *pj_channel_refit (const PjScoring *scoring, PjCalibration *pictures, PjGraph *reference, PjGraph *cut,
                           const PjGraph *source, const GPtrArray *readers, const guint8 *keep, const PjHooks *hooks,
                           GError **error);

G_END_DECLS
