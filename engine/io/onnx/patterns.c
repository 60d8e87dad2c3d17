/* SPDX-License-Identifier: MIT */
/* Groups of nodes that mean one operator.
 *
 *   Reshape to N × g × C/g × H × W, Transpose of g and C/g, Reshape back: a channel shuffle (Zhang et al.,
 *   ShuffleNet, CVPR 2018).  As a list of channels it can be cut.
 *
 *   x − mean x over √(mean (x − mean x)² + ε) [· γ] [+ β] over some dimensions: a layer norm, as
 *   exporters write it before operator version 17.
 *
 *   ½x·(1 + erf (x/√2)), in any order of the factors: a GELU, before operator version 20. */
#include <math.h>

#include "base/alloc.h"
#include "graph/rewrite.h"
#include "io/onnx/import.h"
#include "ops/op.h"
#include "ops/params.h"

/* What a group of nodes is: a node of @op that reads @inputs.  @n_list: channels of a list that is made and
 * becomes the next input. @n_groups: of a shuffle. @ones: a γ of this shape is made where there is none. */
typedef struct {
  const PjOp *op;
  PjLayerNormParams norm;
  PjUnaryParams unary;
  gconstpointer params;
  int inputs[3], n_inputs;
  int n_groups;
  PjShape ones;
} Match;

/* The graph, and for each value how many nodes read it (the network's end is one) and the last of them. */
typedef struct {
  const PjGraph *graph;
  int *n_readers, *reader;
} Net;

/* The node that makes @value, if it is of @op; else NULL. */
static const PjNode *
producer (const Net *net, int value, const PjOp *op)
{
  int index = value < 0 ? -1 : pj_graph_value (net->graph, value)->producer;
  return index >= 0 && pj_graph_node (net->graph, index)->op == op ? pj_graph_node (net->graph, index) : NULL;
}

static int
n_readers (const Net *net, int value)
{
  return net->n_readers[value];
}

/* The same if nobody else reads it. */
static const PjNode *
sole_producer (const Net *net, int value, const PjOp *op)
{
  const PjNode *node = producer (net, value, op);
  return node != NULL && n_readers (net, value) == 1 ? node : NULL;
}

static const PjShape *
shape_of (const Net *net, int value)
{
  return &pj_graph_value (net->graph, value)->shape;
}

/* --- channel shuffle --- */

static gboolean
match_shuffle (const Net *net, const PjNode *node, Match *m)
{
  if (node->op != &pj_op_reshape)
    return FALSE;
  const PjNode *turn = sole_producer (net, node->inputs[0], &pj_op_transpose);
  const PjNode *open = turn != NULL ? sole_producer (net, turn->inputs[0], &pj_op_reshape) : NULL;
  if (open == NULL)
    return FALSE;
  const PjShape *whole = shape_of (net, open->inputs[0]), *apart = shape_of (net, open->outputs[0]);
  const int *order = ((const PjTransposeParams *) turn->params)->order;
  if (!pj_shape_equal (whole, shape_of (net, node->outputs[0])) || apart->rank != whole->rank + 1
      || apart->dim[1] * apart->dim[2] != whole->dim[1] || order[1] != 2 || order[2] != 1)
    return FALSE;
  for (unsigned i = 3; i < apart->rank; i++)
    if (order[i] != (int) i || apart->dim[i] != whole->dim[i - 1])
      return FALSE;
  *m = (Match) { .op = &pj_op_gather, .inputs = { open->inputs[0] }, .n_inputs = 1, .n_groups = (int) apart->dim[1] };
  return TRUE;
}

/* y[k·g + j] = x[j·C/g + k]. */
static int
shuffle_list (PjRewrite *rewrite, const PjNode *node, const Match *m, GError **error)
{
  int c = (int) pj_graph_value (rewrite->from, m->inputs[0])->shape.dim[1];
  float *list = pj_alloc ((size_t) c * sizeof *list, "a list of channels", error);
  g_autofree char *name = g_strconcat (node->name, "_channels", NULL);

  if (list == NULL)
    return -1;
  for (int k = 0; k < c; k++)
    list[k] = (float) (k % m->n_groups * (c / m->n_groups) + k / m->n_groups);
  return pj_graph_add_param (rewrite->to, name, PJ_SHAPE (c), pj_blob_new_take (list, (size_t) c));
}

/* --- layer norm --- */

/* The dimensions of @mean: one run of neighbours, kept as 1. */
static gboolean
is_mean_of_run (const Net *net, const PjNode *mean, PjLayerNormParams *norm)
{
  const PjReduceParams *p = mean->params;
  int rank = (int) shape_of (net, mean->inputs[0])->rank, n_reduced = 0;
  for (int i = 0; i < rank; i++)
    n_reduced += p->reduced[i] != 0;
  for (norm->first = 0; norm->first < rank && !p->reduced[norm->first];)
    norm->first++;
  for (norm->n = 0; norm->first + norm->n < rank && p->reduced[norm->first + norm->n];)
    norm->n++;
  return p->keep && norm->n > 0 && norm->n == n_reduced;
}

/* d if @value is d² or d·d. */
static int
square_root_of (const Net *net, int value)
{
  const PjNode *power = sole_producer (net, value, &pj_op_power), *product = sole_producer (net, value, &pj_op_mul);
  if (power != NULL && ((const PjUnaryParams *) power->params)->alpha == 2)
    return power->inputs[0];
  return product != NULL && product->inputs[0] == product->inputs[1] ? product->inputs[0] : -1;
}

/* d/√(mean d² + ε) with d = x − mean x, made by @node. */
static gboolean
match_normalised (const Net *net, const PjNode *node, Match *m)
{
  PjLayerNormParams norm, again;
  const PjNode *root = node->op == &pj_op_div ? sole_producer (net, node->inputs[1], &pj_op_sqrt) : NULL;
  const PjNode *shift = root != NULL ? sole_producer (net, root->inputs[0], &pj_op_shift) : NULL;
  const PjNode *variance = shift != NULL ? sole_producer (net, shift->inputs[0], &pj_op_reduce_mean) : NULL;
  int distance = variance != NULL ? square_root_of (net, variance->inputs[0]) : -1;
  const PjNode *sub = producer (net, distance, &pj_op_sub);
  const PjNode *mean = sub != NULL && distance == node->inputs[0] ? sole_producer (net, sub->inputs[1], &pj_op_reduce_mean) : NULL;

  /* The distance is read here and by its square, once or (d·d) twice. */
  if (mean == NULL || mean->inputs[0] != sub->inputs[0] || n_readers (net, distance) != 2
      || ((const PjUnaryParams *) shift->params)->alpha != 1
      || !is_mean_of_run (net, mean, &norm) || !is_mean_of_run (net, variance, &again) || norm.first != again.first || norm.n != again.n)
    return FALSE;
  norm.eps = ((const PjUnaryParams *) shift->params)->beta;
  *m = (Match) { .op = &pj_op_layer_norm, .norm = norm, .inputs = { sub->inputs[0], -1, -1 }, .n_inputs = 2 };
  m->ones = *shape_of (net, sub->inputs[0]);
  for (int i = 0; i < (int) m->ones.rank; i++)
    if (i < norm.first || i >= norm.first + norm.n)
      m->ones.dim[i] = 1;
  return norm.eps >= 0;
}

/* The stored tensor that @node adds or multiplies, if it has the shape of a parameter of the norm. */
static int
norm_parameter (const Net *net, const PjNode *node, const Match *m)
{
  return pj_shape_equal (shape_of (net, node->inputs[1]), &m->ones) ? node->inputs[1] : -1;
}

/* TRUE if the only thing that happens to @node's output is that it is scaled or shifted by a parameter: then
 * the norm ends later. */
static gboolean
goes_on (const Net *net, const PjNode *node, const PjOp *op, const Match *m)
{
  if (net->n_readers[node->outputs[0]] != 1 || net->reader[node->outputs[0]] < 0)
    return FALSE;
  const PjNode *next = pj_graph_node (net->graph, net->reader[node->outputs[0]]);
  return next->op == op && norm_parameter (net, next, m) >= 0;
}

/* @node is the last of a layer norm: the shift, the scaling, or the quotient where the others are missing. */
static gboolean
match_layer_norm (const Net *net, const PjNode *node, Match *m)
{
  const PjNode *shift = node->op == &pj_op_add_const ? node : NULL;
  const PjNode *scale = shift != NULL ? sole_producer (net, shift->inputs[0], &pj_op_mul_const)
                        : node->op == &pj_op_mul_const ? node : NULL;
  const PjNode *quotient = scale != NULL ? sole_producer (net, scale->inputs[0], &pj_op_div) : shift != NULL ? NULL : node;

  if (quotient == NULL || !match_normalised (net, quotient, m))
    return FALSE;
  if (scale != NULL && (m->inputs[1] = norm_parameter (net, scale, m)) < 0)
    return FALSE;
  if (shift != NULL && (m->inputs[2] = norm_parameter (net, shift, m)) < 0)
    return FALSE;
  m->n_inputs = shift != NULL ? 3 : 2;
  return !(node == quotient && goes_on (net, node, &pj_op_mul_const, m))
         && !(node == scale && goes_on (net, node, &pj_op_add_const, m));
}

static int
ones (PjRewrite *rewrite, const PjNode *node, const Match *m, GError **error)
{
  size_t n = pj_shape_n_elems (&m->ones);
  float *data = pj_alloc (n * sizeof *data, "the parameters of a norm", error);
  g_autofree char *name = g_strconcat (node->name, "_scale", NULL);
  if (data == NULL)
    return -1;
  for (size_t i = 0; i < n; i++)
    data[i] = 1;
  return pj_graph_add_param (rewrite->to, name, m->ones, pj_blob_new_take (data, n));
}

/* --- GELU --- */

static gboolean
is_near (float a, double b)
{
  return fabs (a - b) <= 1e-5 * fabs (b);
}

/* x if @value is x·@factor, seen by nobody else; else -1. */
static int
scaled (const Net *net, int value, double factor)
{
  const PjNode *scale = sole_producer (net, value, &pj_op_scale);
  return scale != NULL && is_near (((const PjUnaryParams *) scale->params)->alpha, factor) ? scale->inputs[0] : -1;
}

/* x if @value is 1 + erf (x/√2). */
static int
above_erf (const Net *net, int value)
{
  const PjNode *shift = sole_producer (net, value, &pj_op_shift);
  if (shift == NULL || ((const PjUnaryParams *) shift->params)->alpha != 1 || ((const PjUnaryParams *) shift->params)->beta != 1)
    return -1;
  const PjNode *erf = sole_producer (net, shift->inputs[0], &pj_op_erf);
  return erf != NULL ? scaled (net, erf->inputs[0], G_SQRT2 / 2) : -1;
}

/* x if @value is x·(1 + erf (x/√2)) times @factor in either operand; else -1. */
static int
gelu_product (const Net *net, const PjNode *product, double factor)
{
  for (int i = 0; product != NULL && i < 2; i++) {
    int a = product->inputs[i], b = product->inputs[1 - i], half;
    int x = above_erf (net, b);
    if (x >= 0 && x == (factor == 1 ? a : scaled (net, a, factor)))
      return x;
    if (factor != 1 && (half = scaled (net, b, factor)) >= 0 && above_erf (net, half) == a)
      return a;
  }
  return -1;
}

static gboolean
match_gelu (const Net *net, const PjNode *node, Match *m)
{
  int x = node->op == &pj_op_mul ? gelu_product (net, node, 0.5) : -1;
  if (node->op == &pj_op_scale && is_near (((const PjUnaryParams *) node->params)->alpha, 0.5))
    x = gelu_product (net, sole_producer (net, node->inputs[0], &pj_op_mul), 1);
  *m = (Match) { .op = &pj_op_gelu, .unary = { .function = PJ_FN_GELU }, .inputs = { x }, .n_inputs = 1 };
  return x >= 0;
}

/* --- all of them --- */

static gboolean
match (const Net *net, const PjNode *node, Match *m)
{
  if (match_layer_norm (net, node, m))
    m->params = &m->norm;
  else if (match_gelu (net, node, m))
    m->params = &m->unary;
  else
    return match_shuffle (net, node, m);
  return TRUE;
}

static gboolean
rewrite_match (PjRewrite *rewrite, const PjNode *node, const Match *m, GError **error)
{
  int inputs[4], n = m->n_inputs;
  for (int i = 0; i < n; i++)
    inputs[i] = pj_rewrite_value (rewrite, m->inputs[i]);
  if (m->op == &pj_op_layer_norm && inputs[1] < 0 && (inputs[1] = ones (rewrite, node, m, error)) < 0)
    return FALSE;
  if (m->n_groups > 0 && (inputs[n++] = shuffle_list (rewrite, node, m, error)) < 0)
    return FALSE;
  return pj_rewrite_emit (rewrite, node->name, m->op, m->params, inputs, (unsigned) n, node->outputs[0], error);
}

/* Marks what leads to @value, seeing through the groups; counts them. */
static unsigned
mark_needed (const Net *net, int value, guint8 *needed)
{
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (int));
  unsigned n_joined = 0;
  Match m;

  g_array_append_val (stack, value);
  while (stack->len > 0) {
    int last = g_array_index (stack, int, stack->len - 1), maker = last < 0 ? -1 : pj_graph_value (net->graph, last)->producer;
    g_array_set_size (stack, stack->len - 1);
    if (maker < 0 || needed[maker])
      continue;
    const PjNode *node = pj_graph_node (net->graph, maker);
    needed[maker] = 1;
    if (match (net, node, &m)) {
      n_joined++;
      g_array_append_vals (stack, m.inputs, (guint) m.n_inputs);
    } else {
      g_array_append_vals (stack, node->inputs, node->n_inputs);
    }
  }
  return n_joined;
}

static void
find_readers (Net *net)
{
  int output = pj_graph_get_output (net->graph);
  for (unsigned n = 0; n < pj_graph_n_nodes (net->graph); n++) {
    const PjNode *node = pj_graph_node (net->graph, (int) n);
    for (unsigned i = 0; i < node->n_inputs; i++)
      if (node->inputs[i] >= 0 && (net->n_readers[node->inputs[i]] == 0 || net->reader[node->inputs[i]] != (int) n)) {
        net->n_readers[node->inputs[i]]++;
        net->reader[node->inputs[i]] = (int) n;
      }
  }
  net->n_readers[output]++;
  net->reader[output] = -1;
}

PjGraph *
pj_onnx_join_patterns (PjGraph *graph, unsigned *n_joined, GError **error)
{
  unsigned n_nodes = pj_graph_n_nodes (graph), n_needed = 0;
  g_autofree guint8 *needed = g_malloc0 (n_nodes + 1);
  g_autofree int *counts = g_new0 (int, pj_graph_n_values (graph)), *readers = g_new0 (int, pj_graph_n_values (graph));
  Net net = { graph, counts, readers };
  g_auto (PjRewrite) rewrite = { 0 };
  Match m;

  find_readers (&net);
  *n_joined = mark_needed (&net, pj_graph_get_output (graph), needed);
  for (unsigned n = 0; n < n_nodes; n++)
    n_needed += needed[n];
  if (n_needed == n_nodes)
    return pj_graph_ref (graph);
  pj_rewrite_init (&rewrite, graph);
  for (unsigned n = 0; n < n_nodes; n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    if (needed[n] && !(match (&net, node, &m) ? rewrite_match (&rewrite, node, &m, error) : pj_rewrite_copy (&rewrite, node, error)))
      return NULL;
  }
  return pj_rewrite_finish (&rewrite);
}
