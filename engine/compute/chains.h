/* SPDX-License-Identifier: MIT */
/* Finds the chains of a network: which nodes one kernel call absorbs.  See lower.h. */
#pragma once

#include "compute/lower.h"

G_BEGIN_DECLS

/* TRUE for a ReLU and, with @clips, for a Clip from 0; @ceiling gets its upper bound, or 0 for none. */
gboolean pj_is_rectifier (const PjNode *node, gboolean clips, float *ceiling);

/**
 * pj_chains_find:
 * @needed: one flag per node: nodes that are not needed are in no chain
 * @open: one flag per value: values that must exist on their own (observed, statistics, logits)
 * @gated: one flag per value: values that have a gate
 * @fold: norms have stored statistics and there is no backward pass: fold them
 * @chains: (out caller-allocates): one per node; valid for heads
 * @head_of: (out caller-allocates): head of the chain that each node belongs to, -1 if not needed
 */
void pj_chains_find (const PjGraph *graph, const gboolean *needed, const gboolean *open,
                     const gboolean *gated, gboolean fold, PjChain *chains, int *head_of);

G_END_DECLS
