/* SPDX-License-Identifier: MIT */
/* From a list of links to ranks of boxes and rails.
 *
 * A box stands one rank below its lowest predecessor; a box with slack (a short branch beside a long
 * one) moves to the middle of its slack, and an input moves down to its reader.  An edge over several
 * ranks runs along the rail of its source: one dot per rank, shared by all edges of that source. */

#include "layout/ranks.h"

/* @moved: (out): TRUE for boxes with slack, which are on no longest path. */
static void
find_ranks (unsigned *rank, gboolean *moved, unsigned n_nodes, const PjLayoutLink *links,
            unsigned n_links)
{
  g_autofree unsigned *first = g_new0 (unsigned, n_nodes + 1);
  g_autofree unsigned *sorted = g_new (unsigned, MAX (n_links, 1));

  for (unsigned i = 0; i < n_links; i++)
    first[links[i].from + 1]++;
  for (unsigned i = 0; i < n_nodes; i++)
    first[i + 1] += first[i];
  g_autofree unsigned *fill = g_memdup2 (first, (n_nodes + 1) * sizeof *first);
  for (unsigned i = 0; i < n_links; i++)
    sorted[fill[links[i].from]++] = i;

  /* Links point forward, so one pass in node order sees every predecessor first. */
  g_autofree unsigned *lowest = g_new0 (unsigned, n_nodes);
  g_autofree gboolean *has_input = g_new0 (gboolean, n_nodes);
  for (unsigned i = 0; i < n_nodes; i++) {
    rank[i] = lowest[i];
    for (unsigned j = first[i]; j < first[i + 1]; j++) {
      const unsigned to = links[sorted[j]].to;
      lowest[to] = MAX (lowest[to], rank[i] + 1);
      has_input[to] = TRUE;
    }
  }
  /* The slack: from below, so that a whole short branch spreads out. */
  for (unsigned i = n_nodes; i-- > 0;) {
    unsigned highest = G_MAXUINT;
    for (unsigned j = first[i]; j < first[i + 1]; j++)
      highest = MIN (highest, rank[links[sorted[j]].to] - 1);
    if (highest == G_MAXUINT || highest <= rank[i])
      continue;
    rank[i] = has_input[i] ? (rank[i] + highest + 1) / 2 : highest;
    moved[i] = TRUE;
  }
}

/* Marks one longest path: from the box furthest down, always to a predecessor one rank above that
 * has no slack. */
static void
mark_trunk (PjRanks *self, const gboolean *moved, const PjLayoutLink *links, unsigned n_links)
{
  g_autofree int *above = g_new (int, self->n_boxes);
  int at = -1;

  for (unsigned i = 0; i < self->n_boxes; i++) {
    above[i] = -1;
    if (at < 0 || pj_ranks_dot (self, i)->rank > pj_ranks_dot (self, at)->rank)
      at = i;
  }
  for (unsigned i = 0; i < n_links; i++) {
    const int from = links[i].from, to = links[i].to;
    if (moved[from] || pj_ranks_dot (self, from)->rank + 1 != pj_ranks_dot (self, to)->rank)
      continue;
    if (above[to] < 0 || from < above[to])
      above[to] = from;
  }
  for (; at >= 0; at = above[at])
    pj_ranks_dot (self, at)->on_trunk = TRUE;
}

static unsigned
add_dot (PjRanks *self, unsigned rank, double half, gboolean is_dot)
{
  PjDot dot = { .half = half, .rank = rank, .is_dot = is_dot };

  dot.up = g_array_new (FALSE, FALSE, sizeof (unsigned));
  dot.down = g_array_new (FALSE, FALSE, sizeof (unsigned));
  while (self->ranks->len <= rank)
    g_ptr_array_add (self->ranks, g_array_new (FALSE, FALSE, sizeof (unsigned)));
  GArray *row = g_ptr_array_index (self->ranks, rank);
  const unsigned index = self->dots->len;
  dot.place = row->len;
  g_array_append_val (row, index);
  g_array_append_val (self->dots, dot);
  return index;
}

static void
join (PjRanks *self, unsigned upper, unsigned lower)
{
  g_array_append_val (pj_ranks_dot (self, upper)->down, lower);
  g_array_append_val (pj_ranks_dot (self, lower)->up, upper);
}

int
pj_ranks_rail_at (const PjRanks *self, unsigned box, unsigned rank)
{
  const unsigned top = pj_ranks_dot (self, box)->rank;
  GArray *rail = g_hash_table_lookup (self->rails, GUINT_TO_POINTER (box));

  if (rail == NULL || rank <= top || rank - top > rail->len)
    return -1;
  return g_array_index (rail, unsigned, rank - top - 1);
}

/* Makes the rail of @from reach down to the rank above @rank.  FALSE if the ceiling is reached. */
static gboolean
extend_rail (PjRanks *self, unsigned from, unsigned rank, double half)
{
  GArray *rail = g_hash_table_lookup (self->rails, GUINT_TO_POINTER (from));
  const unsigned top = pj_ranks_dot (self, from)->rank;

  if (self->dots->len - self->n_boxes + (rank - top) > PJ_LAYOUT_MAX_RAIL_NODES)
    return FALSE;
  if (rail == NULL) {
    rail = g_array_new (FALSE, FALSE, sizeof (unsigned));
    g_hash_table_insert (self->rails, GUINT_TO_POINTER (from), rail);
  }
  for (unsigned at = top + 1 + rail->len; at < rank; at++) {
    const unsigned upper = rail->len ? g_array_index (rail, unsigned, rail->len - 1) : from;
    const unsigned dot = add_dot (self, at, half, TRUE);
    join (self, upper, dot);
    g_array_append_val (rail, dot);
  }
  return TRUE;
}

static void
add_link (PjRanks *self, const PjLayoutLink *link, double rail_half)
{
  const unsigned rank = pj_ranks_dot (self, link->to)->rank;

  if (rank == pj_ranks_dot (self, link->from)->rank + 1) {
    join (self, link->from, link->to);
    return;
  }
  if (extend_rail (self, link->from, rank, rail_half))
    join (self, pj_ranks_rail_at (self, link->from, rank - 1), link->to);
}

static void
clear_dot (gpointer data)
{
  PjDot *dot = data;

  g_array_unref (dot->up);
  g_array_unref (dot->down);
}

PjRanks *
pj_ranks_new (const PjLayoutSize *sizes, unsigned n_nodes, const PjLayoutLink *links,
              unsigned n_links, const PjLayoutSpacing *spacing)
{
  PjRanks *self = g_new0 (PjRanks, 1);
  g_autofree unsigned *rank = g_new0 (unsigned, MAX (n_nodes, 1));
  g_autofree gboolean *moved = g_new0 (gboolean, MAX (n_nodes, 1));

  self->n_boxes = n_nodes;
  self->dots = g_array_new (FALSE, FALSE, sizeof (PjDot));
  g_array_set_clear_func (self->dots, clear_dot);
  self->ranks = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  self->rails = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
  find_ranks (rank, moved, n_nodes, links, n_links);
  for (unsigned i = 0; i < n_nodes; i++)
    add_dot (self, rank[i], sizes[i].width / 2 + spacing->between / 2, FALSE);
  mark_trunk (self, moved, links, n_links);
  for (unsigned i = 0; i < n_links; i++)
    add_link (self, &links[i], spacing->rail / 2);
  return self;
}

void
pj_ranks_free (PjRanks *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->dots);
  g_ptr_array_unref (self->ranks);
  g_hash_table_unref (self->rails);
  g_free (self);
}
