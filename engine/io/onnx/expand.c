/* SPDX-License-Identifier: MIT */
/* Operators that a file cannot hold as they are, as what they are made of.  Importing finds them again, see
 * patterns.c: what is written last has the operator's name.
 *
 *   layer norm        the sums and arithmetic that every operator version has, over any dimension
 *   GELU              by erf, before operator version 20
 *   softmax of maps   between two transpositions, before operator version 13 */
#include <math.h>

#include "graph/rewrite.h"
#include "io/onnx/import.h"
#include "ops/op.h"
#include "ops/params.h"

int
pj_onnx_least_opset (const PjNode *node)
{
  return node->op == &pj_op_layer_norm || node->op == &pj_op_gelu ? 0 : node->op->min_opset;
}

/* --- making nodes; a value of -1 goes on as -1 --- */

typedef struct {
  PjRewrite *rewrite;
  const PjNode *node;
  GError **error;
} Maker;

/* @suffix NULL: the last node, which makes the output of the old one. */
static int
make (Maker *m, const char *suffix, const PjOp *op, gconstpointer params, int a, int b)
{
  int inputs[2] = { a, b };
  unsigned n = op->min_inputs;
  g_autofree char *name = g_strconcat (m->node->name, suffix, NULL);

  if (a < 0 || (n == 2 && b < 0))
    return -1;
  if (suffix != NULL)
    return pj_graph_add_node (m->rewrite->to, name, op, params, inputs, n, m->error);
  return pj_rewrite_emit (m->rewrite, name, op, params, inputs, n, m->node->outputs[0], m->error)
         ? m->rewrite->map[m->node->outputs[0]] : -1;
}

static int
unary (Maker *m, const char *suffix, const PjOp *op, PjUnaryParams params, int x)
{
  return make (m, suffix, op, &params, x, -1);
}

static gboolean
expand_layer_norm (Maker *m)
{
  const PjLayerNormParams *p = m->node->params;
  gboolean shifts = m->node->n_inputs > 2 && m->node->inputs[2] >= 0;
  PjReduceParams mean = { .keep = TRUE };
  int x = pj_rewrite_value (m->rewrite, m->node->inputs[0]), gamma = pj_rewrite_value (m->rewrite, m->node->inputs[1]);

  for (int i = p->first; i < p->first + p->n; i++)
    mean.reduced[i] = 1;
  int distance = make (m, "_distance", &pj_op_sub, NULL, x, make (m, "_mean", &pj_op_reduce_mean, &mean, x, -1));
  int square = make (m, "_square", &pj_op_mul, NULL, distance, distance);
  int variance = make (m, "_variance", &pj_op_reduce_mean, &mean, square, -1);
  int above = unary (m, "_epsilon", &pj_op_shift, (PjUnaryParams) { PJ_FN_LINEAR, 1, p->eps }, variance);
  int root = unary (m, "_deviation", &pj_op_sqrt, (PjUnaryParams) { PJ_FN_SQRT, 0, 0 }, above);
  int scaled = make (m, shifts ? "_scale" : NULL, &pj_op_mul_const, NULL, make (m, "_normalised", &pj_op_div, NULL, distance, root), gamma);
  return scaled >= 0 && (!shifts || make (m, NULL, &pj_op_add_const, NULL, scaled, pj_rewrite_value (m->rewrite, m->node->inputs[2])) >= 0);
}

static gboolean
expand_gelu (Maker *m)
{
  int x = pj_rewrite_value (m->rewrite, m->node->inputs[0]);
  int part = unary (m, "_part", &pj_op_scale, (PjUnaryParams) { PJ_FN_LINEAR, (float) (G_SQRT2 / 2), 0 }, x);
  int erf = unary (m, "_erf", &pj_op_erf, (PjUnaryParams) { PJ_FN_ERF, 0, 0 }, part);
  int above = unary (m, "_above", &pj_op_shift, (PjUnaryParams) { PJ_FN_LINEAR, 1, 1 }, erf);
  int product = make (m, "_product", &pj_op_mul, NULL, x, above);
  return unary (m, NULL, &pj_op_scale, (PjUnaryParams) { PJ_FN_LINEAR, 0.5f, 0 }, product) >= 0;
}

/* Exchanges the axis and the last dimension, twice; what is left when importing takes the pair away is the softmax. */
static gboolean
expand_softmax (Maker *m)
{
  int rank = (int) pj_graph_value (m->rewrite->from, m->node->inputs[0])->shape.rank;
  int axis = MAX (((const PjSoftmaxParams *) m->node->params)->axis, 1);
  PjTransposeParams turn = { .rank = (unsigned) rank };
  PjSoftmaxParams last = { rank - 1 };
  for (int i = 0; i < rank; i++)
    turn.order[i] = i == axis ? rank - 1 : i == rank - 1 ? axis : i;
  int x = make (m, "_rows", &pj_op_transpose, &turn, pj_rewrite_value (m->rewrite, m->node->inputs[0]), -1);
  int shares = make (m, "", m->node->op, &last, x, -1);
  g_autofree char *name = g_strconcat (m->node->name, "_back", NULL);
  return shares >= 0 && pj_rewrite_emit (m->rewrite, name, &pj_op_transpose, &turn, &shares, 1, m->node->outputs[0], m->error);
}

/* --- all of them --- */

typedef gboolean (*Expand) (Maker *m);

static Expand
expansion (const PjGraph *graph, const PjNode *node, int opset)
{
  if (node->op == &pj_op_layer_norm)
    return expand_layer_norm;
  if (node->op == &pj_op_gelu && opset < pj_op_gelu.min_opset)
    return expand_gelu;
  if (opset < 13 && (node->op == &pj_op_softmax || node->op == &pj_op_log_softmax)) {
    const PjShape *shape = &pj_graph_value (graph, node->inputs[0])->shape;
    for (unsigned i = (unsigned) MAX (((const PjSoftmaxParams *) node->params)->axis, 1) + 1; i < shape->rank; i++)
      if (shape->dim[i] > 1)
        return expand_softmax;
  }
  return NULL;
}

PjGraph *
pj_onnx_expand (PjGraph *graph, int opset, GError **error)
{
  g_auto (PjRewrite) rewrite = { 0 };
  gboolean any = FALSE;

  for (unsigned n = 0; !any && n < pj_graph_n_nodes (graph); n++)
    any = expansion (graph, pj_graph_node (graph, (int) n), opset) != NULL;
  if (!any)
    return pj_graph_ref (graph);
  pj_rewrite_init (&rewrite, graph);
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    Expand expand = expansion (graph, node, opset);
    if (!(expand != NULL ? expand (&(Maker) { &rewrite, node, error }) : pj_rewrite_copy (&rewrite, node, error)))
      return NULL;
  }
  return pj_rewrite_finish (&rewrite);
}
