/* SPDX-License-Identifier: MIT */
#include "train/head.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "graph/rewrite.h"
#include "ops/op.h"

#define DEVIATION 0.01

/* The layer that makes the class scores. */
static const PjNode *
find_head (const PjGraph *graph, GError **error)
{
  const PjValue *logits = pj_graph_value (graph, pj_graph_get_logits (graph));
  const PjNode *node = logits->producer >= 0 ? pj_graph_node (graph, logits->producer) : NULL;

  if (node != NULL && node->op == &pj_op_gemm)
    return node;
  g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "the class scores of “%s” come from %s “%s”; only a fully connected layer can be "
               "replaced for other classes", pj_graph_get_name (graph), node != NULL ? node->op->title : "the input",
               node != NULL ? node->name : logits->name);
  return NULL;
}

static int
add_weights (PjGraph *graph, const char *name, PjShape shape, double deviation, uint64_t seed, GError **error)
{
  size_t n = pj_shape_n_elems (&shape);
  float *data = pj_alloc (n * sizeof (float), "initial weights", error);
  PjRng rng;

  if (data == NULL)
    return -1;
  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_INIT, 0, 2));
  for (size_t i = 0; i < n; i++)
    data[i] = (float) (deviation * pj_rng_normal (&rng));
  return pj_graph_add_param (graph, name, shape, pj_blob_new_take (data, n));
}

static gboolean
emit_head (PjRewrite *rewrite, const PjNode *head, unsigned n_classes, uint64_t seed, GError **error)
{
  const PjGraph *from = rewrite->from;
  PjShape shape = pj_graph_value (from, head->inputs[1])->shape;
  g_autofree char *bias = g_strdup_printf ("%s.new_bias", head->name);
  int inputs[3] = { pj_rewrite_value (rewrite, head->inputs[0]) };

  shape.dim[0] = n_classes;
  inputs[1] = add_weights (rewrite->to, pj_graph_value (from, head->inputs[1])->name, shape, DEVIATION, seed, error);
  if (inputs[1] < 0)
    return FALSE;
  inputs[2] = add_weights (rewrite->to, head->n_inputs > 2 ? pj_graph_value (from, head->inputs[2])->name : bias, PJ_SHAPE (n_classes), 0,
                           seed, error);
  return inputs[2] >= 0
         && pj_rewrite_emit (rewrite, head->name, head->op, head->params, inputs, 3, head->outputs[0], error);
}

PjGraph *
pj_graph_with_head (const PjGraph *graph, unsigned n_classes, uint64_t seed, GError **error)
{
  const PjNode *head = find_head (graph, error);
  g_auto (PjRewrite) rewrite = { 0 };

  if (head == NULL)
    return NULL;
  pj_rewrite_init (&rewrite, graph);
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    if (node == head ? !emit_head (&rewrite, head, n_classes, seed, error) : !pj_rewrite_copy (&rewrite, node, error))
      return NULL;
  }
  return pj_rewrite_finish (&rewrite);
}
