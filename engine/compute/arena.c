/* SPDX-License-Identifier: MIT */
#include "compute/arena.h"

#include <stdlib.h>

#include "base/checked.h"

static int
larger_first (gconstpointer a, gconstpointer b, gpointer data)
{
  const PjArenaBlock *blocks = data;
  int i = *(const int *) a, k = *(const int *) b;
  if (blocks[i].size_bytes != blocks[k].size_bytes)
    return blocks[i].size_bytes > blocks[k].size_bytes ? -1 : 1;
  return i - k;
}

static int
lower_first (gconstpointer a, gconstpointer b, gpointer data)
{
  const PjArenaBlock *blocks = data;
  size_t x = blocks[*(const int *) a].offset, y = blocks[*(const int *) b].offset;
  return x < y ? -1 : x > y;
}

/* The smallest gap between the blocks that are alive at the same time as @self, or the end. */
static size_t
best_offset (const PjArenaBlock *blocks, const GArray *placed, const PjArenaBlock *self, size_t align)
{
  size_t end = 0, best = 0, best_gap = G_MAXSIZE;
  gboolean found = FALSE;

  for (guint i = 0; i < placed->len; i++) {
    const PjArenaBlock *other = &blocks[g_array_index (placed, int, i)];
    if (other->last < self->first || other->first > self->last)
      continue;
    if (other->offset >= end && other->offset - end >= self->size_bytes && other->offset - end < best_gap) {
      best = end;
      best_gap = other->offset - end;
      found = TRUE;
    }
    end = MAX (end, pj_size_align (other->offset + other->size_bytes, align));
  }
  return found ? best : end;
}

size_t
pj_arena_assign (PjArenaBlock *blocks, size_t n_blocks, size_t align)
{
  g_autofree int *order = g_new (int, n_blocks);
  g_autoptr (GArray) placed = g_array_new (FALSE, FALSE, sizeof (int));
  size_t total = 0;

  for (size_t i = 0; i < n_blocks; i++)
    order[i] = (int) i;
  g_qsort_with_data (order, (gint) n_blocks, sizeof (int), larger_first, blocks);
  for (size_t i = 0; i < n_blocks; i++) {
    PjArenaBlock *block = &blocks[order[i]];
    block->offset = best_offset (blocks, placed, block, align);
    total = MAX (total, block->offset + pj_size_align (block->size_bytes, align));
    g_array_append_val (placed, order[i]);
    g_array_sort_with_data (placed, lower_first, blocks);
  }
  return total;
}
