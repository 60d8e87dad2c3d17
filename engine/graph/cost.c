/* SPDX-License-Identifier: MIT */
/* Counting.  A parameter that two nodes share counts once; its work counts twice. */
#include "graph/graph.h"
#include "ops/op.h"

void
pj_graph_node_cost (const PjGraph *self, int index, PjCost *cost)
{
  const PjNode *node = pj_graph_node (self, index);

  if (node->op->cost != NULL)
    node->op->cost (self, node, cost);
  if (node->op == &pj_op_opaque)
    cost->unknown_nodes++;
  for (unsigned i = 0; i < node->n_outputs; i++)
    cost->activation_bytes += 4 * pj_shape_n_elems (&pj_graph_value (self, node->outputs[i])->shape);
}

void
pj_graph_cost (const PjGraph *self, PjCost *cost)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  *cost = (PjCost) { 0 };
  for (unsigned n = 0; n < pj_graph_n_nodes (self); n++) {
    const PjNode *node = pj_graph_node (self, (int) n);
    PjCost one = { 0 };
    pj_graph_node_cost (self, (int) n, &one);
    cost->macs += one.macs;
    cost->activation_bytes += one.activation_bytes;
    cost->unknown_nodes += one.unknown_nodes;
    /* The weights are input 1 of every operator that has any. */
    if (one.weights + one.norm_channels > 0 && !g_hash_table_add (seen, GINT_TO_POINTER (node->inputs[1])))
      continue;
    cost->weights += one.weights;
    cost->learnable += one.learnable;
    cost->norm_channels += one.norm_channels;
  }
}
