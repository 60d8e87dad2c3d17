/* SPDX-License-Identifier: MIT */
/* Batch norms that an exporter folded away, put back as norms that change nothing: scoring by norm scales,
 * measuring norms again after a cut and fine-tuning then work as on the network that was trained.
 *
 * Such a norm has the statistics of its convolution's outputs, γ = √(σ² + ε) and β = μ, so that y = x.  It is
 * known by its name, which travels in files and sessions; exporting folds it away again. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

#define PJ_INSERTED_NORM "_inserted_norm"      /* how the node's name ends */

/* Convolutions that have no norm, and could have one that can be folded again: nodes, ascending.
 * (transfer full) (element-type int) */
GArray *pj_norms_missing (const PjGraph *graph);

/**
 * pj_norms_insert:
 * @nodes: of pj_norms_missing(), all or some of them, ascending
 * @mean, @var: for each of them, as many numbers as it has output channels
 *
 * Returns: (transfer full): a network that computes the same, to rounding; NULL with PJ_ERROR_NO_MEMORY
 */
PjGraph *pj_norms_insert (const PjGraph *graph, const int *nodes, const double *const *mean, const double *const *var,
                          unsigned n_nodes, GError **error);

/* Folds the norms that were inserted into their convolutions, and no others; @graph itself if there are none.
 * (transfer full) */
PjGraph *pj_norms_fold_inserted (PjGraph *graph, GError **error);

G_END_DECLS
