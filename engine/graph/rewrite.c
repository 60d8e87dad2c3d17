/* SPDX-License-Identifier: MIT */
#include "graph/rewrite.h"

void
pj_rewrite_init (PjRewrite *self, const PjGraph *from)
{
  unsigned n_values = pj_graph_n_values (from);
  g_autoptr (GList) keys = pj_graph_meta_keys (from);

  *self = (PjRewrite) { from, pj_graph_new (pj_graph_get_name (from)), g_new (int, n_values) };
  for (unsigned v = 0; v < n_values; v++)
    self->map[v] = -1;
  for (GList *k = keys; k != NULL; k = k->next)
    pj_graph_set_meta (self->to, k->data, pj_graph_get_meta (from, k->data));
  pj_rewrite_value (self, pj_graph_get_input (from));
}

void
pj_rewrite_clear (PjRewrite *self)
{
  g_clear_pointer (&self->to, pj_graph_unref);
  g_clear_pointer (&self->map, g_free);
}

int
pj_rewrite_value (PjRewrite *self, int value)
{
  if (value < 0)
    return -1;
  if (self->map[value] < 0) {
    const PjValue *v = pj_graph_value (self->from, value);
    g_assert (v->kind != PJ_VALUE_ACTIVATION);
    self->map[value] = v->kind == PJ_VALUE_INPUT ? pj_graph_add_input (self->to, v->name, v->shape)
                                                 : pj_graph_add_param (self->to, v->name, v->shape, pj_blob_ref (v->data));
  }
  return self->map[value];
}

gboolean
pj_rewrite_emit (PjRewrite *self, const char *name, const PjOp *op, gconstpointer params, const int *inputs,
                 unsigned n_inputs, int output, GError **error)
{
  int made = pj_graph_add_node (self->to, name, op, params, inputs, n_inputs, error);
  if (made < 0)
    return FALSE;
  pj_graph_rename_value (self->to, made, pj_graph_value (self->from, output)->name);
  self->map[output] = made;
  return TRUE;
}

gboolean
pj_rewrite_copy (PjRewrite *self, const PjNode *node, GError **error)
{
  g_autofree int *inputs = g_new (int, node->n_inputs + 1);
  for (unsigned i = 0; i < node->n_inputs; i++)
    inputs[i] = pj_rewrite_value (self, node->inputs[i]);
  return pj_rewrite_emit (self, node->name, node->op, node->params, inputs, node->n_inputs, node->outputs[0], error);
}

PjGraph *
pj_rewrite_finish (PjRewrite *self)
{
  pj_graph_set_output (self->to, self->map[pj_graph_get_output (self->from)]);
  return g_steal_pointer (&self->to);
}
