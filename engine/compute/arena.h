/* SPDX-License-Identifier: MIT */
/* Memory by liveness: gives blocks that are never alive together the same bytes. */
#pragma once

#include <glib.h>
#include <stddef.h>

G_BEGIN_DECLS

/* @first and @last are step numbers, inclusive.  @offset is the result. */
typedef struct {
  size_t size_bytes;
  int first, last;
  size_t offset;
} PjArenaBlock;

/**
 * pj_arena_assign:
 * @blocks: blocks; offsets are written
 * @align: alignment of every offset, a power of two
 *
 * Greedy best fit, largest block first, ties by index: deterministic.  Blocks whose [first, last]
 * overlap never share a byte.
 *
 * Returns: size of the arena in bytes
 */
size_t pj_arena_assign (PjArenaBlock *blocks, size_t n_blocks, size_t align);

G_END_DECLS
