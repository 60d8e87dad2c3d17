/* SPDX-License-Identifier: MIT */
#include "model/network-private.h"

PjmNetwork *
pjm_network_new (PjGraph *graph, gint64 model, GError **error)
{
  g_autoptr (PjmNetwork) self = g_new0 (PjmNetwork, 1);
  g_atomic_ref_count_init (&self->ref);
  self->model = model;
  self->graph = graph;
  self->groups = pj_groups_new (graph);
  self->parts = pj_parts_new (graph);
  pj_graph_cost (graph, &self->cost);
  self->rows = pjm_rows_new (graph, self->groups, self->parts);
  return pjm_network_draw (self, error) ? g_steal_pointer (&self) : NULL;
}

PjmNetwork *
pjm_network_ref (PjmNetwork *self)
{
  g_atomic_ref_count_inc (&self->ref);
  return self;
}

void
pjm_network_unref (PjmNetwork *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref))
    return;
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->blocks, g_ptr_array_unref);
  pjm_drawing_free (self->drawing);
  pj_parts_free (self->parts);
  pj_groups_unref (self->groups);
  pj_graph_unref (self->graph);
  g_free (self);
}

guint64
pjm_cost_size_bytes (const PjCost *cost)
{
  return sizeof (float) * (cost->learnable + 2 * cost->norm_channels);
}
