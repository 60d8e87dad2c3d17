/* SPDX-License-Identifier: MIT */
#include "graph/norms.h"

#include <math.h>

#include "base/alloc.h"
#include "graph/cut.h"
#include "graph/rewrite.h"
#include "ops/op.h"
#include "ops/params.h"

/* As the frameworks have it. */
#define EPS 1e-5f

GArray *
pj_norms_missing (const PjGraph *graph)
{
  unsigned n_values = pj_graph_n_values (graph);
  GArray *missing = g_array_new (FALSE, FALSE, sizeof (int));
  g_autofree guint8 *has_norm = g_malloc0 (n_values + 1);
  g_autofree unsigned *n_readers = g_new0 (unsigned, n_values + 1);

  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    for (unsigned i = 0; i < node->n_inputs; i++)
      if (node->inputs[i] >= 0) {
        n_readers[node->inputs[i]]++;
        has_norm[node->inputs[i]] |= node->op == &pj_op_norm;
      }
  }
  for (int n = 0; n < (int) pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, n);
    /* Weights that several layers share could not take up the norm of one of them. */
    if (node->op == &pj_op_conv && !has_norm[node->outputs[0]] && n_readers[node->inputs[1]] == 1
        && node->outputs[0] != pj_graph_get_output (graph))
      g_array_append_val (missing, n);
  }
  return missing;
}

/* --- inserting --- */

static float *
numbers (size_t n, GError **error)
{
  return pj_alloc (n * sizeof (float), "the parameters of a norm", error);
}

/* Parameter @which of a norm: γ, β, mean, variance. */
static int
add_param (PjGraph *graph, const char *norm, int which, const double *mean, const double *var, size_t n, GError **error)
{
  static const char *const suffixes[] = { ".weight", ".bias", ".running_mean", ".running_var" };
  g_autofree char *name = g_strconcat (norm, suffixes[which], NULL);
  float *data = numbers (n, error);

  if (data == NULL)
    return -1;
  for (size_t c = 0; c < n; c++) {
    /* The norm divides by the root of the variance as it is stored. */
    float stored = (float) var[c];
    data[c] = which == 0 ? (float) sqrt ((double) stored + EPS) : which == 3 ? stored : (float) mean[c];
  }
  return pj_graph_add_param (graph, name, PJ_SHAPE ((int64_t) n), pj_blob_new_take (data, n));
}

static gboolean
add_norm (PjRewrite *rewrite, const PjNode *conv, const double *mean, const double *var, GError **error)
{
  PjNormParams params = { EPS };
  int made = rewrite->map[conv->outputs[0]], inputs[5] = { made };
  size_t n = (size_t) pj_graph_value (rewrite->to, made)->shape.dim[1];
  g_autofree char *name = g_strconcat (conv->name, PJ_INSERTED_NORM, NULL);
  g_autofree char *before = g_strconcat (pj_graph_value (rewrite->to, made)->name, "_before_norm", NULL);

  for (int i = 0; i < 4; i++)
    if ((inputs[1 + i] = add_param (rewrite->to, name, i, mean, var, n, error)) < 0)
      return FALSE;
  pj_graph_rename_value (rewrite->to, made, before);
  return pj_rewrite_emit (rewrite, name, &pj_op_norm, &params, inputs, 5, conv->outputs[0], error);
}

PjGraph *
pj_norms_insert (const PjGraph *graph, const int *nodes, const double *const *mean, const double *const *var,
                 unsigned n_nodes, GError **error)
{
  g_auto (PjRewrite) rewrite;
  unsigned next = 0;

  pj_rewrite_init (&rewrite, graph);
  for (int n = 0; n < (int) pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, n);
    if (!pj_rewrite_copy (&rewrite, node, error))
      return NULL;
    if (next < n_nodes && nodes[next] == n) {
      if (!add_norm (&rewrite, node, mean[next], var[next], error))
        return NULL;
      next++;
    }
  }
  g_assert (next == n_nodes);
  return pj_rewrite_finish (&rewrite);
}

/* --- folding --- */

static gboolean
is_inserted (const PjNode *norm)
{
  return g_str_has_suffix (norm->name, PJ_INSERTED_NORM);
}

PjGraph *
pj_norms_fold_inserted (PjGraph *graph, GError **error)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    if (node->op == &pj_op_norm && is_inserted (node))
      return pj_fold_norms_if (graph, is_inserted, error);
  }
  return pj_graph_ref (graph);
}
