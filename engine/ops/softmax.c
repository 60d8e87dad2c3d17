/* SPDX-License-Identifier: MIT */
/* Softmax and its logarithm over the classes of N × K, or the channels of N × K × 1 × 1. */
#include "ops/util.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  if (!pj_op_infer_same (graph, node, outputs, error))
    return FALSE;
  if (pj_shape_n_elems (&outputs[0]) != (size_t) (outputs[0].dim[0] * outputs[0].dim[1])) {
    pj_op_shape_error (error, node, "softmax over maps is not supported, only over class scores");
    return FALSE;
  }
  return TRUE;
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  pj_op_channels_through (channels, graph, index);
  pj_channels_lock (channels, node->inputs[0], 1, index, "is compared by a softmax");
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SOFTMAX, index);
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_log (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int shares = pj_lower_temp (l, node->outputs[0]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SOFTMAX, index);
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = shares;
  call = pj_lower_call (l, PJ_KERNEL_UNARY, index);
  call->unary.function = PJ_FN_LOG;
  call->in[0] = shares;
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjShape x;
  int64_t axis = pj_onnx_in_int (in, "axis", pj_onnx_in_opset (in) < 13 ? 1 : -1);

  if (!pj_onnx_in_shape (in, 0, &x))
    return pj_onnx_in_refuse (in, error, "its input has no known shape");
  if (axis < 0)
    axis += x.rank;
  if (axis != 1)
    return pj_onnx_in_refuse (in, error, "axis is %" G_GINT64_FORMAT "; only the class axis 1 is supported", axis);
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_int (out, "axis", 1);
}

const PjOp pj_op_softmax = {
  .name = "softmax", .title = "Softmax", .onnx_names = (const char *const[]) { "Softmax", NULL },
  .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_BREAKS,
  .infer = infer, .channels = channels, .lower = lower, .from_onnx = from_onnx, .to_onnx = to_onnx,
};

const PjOp pj_op_log_softmax = {
  .name = "log_softmax", .title = "Log softmax", .onnx_names = (const char *const[]) { "LogSoftmax", NULL },
  .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_BREAKS,
  .infer = infer, .channels = channels, .lower = lower_log, .from_onnx = from_onnx, .to_onnx = to_onnx,
};
