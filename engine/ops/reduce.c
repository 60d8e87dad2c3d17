/* SPDX-License-Identifier: MIT */
/* Mean over some dimensions, usually over the positions of each map. */
#include "ops/util.h"

static PjShape
kept_shape (const PjReduceParams *p, const PjShape *x)
{
  PjShape shape = *x;
  for (unsigned i = 0; i < x->rank; i++)
    if (p->reduced[i])
      shape.dim[i] = 1;
  return shape;
}

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjReduceParams *p = node->params;
  const PjShape *x = input_shape (graph, node, 0);

  if (x->rank < 2 || p->reduced[0]) {
    pj_op_shape_error (error, node, "the mean over the pictures of a batch is not supported");
    return FALSE;
  }
  outputs[0] = (PjShape) { 0 };
  for (unsigned i = 0; i < x->rank; i++)
    if (p->keep || !p->reduced[i])
      outputs[0].dim[outputs[0].rank++] = p->reduced[i] ? 1 : x->dim[i];
  if (outputs[0].rank < 2) {
    pj_op_shape_error (error, node, "nothing but one number per picture would be left");
    return FALSE;
  }
  return TRUE;
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  if (!((const PjReduceParams *) node->params)->reduced[1])
    pj_op_channels_through (channels, graph, index);
  else
    pj_channels_lock (channels, node->inputs[0], 1, index, "is averaged over its channels");
}

static double
share (const PjReduceParams *p, const PjShape *x)
{
  double n = 1;
  for (unsigned i = 0; i < x->rank; i++)
    n *= p->reduced[i] ? (double) x->dim[i] : 1;
  return 1 / n;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjReduceParams *p = node->params;
  const PjShape *x = input_shape (pj_lower_graph (l), node, 0);
  PjShape kept = kept_shape (p, x);
  int from = pj_lower_slot (l, node->inputs[0]), sum = -1;

  kept.dim[0] *= pj_lower_batch (l);
  sum = p->keep ? pj_lower_output (l, index) : pj_lower_temp_shape (l, 0, kept);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SUM_TO, index);
  call->sum.scale = (float) share (p, x);
  call->in[0] = from;
  call->out[0] = sum;
  if (p->keep)
    return TRUE;
  call = pj_lower_call (l, PJ_KERNEL_RESHAPE, index);
  call->in[0] = sum;
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

/* Every element gets its share: a view that reads the reduced dimensions without moving. */
static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjGraph *graph = pj_lower_graph (l);
  const PjNode *node = pj_graph_node (graph, index);
  const PjReduceParams *p = node->params;
  PjShape x = *input_shape (graph, node, 0);
  PjView view = { .rank = x.rank };
  int64_t step = 1;

  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  float scale = (float) share (p, &x);
  x.dim[0] *= pj_lower_batch (l);
  for (unsigned i = x.rank; i-- > 0;) {
    view.dim[i] = view.extent[i] = x.dim[i];
    view.stride[i] = p->reduced[i] ? 0 : step;
    step *= p->reduced[i] ? 1 : x.dim[i];
  }
  int dy = pj_lower_grad (l, index, FALSE), spread = pj_lower_temp (l, node->inputs[0]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_VIEW, index);
  call->view = view;
  call->in[0] = dy;
  call->out[0] = spread;
  int dx = pj_lower_temp (l, node->inputs[0]);
  call = pj_lower_call (l, PJ_KERNEL_UNARY, index);
  call->unary = (PjUnaryParams) { PJ_FN_LINEAR, scale, 0 };
  call->in[0] = spread;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjReduceParams *p = params;
  int64_t axes[PJ_MAX_RANK];
  PjShape x;
  int n = pj_onnx_in_const_ints (in, 1, axes, PJ_MAX_RANK);

  if (!pj_onnx_in_shape (in, 0, &x))
    return pj_onnx_in_refuse (in, error, "its input has no known shape");
  if (n < 0 && !pj_onnx_in_has_input (in, 1))
    n = (int) pj_onnx_in_ints (in, "axes", axes, PJ_MAX_RANK);
  if (n < 1 || n > (int) x.rank)
    return pj_onnx_in_refuse (in, error, "only a mean over stored axes is supported");
  for (int i = 0; i < n; i++) {
    int64_t axis = axes[i] < 0 ? axes[i] + x.rank : axes[i];
    if (axis < 0 || axis >= (int64_t) x.rank)
      return pj_onnx_in_refuse (in, error, "axis %" G_GINT64_FORMAT " does not exist", axes[i]);
    p->reduced[axis] = 1;
  }
  p->keep = pj_onnx_in_int (in, "keepdims", 1) != 0;
  pj_onnx_in_keep_inputs (in, 1);
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjReduceParams *p = node->params;
  int64_t axes[PJ_MAX_RANK];
  unsigned n = 0;
  for (unsigned i = 1; i < PJ_MAX_RANK; i++)
    if (p->reduced[i])
      axes[n++] = i;
  if (pj_onnx_out_opset (out) < 18)
    pj_onnx_out_ints (out, "axes", axes, n);
  else
    pj_onnx_out_add_const_ints (out, "axes", axes, n);
  pj_onnx_out_int (out, "keepdims", p->keep ? 1 : 0);
}

const PjOp pj_op_reduce_mean = {
  .name = "reduce_mean", .title = "Mean", .onnx_names = (const char *const[]) { "ReduceMean", NULL },
  .params_size = sizeof (PjReduceParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = to_onnx,
};
