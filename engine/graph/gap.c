/* SPDX-License-Identifier: MIT */
#include "graph/gap.h"

#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "graph/rewrite.h"
#include "ops/op.h"

/* The nodes on the way back from @value, as long as each has one activation to read; -1 at the end. */
static int
producer_of (const PjGraph *graph, int value)
{
  return pj_graph_value (graph, value)->producer;
}

/* The last value with maps before the class scores, and how many fully connected layers come after it. */
static int
find_maps (const PjGraph *graph, unsigned *n_fc)
{
  int value = pj_graph_get_logits (graph);
  *n_fc = 0;
  while (value >= 0 && pj_graph_value (graph, value)->shape.rank != 4) {
    int node = producer_of (graph, value);
    if (node < 0)
      return -1;
    *n_fc += pj_graph_node (graph, node)->op == &pj_op_gemm;
    value = pj_graph_node (graph, node)->inputs[0];
  }
  /* The average takes the place of a pooling. */
  int node = value >= 0 ? producer_of (graph, value) : -1;
  if (node >= 0 && (pj_graph_node (graph, node)->op == &pj_op_max_pool || pj_graph_node (graph, node)->op == &pj_op_avg_pool))
    value = pj_graph_node (graph, node)->inputs[0];
  return value;
}

static gboolean
check (const PjGraph *graph, int maps, unsigned n_fc, GError **error)
{
  int node = maps >= 0 ? producer_of (graph, maps) : -1;
  if (maps < 0 || n_fc == 0 || node < 0) {
    g_set_error_literal (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID,
                         "the network has no classifier of fully connected layers behind maps, so there is nothing to replace");
    return FALSE;
  }
  const PjOp *op = pj_graph_node (graph, node)->op;
  if (n_fc == 1 && (op == &pj_op_global_avg_pool || op == &pj_op_reduce_mean)) {
    g_set_error_literal (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID,
                         "the classifier is a global average and one layer already; leave it as it is");
    return FALSE;
  }
  return TRUE;
}

/* @count normal numbers of He's deviation for @inputs. */
static PjBlob *
fresh_weights (size_t count, int64_t inputs, uint64_t seed, GError **error)
{
  float *data = pj_alloc (count * sizeof (float), "a new classifier", error);
  PjRng rng;
  if (data == NULL)
    return NULL;
  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_INIT, 0x6a9, 0));
  for (size_t i = 0; i < count; i++)
    data[i] = (float) (sqrt (2.0 / (double) inputs) * pj_rng_normal (&rng));
  return pj_blob_new_take (data, count);
}

static gboolean
add_head (PjRewrite *rewrite, int maps, int64_t n_classes, uint64_t seed, GError **error)
{
  PjGraph *to = rewrite->to;
  int64_t c = pj_graph_value (rewrite->from, maps)->shape.dim[1];
  PjBlob *w = fresh_weights ((size_t) (c * n_classes), c, seed, error);
  float *zero = w != NULL ? pj_alloc ((size_t) n_classes * sizeof (float), "a new classifier", error) : NULL;

  if (zero == NULL) {
    if (w != NULL)
      pj_blob_unref (w);
    return FALSE;
  }
  int weight = pj_graph_add_param (to, "gap.weight", PJ_SHAPE (n_classes, c), w);
  int bias = pj_graph_add_param (to, "gap.bias", PJ_SHAPE (n_classes), pj_blob_new_take (zero, (size_t) n_classes));
  int x = rewrite->map[maps];
  x = pj_graph_add_node (to, "gap", &pj_op_global_avg_pool, NULL, &x, 1, error);
  x = x >= 0 ? pj_graph_add_node (to, "gap.flatten", &pj_op_flatten, NULL, &x, 1, error) : -1;
  x = x >= 0 ? pj_graph_add_node (to, "gap.fc", &pj_op_gemm, NULL, (int[]) { x, weight, bias }, 3, error) : -1;
  if (x < 0)
    return FALSE;
  rewrite->map[pj_graph_get_logits (rewrite->from)] = x;
  return TRUE;
}

PjGraph *
pj_graph_with_gap (const PjGraph *graph, uint64_t seed, GError **error)
{
  unsigned n_fc;
  int maps = find_maps (graph, &n_fc), logits = pj_graph_get_logits (graph);
  g_auto (PjRewrite) rewrite = { 0 };

  if (!check (graph, maps, n_fc, error))
    return NULL;
  pj_rewrite_init (&rewrite, graph);
  for (int n = 0; n <= producer_of (graph, maps); n++)
    if (!pj_rewrite_copy (&rewrite, pj_graph_node (graph, n), error))
      return NULL;
  if (!add_head (&rewrite, maps, (int64_t) pj_graph_n_classes (graph), seed, error))
    return NULL;
  /* A softmax after the scores stays. */
  int output = pj_graph_get_output (graph);
  if (output != logits && !pj_rewrite_copy (&rewrite, pj_graph_node (graph, producer_of (graph, output)), error))
    return NULL;
  return pj_rewrite_finish (&rewrite);
}
