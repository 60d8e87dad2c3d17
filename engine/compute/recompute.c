/* SPDX-License-Identifier: MIT */
#include "compute/recompute.h"

#include <math.h>

#include "ops/op.h"

static double
output_bytes (const PjGraph *graph, const PjChain *chain)
{
  return 4.0 * (double) pj_shape_n_elems (&pj_graph_value (graph, chain->output)->shape);
}

static gboolean
ends_chain (const PjChain *chains, const int *head_of, int node)
{
  return head_of[node] >= 0 && chains[head_of[node]].last == node;
}

/* @last_reader: by value: the last node that reads it. The nodes after which one value alone is still needed. */
static void
find_gates (const PjGraph *graph, const PjChain *chains, const int *head_of, gboolean *gate)
{
  int n_nodes = (int) pj_graph_n_nodes (graph), reach = -1;
  g_autofree int *last_reader = g_new (int, pj_graph_n_values (graph));

  for (unsigned v = 0; v < pj_graph_n_values (graph); v++)
    last_reader[v] = -1;
  for (int n = 0; n < n_nodes; n++)
    for (unsigned i = 0; head_of[n] >= 0 && i < pj_graph_node (graph, n)->n_inputs; i++)
      if (pj_graph_node (graph, n)->inputs[i] >= 0)
        last_reader[pj_graph_node (graph, n)->inputs[i]] = n;
  /* @reach: how far values from before this chain are read. */
  for (int n = 0; n < n_nodes; n++) {
    if (!ends_chain (chains, head_of, n))
      continue;
    gate[head_of[n]] = reach <= n;
    reach = MAX (reach, last_reader[chains[head_of[n]].output]);
  }
}

static void
choose_blocks (const PjGraph *graph, const PjChain *chains, const int *head_of, gboolean *dropped)
{
  int n_nodes = (int) pj_graph_n_nodes (graph), n_gates = 0;
  g_autofree gboolean *gate = g_new0 (gboolean, n_nodes);
  double total = 0.0, since = 0.0;

  find_gates (graph, chains, head_of, gate);
  for (int n = 0; n < n_nodes; n++)
    if (ends_chain (chains, head_of, n)) {
      total += output_bytes (graph, &chains[head_of[n]]);
      n_gates += gate[head_of[n]];
    }
  double block = total / MAX (1.0, floor (sqrt ((double) n_gates)));
  for (int n = 0; n < n_nodes; n++) {
    if (!ends_chain (chains, head_of, n))
      continue;
    int head = head_of[n];
    since += output_bytes (graph, &chains[head]);
    gboolean keeps = gate[head] && since >= block;
    dropped[head] = !keeps;
    since = keeps ? 0.0 : since;
  }
}

/* TRUE if @value is what a norm alone writes, or with the ReLU behind it if @relu. */
static gboolean
is_of_norm (const PjGraph *graph, const PjChain *chains, const int *head_of, int value, gboolean relu)
{
  int producer = pj_graph_value (graph, value)->producer, head = producer >= 0 ? head_of[producer] : -1;
  return head >= 0 && chains[head].output == value && chains[head].relu == relu && pj_graph_node (graph, head)->op == &pj_op_norm;
}

/* TRUE if @value is behind a ReLU and kept: the backward pass of the ReLU needs it. */
static gboolean
is_kept (const PjGraph *graph, const PjChain *chains, const int *head_of, int value, const gboolean *dropped)
{
  int producer = pj_graph_value (graph, value)->producer, head = producer >= 0 ? head_of[producer] : -1;
  return head >= 0 && !dropped[head] && chains[head].output == value && chains[head].relu;
}

/* The sum of what a norm writes and of what is kept anyway, or is applied again for the layers behind it anyway, is one
 * more operand of the pass that applies the norm again.  The sum of the next block then is not one of these, so that
 * every other one is kept and none needs more than its neighbour. */
static gboolean
is_cheap_sum (const PjGraph *graph, const PjChain *chains, const int *head_of, int n, const gboolean *dropped)
{
  const PjNode *node = pj_graph_node (graph, n);
  for (int i = 0; i < 2 && node->op == &pj_op_add; i++) {
    int other = node->inputs[1 - i];
    if (is_of_norm (graph, chains, head_of, node->inputs[i], FALSE)
        && (is_kept (graph, chains, head_of, other, dropped) || is_of_norm (graph, chains, head_of, other, TRUE)))
      return TRUE;
  }
  return FALSE;
}

void
pj_recompute_choose (const PjGraph *graph, const PjChain *chains, const int *head_of, const gboolean *open,
                     PjRecompute what, gboolean *dropped)
{
  int n_nodes = (int) pj_graph_n_nodes (graph);

  if (what == PJ_RECOMPUTE_BLOCKS)
    choose_blocks (graph, chains, head_of, dropped);
  for (int n = 0; n < n_nodes; n++) {
    if (head_of[n] != n)
      continue;
    if (what == PJ_RECOMPUTE_NORMS)
      dropped[n] = pj_graph_node (graph, n)->op == &pj_op_norm || is_cheap_sum (graph, chains, head_of, n, dropped);
    dropped[n] = dropped[n] && !open[chains[n].output];
  }
}
