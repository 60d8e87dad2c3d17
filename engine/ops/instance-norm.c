/* SPDX-License-Identifier: MIT */
/* Instance normalisation: each channel of each picture by its own mean and variance.  Inputs: x, γ, β. */
#include "ops/util.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjNormParams *p = node->params;
  if (!pj_op_infer_same (graph, node, outputs, error))
    return FALSE;
  for (unsigned i = 1; i < 3; i++)
    if (pj_shape_n_elems (input_shape (graph, node, i)) != (size_t) outputs[0].dim[1] || input_shape (graph, node, i)->rank != 1) {
      pj_op_shape_error (error, node, "%s has %zu values, expected %" G_GINT64_FORMAT, i == 1 ? "γ" : "β",
                         pj_shape_n_elems (input_shape (graph, node, i)), outputs[0].dim[1]);
      return FALSE;
    }
  if (!(p->eps > 0)) {
    pj_op_shape_error (error, node, "epsilon is %g, expected more than 0", (double) p->eps);
    return FALSE;
  }
  return TRUE;
}

static void
cost (const PjGraph *graph, const PjNode *node, PjCost *sum)
{
  uint64_t c = (uint64_t) input_shape (graph, node, 1)->dim[0];
  sum->learnable += 2 * c;
  sum->norm_channels += c;
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  pj_op_channels_through (channels, graph, index);
  for (unsigned i = 1; i < 3; i++) {
    pj_channels_tie_all (channels, node->inputs[i], 0, node->outputs[0], 1);
    pj_channels_role (channels, node->inputs[i], 0, index, PJ_ROLE_PER_CHANNEL);
  }
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjGraph *graph = pj_lower_graph (l);
  const PjNode *node = pj_graph_node (graph, index);
  PjShape rows = PJ_SHAPE ((int64_t) pj_lower_batch (l), input_shape (graph, node, 0)->dim[1]);
  int in[3], saved[2];

  for (int i = 0; i < 2; i++)
    pj_lower_save (l, index, i, saved[i] = pj_lower_temp_shape (l, 0, rows));
  for (int i = 0; i < 3; i++)
    in[i] = pj_lower_slot (l, node->inputs[i]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_INSTANCE_NORM, index);
  call->norm.eps = ((const PjNormParams *) node->params)->eps;
  for (int i = 0; i < 3; i++)
    call->in[i] = in[i];
  call->out[0] = pj_lower_output (l, index);
  call->out[1] = saved[0];
  call->out[2] = saved[1];
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  gboolean accumulate;
  int dx = pj_lower_temp (l, node->inputs[0]), dy = pj_lower_grad (l, index, FALSE);
  int dgamma = pj_lower_param_grad (l, node->inputs[1], &accumulate);
  int dbeta = pj_lower_param_grad (l, node->inputs[2], &accumulate);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_INSTANCE_NORM_BWD, index);
  call->norm.eps = ((const PjNormParams *) node->params)->eps;
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->in[1] = dy;
  call->in[2] = pj_lower_slot (l, node->inputs[1]);
  call->in[3] = pj_lower_saved (l, index, 0);
  call->in[4] = pj_lower_saved (l, index, 1);
  call->out[0] = dx;
  call->out[1] = dgamma;
  call->out[2] = dbeta;
  call->accumulate = accumulate;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjShape shape;
  for (unsigned i = 1; i < 3; i++)
    if (pj_onnx_in_const_floats (in, i, &shape) == NULL)
      return pj_onnx_in_refuse (in, error, "its parameters are computed at run time; only stored ones are supported");
  ((PjNormParams *) params)->eps = (float) pj_onnx_in_float (in, "epsilon", 1e-5);
  pj_onnx_in_keep_inputs (in, 3);
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_float (out, "epsilon", ((const PjNormParams *) node->params)->eps);
}

const PjOp pj_op_instance_norm = {
  .name = "instance_norm", .title = "Instance norm", .onnx_names = (const char *const[]) { "InstanceNormalization", NULL },
  .params_size = sizeof (PjNormParams), .min_inputs = 3, .max_inputs = 3,
  .uses = { PJ_USE_NONE, PJ_USE_PLAIN, PJ_USE_PLAIN }, .zero = PJ_ZERO_BREAKS,
  .infer = infer, .cost = cost, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = to_onnx,
};
