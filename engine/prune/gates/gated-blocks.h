/* SPDX-License-Identifier: MIT */
/* A network with a gate behind the branch of every residual block (see prune/gates/block-gates.h for the picture): built from the
 * plain one, and turned back into it. */
#pragma once

#include "compute/params.h"
#include "graph/parts.h"

G_BEGIN_DECLS

/* One block: its gate in the gated network, and the parameters that steer it; see ops/code.c. */
typedef struct {
  const PjPart *part;
  int code, alpha, target, pull;
} PjGatedBlock;

/**
 * PjGatedBlocks:
 * @plain: not owned; its parts neither
 * @value_of: by value of @plain, the same parameter in @graph, or -1
 */
typedef struct {
  const PjGraph *plain;
  PjGraph *graph;
  int *value_of;
  PjGatedBlock *blocks;
  unsigned n;
} PjGatedBlocks;

/* Blocks that can be removed whole. */
unsigned pj_gated_blocks_count (const PjParts *parts);

/* Gates begin at σ(2) = 0.88 under @alpha. */
PjGatedBlocks *pj_gated_blocks_new (const PjGraph *plain, const PjParts *parts, double alpha, uint64_t seed, GError **error);
void pj_gated_blocks_free (PjGatedBlocks *self);

/* The network without gates, with what @params learnt. (transfer full) */
PjGraph *pj_gated_blocks_plain (const PjGatedBlocks *self, PjParams *params, GError **error);

/* A gate becomes a factor of the last layer of its branch in @graph: scale and shift of a norm, weights and bias of others. */
gboolean pj_gated_block_absorb (PjGraph *graph, const PjPart *part, float gate, GError **error);

G_END_DECLS
