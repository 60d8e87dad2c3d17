/* SPDX-License-Identifier: MIT */
/* Local response normalisation over neighbouring channels: y = x/(bias + alpha/size·Σ x²)^beta
 * (Krizhevsky, Sutskever, Hinton 2012, section 3.3). */
#include "ops/util.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjLrnParams *p = node->params;
  if (!pj_op_infer_same (graph, node, outputs, error))
    return FALSE;
  if (p->size < 1 || p->size > 4096 || !(p->bias > 0)) {
    pj_op_shape_error (error, node, "a neighbourhood of %d channels with bias %g is not possible", p->size, (double) p->bias);
    return FALSE;
  }
  return TRUE;
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  pj_op_channels_through (channels, graph, index);
  pj_channels_lock (channels, node->inputs[0], 1, index, "is mixed with neighbouring channels by a normalisation");
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_LRN, index);
  call->lrn = *(const PjLrnParams *) node->params;
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
  PjCall *call = pj_lower_call (l, PJ_KERNEL_LRN_BWD, index);
  call->lrn = *(const PjLrnParams *) node->params;
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->in[1] = dy;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjLrnParams *p = params;
  p->size = (int) CLAMP (pj_onnx_in_int (in, "size", 0), 0, 4097);
  p->alpha = (float) pj_onnx_in_float (in, "alpha", 1e-4);
  p->beta = (float) pj_onnx_in_float (in, "beta", 0.75);
  p->bias = (float) pj_onnx_in_float (in, "bias", 1);
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjLrnParams *p = node->params;
  pj_onnx_out_int (out, "size", p->size);
  pj_onnx_out_float (out, "alpha", p->alpha);
  pj_onnx_out_float (out, "beta", p->beta);
  pj_onnx_out_float (out, "bias", p->bias);
}

const PjOp pj_op_lrn = {
  .name = "lrn", .title = "Local response norm", .onnx_names = (const char *const[]) { "LRN", NULL },
  .params_size = sizeof (PjLrnParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = to_onnx,
};
