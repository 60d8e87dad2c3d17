/* SPDX-License-Identifier: MIT */
/* Folding norms into the convolution or fc before them (spec/structure.md 3):
 * W'_o = W_o·γ_o/√(σ²_o + ε), b'_o = β_o + (b_o − μ_o)·γ_o/√(σ²_o + ε). */
#include "graph/cut.h"

#include <math.h>

#include "base/alloc.h"
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

/* The value of @out that stands for @value of @graph; copies parameters on first use. */
static int
translate (PjGraph *out, const PjGraph *graph, int value, int *map)
{
  if (value < 0)
    return -1;
  if (map[value] < 0) {
    const PjValue *v = pj_graph_value (graph, value);
    map[value] = v->kind == PJ_VALUE_INPUT ? pj_graph_add_input (out, v->name, v->shape)
                                           : pj_graph_add_param (out, v->name, v->shape, pj_blob_ref (v->data));
  }
  return map[value];
}

PjGraph *
pj_fold_norms (const PjGraph *graph, GError **error)
{
  unsigned n_values = pj_graph_n_values (graph);
  g_autoptr (PjGraph) out = pj_graph_new (pj_graph_get_name (graph));
  g_autoptr (GHashTable) folded = g_hash_table_new (NULL, NULL);
  g_autofree int *map = g_new (int, n_values);

  for (unsigned v = 0; v < n_values; v++)
    map[v] = -1;
  translate (out, graph, pj_graph_get_input (graph), map);
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    const PjNode *norm = foldable_norm (graph, (int) n);
    g_autofree int *inputs = g_new0 (int, node->n_inputs + 1);
    unsigned n_inputs = node->n_inputs;
    int last = node->outputs[0];

    if (g_hash_table_contains (folded, node))
      continue;
    for (unsigned i = 0; i < node->n_inputs; i++)
      inputs[i] = norm != NULL && i > 0 ? -1 : translate (out, graph, node->inputs[i], map);
    if (norm != NULL) {
      if (!add_folded (out, graph, node, norm, &inputs[1], &inputs[2], error))
        return NULL;
      n_inputs = 3;
      last = norm->outputs[0];
      g_hash_table_add (folded, (gpointer) norm);
    }
    int made = pj_graph_add_node (out, node->name, node->op, node->params, inputs, n_inputs, error);
    if (made < 0)
      return NULL;
    pj_graph_rename_value (out, made, pj_graph_value (graph, last)->name);
    map[last] = made;
  }
  pj_graph_set_output (out, map[pj_graph_get_output (graph)]);
  g_autoptr (GList) keys = pj_graph_meta_keys (graph);
  for (GList *k = keys; k != NULL; k = k->next)
    pj_graph_set_meta (out, k->data, pj_graph_get_meta (graph, k->data));
  return g_steal_pointer (&out);
}
