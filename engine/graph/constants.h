/* SPDX-License-Identifier: MIT */
/* Channels that are the same for every picture: a norm with γ = 0 or a filter of zeros leaves
 * nothing but a number behind.  Removing such a channel need not change anything: what it adds to the layers that read
 * it is a constant, too, and belongs into their bias. */
#pragma once

#include "graph/cut.h"

G_BEGIN_DECLS

/**
 * PjConstants: removed channels that are constant and not 0.
 * @n_exact: their readers take over what they contributed, to rounding
 * @n_padded: a reader pads with zeros, so that the channel is not constant at its borders: with the constant in the bias
 *   the inner part of the maps is right, and the borders differ
 * @n_left: a reader has neither a bias nor a norm of its own, or is no convolution or fully connected layer
 */
typedef struct {
  unsigned n_exact, n_padded, n_left;
} PjConstants;

/**
 * pj_constants_fold:
 * @plan: what is removed; it receives weights (pj_cut_plan_set_weights()) if there is something to take over
 * @padded: take over what @n_padded counts, too: an approximation
 * @result: (out): what was found
 * @error: PJ_ERROR_NO_MEMORY
 *
 * The bias of a reader, or the mean of the norm behind it, moves by Σ v·ΣW.  The shape of the network stays as it is, and
 * so does what is kept.  Constants are followed through norms, activations, pooling, sums, concatenation and flattening.
 */
gboolean pj_constants_fold (const PjGraph *graph, const PjGroups *groups, PjCutPlan *plan, gboolean padded,
                            PjConstants *result, GError **error);

G_END_DECLS
