/* SPDX-License-Identifier: MIT */
/* Identity: importers drop it where they can; where a graph keeps it, it is a reshape to the same shape. */
#include "ops/util.h"

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_RESHAPE, index);
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  pj_lower_add_grad (l, node->inputs[0], pj_lower_grad (l, index, FALSE));
  return TRUE;
}

const PjOp pj_op_identity = {
  .name = "identity", .title = "Identity", .onnx_names = (const char *const[]) { "Identity", "Dropout", NULL },
  .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = pj_op_infer_same, .channels = pj_op_channels_through,
  .lower = lower, .lower_backward = lower_backward,
  .from_onnx = pj_op_from_onnx_plain, .to_onnx = pj_op_to_onnx_plain,
};
