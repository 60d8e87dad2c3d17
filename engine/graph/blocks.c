/* SPDX-License-Identifier: MIT */
/* Blocks of a group: what grouped convolutions ask of it.  Every convolution group must
 * keep as many inputs, and as many outputs, as the others.  Channels that meet all runs in the same way are
 * interchangeable and form a block; blocks of one size that keep as many channels each satisfy every
 * convolution at once, also several with different numbers of groups. */
#include "base/error.h"
#include "graph/channels-private.h"
#include "graph/groups.h"

/* Splits blocks: channels whose places fall into the runs of @note differently part.  FALSE if the runs hold
 * different numbers of the group's channels, which no cut of this group alone can keep even. */
static gboolean
refine (PjGroup *group, const PjMember *member, int n_runs)
{
  int run = member->n / n_runs, n = group->n_channels, n_blocks = 0;
  g_autofree int *count = g_new0 (int, (gsize) n_runs);
  g_autoptr (GHashTable) numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) places = g_ptr_array_new_full ((guint) n, NULL);

  for (int c = 0; c < n; c++)
    g_ptr_array_add (places, g_string_new (NULL));
  for (int c = 0; c < n; c++)
    g_string_append_printf (places->pdata[c], "%d:", group->block[c]);
  for (int k = 0; k < member->n; k++)
    if (member->map[k] >= 0) {
      count[k / run]++;
      g_string_append_printf (places->pdata[member->map[k]], "%d ", k / run);
    }
  for (int c = 0; c < n; c++) {
    char *key = g_string_free (places->pdata[c], FALSE);
    gpointer number = g_hash_table_lookup (numbers, key);
    if (number == NULL) {
      number = GINT_TO_POINTER (++n_blocks);
      g_hash_table_insert (numbers, key, number);
    } else {
      g_free (key);
    }
    group->block[c] = GPOINTER_TO_INT (number) - 1;
  }
  group->n_blocks = n_blocks;
  for (int r = 1; r < n_runs; r++)
    if (count[r] != count[0])
      return FALSE;
  return TRUE;
}

static gboolean
blocks_are_equal (const PjGroup *group)
{
  g_autofree int *size = g_new0 (int, (gsize) group->n_blocks);
  for (int c = 0; c < group->n_channels; c++)
    size[group->block[c]]++;
  for (int b = 1; b < group->n_blocks; b++)
    if (size[b] != size[0])
      return FALSE;
  return TRUE;
}

static void
lock (PjGroup *group, const PjGraph *graph, int node)
{
  if (group->lock_reason != NULL)
    return;
  group->lock_node = node;
  group->lock_reason = g_strdup_printf ("its channels fall unevenly into the groups of a convolution (node “%s”)",
                                        pj_graph_node (graph, node)->name);
}

void
pj_group_find_blocks (PjGroup *group, const PjChannels *c)
{
  gboolean even = TRUE;

  group->n_blocks = 1;
  group->block_node = -1;
  group->block = g_new0 (int, (gsize) group->n_channels);
  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    for (guint i = 0; i < c->evens->len; i++) {
      const PjEvenNote *note = &g_array_index (c->evens, PjEvenNote, i);
      if (note->axis != c->axis_of[2 * member->value + member->axis])
        continue;
      even = refine (group, member, note->n_runs) && even;
      group->block_node = note->node;
    }
  }
  if (!even || !blocks_are_equal (group))
    lock (group, c->graph, group->block_node);
  if (group->n_blocks == 1 || group->lock_reason != NULL) {
    g_clear_pointer (&group->block, g_free);
    group->n_blocks = 1;
  }
}

int
pj_group_block (const PjGroup *group, int channel)
{
  return group->block != NULL ? group->block[channel] : 0;
}

gboolean
pj_group_check_even (const PjGraph *graph, const PjGroup *group, const guint8 *keep, GError **error)
{
  g_autofree int *kept = g_new0 (int, (gsize) group->n_blocks);
  int first = 0;

  for (int c = 0; c < group->n_channels; c++)
    kept[pj_group_block (group, c)] += keep[c] != 0;
  while (first < group->n_blocks - 1 && kept[first] == 0)
    first++;
  for (int b = first + 1; b < group->n_blocks; b++)
    if (kept[b] != kept[first] && kept[b] != 0) {
      g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID,
                   "“%s” would keep %d channels of its block %d and %d of its block %d; the grouped convolution “%s” needs as "
                   "many of each of the %d blocks", group->name, kept[first], first, kept[b], b,
                   pj_graph_node (graph, group->block_node)->name, group->n_blocks);
      return FALSE;
    }
  return TRUE;
}
