/* SPDX-License-Identifier: MIT */
/* From channel classes to groups: classes that run through the same set of axes form one group.  The set
 * is found without comparing sets: walking the axes in order, each class steps through a trie whose
 * nodes stand for the axes seen so far. */
#include "graph/groups.h"

#include <string.h>

#include "graph/channels-private.h"
#include "ops/op.h"

struct _PjGroups {
  gatomicrefcount ref;
  GPtrArray *groups;      /* PjGroup */
  GHashTable *by_name;
};

static void
group_free (gpointer data)
{
  PjGroup *group = data;
  for (unsigned i = 0; i < group->n_members; i++)
    g_free (group->members[i].map);
  g_free (group->members);
  g_free (group->mask_points);
  g_free (group->name);
  g_free (group->lock_reason);
  g_free (group->block);
  g_array_unref (group->ties);
  g_array_unref (group->producers);
  g_array_unref (group->consumers);
  g_free (group);
}

/* --- classes to groups --- */

typedef struct {
  PjChannels *channels;
  int *trie_of;           /* by root: node of the trie, 0 = not seen */
  int *channel_of;        /* by root: channel in its group */
  GHashTable *trie;       /* (node, axis) -> node */
  int n_trie;
} Builder;

static int
trie_step (Builder *b, int node, int axis)
{
  guint64 key = (guint64) node << 32 | (guint32) axis;
  gpointer found = g_hash_table_lookup (b->trie, &key);
  if (found == NULL) {
    found = GINT_TO_POINTER (++b->n_trie);
    g_hash_table_insert (b->trie, g_memdup2 (&key, sizeof key), found);
  }
  return GPOINTER_TO_INT (found);
}

/* Walks all axes so that trie_of[root] identifies the set of axes of each class. */
static void
find_sets (Builder *b)
{
  PjChannels *c = b->channels;
  g_autofree int *last = g_new (int, c->n_elements);

  memset (last, 0xff, c->n_elements * sizeof (int));
  for (guint a = 0; a < c->axes->len; a++) {
    const PjAxis *axis = &g_array_index (c->axes, PjAxis, a);
    for (int k = 0; k < axis->n; k++) {
      int root = pj_channels_root (c, axis->base + k);
      if (last[root] == (int) a)
        continue;
      last[root] = (int) a;
      b->trie_of[root] = trie_step (b, b->trie_of[root], (int) a);
    }
  }
}

static PjGroup *
group_new (void)
{
  PjGroup *group = g_new0 (PjGroup, 1);
  group->lock_node = -1;
  group->ties = g_array_new (FALSE, FALSE, sizeof (int));
  group->producers = g_array_new (FALSE, FALSE, sizeof (int));
  group->consumers = g_array_new (FALSE, FALSE, sizeof (int));
  return group;
}

/* Adds the part of @axis that belongs to the set @set as a member of @group. */
static void
add_member (Builder *b, PjGroup *group, const PjAxis *axis, int set)
{
  PjChannels *c = b->channels;
  const PjValue *value = pj_graph_value (c->graph, axis->value);
  PjMember member = {
    .value = axis->value, .axis = axis->axis, .is_param = value->kind == PJ_VALUE_PARAM,
    .node = value->producer, .n = axis->n, .map = g_new (int, axis->n),
    .n_slices = axis->n_slices,
  };

  for (int k = 0; k < axis->n; k++) {
    int root = pj_channels_root (c, axis->base + k);
    member.map[k] = -1;
    if (b->trie_of[root] != set)
      continue;
    if (b->channel_of[root] < 0)
      b->channel_of[root] = group->n_channels++;
    member.map[k] = b->channel_of[root];
  }
  group->members = g_renew (PjMember, group->members, group->n_members + 1);
  group->members[group->n_members++] = member;
}

static GPtrArray *
collect (Builder *b)
{
  PjChannels *c = b->channels;
  g_autoptr (GHashTable) groups = g_hash_table_new (NULL, NULL);
  GPtrArray *list = g_ptr_array_new_with_free_func (group_free);

  for (guint a = 0; a < c->axes->len; a++) {
    const PjAxis *axis = &g_array_index (c->axes, PjAxis, a);
    g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
    for (int k = 0; k < axis->n; k++) {
      int set = b->trie_of[pj_channels_root (c, axis->base + k)];
      if (!g_hash_table_add (seen, GINT_TO_POINTER (set)))
        continue;
      PjGroup *group = g_hash_table_lookup (groups, GINT_TO_POINTER (set));
      if (group == NULL) {
        group = group_new ();
        g_hash_table_insert (groups, GINT_TO_POINTER (set), group);
        g_ptr_array_add (list, group);
      }
      add_member (b, group, axis, set);
    }
  }
  return list;
}

/* --- roles, locks, ties, mask points --- */

static void
append_once (GArray *nodes, int node)
{
  for (guint i = 0; i < nodes->len; i++)
    if (g_array_index (nodes, int, i) == node)
      return;
  g_array_append_val (nodes, node);
}

static int
compare_int (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

static void
set_roles (PjGroup *group, const PjChannels *c)
{
  for (unsigned m = 0; m < group->n_members; m++) {
    PjMember *member = &group->members[m];
    int axis = c->axis_of[2 * member->value + member->axis];
    member->role = PJ_ROLE_PER_CHANNEL;
    for (guint r = 0; member->is_param && r < c->roles->len; r++) {
      const PjRoleNote *note = &g_array_index (c->roles, PjRoleNote, r);
      if (note->axis != axis)
        continue;
      member->role = note->role;
      member->node = note->node;
      if (note->role == PJ_ROLE_PRODUCER)
        append_once (group->producers, note->node);
      else if (note->role == PJ_ROLE_CONSUMER)
        append_once (group->consumers, note->node);
    }
  }
  g_array_sort (group->producers, compare_int);
  g_array_sort (group->consumers, compare_int);
}

static void
set_lock (PjGroup *group, const PjChannels *c)
{
  for (unsigned m = 0; m < group->n_members && group->lock_reason == NULL; m++) {
    const PjMember *member = &group->members[m];
    for (guint k = 0; k < c->locks->len; k++) {
      const PjLockNote *note = &g_array_index (c->locks, PjLockNote, k);
      if (note->axis != c->axis_of[2 * member->value + member->axis])
        continue;
      const char *value = pj_graph_value (c->graph, member->value)->name;
      group->lock_node = note->node;
      group->lock_reason = note->node >= 0
        ? g_strdup_printf ("“%s” %s (node “%s”)", value, note->reason, pj_graph_node (c->graph, note->node)->name)
        : g_strdup_printf ("“%s” %s", value, note->reason);
      return;
    }
  }
}

static gboolean
has_value (const PjGroup *group, int value)
{
  for (unsigned m = 0; m < group->n_members; m++)
    if (group->members[m].value == value && group->members[m].axis == 1 && !group->members[m].is_param)
      return TRUE;
  return FALSE;
}

static void
set_ties (PjGroup *group, const PjGraph *graph)
{
  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (member->is_param || member->node < 0)
      continue;
    const PjNode *node = pj_graph_node (graph, member->node);
    unsigned n = 0;
    for (unsigned i = 0; i < node->n_inputs; i++)
      n += node->inputs[i] >= 0 && has_value (group, node->inputs[i]);
    if (n >= 2)
      append_once (group->ties, member->node);
  }
}

/* TRUE if every reader of @value shifts the channel anyway, so that the mask must come after it. */
static gboolean
is_masked_later (const PjGraph *graph, const PjGroup *group, int value)
{
  g_autoptr (GArray) readers = pj_graph_consumers (graph, value);
  for (guint i = 0; i < readers->len; i++) {
    const PjNode *node = pj_graph_node (graph, g_array_index (readers, int, i));
    if (node->op->zero != PJ_ZERO_BREAKS || !has_value (group, node->outputs[0]))
      return FALSE;
  }
  return readers->len > 0;
}

static void
set_mask_points (PjGroup *group, const PjGraph *graph)
{
  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (member->is_param || member->node < 0
        || pj_graph_node (graph, member->node)->op->zero == PJ_ZERO_KEEPS
        || is_masked_later (graph, group, member->value))
      continue;
    group->mask_points = g_renew (PjMaskPoint, group->mask_points, group->n_mask_points + 1);
    group->mask_points[group->n_mask_points++] = (PjMaskPoint) { member->value, member->n, member->map };
  }
}

static int
by_producer (gconstpointer a, gconstpointer b)
{
  const PjGroup *x = *(PjGroup *const *) a, *y = *(PjGroup *const *) b;
  return g_array_index (x->producers, int, 0) - g_array_index (y->producers, int, 0);
}

static void
add_group (PjGroups *self, const PjGraph *graph, PjGroup *group)
{
  const char *name = pj_graph_node (graph, g_array_index (group->producers, int, 0))->name;

  group->id = (int) self->groups->len;
  group->name = g_strdup (name);
  for (int k = 2; g_hash_table_contains (self->by_name, group->name); k++) {
    g_free (group->name);
    group->name = g_strdup_printf ("%s/%d", name, k);
  }
  g_hash_table_insert (self->by_name, group->name, group);
  g_ptr_array_add (self->groups, group);
}

PjGroups *
pj_groups_new (const PjGraph *graph)
{
  g_autoptr (PjChannels) channels = pj_channels_new (graph);
  g_autofree int *trie_of = g_new0 (int, channels->n_elements);
  g_autofree int *channel_of = g_new (int, channels->n_elements);
  g_autoptr (GHashTable) trie = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  Builder builder = { channels, trie_of, channel_of, trie, 0 };
  PjGroups *self = g_new0 (PjGroups, 1);

  memset (channel_of, 0xff, channels->n_elements * sizeof (int));
  g_atomic_ref_count_init (&self->ref);
  self->groups = g_ptr_array_new_with_free_func (group_free);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  find_sets (&builder);
  g_autoptr (GPtrArray) all = collect (&builder);
  for (guint i = 0; i < all->len; i++)
    set_roles (all->pdata[i], channels);
  /* What nobody produces is the network's input or an axis without a meaning of its own. */
  for (guint i = all->len; i-- > 0;)
    if (((PjGroup *) all->pdata[i])->producers->len == 0)
      g_ptr_array_remove_index (all, i);
  g_ptr_array_sort (all, by_producer);
  g_ptr_array_set_free_func (all, NULL);
  for (guint i = 0; i < all->len; i++) {
    set_lock (all->pdata[i], channels);
    pj_group_find_blocks (all->pdata[i], channels);
    set_ties (all->pdata[i], graph);
    set_mask_points (all->pdata[i], graph);
    add_group (self, graph, all->pdata[i]);
  }
  return self;
}

PjGroups *
pj_groups_ref (PjGroups *self)
{
  g_atomic_ref_count_inc (&self->ref);
  return self;
}

void
pj_groups_unref (PjGroups *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref))
    return;
  g_hash_table_unref (self->by_name);
  g_ptr_array_unref (self->groups);
  g_free (self);
}

unsigned
pj_groups_n (const PjGroups *self)
{
  return self->groups->len;
}

const PjGroup *
pj_groups_get (const PjGroups *self, unsigned i)
{
  g_assert (i < self->groups->len);
  return self->groups->pdata[i];
}

const PjGroup *
pj_groups_find (const PjGroups *self, const char *name)
{
  return g_hash_table_lookup (self->by_name, name);
}

const PjGroup *
pj_groups_of_node (const PjGroups *self, int node)
{
  for (guint g = 0; g < self->groups->len; g++) {
    const PjGroup *group = self->groups->pdata[g];
    for (guint i = 0; i < group->producers->len; i++)
      if (g_array_index (group->producers, int, i) == node)
        return group;
  }
  return NULL;
}

/* TRUE if @member is an activation whose channels are exactly the group's, in order. */
static gboolean
is_whole_activation (const PjGroup *group, const PjMember *member)
{
  if (member->is_param || member->node < 0 || member->n != group->n_channels)
    return FALSE;
  for (int k = 0; k < member->n; k++)
    if (member->map[k] != k)
      return FALSE;
  return TRUE;
}

GArray *
pj_group_relu_outputs (const PjGraph *graph, const PjGroup *group)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (int));
  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (is_whole_activation (group, member) && pj_graph_node (graph, member->node)->op == &pj_op_relu)
      g_array_append_val (found, member->value);
  }
  return found;
}

int
pj_group_activation (const PjGraph *graph, const PjGroup *group)
{
  int best = -1;
  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (is_whole_activation (group, member) && pj_graph_node (graph, member->node)->op->is_activation)
      best = member->value;
  }
  if (best >= 0 || group->n_mask_points == 0)
    return best;
  return group->mask_points[group->n_mask_points - 1].value;
}
