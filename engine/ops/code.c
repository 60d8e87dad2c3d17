/* SPDX-License-Identifier: MIT */
/* The coding layer of AutoPruner (Luo, Wu: AutoPruner, 2018): from the activations of a whole
 * batch to one gate per channel.  Only the method makes such nodes; no file holds one, so there is no row for it.
 *
 *   A ── mean over the batch ── max pool ── x = W·(·) + b ── s = σ(α·x) ── v = on·s + fixed ── one v for every picture
 *
 * With one row of W there is one gate, for all channels.
 *
 * The term λ·(mean v − r)² of the loss has no value in the network: its gradient, pull·(mean v − r) with pull = 2λ/C, is
 * added to what flows back into v. */
#include "ops/util.h"

enum { IN_A, IN_W, IN_B, IN_ALPHA, IN_TARGET, IN_PULL, IN_ON, IN_FIXED };
enum { SAVED_POOL_INDEX, SAVED_FLAT, SAVED_SCALED, SAVED_V };

static PjShape
pooled_shape (const PjCodeParams *p, const PjShape *a)
{
  PjShape shape = *a;
  for (unsigned i = 2; i < a->rank; i++)
    shape.dim[i] /= p->pool;
  return shape;
}

static PjShape
flat_shape (const PjCodeParams *p, const PjShape *a)
{
  PjShape pooled = pooled_shape (p, a);
  return PJ_SHAPE (1, (int64_t) pj_shape_n_elems (&pooled));
}

static int64_t
n_gates (const PjGraph *graph, const PjNode *node)
{
  return input_shape (graph, node, IN_W)->dim[0];
}

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjCodeParams *p = node->params;
  const PjShape *a = input_shape (graph, node, IN_A), *w = input_shape (graph, node, IN_W);
  gboolean fits = node->n_inputs == 8 && p->pool >= 1 && (a->rank == 2 || a->rank == 4);
  int64_t k = w->rank == 2 ? w->dim[0] : 0;

  for (unsigned i = 2; fits && i < a->rank; i++)
    fits = a->dim[i] >= p->pool;
  fits = fits && (k == 1 || k == a->dim[1]) && w->dim[1] == flat_shape (p, a).dim[1];
  for (unsigned i = IN_ALPHA; fits && i <= IN_FIXED; i++)
    fits = (int64_t) pj_shape_n_elems (input_shape (graph, node, i)) == (i == IN_FIXED ? k : 1);
  if (!fits) {
    pj_op_shape_error (error, node, "its weights do not fit the activations that it codes");
    return FALSE;
  }
  outputs[0] = a->rank == 4 ? PJ_SHAPE (1, k, 1, 1) : PJ_SHAPE (1, k);
  return TRUE;
}

/* A call with two inputs and a new output of @shape. */
static int
emit (PjLower *l, int index, PjKernel kernel, int a, int b, PjShape shape)
{
  int out = pj_lower_temp_shape (l, 0, shape);
  PjCall *call = pj_lower_call (l, kernel, index);
  call->in[0] = a;
  call->in[1] = b;
  call->out[0] = out;
  return out;
}

static int
binary (PjLower *l, int index, PjBinary op, int a, int b, PjShape shape)
{
  int out = pj_lower_temp_shape (l, 0, shape);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_BINARY, index);
  call->binary.op = op;
  call->in[0] = a;
  call->in[1] = b;
  call->out[0] = out;
  return out;
}

static int
sum_to (PjLower *l, int index, int x, float scale, PjShape shape)
{
  int out = pj_lower_temp_shape (l, 0, shape);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SUM_TO, index);
  call->sum.scale = scale;
  call->in[0] = x;
  call->out[0] = out;
  return out;
}

/* @x, made for one picture, for all of the batch. */
static void
repeat (PjLower *l, int index, int x, PjShape one, int out)
{
  PjView view = { .rank = one.rank };
  int64_t step = 1;

  for (unsigned i = one.rank; i-- > 0;) {
    view.dim[i] = view.extent[i] = one.dim[i];
    view.stride[i] = i == 0 ? 0 : step;
    step *= one.dim[i];
  }
  view.dim[0] = view.extent[0] = pj_lower_batch (l);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_VIEW, index);
  call->view = view;
  call->in[0] = x;
  call->out[0] = out;
}

static int
slot_of (PjLower *l, int index, unsigned input)
{
  return pj_lower_slot (l, pj_graph_node (pj_lower_graph (l), index)->inputs[input]);
}

static PjPoolParams
window (const PjCodeParams *p)
{
  return (PjPoolParams) { .kernel = { p->pool, p->pool }, .stride = { p->pool, p->pool } };
}

static int
lower_pool (PjLower *l, int index, int mean, const PjCodeParams *p, PjShape pooled)
{
  gboolean backward = pj_lower_mode (l) == PJ_PLAN_TRAIN || pj_lower_mode (l) == PJ_PLAN_SCORE;
  int positions = backward ? pj_lower_temp_shape (l, PJ_SLOT_OPAQUE, pooled) : -1;
  int out = pj_lower_temp_shape (l, 0, pooled);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_MAX_POOL, index);

  call->pool = window (p);
  call->in[0] = mean;
  call->out[0] = out;
  call->out[1] = positions;
  pj_lower_save (l, index, SAVED_POOL_INDEX, positions);
  return out;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjCodeParams *p = node->params;
  int64_t k = n_gates (pj_lower_graph (l), node);
  PjShape one = *input_shape (pj_lower_graph (l), node, IN_A), row = PJ_SHAPE (1, k);
  PjShape flat = flat_shape (p, &one);

  int x = sum_to (l, index, slot_of (l, index, IN_A), 1.0f / (float) pj_lower_batch (l), one);
  if (p->pool > 1 && one.rank == 4)
    x = lower_pool (l, index, x, p, pooled_shape (p, &one));
  if (one.rank == 4)
    x = emit (l, index, PJ_KERNEL_RESHAPE, x, -1, flat);
  pj_lower_save (l, index, SAVED_FLAT, x);

  int code = pj_lower_temp_shape (l, 0, row);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_GEMM, index);
  call->in[0] = x;
  call->in[1] = slot_of (l, index, IN_W);
  call->in[2] = slot_of (l, index, IN_B);
  call->out[0] = code;

  int scaled = binary (l, index, PJ_BINARY_MUL, code, slot_of (l, index, IN_ALPHA), row);
  pj_lower_save (l, index, SAVED_SCALED, scaled);
  int s = pj_lower_temp_shape (l, 0, row);
  call = pj_lower_call (l, PJ_KERNEL_UNARY, index);
  call->unary = (PjUnaryParams) { .function = PJ_FN_SIGMOID };
  call->in[0] = scaled;
  call->out[0] = s;
  int v = binary (l, index, PJ_BINARY_MUL, s, slot_of (l, index, IN_ON), row);
  v = binary (l, index, PJ_BINARY_ADD, v, slot_of (l, index, IN_FIXED), row);
  pj_lower_save (l, index, SAVED_V, v);
  if (one.rank == 4)
    v = emit (l, index, PJ_KERNEL_RESHAPE, v, -1, PJ_SHAPE (1, k, 1, 1));
  repeat (l, index, v, one.rank == 4 ? PJ_SHAPE (1, k, 1, 1) : row, pj_lower_output (l, index));
  return TRUE;
}

/* ∂L/∂v from the network plus the pull of the rate. */
static int
lower_gate_grad (PjLower *l, int index, PjShape one)
{
  int64_t k = n_gates (pj_lower_graph (l), pj_graph_node (pj_lower_graph (l), index));
  PjShape row = PJ_SHAPE (1, k), number = PJ_SHAPE (1, 1);
  PjShape each = one.rank == 4 ? PJ_SHAPE (1, k, 1, 1) : row;
  int dv = sum_to (l, index, pj_lower_grad (l, index, FALSE), 1, each);

  if (one.rank == 4)
    dv = emit (l, index, PJ_KERNEL_RESHAPE, dv, -1, row);
  int rate = sum_to (l, index, pj_lower_saved (l, index, SAVED_V), 1.0f / (float) k, number);
  int off = binary (l, index, PJ_BINARY_SUB, rate, slot_of (l, index, IN_TARGET), number);
  int pull = binary (l, index, PJ_BINARY_MUL, off, slot_of (l, index, IN_PULL), number);
  return binary (l, index, PJ_BINARY_ADD, dv, pull, row);
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjCodeParams *p = node->params;
  PjShape one = *input_shape (pj_lower_graph (l), node, IN_A), row = PJ_SHAPE (1, n_gates (pj_lower_graph (l), node));
  PjShape pooled = pooled_shape (p, &one);
  gboolean accumulate = FALSE;

  int ds = binary (l, index, PJ_BINARY_MUL, lower_gate_grad (l, index, one), slot_of (l, index, IN_ON), row);
  int dscaled = emit (l, index, PJ_KERNEL_UNARY_BWD, pj_lower_saved (l, index, SAVED_SCALED), ds, row);
  pj_lower_last_call (l)->unary = (PjUnaryParams) { .function = PJ_FN_SIGMOID };
  int dcode = binary (l, index, PJ_BINARY_MUL, dscaled, slot_of (l, index, IN_ALPHA), row);

  int dw = pj_lower_param_grad (l, node->inputs[IN_W], &accumulate);
  int db = pj_lower_param_grad (l, node->inputs[IN_B], &accumulate);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_GEMM_BWD_WEIGHT, index);
  call->in[0] = pj_lower_saved (l, index, SAVED_FLAT);
  call->in[1] = dcode;
  call->out[0] = dw;
  call->out[1] = db;
  if (!pj_lower_wants_grad (l, node->inputs[IN_A]))
    return TRUE;

  int d = emit (l, index, PJ_KERNEL_GEMM_BWD_INPUT, dcode, slot_of (l, index, IN_W), flat_shape (p, &one));
  if (one.rank == 4)
    d = emit (l, index, PJ_KERNEL_RESHAPE, d, -1, pooled);
  if (p->pool > 1 && one.rank == 4) {
    d = emit (l, index, PJ_KERNEL_MAX_POOL_BWD, d, pj_lower_saved (l, index, SAVED_POOL_INDEX), one);
    pj_lower_last_call (l)->pool = window (p);
  }
  d = emit (l, index, PJ_KERNEL_UNARY, d, -1, one);
  pj_lower_last_call (l)->unary = (PjUnaryParams) { PJ_FN_LINEAR, 1.0f / (float) pj_lower_batch (l), 0 };
  int da = pj_lower_temp (l, node->inputs[IN_A]);
  repeat (l, index, d, one, da);
  pj_lower_add_grad (l, node->inputs[IN_A], da);
  return TRUE;
}

const PjOp pj_op_code = {
  .name = "code", .title = "Channel code", .onnx_names = (const char *const[]) { NULL },
  .params_size = sizeof (PjCodeParams), .min_inputs = 8, .max_inputs = 8,
  .uses = { PJ_USE_NONE, PJ_USE_WEIGHT, PJ_USE_PLAIN, PJ_USE_STATE, PJ_USE_STATE, PJ_USE_STATE, PJ_USE_STATE, PJ_USE_STATE },
  .zero = PJ_ZERO_STARTS, .infer = infer, .lower = lower, .lower_backward = lower_backward,
};
