/* SPDX-License-Identifier: MIT */
/* Softmax and its logarithm along one dimension: usually the classes of N × K.  Along another dimension the
 * numbers are brought into rows first, and back afterwards. */
#include "ops/view.h"

static unsigned
axis_of (const PjNode *node)
{
  return (unsigned) MAX (((const PjSoftmaxParams *) node->params)->axis, 1);
}

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  if (!pj_op_infer_same (graph, node, outputs, error))
    return FALSE;
  if (axis_of (node) < outputs[0].rank)
    return TRUE;
  pj_op_shape_error (error, node, "there is no dimension %u in a map of rank %u", axis_of (node), outputs[0].rank);
  return FALSE;
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  pj_op_channels_through (channels, graph, index);
  pj_channels_lock (channels, node->inputs[0], 1, index, "is compared by a softmax");
}

/* --- forward --- */

static void
add_softmax (PjLower *l, int index, int x, int y)
{
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SOFTMAX, index);
  call->softmax.log = pj_graph_node (pj_lower_graph (l), index)->op == &pj_op_log_softmax;
  call->in[0] = x;
  call->out[0] = y;
}

/* The view that brings @axis of @x to the end; with @back that which brings it back from there. */
static PjView
turn (const PjShape *x, unsigned axis, gboolean back)
{
  PjView view = { .rank = x->rank };
  int64_t step = 1, straight[PJ_MAX_RANK], turned[PJ_MAX_RANK];

  for (unsigned i = x->rank; i-- > 0; step *= x->dim[i])
    straight[i] = step;
  step = x->dim[axis];
  turned[axis] = 1;
  for (unsigned i = x->rank; i-- > 0;)
    if (i != axis) {
      turned[i] = step;
      step *= x->dim[i];
    }
  for (unsigned i = 0; i < x->rank; i++) {
    unsigned from = back || i < axis ? i : i + 1 < x->rank ? i + 1 : axis;
    view.dim[i] = view.extent[i] = x->dim[from];
    view.stride[i] = back ? turned[from] : straight[from];
  }
  return view;
}

static void
add_view (PjLower *l, int index, PjView view, int x, int y)
{
  PjCall *call = pj_lower_call (l, PJ_KERNEL_VIEW, index);
  call->view = view;
  call->in[0] = x;
  call->out[0] = y;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjShape x = *input_shape (pj_lower_graph (l), node, 0);
  unsigned axis = axis_of (node);
  int from = pj_lower_slot (l, node->inputs[0]);

  if ((size_t) x.dim[axis] == pj_shape_n_elems (&x)) {
    add_softmax (l, index, from, pj_lower_output (l, index));
    return TRUE;
  }
  x.dim[0] *= pj_lower_batch (l);
  PjShape rows = PJ_SHAPE ((int64_t) pj_shape_n_elems (&x) / x.dim[axis], x.dim[axis]);
  int turned = pj_lower_temp_shape (l, 0, rows), result = pj_lower_temp_shape (l, 0, rows);
  add_view (l, index, turn (&x, axis, FALSE), from, turned);
  add_softmax (l, index, turned, result);
  add_view (l, index, turn (&x, axis, TRUE), result, pj_lower_output (l, index));
  return TRUE;
}

/* --- backward:  dx = y·(dy − Σ dy·y), and for the logarithm dx = dy − eʸ·Σ dy --- */

static int
combine (PjLower *l, int index, PjBinary op, int a, int b)
{
  int y = pj_lower_temp (l, pj_graph_node (pj_lower_graph (l), index)->outputs[0]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_BINARY, index);
  call->binary.op = op;
  call->in[0] = a;
  call->in[1] = b;
  call->out[0] = y;
  return y;
}

static int
sum_over_axis (PjLower *l, int index, int x)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjShape shape = *input_shape (pj_lower_graph (l), node, 0);
  shape.dim[0] *= pj_lower_batch (l);
  shape.dim[axis_of (node)] = 1;
  int y = pj_lower_temp_shape (l, 0, shape);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SUM_TO, index);
  call->sum.scale = 1;
  call->in[0] = x;
  call->out[0] = y;
  return y;
}

static int
exponential (PjLower *l, int index, int x)
{
  int y = pj_lower_temp (l, pj_graph_node (pj_lower_graph (l), index)->outputs[0]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_UNARY, index);
  call->unary.function = PJ_FN_EXP;
  call->in[0] = x;
  call->out[0] = y;
  return y;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int dy = pj_lower_grad (l, index, FALSE), y = pj_lower_result (l, index), dx;
  if (node->op == &pj_op_log_softmax) {
    int share = exponential (l, index, y);
    dx = combine (l, index, PJ_BINARY_SUB, dy, combine (l, index, PJ_BINARY_MUL, share, sum_over_axis (l, index, dy)));
  } else {
    int sum = sum_over_axis (l, index, combine (l, index, PJ_BINARY_MUL, dy, y));
    dx = combine (l, index, PJ_BINARY_MUL, y, combine (l, index, PJ_BINARY_SUB, dy, sum));
  }
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

/* --- ONNX --- */

/* Before operator version 13 all dimensions from the axis on were one row. */
static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjShape x;
  gboolean is_old = pj_onnx_in_opset (in) < 13;
  int64_t axis = pj_onnx_in_int (in, "axis", is_old ? 1 : -1), row = 1;

  if (!pj_onnx_in_shape (in, 0, &x))
    return pj_onnx_in_refuse (in, error, "its input has no known shape");
  if (axis < 0)
    axis += x.rank;
  if (axis < 1 || axis >= (int64_t) x.rank)
    return pj_onnx_in_refuse (in, error, "axis is %" G_GINT64_FORMAT "; it would compare the pictures of a batch", axis);
  for (unsigned i = (unsigned) axis + 1; i < x.rank; i++)
    row *= x.dim[i];
  if (is_old && row > 1)
    return pj_onnx_in_refuse (in, error, "a softmax over several dimensions at once is not supported");
  ((PjSoftmaxParams *) params)->axis = (int) axis;
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_int (out, "axis", axis_of (node));
}

#define MEMBER(id, named, shown, type) \
  const PjOp pj_op_##id = { \
    .name = named, .title = shown, .onnx_names = (const char *const[]) { type, NULL }, \
    .params_size = sizeof (PjSoftmaxParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_BREAKS, \
    .infer = infer, .channels = channels, .lower = lower, .lower_backward = lower_backward, \
    .from_onnx = from_onnx, .to_onnx = to_onnx, \
  }

MEMBER (softmax, "softmax", "Softmax", "Softmax");
MEMBER (log_softmax, "log_softmax", "Log softmax", "LogSoftmax");
