/* SPDX-License-Identifier: MIT */
/* AutoPruner for whole residual blocks (Luo, Wu: AutoPruner, 2018):
 *
 *   x ─┬─ branch F ─┬─────────── × ─ add ─ ReLU      y = x + v·F (x), one v for each block
 *      │            └─ code ─ v ─┘    │              v = σ(α·(w · maxpool (F) + b)) of the mean picture
 *      └──────────────────────────────┘
 *
 * The gates of all B blocks are trained together with the network under λ·(Σv/B − r)².  Only the layer is published; what
 * steers it is ours, because blocks are few: a step of one gate moves the rate by 1/B.  α begins so that logits can reach 0
 * in the steps there are, and rises evenly to its end (100) except in windows whose mean gate is half a block or more away
 * from r; such a window adds 10 to λ.  Blocks whose gate is closed in the end go, their shortcut stays. */
#pragma once

#include "graph/parts.h"
#include "prune/method.h"

G_BEGIN_DECLS

/**
 * pj_block_gates_check:
 * @keep: share of the blocks to keep, above 0 and below 1
 * @values: (nullable): settings of the method autopruner, pj_method_values()
 *
 * Refuses what cannot be done, before any work: PJ_PRUNE_ERROR_SETTING, PJ_PRUNE_ERROR_UNFIT, PJ_DATA_ERROR_MISMATCH.
 */
gboolean pj_block_gates_check (const PjScoring *scoring, const PjParts *parts, double keep, const double *values, GError **error);

/* Pictures that are trained on, each as often as there are epochs. */
double pj_block_gates_work (const PjScoring *scoring, const double *values);

/**
 * pj_block_gates:
 * @scoring: pictures with labels; groups of the network
 * @life: (nullable): as for methods; of the commands only PJ_COMMAND_FINISH
 * @removed: (out caller-allocates): by part id, 1 for blocks whose gate is closed; at least one block stays
 *
 * @error: PJ_PRUNE_ERROR_UNFIT if no gate closed, beside what the check refuses
 *
 * Trains; removes nothing.  Seeded, resumable bit for bit, cancelled at batch borders.  The curves are "alpha blocks",
 * "lambda blocks", "rate blocks", "target blocks" and one "gate NAME" for each block.
 *
 * Returns: (transfer full): the network as learnt, open gates as factors in the last layer of their branches
 */
PjGraph *pj_block_gates (const PjScoring *scoring, const PjParts *parts, double keep, const double *values,
                         const PjMethodLife *life, guint8 *removed, GError **error);

G_END_DECLS
