/* SPDX-License-Identifier: MIT */
/* Groups of nodes that mean one operator.
 *
 *   Reshape to N × g × C/g × H × W, Transpose of g and C/g, Reshape back: a channel shuffle (Zhang et al.,
 *   ShuffleNet, CVPR 2018).  As a list of channels it can be cut (spec/structure.md 2). */
#include "base/alloc.h"
#include "graph/rewrite.h"
#include "io/onnx/import.h"
#include "ops/op.h"
#include "ops/params.h"

/* The node that makes @value, if it is of @op and nobody else reads it; else NULL. */
static const PjNode *
sole_producer (const PjGraph *graph, int value, const PjOp *op)
{
  int producer = pj_graph_value (graph, value)->producer;
  if (producer < 0 || pj_graph_node (graph, producer)->op != op)
    return NULL;
  g_autoptr (GArray) readers = pj_graph_consumers (graph, value);
  return readers->len == 1 ? pj_graph_node (graph, producer) : NULL;
}

/* If @node ends a channel shuffle: its groups and the value that is shuffled; else 0. */
static int
shuffle_groups (const PjGraph *graph, const PjNode *node, int *x)
{
  if (node->op != &pj_op_reshape)
    return 0;
  const PjNode *turn = sole_producer (graph, node->inputs[0], &pj_op_transpose);
  const PjNode *open = turn != NULL ? sole_producer (graph, turn->inputs[0], &pj_op_reshape) : NULL;
  if (open == NULL)
    return 0;
  *x = open->inputs[0];
  const PjShape *whole = &pj_graph_value (graph, *x)->shape, *apart = &pj_graph_value (graph, open->outputs[0])->shape;
  const int *order = ((const PjTransposeParams *) turn->params)->order;
  if (!pj_shape_equal (whole, &pj_graph_value (graph, node->outputs[0])->shape) || apart->rank != whole->rank + 1
      || apart->dim[1] * apart->dim[2] != whole->dim[1] || order[1] != 2 || order[2] != 1)
    return 0;
  for (unsigned i = 3; i < apart->rank; i++)
    if (order[i] != (int) i || apart->dim[i] != whole->dim[i - 1])
      return 0;
  return (int) apart->dim[1];
}

/* y[k·g + j] = x[j·C/g + k]. */
static gboolean
rewrite_shuffle (PjRewrite *rewrite, const PjNode *node, int x, int n_groups, GError **error)
{
  int c = (int) pj_graph_value (rewrite->from, x)->shape.dim[1];
  float *list = pj_alloc ((size_t) c * sizeof *list, "a list of channels", error);
  g_autofree char *name = g_strconcat (node->name, "_channels", NULL);

  if (list == NULL)
    return FALSE;
  for (int k = 0; k < c; k++)
    list[k] = (float) (k % n_groups * (c / n_groups) + k / n_groups);
  int inputs[2] = { pj_rewrite_value (rewrite, x),
                    pj_graph_add_param (rewrite->to, name, PJ_SHAPE (c), pj_blob_new_take (list, (size_t) c)) };
  return pj_rewrite_emit (rewrite, node->name, &pj_op_gather, NULL, inputs, 2, node->outputs[0], error);
}

/* Marks what leads to @value, seeing through shuffles. */
static void
mark_needed (const PjGraph *graph, int value, guint8 *needed)
{
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_append_val (stack, value);
  while (stack->len > 0) {
    int producer = pj_graph_value (graph, g_array_index (stack, int, stack->len - 1))->producer, x;
    g_array_set_size (stack, stack->len - 1);
    if (producer < 0 || needed[producer])
      continue;
    const PjNode *node = pj_graph_node (graph, producer);
    needed[producer] = 1;
    if (shuffle_groups (graph, node, &x) > 0)
      g_array_append_val (stack, x);
    else
      for (unsigned i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] >= 0)
          g_array_append_val (stack, node->inputs[i]);
  }
}

PjGraph *
pj_onnx_join_patterns (PjGraph *graph, unsigned *n_joined, GError **error)
{
  g_autofree guint8 *needed = g_malloc0 (pj_graph_n_nodes (graph) + 1);
  g_auto (PjRewrite) rewrite = { 0 };
  int x;

  *n_joined = 0;
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++)
    *n_joined += shuffle_groups (graph, pj_graph_node (graph, (int) n), &x) > 0;
  if (*n_joined == 0)
    return pj_graph_ref (graph);
  mark_needed (graph, pj_graph_get_output (graph), needed);
  pj_rewrite_init (&rewrite, graph);
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    int n_groups = needed[n] ? shuffle_groups (graph, node, &x) : 0;
    if (needed[n] && !(n_groups > 0 ? rewrite_shuffle (&rewrite, node, x, n_groups, error) : pj_rewrite_copy (&rewrite, node, error)))
      return NULL;
  }
  return pj_rewrite_finish (&rewrite);
}
