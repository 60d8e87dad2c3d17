/* SPDX-License-Identifier: MIT */
/* Parts of a network that can be removed whole: cuts of their own, beside those of channels.
 *
 *   branch   the long way of a residual block: what is left is the shortcut, with its projection if it has one
 *   layer    a convolution or fully connected layer whose output has the shape of its input, with the norm that alone
 *            reads it: what is left is the identity
 *
 * A non-linearity that would follow itself is removed, too: ReLU of a ReLU is the same number. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

typedef enum { PJ_PART_BRANCH, PJ_PART_LAYER } PjPartKind;

/**
 * PjPart:
 * @name: unique; of a branch what the names of its layers begin with ("stage2.block3") or else the name of its add, of a
 *   layer the name of its node
 * @nodes: what goes, ascending (element-type int)
 * @output: value that goes with them; its readers read @input instead
 * @result: the value that would have to be 0 (branch) or equal @input (layer) for the same outputs
 * @lock_reason: (nullable): why it cannot be removed, as a sentence fragment
 */
typedef struct {
  int id;
  PjPartKind kind;
  char *name;
  GArray *nodes;
  int input, output, result;
  char *lock_reason;
} PjPart;

typedef struct _PjParts PjParts;

/* All branches and layers, in the order of their last nodes. Deterministic. (transfer full) */
PjParts *pj_parts_new (const PjGraph *graph);
void pj_parts_free (PjParts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjParts, pj_parts_free)

unsigned pj_parts_n (const PjParts *self);
const PjPart *pj_parts_get (const PjParts *self, unsigned i);
/* By its name, or a branch by the name of its add; NULL if there is none. */
const PjPart *pj_parts_find (const PjParts *self, const char *name);
/* MACs and learnable parameters of what goes. */
void pj_part_cost (const PjGraph *graph, const PjPart *part, PjCost *cost);

/**
 * pj_parts_remove:
 * @removed: pj_parts_n() bytes, 1 for what goes
 * @error: PJ_GRAPH_ERROR_LOCKED, PJ_GRAPH_ERROR_SHAPE
 *
 * Returns: (transfer full): a network without them, that shares all other parameters
 */
PjGraph *pj_parts_remove (const PjGraph *graph, const PjParts *parts, const guint8 *removed, GError **error);

/**
 * pj_parts_silence:
 *
 * The reference for pj_parts_remove(): all layers stay, a removed branch is multiplied by 0, and a removed layer becomes
 * an identity.  Both compute the same.
 */
PjGraph *pj_parts_silence (const PjGraph *graph, const PjParts *parts, const guint8 *removed, GError **error);

G_END_DECLS
