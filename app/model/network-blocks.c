/* SPDX-License-Identifier: MIT */
/* Blocks: parts of the network between a fork and the place where its branches come together again, such as a residual
 * block or an Inception module.  The drawing can show each as one box.
 *
 * A row that joins several others is the end of a block; its start is the last row through which every path to it
 * leads (its immediate dominator).  The rows between make the block if nothing but its end is read from outside.
 * Blocks within blocks are not looked at. */
#include <string.h>

#include "model/network-private.h"

/* A part larger than this says nothing about the network when it is one box. */
#define MAX_ROWS 48

static void
block_free (gpointer data)
{
  PjmBlock *self = data;
  g_free (self->name);
  g_array_unref (self->rows);
  g_free (self);
}

/* Nearest row that dominates both; -1 is the input, which dominates everything. */
static int
common_dominator (const int *dominator, int a, int b)
{
  while (a != b) {
    if (a > b)
      a = dominator[a];
    else
      b = dominator[b];
  }
  return a;
}

static int *
find_dominators (const GArray *links, guint n)
{
  int *dominator = g_new (int, MAX (1u, n));
  g_autofree gboolean *known = g_new0 (gboolean, MAX (1u, n));
  for (guint i = 0; i < n; i++)
    dominator[i] = -1;
  for (guint i = 0; i < links->len; i++) {
    const PjLayoutLink *link = &g_array_index (links, PjLayoutLink, i);
    /* Links are sorted by their target, and sources stand before it. */
    dominator[link->to] = known[link->to] ? common_dominator (dominator, dominator[link->to], link->from) : link->from;
    known[link->to] = TRUE;
  }
  return dominator;
}

/* Rows from which @end is reached without passing @start, @end included. (transfer full) (element-type int) */
static GArray *
rows_between (const GArray *links, int start, int end)
{
  g_autofree gboolean *inside = g_new0 (gboolean, (gsize) end + 1);
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (int));
  inside[end] = TRUE;
  for (guint i = links->len; i-- > 0;) {
    const PjLayoutLink *link = &g_array_index (links, PjLayoutLink, i);
    if (link->to <= end && inside[link->to] && link->from > start)
      inside[link->from] = TRUE;
  }
  for (int r = start + 1; r <= end; r++)
    if (inside[r])
      g_array_append_val (rows, r);
  return rows;
}

/* Nothing but the end is read from outside. */
static gboolean
is_closed (const GArray *links, const GArray *rows, int end, guint n)
{
  g_autofree gboolean *inside = g_new0 (gboolean, n);
  for (guint i = 0; i < rows->len; i++)
    inside[g_array_index (rows, int, i)] = TRUE;
  for (guint i = 0; i < links->len; i++) {
    const PjLayoutLink *link = &g_array_index (links, PjLayoutLink, i);
    if (link->from != end && inside[link->from] && !inside[link->to])
      return FALSE;
  }
  return TRUE;
}

/* What the names of the rows begin with, up to a separator: "layer1.0"; else the name of the end. (transfer full) */
static char *
block_name (const PjmNetwork *network, const GArray *rows)
{
  const char *first = ((const PjmRow *) network->rows->pdata[g_array_index (rows, int, 0)])->name;
  gsize length = strlen (first);
  for (guint i = 1; i < rows->len; i++) {
    const char *name = ((const PjmRow *) network->rows->pdata[g_array_index (rows, int, i)])->name;
    gsize same = 0;
    while (same < length && name[same] == first[same])
      same++;
    length = same;
  }
  while (length > 0 && strchr ("./_:", first[length - 1]) == NULL)
    length--;
  while (length > 0 && strchr ("./_:", first[length - 1]) != NULL)
    length--;
  const PjmRow *end = network->rows->pdata[g_array_index (rows, int, rows->len - 1)];
  return length > 1 ? g_strndup (first, length) : g_strdup (end->name);
}

GPtrArray *
pjm_blocks_new (const PjmNetwork *network, const GArray *links)
{
  guint n = network->rows->len;
  g_autofree int *dominator = find_dominators (links, n);
  g_autofree guint *n_sources = g_new0 (guint, MAX (1u, n));
  GPtrArray *blocks = g_ptr_array_new_with_free_func (block_free);
  for (guint i = 0; i < links->len; i++)
    n_sources[g_array_index (links, PjLayoutLink, i).to]++;
  for (int end = (int) n - 1; end > 0;) {
    g_autoptr (GArray) rows = n_sources[end] > 1 ? rows_between (links, dominator[end], end) : NULL;
    if (rows == NULL || rows->len < 3 || rows->len > MAX_ROWS || !is_closed (links, rows, end, n)) {
      end--;
      continue;
    }
    PjmBlock *block = g_new0 (PjmBlock, 1);
    block->name = block_name (network, rows);
    block->rows = g_steal_pointer (&rows);
    g_ptr_array_insert (blocks, 0, block);
    end = dominator[end];
  }
  return blocks;
}
