/* SPDX-License-Identifier: MIT */
#include "prune/scores/suffix.h"

#include "base/alloc.h"
#include "prune/scores/outlet.h"

struct _PjSuffix {
  PjGraph *graph;
  const PjGroup *group;
  PjPlan *prefix, *suffix;
  gboolean by_outlet;           /* one channel at a time, by what the outlet of the group makes of it */
  PjOutlet outlet;
  GArray *frontier, *gated;     /* int: values, ascending; what changes is @gated, or what lies behind the outlet */
  float *copy;                  /* the largest value of the frontier, one batch */
};

static int
compare_int (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

static gboolean
is_activation (const PjGraph *graph, int value)
{
  return value >= 0 && pj_graph_value (graph, value)->kind != PJ_VALUE_PARAM;
}

/* By node: TRUE if one of its inputs changes when the group is masked. */
static gboolean *
find_changed_nodes (const PjSuffix *self)
{
  const PjGraph *graph = self->graph;
  gboolean *changed = g_new0 (gboolean, pj_graph_n_nodes (graph));
  g_autofree gboolean *moves = g_new0 (gboolean, pj_graph_n_values (graph));

  for (guint i = 0; i < self->gated->len; i++)
    moves[g_array_index (self->gated, int, i)] = TRUE;
  if (self->by_outlet)
    moves[self->outlet.layer.whole] = TRUE;
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    for (unsigned i = 0; i < node->n_inputs; i++)
      changed[n] |= is_activation (graph, node->inputs[i]) && moves[node->inputs[i]];
    for (unsigned i = 0; changed[n] && i < node->n_outputs; i++)
      if (node->outputs[i] >= 0)
        moves[node->outputs[i]] = TRUE;
  }
  return changed;
}

static void
find_frontier (PjSuffix *self)
{
  const PjGraph *graph = self->graph;
  g_autofree gboolean *changed = find_changed_nodes (self);
  g_autofree gboolean *seen = g_new0 (gboolean, pj_graph_n_values (graph));

  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    for (unsigned i = 0; changed[n] && i < node->n_inputs; i++) {
      int value = node->inputs[i];
      if (!is_activation (graph, value) || seen[value])
        continue;
      int producer = pj_graph_value (graph, value)->producer;
      seen[value] = TRUE;
      if (producer < 0 || !changed[producer])
        g_array_append_val (self->frontier, value);
    }
  }
  if (self->by_outlet && !seen[self->outlet.input])
    g_array_append_val (self->frontier, self->outlet.input);
  /* Nothing may read it any more: then it is the answer. */
  if (self->by_outlet && !seen[self->outlet.layer.whole])
    g_array_append_val (self->frontier, self->outlet.layer.whole);
  g_array_sort (self->frontier, compare_int);
}

static void
find_gated (PjSuffix *self)
{
  for (unsigned i = 0; i < self->group->n_mask_points; i++) {
    gboolean known = FALSE;
    for (guint k = 0; k < self->gated->len; k++)
      known |= g_array_index (self->gated, int, k) == self->group->mask_points[i].value;
    if (!known)
      g_array_append_val (self->gated, self->group->mask_points[i].value);
  }
  g_array_sort (self->gated, compare_int);
}

static gboolean
make_plans (PjSuffix *self, PjParams *params, unsigned batch, GError **error)
{
  size_t largest = 1;
  PjPlanOptions before = {
    .batch = batch, .mode = PJ_PLAN_INFER, .prefix = TRUE,
    .observed = (const int *) self->frontier->data, .n_observed = self->frontier->len,
  };
  PjPlanOptions behind = {
    .batch = batch, .mode = PJ_PLAN_INFER, .given = (const int *) self->frontier->data, .n_given = self->frontier->len,
    .gated = (const int *) self->gated->data, .n_gated = self->gated->len,
    .without = self->by_outlet ? &self->outlet.layer : NULL,
  };

  for (guint i = 0; i < self->frontier->len; i++)
    largest = MAX (largest, (size_t) pj_shape_n_elems (&pj_graph_value (self->graph, g_array_index (self->frontier, int, i))->shape));
  self->prefix = pj_plan_new (self->graph, params, &before, error);
  self->suffix = self->prefix != NULL ? pj_plan_new (self->graph, params, &behind, error) : NULL;
  self->copy = self->suffix != NULL ? pj_alloc (largest * batch * sizeof (float), "activations of one batch", error) : NULL;
  return self->copy != NULL;
}

PjSuffix *
pj_suffix_new (PjGraph *graph, PjParams *params, const PjGroup *group, PjSuffixMasks masks, unsigned batch, GError **error)
{
  g_autoptr (PjSuffix) self = g_new0 (PjSuffix, 1);

  self->graph = pj_graph_ref (graph);
  self->group = group;
  self->frontier = g_array_new (FALSE, FALSE, sizeof (int));
  self->gated = g_array_new (FALSE, FALSE, sizeof (int));
  self->by_outlet = masks == PJ_SUFFIX_ONE_CHANNEL && pj_outlet_find (graph, group, &self->outlet);
  if (!self->by_outlet)
    find_gated (self);
  find_frontier (self);
  return make_plans (self, params, batch, error) ? g_steal_pointer (&self) : NULL;
}

void
pj_suffix_free (PjSuffix *self)
{
  if (self == NULL)
    return;
  pj_plan_free (self->prefix);
  pj_plan_free (self->suffix);
  pj_outlet_clear (&self->outlet);
  g_array_unref (self->frontier);
  g_array_unref (self->gated);
  pj_free (self->copy);
  pj_graph_unref (self->graph);
  g_free (self);
}

gboolean
pj_suffix_start (PjSuffix *self, const float *images, GError **error)
{
  if (!pj_plan_set_images (self->prefix, images, error) || !pj_plan_forward (self->prefix, NULL, error))
    return FALSE;
  for (guint i = 0; i < self->frontier->len; i++) {
    int value = g_array_index (self->frontier, int, i);
    if (!pj_plan_read_value (self->prefix, value, self->copy, error) || !pj_plan_set_value (self->suffix, value, self->copy, error))
      return FALSE;
  }
  return TRUE;
}

/* The one channel that @keep closes, or -1. */
static int
closed_channel (const PjSuffix *self, const guint8 *keep)
{
  int closed = -1;
  for (int c = 0; keep != NULL && c < self->group->n_channels; c++)
    if (!keep[c]) {
      g_return_val_if_fail (closed < 0, closed);
      closed = c;
    }
  return closed;
}

static gboolean
set_gates (PjSuffix *self, const guint8 *keep, GError **error)
{
  for (guint i = 0; i < self->gated->len; i++) {
    int value = g_array_index (self->gated, int, i), n = (int) pj_graph_value (self->graph, value)->shape.dim[1];
    g_autofree float *gate = g_new (float, n);
    for (int k = 0; k < n; k++)
      gate[k] = 1;
    for (unsigned p = 0; keep != NULL && p < self->group->n_mask_points; p++) {
      const PjMaskPoint *point = &self->group->mask_points[p];
      for (int k = 0; point->value == value && k < point->n; k++)
        if (point->map[k] >= 0 && !keep[point->map[k]])
          gate[k] = 0;
    }
    if (!pj_plan_set_gate (self->suffix, value, gate, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
pj_suffix_run (PjSuffix *self, const guint8 *keep, float *logits, GError **error)
{
  int closed = self->by_outlet ? closed_channel (self, keep) : -1;
  gboolean ok = self->by_outlet ? pj_plan_set_without (self->suffix, closed >= 0 ? self->outlet.column[closed] : -1, error)
                                : set_gates (self, keep, error);
  return ok && pj_plan_forward (self->suffix, NULL, error) && pj_plan_read_logits (self->suffix, logits, error);
}

const PjPlan *
pj_suffix_plan (const PjSuffix *self)
{
  return self->suffix;
}
