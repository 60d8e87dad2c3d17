/* SPDX-License-Identifier: MIT */
#include "prune/scores/outlet.h"

#include "ops/op.h"

/* What masking a channel does to a value: nothing; that channel is zero; that channel is something else. */
typedef enum { SAME, ZERO, TOUCHED } State;

typedef struct {
  const PjGraph *graph;
  const PjGroup *group;
  State *states;                /* by value */
  const PjMaskPoint **points;   /* by value: whose mask makes the channel zero */
  int outlet;                   /* node, or -1 */
} Finder;

static gboolean
is_activation (const PjGraph *graph, int value)
{
  return value >= 0 && pj_graph_value (graph, value)->kind != PJ_VALUE_PARAM;
}

static const PjShape *
shape_of (const Finder *f, int value)
{
  return &pj_graph_value (f->graph, value)->shape;
}

/* Each channel of the result depends on the same channel of the input alone. */
static gboolean
is_by_channel (const Finder *f, const PjNode *node)
{
  static const PjOp *const ops[] = {
    &pj_op_relu, &pj_op_prelu, &pj_op_leaky_relu, &pj_op_elu, &pj_op_sigmoid, &pj_op_hard_sigmoid, &pj_op_hard_swish, &pj_op_tanh,
    &pj_op_gelu, &pj_op_softplus, &pj_op_clip, &pj_op_norm, &pj_op_max_pool, &pj_op_avg_pool, &pj_op_global_avg_pool,
    &pj_op_flatten, &pj_op_identity,
  };
  const PjShape *x = shape_of (f, node->inputs[0]), *y = shape_of (f, node->outputs[0]);
  const PjConvParams *p = node->params;

  if (x->rank < 2 || y->rank < 2 || x->dim[1] != y->dim[1])
    return FALSE;
  if (node->op == &pj_op_conv)
    return p->groups == x->dim[1];
  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    if (node->op == ops[i])
      return TRUE;
  return FALSE;
}

/* A channel of zeros stays one. */
static gboolean
keeps_zero (const PjNode *node)
{
  const PjUnaryParams *p = node->params;
  return node->op->zero == PJ_ZERO_KEEPS && (node->op != &pj_op_clip || (p->alpha <= 0.0f && p->beta >= 0.0f));
}

static gboolean
may_be_outlet (const Finder *f, const PjNode *node)
{
  const PjConvParams *p = node->params;
  return (node->op == &pj_op_gemm || (node->op == &pj_op_conv && p->groups == 1)) && f->states[node->inputs[0]] == ZERO
         && f->outlet < 0;
}

/* One node that reads what masks change; FALSE if there can be no outlet any more. */
static gboolean
visit (Finder *f, int index)
{
  const PjNode *node = pj_graph_node (f->graph, index);
  int n_changed = 0;

  for (unsigned i = 0; i < node->n_inputs; i++)
    n_changed += is_activation (f->graph, node->inputs[i]) && f->states[node->inputs[i]] != SAME;
  if (n_changed == 0)
    return TRUE;
  if (n_changed > 1 || !is_activation (f->graph, node->inputs[0]) || f->states[node->inputs[0]] == SAME || node->n_outputs != 1)
    return FALSE;
  if (is_by_channel (f, node)) {
    gboolean zero = f->states[node->inputs[0]] == ZERO && keeps_zero (node);
    f->states[node->outputs[0]] = zero ? ZERO : TOUCHED;
    f->points[node->outputs[0]] = zero ? f->points[node->inputs[0]] : NULL;
    return TRUE;
  }
  if (!may_be_outlet (f, node))
    return FALSE;
  f->outlet = index;
  return TRUE;
}

static void
mask (Finder *f, int value)
{
  for (unsigned p = 0; p < f->group->n_mask_points; p++)
    if (f->group->mask_points[p].value == value) {
      f->states[value] = ZERO;
      f->points[value] = &f->group->mask_points[p];
    }
}

static gboolean
walk (Finder *f)
{
  int first = pj_graph_get_input (f->graph);
  mask (f, first);
  for (unsigned n = 0; n < pj_graph_n_nodes (f->graph); n++) {
    const PjNode *node = pj_graph_node (f->graph, (int) n);
    if (!visit (f, (int) n))
      return FALSE;
    for (unsigned i = 0; i < node->n_outputs; i++)
      if (node->outputs[i] >= 0)
        mask (f, node->outputs[i]);
  }
  return f->outlet >= 0 && f->states[pj_graph_get_logits (f->graph)] == SAME;
}

/* By channel of the group: the only channel of the value that a mask makes zero; NULL if one has several or none. */
static int *
find_columns (const PjGroup *group, const PjMaskPoint *point)
{
  int *column = g_new (int, group->n_channels);

  for (int c = 0; c < group->n_channels; c++)
    column[c] = -1;
  for (int k = 0; k < point->n; k++) {
    int c = point->map[k];
    if (c >= 0 && column[c] >= 0)
      goto none;
    if (c >= 0)
      column[c] = k;
  }
  for (int c = 0; c < group->n_channels; c++)
    if (column[c] < 0)
      goto none;
  return column;
none:
  g_free (column);
  return NULL;
}

/* The only node that reads @value, if it is a @op, or -1. */
static int
sole_reader (const PjGraph *graph, int value, const PjOp *op)
{
  g_autoptr (GArray) readers = pj_graph_consumers (graph, value);
  if (readers->len != 1 || value == pj_graph_get_logits (graph))
    return -1;
  int reader = g_array_index (readers, int, 0);
  return pj_graph_node (graph, reader)->op == op ? reader : -1;
}

/* The further @whole lies behind, the less is left to do. */
static PjPlanWithout
layer_of (const PjGraph *graph, int node)
{
  PjPlanWithout layer = { .node = node, .norm = -1, .whole = pj_graph_node (graph, node)->outputs[0] };
  int next = sole_reader (graph, layer.whole, &pj_op_norm);

  if (next >= 0) {
    layer.norm = next;
    layer.whole = pj_graph_node (graph, next)->outputs[0];
  }
  next = sole_reader (graph, layer.whole, &pj_op_add);
  if (next >= 0)
    layer.whole = pj_graph_node (graph, next)->outputs[0];
  return layer;
}

gboolean
pj_outlet_find (const PjGraph *graph, const PjGroup *group, PjOutlet *outlet)
{
  g_autofree State *states = g_new0 (State, pj_graph_n_values (graph));
  g_autofree const PjMaskPoint **points = g_new0 (const PjMaskPoint *, pj_graph_n_values (graph));
  Finder f = { graph, group, states, points, -1 };

  *outlet = (PjOutlet) { .input = -1 };
  if (!walk (&f))
    return FALSE;
  int input = pj_graph_node (graph, f.outlet)->inputs[0];
  outlet->column = find_columns (group, points[input]);
  if (outlet->column == NULL)
    return FALSE;
  outlet->input = input;
  outlet->layer = layer_of (graph, f.outlet);
  return TRUE;
}

void
pj_outlet_clear (PjOutlet *outlet)
{
  g_clear_pointer (&outlet->column, g_free);
}
