/* SPDX-License-Identifier: MIT */
/* ThiNet-GAP: a classifier of fully connected layers, which holds most of the parameters, becomes a
 * global average over the last maps and one small layer. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/**
 * pj_graph_with_gap:
 * @seed: of the new layer's weights, normal with He's deviation
 * @error: PJ_GRAPH_ERROR_INVALID if there is no such classifier, or nothing would change
 *
 * Everything from where maps become a vector to the class scores goes, and a pooling right before it: the new average sees
 * the maps as the last non-linearity leaves them.  The new layer knows nothing: train it.  (transfer full)
 */
PjGraph *pj_graph_with_gap (const PjGraph *graph, uint64_t seed, GError **error);

G_END_DECLS
