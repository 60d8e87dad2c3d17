/* SPDX-License-Identifier: MIT */
/* Folding norms into the convolution or fc before them:
 * W'_o = W_o·γ_o/√(σ²_o + ε), b'_o = β_o + (b_o − μ_o)·γ_o/√(σ²_o + ε). */
#include "graph/cut.h"

#include <math.h>

#include "base/alloc.h"
#include "graph/rewrite.h"
#include "ops/op.h"
#include "ops/params.h"

/* The norm that alone reads the output of @index, or NULL. */
static const PjNode *
foldable_norm (const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  if ((node->op != &pj_op_conv && node->op != &pj_op_gemm) || node->outputs[0] == pj_graph_get_output (graph))
    return NULL;
  g_autoptr (GArray) readers = pj_graph_consumers (graph, node->outputs[0]);
  g_autoptr (GArray) sharers = pj_graph_consumers (graph, node->inputs[1]);
  if (readers->len != 1 || sharers->len != 1)
    return NULL;
  const PjNode *norm = pj_graph_node (graph, g_array_index (readers, int, 0));
  return norm->op == &pj_op_norm ? norm : NULL;
}

static const float *
data_of (const PjGraph *graph, int value)
{
  return value >= 0 ? pj_blob_data (pj_graph_value (graph, value)->data) : NULL;
}

/* Adds the folded weights and bias of @node to @out. */
static gboolean
add_folded (PjGraph *out, const PjGraph *graph, const PjNode *node, const PjNode *norm, int *w, int *b, GError **error)
{
  const PjValue *old = pj_graph_value (graph, node->inputs[1]);
  size_t rows = (size_t) old->shape.dim[0], n = pj_shape_n_elems (&old->shape), row = n / rows;
  const float *bias = data_of (graph, node->n_inputs > 2 ? node->inputs[2] : -1), *weights = data_of (graph, node->inputs[1]);
  const float *gamma = data_of (graph, norm->inputs[1]), *beta = data_of (graph, norm->inputs[2]);
  const float *mean = data_of (graph, norm->inputs[3]), *var = data_of (graph, norm->inputs[4]);
  double eps = ((const PjNormParams *) norm->params)->eps;
  g_autofree char *bias_name = g_strdup_printf ("%s.folded_bias", old->name);
  float *new_w = pj_alloc (n * sizeof (float), "folded weights", error);
  float *new_b = new_w ? pj_alloc (rows * sizeof (float), "folded biases", error) : NULL;

  if (new_b == NULL) {
    pj_free (new_w);
    return FALSE;
  }
  for (size_t o = 0; o < rows; o++) {
    double scale = gamma[o] / sqrt ((double) var[o] + eps);
    for (size_t k = 0; k < row; k++)
      new_w[o * row + k] = (float) (weights[o * row + k] * scale);
    new_b[o] = (float) (beta[o] + ((bias ? bias[o] : 0.0) - mean[o]) * scale);
  }
  *w = pj_graph_add_param (out, old->name, old->shape, pj_blob_new_take (new_w, n));
  *b = pj_graph_add_param (out, bias_name, PJ_SHAPE ((int64_t) rows), pj_blob_new_take (new_b, rows));
  return TRUE;
}

/* One node for @node and the norm behind it. */
static gboolean
rewrite_folded (PjRewrite *rewrite, const PjNode *node, const PjNode *norm, GError **error)
{
  int inputs[3] = { pj_rewrite_value (rewrite, node->inputs[0]) };
  return add_folded (rewrite->to, rewrite->from, node, norm, &inputs[1], &inputs[2], error)
         && pj_rewrite_emit (rewrite, node->name, node->op, node->params, inputs, 3, norm->outputs[0], error);
}

PjGraph *
pj_fold_norms (const PjGraph *graph, GError **error)
{
  return pj_fold_norms_if (graph, NULL, error);
}

PjGraph *
pj_fold_norms_if (const PjGraph *graph, gboolean (*wanted) (const PjNode *norm), GError **error)
{
  g_autoptr (GHashTable) folded = g_hash_table_new (NULL, NULL);
  g_auto (PjRewrite) rewrite;

  pj_rewrite_init (&rewrite, graph);
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n), *norm = foldable_norm (graph, (int) n);
    if (g_hash_table_contains (folded, node))
      continue;
    if (norm != NULL && wanted != NULL && !wanted (norm))
      norm = NULL;
    if (norm != NULL)
      g_hash_table_add (folded, (gpointer) norm);
    if (norm != NULL ? !rewrite_folded (&rewrite, node, norm, error) : !pj_rewrite_copy (&rewrite, node, error))
      return NULL;
  }
  return pj_rewrite_finish (&rewrite);
}
