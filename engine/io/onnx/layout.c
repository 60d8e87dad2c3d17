/* SPDX-License-Identifier: MIT */
/* Leaving out transpositions that undo each other.
 *
 * Exporters put them around what works on the last dimension (a layer norm, a product); the network here has
 * its channels in front throughout, so that they can be cut.  Each value of the old graph is remembered as a
 * value of the new one and what still has to happen to it: a transposition, or leaving out a height of 1.
 * Operators that do not mind take the value as it is and pass the debt on; before any other it is paid.  The
 * result is taken if fewer nodes that only move numbers are left. */
#include <string.h>

#include "graph/rewrite.h"
#include "io/onnx/import.h"
#include "ops/op.h"
#include "ops/params.h"

/* Dimension i of the old value is dimension order[i] of the new one, or it is a row N × C × L of a map
 * N × C × 1 × L. */
typedef struct {
  int order[PJ_MAX_RANK];
  gboolean is_row;
} Debt;

typedef struct {
  PjRewrite rewrite;
  Debt *debts;         /* by old value */
  int *paid;           /* by old value: the new value once the debt is paid, or -1 */
  int *n_uses;         /* by old value: inputs that read it */
} Layout;

static const Debt none = { { 0, 1, 2, 3, 4, 5 }, FALSE };

static const PjShape *
old_shape (const Layout *self, int value)
{
  return &pj_graph_value (self->rewrite.from, value)->shape;
}

static gboolean
owes (const Layout *self, int value)
{
  const Debt *debt = &self->debts[value];
  return debt->is_row || memcmp (debt->order, none.order, old_shape (self, value)->rank * sizeof (int)) != 0;
}

static gboolean
owe_alike (const Layout *self, int a, int b)
{
  const Debt *x = &self->debts[a], *y = &self->debts[b];
  return old_shape (self, a)->rank == old_shape (self, b)->rank && x->is_row == y->is_row
         && memcmp (x->order, y->order, old_shape (self, a)->rank * sizeof (int)) == 0;
}

/* The new value that is @value as it was; -1 with @error set. */
static int
pay (Layout *self, int value, GError **error)
{
  if (value < 0 || !owes (self, value))
    return pj_rewrite_value (&self->rewrite, value);
  if (self->paid[value] >= 0)
    return self->paid[value];
  const PjShape *shape = old_shape (self, value);
  PjReshapeParams row = { .rank = shape->rank };
  PjTransposeParams turn = { .rank = shape->rank };
  memcpy (row.dim, shape->dim, sizeof row.dim);
  row.dim[1] = -1;
  memcpy (turn.order, self->debts[value].order, sizeof turn.order);
  gboolean is_row = self->debts[value].is_row;
  g_autofree char *name = g_strconcat (pj_graph_value (self->rewrite.from, value)->name, is_row ? "_row" : "_turned", NULL);
  return self->paid[value] = pj_graph_add_node (self->rewrite.to, name, is_row ? &pj_op_reshape : &pj_op_transpose,
                                                is_row ? (gconstpointer) &row : &turn, &self->rewrite.map[value], 1, error);
}

static gboolean
copy_paid (Layout *self, const PjNode *node, GError **error)
{
  g_autofree int *inputs = g_new (int, node->n_inputs + 1);
  for (unsigned i = 0; i < node->n_inputs; i++)
    if ((inputs[i] = pay (self, node->inputs[i], error)) < 0 && node->inputs[i] >= 0)
      return FALSE;
  return pj_rewrite_emit (&self->rewrite, node->name, node->op, node->params, inputs, node->n_inputs, node->outputs[0], error);
}

/* @shape, of an old value that owes @debt, as the new value has it. */
static PjShape
new_shape (const PjShape *shape, const Debt *debt)
{
  PjShape result = *shape;
  if (debt->is_row)
    return PJ_SHAPE (shape->dim[0], shape->dim[1], 1, shape->dim[2]);
  for (unsigned i = 0; i < shape->rank; i++)
    result.dim[debt->order[i]] = shape->dim[i];
  return result;
}

/* TRUE if the stored tensors beside input 0 could get the shape that they have beside a map that owes
 * @debt: nobody else reads them, and their numbers stay where they are. */
static gboolean
can_turn (const Layout *self, const PjNode *node, const Debt *debt)
{
  for (unsigned k = 1; k < node->n_inputs; k++) {
    unsigned n_long = 0;
    if (node->inputs[k] < 0)
      continue;
    const PjShape *shape = old_shape (self, node->inputs[k]);
    for (unsigned i = 0; i < shape->rank; i++)
      n_long += shape->dim[i] > 1;
    if (self->n_uses[node->inputs[k]] > 1 || (n_long > 1 && !debt->is_row))
      return FALSE;
  }
  return TRUE;
}

static void
turn_params (Layout *self, const PjNode *node, const Debt *debt)
{
  for (unsigned k = 1; k < node->n_inputs; k++)
    if (node->inputs[k] >= 0) {
      const PjValue *value = pj_graph_value (self->rewrite.from, node->inputs[k]);
      self->rewrite.map[node->inputs[k]] = pj_graph_add_param (self->rewrite.to, value->name, new_shape (&value->shape, debt),
                                                               pj_blob_ref (value->data));
    }
}

/* Copies @node with input 0 as it is, and passes its debt on. */
static gboolean
pass_on (Layout *self, const PjNode *node, gconstpointer params, GError **error)
{
  int inputs[PJ_OP_MAX_INPUTS];
  for (unsigned i = 0; i < node->n_inputs; i++)
    inputs[i] = pj_rewrite_value (&self->rewrite, node->inputs[i]);
  self->debts[node->outputs[0]] = self->debts[node->inputs[0]];
  return pj_rewrite_emit (&self->rewrite, node->name, node->op, params, inputs, node->n_inputs, node->outputs[0], error);
}

/* --- operators that do not mind --- */

static gboolean
is_pointwise (const PjOp *op)
{
  return (op->is_activation && op->max_inputs == 1) || op == &pj_op_scale || op == &pj_op_shift || op == &pj_op_identity;
}

static gboolean
is_arithmetic (const PjOp *op)
{
  return op == &pj_op_add || op == &pj_op_add_wide || op == &pj_op_sub || op == &pj_op_mul || op == &pj_op_div;
}

/* TRUE if @node can be added as it is, to what its inputs are now; its stored tensor was turned then. */
static gboolean
can_pass (Layout *self, const PjNode *node)
{
  const Debt *debt = &self->debts[node->inputs[0]];
  const PjOp *op = node->op;

  if (is_pointwise (op) || (op == &pj_op_norm && debt->is_row))
    return TRUE;
  if (is_arithmetic (op))
    return pj_graph_value (self->rewrite.from, node->inputs[1])->kind != PJ_VALUE_PARAM
           && owe_alike (self, node->inputs[0], node->inputs[1]);
  if ((op != &pj_op_add_const && op != &pj_op_mul_const) || !can_turn (self, node, debt))
    return FALSE;
  turn_params (self, node, debt);
  return TRUE;
}

/* A layer norm over one dimension, a mean that keeps its dimensions, a softmax: the place of their dimension
 * changes. */
static int
add_moved (Layout *self, const PjNode *node, GError **error)
{
  const Debt *debt = &self->debts[node->inputs[0]];
  PjReduceParams mean = { .keep = TRUE };

  if (debt->is_row)
    return 0;
  if (node->op == &pj_op_softmax || node->op == &pj_op_log_softmax) {
    PjSoftmaxParams softmax = *(const PjSoftmaxParams *) node->params;
    softmax.axis = debt->order[MAX (softmax.axis, 1)];
    return pass_on (self, node, &softmax, error) ? 1 : -1;
  }
  if (node->op == &pj_op_reduce_mean && ((const PjReduceParams *) node->params)->keep) {
    for (unsigned i = 0; i < old_shape (self, node->inputs[0])->rank; i++)
      mean.reduced[debt->order[i]] = ((const PjReduceParams *) node->params)->reduced[i];
    return pass_on (self, node, &mean, error) ? 1 : -1;
  }
  if (node->op != &pj_op_layer_norm || ((const PjLayerNormParams *) node->params)->n != 1)
    return 0;
  if (!can_turn (self, node, debt))
    return 0;
  turn_params (self, node, debt);
  PjLayerNormParams norm = *(const PjLayerNormParams *) node->params;
  norm.first = debt->order[norm.first];
  return pass_on (self, node, &norm, error) ? 1 : -1;
}

/* --- what only moves numbers --- */

/* A transposition, or a reshape between a row and a map of height 1, becomes a debt; or settles one. */
static gboolean
becomes_debt (Layout *self, const PjNode *node)
{
  int x = node->inputs[0], y = node->outputs[0];
  const PjShape *from = old_shape (self, x), *to = old_shape (self, y);

  if (node->op == &pj_op_transpose && !self->debts[x].is_row) {
    self->debts[y] = none;
    for (unsigned i = 0; i < to->rank; i++)
      self->debts[y].order[i] = self->debts[x].order[((const PjTransposeParams *) node->params)->order[i]];
  } else if (node->op == &pj_op_reshape && from->rank == 4 && from->dim[2] == 1 && to->rank == 3 && !owes (self, x)
             && to->dim[1] == from->dim[1]) {
    self->debts[y] = (Debt) { { 0, 1, 2, 3, 4, 5 }, TRUE };
  } else if (node->op == &pj_op_reshape && self->debts[x].is_row && to->rank == 4 && to->dim[2] == 1 && to->dim[1] == from->dim[1]) {
    self->debts[y] = none;
  } else {
    return FALSE;
  }
  self->rewrite.map[y] = pj_rewrite_value (&self->rewrite, x);
  return TRUE;
}

static gboolean
settle_node (Layout *self, const PjNode *node, GError **error)
{
  if (node->n_inputs == 0 || node->inputs[0] < 0)
    return copy_paid (self, node, error);
  if (becomes_debt (self, node))
    return TRUE;
  if (owes (self, node->inputs[0])) {
    int moved = add_moved (self, node, error);
    if (moved != 0)
      return moved > 0;
    if (can_pass (self, node))
      return pass_on (self, node, node->params, error);
  }
  return copy_paid (self, node, error);
}

/* Nodes that only move numbers. */
static unsigned
n_moving (const PjGraph *graph)
{
  unsigned count = 0;
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjOp *op = pj_graph_node (graph, (int) n)->op;
    count += op == &pj_op_transpose || op == &pj_op_reshape;
  }
  return count;
}

static PjGraph *
finish (Layout *self, GError **error)
{
  int output = pj_graph_get_output (self->rewrite.from), end = pay (self, output, error);
  if (end < 0)
    return NULL;
  /* Under its own name, which a value before the last transposition may have got. */
  const char *name = pj_graph_value (self->rewrite.from, output)->name;
  int other = pj_graph_find_value (self->rewrite.to, name);
  g_autofree char *inner = g_strconcat (name, "_inner", NULL);
  if (other >= 0 && other != end)
    pj_graph_rename_value (self->rewrite.to, other, inner);
  pj_graph_rename_value (self->rewrite.to, end, name);
  self->rewrite.map[output] = end;
  return pj_rewrite_finish (&self->rewrite);
}

PjGraph *
pj_onnx_settle_layout (PjGraph *graph, unsigned *n_removed, GError **error)
{
  unsigned n_values = pj_graph_n_values (graph), before = n_moving (graph);
  Layout self = { .debts = NULL };
  PjGraph *settled = NULL;
  gboolean ok = TRUE;

  *n_removed = 0;
  if (before < 2)
    return pj_graph_ref (graph);
  self.debts = g_new (Debt, n_values);
  self.paid = g_new (int, n_values);
  self.n_uses = g_new0 (int, n_values);
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++)
    for (unsigned i = 0; i < pj_graph_node (graph, (int) n)->n_inputs; i++)
      if (pj_graph_node (graph, (int) n)->inputs[i] >= 0)
        self.n_uses[pj_graph_node (graph, (int) n)->inputs[i]]++;
  for (unsigned v = 0; v < n_values; v++) {
    self.debts[v] = none;
    self.paid[v] = -1;
  }
  pj_rewrite_init (&self.rewrite, graph);
  for (unsigned n = 0; ok && n < pj_graph_n_nodes (graph); n++)
    ok = settle_node (&self, pj_graph_node (graph, (int) n), error);
  if (ok)
    settled = finish (&self, error);
  pj_rewrite_clear (&self.rewrite);
  g_free (self.debts);
  g_free (self.paid);
  g_free (self.n_uses);
  if (settled != NULL && n_moving (settled) >= before) {
    pj_graph_unref (settled);
    return pj_graph_ref (graph);
  }
  *n_removed = settled != NULL ? before - n_moving (settled) : 0;
  return settled;
}
