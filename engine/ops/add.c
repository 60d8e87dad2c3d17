/* SPDX-License-Identifier: MIT */
/* Addition of two tensors of one shape: the joint of a residual block. */
#include "ops/util.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjShape *a = input_shape (graph, node, 0), *b = input_shape (graph, node, 1);

  if (!pj_shape_equal (a, b) || a->rank < 2) {
    g_autofree char *as = pj_shape_to_string (a), *bs = pj_shape_to_string (b);
    pj_op_shape_error (error, node, "adds %s and %s; only tensors of one shape can be added", as, bs);
    return FALSE;
  }
  for (unsigned i = 0; i < 2; i++)
    if (pj_graph_value (graph, node->inputs[i])->kind == PJ_VALUE_PARAM) {
      pj_op_shape_error (error, node, "adds a stored constant, which is not supported");
      return FALSE;
    }
  outputs[0] = *a;
  return TRUE;
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  for (unsigned i = 0; i < 2; i++)
    pj_channels_tie_all (channels, node->inputs[i], 1, node->outputs[0], 1);
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_ADD, index);
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->in[1] = pj_lower_slot (l, node->inputs[1]);
  call->relu = pj_lower_relu (l, index);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int dy = pj_lower_grad (l, index, FALSE);
  for (unsigned i = 0; i < 2; i++)
    pj_lower_add_grad (l, node->inputs[i], dy);
  return TRUE;
}

const PjOp pj_op_add = {
  .name = "add", .title = "Add", .onnx_names = (const char *const[]) { "Add", "Sum", NULL },
  .min_inputs = 2, .max_inputs = 2, .zero = PJ_ZERO_KEEPS, .fuses_relu = TRUE,
  .infer = infer, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .pick = pj_op_pick_add, .from_onnx = pj_op_from_onnx_plain, .to_onnx = pj_op_to_onnx_plain,
};
