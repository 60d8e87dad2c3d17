/* SPDX-License-Identifier: MIT */
/* Union-find over the channel axes of all values. */
#include "graph/channels.h"

#include "graph/channels-private.h"
#include "ops/op.h"

static void
add_axis (PjChannels *self, int value, int axis)
{
  const PjShape *shape = &pj_graph_value (self->graph, value)->shape;
  if ((unsigned) axis >= shape->rank)
    return;
  PjAxis entry = { value, axis, (int) shape->dim[axis], 1, self->n_elements };
  self->axis_of[2 * value + axis] = (int) self->axes->len;
  g_array_append_val (self->axes, entry);
  self->n_elements += entry.n;
}

static void
lock_clear (gpointer data)
{
  g_free (((PjLockNote *) data)->reason);
}

/* An operator without a channel rule locks whatever it touches. */
static void
lock_node (PjChannels *self, int index)
{
  const PjNode *node = pj_graph_node (self->graph, index);
  for (unsigned i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] >= 0)
      for (int axis = 0; axis < 2; axis++)
        pj_channels_lock (self, node->inputs[i], axis, index, "is read by an operator that cannot be cut");
  for (unsigned i = 0; i < node->n_outputs; i++)
    pj_channels_lock (self, node->outputs[i], 1, index, "is made by an operator that cannot be cut");
}

PjChannels *
pj_channels_new (const PjGraph *graph)
{
  PjChannels *self = g_new0 (PjChannels, 1);
  int n_values = (int) pj_graph_n_values (graph);

  self->graph = graph;
  self->axes = g_array_new (FALSE, FALSE, sizeof (PjAxis));
  self->axis_of = g_new (int, 2 * n_values);
  self->roles = g_array_new (FALSE, FALSE, sizeof (PjRoleNote));
  self->locks = g_array_new (FALSE, FALSE, sizeof (PjLockNote));
  g_array_set_clear_func (self->locks, lock_clear);
  self->evens = g_array_new (FALSE, FALSE, sizeof (PjEvenNote));
  for (int v = 0; v < n_values; v++) {
    self->axis_of[2 * v] = self->axis_of[2 * v + 1] = -1;
    if (pj_graph_value (graph, v)->kind == PJ_VALUE_PARAM)
      add_axis (self, v, 0);
    add_axis (self, v, 1);
  }
  self->parent = g_new (int, self->n_elements);
  for (int i = 0; i < self->n_elements; i++)
    self->parent[i] = i;
  for (int n = 0; n < (int) pj_graph_n_nodes (graph); n++) {
    const PjOp *op = pj_graph_node (graph, n)->op;
    if (op->channels != NULL)
      op->channels (self, graph, n);
    else
      lock_node (self, n);
  }
  pj_channels_lock (self, pj_graph_get_input (graph), 1, -1, "is the network’s input");
  pj_channels_lock (self, pj_graph_get_logits (graph), 1, -1, "is the network’s output: one channel per class");
  pj_channels_lock (self, pj_graph_get_output (graph), 1, -1, "is the network’s output: one channel per class");
  return self;
}

void
pj_channels_free (PjChannels *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->axes);
  g_array_unref (self->roles);
  g_array_unref (self->locks);
  g_array_unref (self->evens);
  g_free (self->axis_of);
  g_free (self->parent);
  g_free (self);
}

int
pj_channels_root (PjChannels *self, int element)
{
  while (self->parent[element] != element) {
    self->parent[element] = self->parent[self->parent[element]];
    element = self->parent[element];
  }
  return element;
}

static const PjAxis *
find_axis (PjChannels *self, int value, int axis)
{
  int index = self->axis_of[2 * value + axis];
  return index >= 0 ? &g_array_index (self->axes, PjAxis, index) : NULL;
}

void
pj_channels_tie (PjChannels *self, int value_a, int axis_a, int start_a, int step_a,
                 int value_b, int axis_b, int start_b, int step_b, int n)
{
  const PjAxis *a = find_axis (self, value_a, axis_a), *b = find_axis (self, value_b, axis_b);
  g_assert (a != NULL && b != NULL && n >= 1);
  g_assert (start_a + (n - 1) * step_a < a->n && start_b + (n - 1) * step_b < b->n);
  for (int k = 0; k < n; k++) {
    int x = pj_channels_root (self, a->base + start_a + k * step_a);
    int y = pj_channels_root (self, b->base + start_b + k * step_b);
    self->parent[MAX (x, y)] = MIN (x, y);
  }
}

void
pj_channels_tie_all (PjChannels *self, int value_a, int axis_a, int value_b, int axis_b)
{
  const PjAxis *a = find_axis (self, value_a, axis_a), *b = find_axis (self, value_b, axis_b);
  g_assert (a != NULL && b != NULL && a->n == b->n);
  pj_channels_tie (self, value_a, axis_a, 0, 1, value_b, axis_b, 0, 1, a->n);
}

void
pj_channels_role (PjChannels *self, int value, int axis, int node, PjAxisRole role)
{
  PjRoleNote note = { self->axis_of[2 * value + axis], node, role };
  g_assert (note.axis >= 0);
  g_array_append_val (self->roles, note);
}

void
pj_channels_lock (PjChannels *self, int value, int axis, int node, const char *reason)
{
  PjLockNote note = { self->axis_of[2 * value + axis], node, NULL };
  if (note.axis < 0)
    return;
  note.reason = g_strdup (reason);
  g_array_append_val (self->locks, note);
}

void
pj_channels_slice (PjChannels *self, int value, int n_slices)
{
  PjAxis *axis = &g_array_index (self->axes, PjAxis, self->axis_of[2 * value + 1]);

  if (axis->n_slices == n_slices)
    return;
  g_assert (axis->n_slices == 1);
  /* The axis moves to the end; its old elements stay behind, tied to nothing. */
  axis->n_slices = n_slices;
  axis->n *= n_slices;
  axis->base = self->n_elements;
  self->n_elements += axis->n;
  self->parent = g_renew (int, self->parent, self->n_elements);
  for (int k = axis->base; k < self->n_elements; k++)
    self->parent[k] = k;
}

void
pj_channels_even (PjChannels *self, int value, int axis, int node, int n_runs)
{
  PjEvenNote note = { self->axis_of[2 * value + axis], node, n_runs };
  g_assert (note.axis >= 0 && g_array_index (self->axes, PjAxis, note.axis).n % n_runs == 0);
  g_array_append_val (self->evens, note);
}
