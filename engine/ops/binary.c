/* SPDX-License-Identifier: MIT */
/* Arithmetic of two tensors with broadcasting, and with a stored tensor (a scale or shift per channel,
 * which is then trained like the parameters of a norm).
 *
 * An ONNX type stands for several members, told apart by the inputs; see pick_*():
 *
 *   Add, Sub   of two maps: add (one shape), add_wide, sub    of a number: shift    of a tensor: add_const
 *   Mul, Div   of two maps: mul, div                          of a number: scale    of a tensor: mul_const */
#include "ops/util.h"

#include <string.h>

#include "base/alloc.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjShape *a = input_shape (graph, node, 0), *b = input_shape (graph, node, 1);
  gboolean fits = a->rank == b->rank && a->rank >= 2 && pj_graph_value (graph, node->inputs[0])->kind != PJ_VALUE_PARAM;

  outputs[0] = *a;
  for (unsigned i = 0; fits && i < a->rank; i++) {
    fits = a->dim[i] == b->dim[i] || a->dim[i] == 1 || b->dim[i] == 1;
    outputs[0].dim[i] = MAX (a->dim[i], b->dim[i]);
  }
  if (!fits) {
    g_autofree char *as = pj_shape_to_string (a), *bs = pj_shape_to_string (b);
    pj_op_shape_error (error, node, "%s and %s do not fit together", as, bs);
  }
  return fits;
}

/* Channels of both inputs are those of the output, except where one is repeated. */
static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  int64_t c = pj_graph_value (graph, node->outputs[0])->shape.dim[1];

  for (unsigned i = 0; i < 2; i++) {
    gboolean is_param = pj_graph_value (graph, node->inputs[i])->kind == PJ_VALUE_PARAM;
    if (input_shape (graph, node, i)->dim[1] == c) {
      pj_channels_tie_all (channels, node->inputs[i], 1, node->outputs[0], 1);
      if (is_param)
        pj_channels_role (channels, node->inputs[i], 1, index, PJ_ROLE_PER_CHANNEL);
    } else if (!is_param) {
      pj_channels_lock (channels, node->inputs[i], 1, index, "is repeated over the channels of another map");
    }
  }
  /* A zero under the line has no meaning. */
  if (node->op == &pj_op_div)
    pj_channels_lock (channels, node->inputs[1], 1, index, "is divided by");
}

static void
cost_const (const PjGraph *graph, const PjNode *node, PjCost *sum)
{
  sum->learnable += pj_shape_n_elems (input_shape (graph, node, 1));
}

static PjBinary
kind_of (const PjOp *op)
{
  return op == &pj_op_sub ? PJ_BINARY_SUB : op == &pj_op_div ? PJ_BINARY_DIV
         : op == &pj_op_mul || op == &pj_op_mul_const ? PJ_BINARY_MUL : PJ_BINARY_ADD;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int a = pj_lower_slot (l, node->inputs[0]), b = pj_lower_slot (l, node->inputs[1]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_BINARY, index);
  call->binary.op = kind_of (node->op);
  call->in[0] = a;
  call->in[1] = b;
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

/* a ∘ b in the shape of the node's output. */
static int
combine (PjLower *l, int index, PjBinary op, int a, int b)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int y = pj_lower_temp (l, node->outputs[0]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_BINARY, index);
  call->binary.op = op;
  call->in[0] = a;
  call->in[1] = b;
  call->out[0] = y;
  return y;
}

/* ∂L/∂(input @i) from what flows into it at every element of the output. */
static void
give_back (PjLower *l, int index, unsigned i, int grad, float sign)
{
  const PjGraph *graph = pj_lower_graph (l);
  const PjNode *node = pj_graph_node (graph, index);
  gboolean is_param = pj_graph_value (graph, node->inputs[i])->kind == PJ_VALUE_PARAM, accumulate = FALSE;
  const PjShape *x = input_shape (graph, node, i), *y = &pj_graph_value (graph, node->outputs[0])->shape;

  if (!is_param && sign == 1.0f && pj_shape_equal (x, y)) {
    pj_lower_add_grad (l, node->inputs[i], grad);
    return;
  }
  int sum = is_param ? pj_lower_param_grad (l, node->inputs[i], &accumulate) : pj_lower_temp (l, node->inputs[i]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SUM_TO, index);
  call->sum.scale = sign;
  call->accumulate = accumulate;
  call->in[0] = grad;
  call->out[0] = sum;
  if (!is_param)
    pj_lower_add_grad (l, node->inputs[i], sum);
}

static gboolean
wants (PjLower *l, int value)
{
  return pj_graph_value (pj_lower_graph (l), value)->kind == PJ_VALUE_PARAM || pj_lower_wants_grad (l, value);
}

/* (a·b)′ = dy·b, dy·a;  (a/b)′ = dy/b, −dy·(a/b)/b. */
static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjBinary op = kind_of (node->op);
  int dy = pj_lower_grad (l, index, FALSE), da = dy, db = dy;
  int a = pj_lower_slot (l, node->inputs[0]), b = pj_lower_slot (l, node->inputs[1]);
  gboolean wants_a = wants (l, node->inputs[0]), wants_b = wants (l, node->inputs[1]);

  if (op == PJ_BINARY_MUL && wants_a)
    da = combine (l, index, PJ_BINARY_MUL, dy, b);
  if (op == PJ_BINARY_DIV)
    da = combine (l, index, PJ_BINARY_DIV, dy, b);
  if (op == PJ_BINARY_MUL && wants_b)
    db = combine (l, index, PJ_BINARY_MUL, dy, a);
  if (op == PJ_BINARY_DIV && wants_b)
    db = combine (l, index, PJ_BINARY_MUL, da, pj_lower_result (l, index));
  if (wants_a)
    give_back (l, index, 0, da, 1.0f);
  if (wants_b)
    give_back (l, index, 1, db, op == PJ_BINARY_SUB || op == PJ_BINARY_DIV ? -1.0f : 1.0f);
  return TRUE;
}

/* --- reading --- */

/* The stored input, 0 or 1, or -1. */
static int
find_const (const PjOnnxIn *in)
{
  PjShape shape;
  for (unsigned i = 0; i < 2; i++)
    if (pj_onnx_in_const_floats (in, i, &shape) != NULL)
      return (int) i;
  return -1;
}

static const PjOp *
pick (const PjOnnxIn *in, const PjOp *maps, const PjOp *wide, const PjOp *number, const PjOp *tensor)
{
  PjShape a, b;
  float value;
  int i = find_const (in);

  if (i < 0)
    return !pj_onnx_in_shape (in, 0, &a) || !pj_onnx_in_shape (in, 1, &b) || pj_shape_equal (&a, &b) ? maps : wide;
  return pj_onnx_in_scalar (in, (unsigned) i, &value) ? number : tensor;
}

const PjOp *
pj_op_pick_add (const PjOnnxIn *in)
{
  return pick (in, &pj_op_add, &pj_op_add_wide, &pj_op_shift, &pj_op_add_const);
}

static const PjOp *
pick_sub (const PjOnnxIn *in)
{
  return find_const (in) == 0 ? &pj_op_sub : pick (in, &pj_op_sub, &pj_op_sub, &pj_op_shift, &pj_op_add_const);
}

static const PjOp *
pick_mul (const PjOnnxIn *in)
{
  return pick (in, &pj_op_mul, &pj_op_mul, &pj_op_scale, &pj_op_mul_const);
}

static const PjOp *
pick_div (const PjOnnxIn *in)
{
  return find_const (in) == 0 ? &pj_op_div : pick (in, &pj_op_div, &pj_op_div, &pj_op_scale, &pj_op_mul_const);
}

static gboolean
maps_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  if (find_const (in) >= 0)
    return pj_onnx_in_refuse (in, error, "a stored constant before the operator is not supported");
  return TRUE;
}

/* The stored tensor comes second, has the rank of the map, and is added or multiplied. */
static gboolean
const_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  const char *type = pj_onnx_in_op_type (in);
  gboolean negate = strcmp (type, "Sub") == 0, invert = strcmp (type, "Div") == 0;
  PjShape x, c, full;

  if (!pj_onnx_in_has_input (in, 0) || !pj_onnx_in_has_input (in, 1))
    return pj_onnx_in_refuse (in, error, "it has one input, expected two");
  if (find_const (in) == 0)
    pj_onnx_in_swap (in, 0, 1);
  PjBlob *blob = pj_onnx_in_const_floats (in, 1, &c);
  if (!pj_onnx_in_shape (in, 0, &x) || c.rank > x.rank)
    return pj_onnx_in_refuse (in, error, "its constant has rank %u and its map %u", c.rank, x.rank);
  full = x;
  for (unsigned i = 0; i < x.rank; i++)
    full.dim[i] = i < x.rank - c.rank ? 1 : c.dim[i - (x.rank - c.rank)];
  if (full.dim[0] != 1)
    return pj_onnx_in_refuse (in, error, "its constant differs from picture to picture");
  if (!negate && !invert) {
    pj_onnx_in_set_const (in, 1, full, pj_blob_ref (blob));
    return TRUE;
  }
  size_t n = pj_blob_n_elems (blob);
  const float *old = pj_blob_data (blob);
  float *data = pj_alloc (n * sizeof *data, "a stored constant", error);
  if (data == NULL)
    return FALSE;
  for (size_t i = 0; i < n; i++)
    data[i] = negate ? -old[i] : 1 / old[i];
  pj_onnx_in_set_const (in, 1, full, pj_blob_new_take (data, n));
  return TRUE;
}

/* --- the members --- */

#define MAPS(id, named, shown, rule, picker, ...) \
  const PjOp pj_op_##id = { \
    .name = named, .title = shown, .onnx_names = (const char *const[]) { __VA_ARGS__, NULL }, .min_inputs = 2, .max_inputs = 2, \
    .zero = rule, .infer = infer, .channels = channels, .lower = lower, .lower_backward = lower_backward, \
    .pick = picker, .from_onnx = maps_from_onnx, .to_onnx = pj_op_to_onnx_plain, \
  }

MAPS (add_wide, "add_wide", "Add", PJ_ZERO_KEEPS, NULL, "Add");
MAPS (sub, "sub", "Subtract", PJ_ZERO_KEEPS, pick_sub, "Sub");
MAPS (mul, "mul", "Multiply", PJ_ZERO_KEEPS, pick_mul, "Mul");
MAPS (div, "div", "Divide", PJ_ZERO_KEEPS, pick_div, "Div");

#define CONST(id, named, shown, rule, ...) \
  const PjOp pj_op_##id = { \
    .name = named, .title = shown, .onnx_names = (const char *const[]) { __VA_ARGS__, NULL }, .min_inputs = 2, .max_inputs = 2, \
    .uses = { PJ_USE_NONE, PJ_USE_PLAIN }, .zero = rule, .infer = infer, .cost = cost_const, .channels = channels, \
    .lower = lower, .lower_backward = lower_backward, .from_onnx = const_from_onnx, .to_onnx = pj_op_to_onnx_plain, \
  }

CONST (add_const, "add_const", "Add a constant", PJ_ZERO_BREAKS, "Add");
CONST (mul_const, "mul_const", "Multiply by a constant", PJ_ZERO_KEEPS, "Mul");
