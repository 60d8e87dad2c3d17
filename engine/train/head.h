/* SPDX-License-Identifier: MIT */
/* Transfer: a network for another set of classes. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/**
 * pj_graph_with_head:
 * @n_classes: at least 2
 * @seed: of the new weights
 * @error: PJ_ERROR_UNSUPPORTED if the class scores do not come from a fully connected layer
 *
 * The same network with a new last layer: normal weights of deviation 0.01, biases 0.  All other
 * weights are shared.
 *
 * Returns: (transfer full)
 */
PjGraph *pj_graph_with_head (const PjGraph *graph, unsigned n_classes, uint64_t seed, GError **error);

G_END_DECLS
