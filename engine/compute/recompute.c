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
      dropped[n] = pj_graph_node (graph, n)->op == &pj_op_norm;
    dropped[n] = dropped[n] && !open[chains[n].output];
  }
}
