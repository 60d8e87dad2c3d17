/* SPDX-License-Identifier: MIT */
/* Which activations are not kept for the backward pass but computed again when it needs them (Chen, Xu, Zhang,
 * Guestrin: Training Deep Nets with Sublinear Memory Cost, 2016).  Private to lowering. */
#pragma once

#include "compute/lower.h"

G_BEGIN_DECLS

/**
 * pj_recompute_choose:
 * @chains, @head_of: of pj_chains_find()
 * @open: one flag per value: values that must stay (observed, statistics, logits, given)
 * @dropped: (out caller-allocates): one flag per node: TRUE for heads of chains whose output is not kept
 *
 * PJ_RECOMPUTE_NORMS drops what norms write: their input is kept anyway, and applying them again is one pass; and every
 * other sum of a row of residual blocks, which adds one more operand to that pass.
 * PJ_RECOMPUTE_BLOCKS keeps only outputs that everything behind them goes through, about √n of n such places, evenly
 * spaced by bytes, and drops all between: one more forward pass, and memory for one block at a time.
 */
void pj_recompute_choose (const PjGraph *graph, const PjChain *chains, const int *head_of, const gboolean *open,
                          PjRecompute what, gboolean *dropped);

G_END_DECLS
