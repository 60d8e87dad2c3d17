/* SPDX-License-Identifier: MIT */
#include "compute/chains.h"

#include "ops/op.h"
#include "ops/params.h"

typedef struct {
  const PjGraph *graph;
  const gboolean *needed, *open, *gated;
  int *head_of;
  int *n_uses;        /* by value: how often needed nodes read it */
  int *reader;        /* by value: the last needed node that reads it */
} Finder;

/* The only node that reads the output of @node and could be absorbed, or -1. */
static int
sole_reader (const Finder *f, int value)
{
  if (f->open[value] || f->n_uses[value] != 1)
    return -1;
  int reader = f->reader[value];
  return f->head_of[reader] < 0 ? reader : -1;
}

static void
absorb (Finder *f, PjChain *chain, int node)
{
  f->head_of[node] = chain->head;
  chain->last = node;
  chain->output = pj_graph_node (f->graph, node)->outputs[0];
  if (f->gated[chain->output] && chain->gated < 0)
    chain->gated = chain->output;
}

gboolean
pj_is_rectifier (const PjNode *node, gboolean clips, float *ceiling)
{
  *ceiling = 0.0f;
  if (node->op == &pj_op_relu)
    return TRUE;
  const PjUnaryParams *p = node->params;
  if (!clips || node->op != &pj_op_clip || p->alpha != 0.0f || !(p->beta > 0.0f))
    return FALSE;
  *ceiling = p->beta < G_MAXFLOAT ? p->beta : 0.0f;
  return TRUE;
}

static void
grow (Finder *f, PjChain *chain, gboolean fold)
{
  const PjOp *op = pj_graph_node (f->graph, chain->head)->op;
  gboolean folds = fold && (op == &pj_op_conv || op == &pj_op_gemm);
  int next;

  absorb (f, chain, chain->head);
  /* A gate on the output of a conv that a norm follows is no mask point; keep both visible then. */
  if (folds && chain->gated < 0 && (next = sole_reader (f, chain->output)) >= 0
      && pj_graph_node (f->graph, next)->op == &pj_op_norm) {
    chain->norm = next;
    absorb (f, chain, next);
  }
  if (folds && op == &pj_op_conv && (next = sole_reader (f, chain->output)) >= 0
      && pj_graph_node (f->graph, next)->op == &pj_op_add
      && !f->gated[pj_graph_node (f->graph, next)->outputs[0]]) {
    const PjNode *add = pj_graph_node (f->graph, next);
    chain->residual = add->inputs[add->inputs[0] == chain->output ? 1 : 0];
    absorb (f, chain, next);
  }
  gboolean clips = op == &pj_op_norm || (folds && op == &pj_op_conv);
  if (op->fuses_relu && (next = sole_reader (f, chain->output)) >= 0
      && pj_is_rectifier (pj_graph_node (f->graph, next), clips, &chain->ceiling)
      && !f->gated[pj_graph_node (f->graph, next)->outputs[0]]) {
    chain->relu = TRUE;
    absorb (f, chain, next);
  }
}

void
pj_chains_find (const PjGraph *graph, const gboolean *needed, const gboolean *open,
                const gboolean *gated, gboolean fold, PjChain *chains, int *head_of)
{
  int n_nodes = (int) pj_graph_n_nodes (graph);
  g_autofree int *n_uses = g_new0 (int, pj_graph_n_values (graph));
  g_autofree int *reader = g_new0 (int, pj_graph_n_values (graph));
  Finder f = { graph, needed, open, gated, head_of, n_uses, reader };

  for (int n = 0; n < n_nodes; n++) {
    const PjNode *node = pj_graph_node (graph, n);
    head_of[n] = -1;
    for (unsigned i = 0; needed[n] && i < node->n_inputs; i++)
      if (node->inputs[i] >= 0) {
        n_uses[node->inputs[i]]++;
        reader[node->inputs[i]] = n;
      }
  }
  for (int n = 0; n < n_nodes; n++) {
    if (!needed[n] || head_of[n] >= 0)
      continue;
    chains[n] = (PjChain) { .head = n, .norm = -1, .residual = -1, .gated = -1 };
    grow (&f, &chains[n], fold);
  }
}
