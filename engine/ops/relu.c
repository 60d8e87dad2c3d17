/* SPDX-License-Identifier: MIT */
/* Rectified linear unit: y = max (0, x). Usually absorbed by the call that makes x. */
#include "ops/util.h"

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_RELU, index);
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, FALSE);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_RELU_BWD, index);
  call->in[0] = pj_lower_result (l, index);
  call->in[1] = dy;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

const PjOp pj_op_relu = {
  .name = "relu", .title = "ReLU", .onnx_names = (const char *const[]) { "Relu", NULL },
  .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS, .is_activation = TRUE,
  .infer = pj_op_infer_same, .channels = pj_op_channels_through,
  .lower = lower, .lower_backward = lower_backward,
  .from_onnx = pj_op_from_onnx_plain, .to_onnx = pj_op_to_onnx_plain,
};
