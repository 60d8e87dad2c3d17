/* SPDX-License-Identifier: MIT */
/* Batch normalisation: y = γ·(x − μ)/√(σ² + ε) + β per channel.  Inputs: x, γ, β, μ, σ². */
#include "ops/util.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  static const char *const names[] = { "x", "γ", "β", "mean", "variance" };
  const PjNormParams *p = node->params;

  if (!pj_op_infer_same (graph, node, outputs, error))
    return FALSE;
  for (unsigned i = 1; i < 5; i++) {
    const PjShape *s = input_shape (graph, node, i);
    if (s->rank != 1 || s->dim[0] != outputs[0].dim[1]) {
      pj_op_shape_error (error, node, "%s has %zu values, expected %" G_GINT64_FORMAT, names[i], pj_shape_n_elems (s), outputs[0].dim[1]);
      return FALSE;
    }
  }
  if (!(p->eps > 0)) {
    pj_op_shape_error (error, node, "epsilon is %g, expected more than 0", p->eps);
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
  for (unsigned i = 1; i < 5; i++) {
    pj_channels_tie_all (channels, node->inputs[i], 0, node->outputs[0], 1);
    pj_channels_role (channels, node->inputs[i], 0, index, PJ_ROLE_PER_CHANNEL);
  }
}

/* From the statistics of the batch that were kept; the running ones stay as they are. */
static gboolean
lower_again (PjLower *l, int index)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_NORM_APPLY, index);
  for (int i = 0; i < 3; i++)
    call->in[i] = pj_lower_slot (l, node->inputs[i]);
  for (int i = 0; i < 2; i++)
    call->in[3 + i] = pj_lower_saved (l, index, i);
  call->in[5] = pj_lower_gate (l, index);
  call->relu = pj_lower_relu (l, index);
  call->ceiling = pj_lower_ceiling (l, index);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjNormParams *p = node->params;
  gboolean frozen = pj_lower_frozen_norms (l);
  int saved[2] = { -1, -1 };

  if (pj_lower_again (l) && !frozen)
    return lower_again (l, index);
  if (!frozen) {
    int64_t c = input_shape (pj_lower_graph (l), node, 1)->dim[0];
    for (int i = 0; i < 2; i++)
      pj_lower_save (l, index, i, saved[i] = pj_lower_temp_shape (l, 0, PJ_SHAPE (c)));
  }
  PjCall *call = pj_lower_call (l, frozen ? PJ_KERNEL_NORM_EVAL : PJ_KERNEL_NORM_TRAIN, index);
  call->norm.eps = p->eps;
  for (int i = 0; i < 5; i++)
    call->in[i] = pj_lower_slot (l, node->inputs[i]);
  if (frozen) {
    call->in[5] = pj_lower_gate (l, index);
  } else {
    call->in[5] = pj_lower_hyper (l);
    call->in[6] = pj_lower_gate (l, index);
    call->out[1] = saved[0];
    call->out[2] = saved[1];
  }
  call->relu = pj_lower_relu (l, index);
  call->ceiling = pj_lower_ceiling (l, index);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjNormParams *p = node->params;
  gboolean frozen = pj_lower_frozen_norms (l), accumulate, accumulate_beta;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, TRUE);

  PjCall *call = pj_lower_call (l, frozen ? PJ_KERNEL_NORM_EVAL_BWD : PJ_KERNEL_NORM_BWD, index);
  call->norm.eps = p->eps;
  call->relu = pj_lower_relu (l, index);
  call->ceiling = pj_lower_ceiling (l, index);
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->in[1] = call->relu ? pj_lower_result (l, index) : -1;
  call->in[2] = dy;
  call->in[3] = pj_lower_slot (l, node->inputs[1]);
  call->in[4] = pj_lower_slot (l, node->inputs[2]);
  call->in[5] = frozen ? pj_lower_slot (l, node->inputs[3]) : pj_lower_saved (l, index, 0);
  call->in[6] = frozen ? pj_lower_slot (l, node->inputs[4]) : pj_lower_saved (l, index, 1);
  call->in[7] = pj_lower_gate (l, index);
  call->out[0] = dx;
  call->out[1] = pj_lower_param_grad (l, node->inputs[1], &accumulate);
  call->out[2] = pj_lower_param_grad (l, node->inputs[2], &accumulate_beta);
  call->out[3] = pj_lower_gate_grad (l, index);
  call->accumulate = accumulate;
  if (!pj_op_shares_alike (node, accumulate, accumulate_beta, error))
    return FALSE;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjNormParams *p = params;
  PjShape shape;

  for (unsigned i = 1; i < 5; i++)
    if (pj_onnx_in_const_floats (in, i, &shape) == NULL)
      return pj_onnx_in_refuse (in, error, "its parameters are computed at run time; only stored ones are supported");
  p->eps = (float) pj_onnx_in_float (in, "epsilon", 1e-5);
  pj_onnx_in_keep_inputs (in, 5);
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjNormParams *p = node->params;
  pj_onnx_out_float (out, "epsilon", p->eps);
  pj_onnx_out_float (out, "momentum", 0.9f);
}

const PjOp pj_op_norm = {
  .name = "norm", .title = "Batch norm", .onnx_names = (const char *const[]) { "BatchNormalization", NULL },
  .params_size = sizeof (PjNormParams), .min_inputs = 5, .max_inputs = 5,
  .uses = { PJ_USE_NONE, PJ_USE_PLAIN, PJ_USE_PLAIN, PJ_USE_STATE, PJ_USE_STATE },
  .zero = PJ_ZERO_BREAKS, .fuses_relu = TRUE,
  .infer = infer, .cost = cost, .channels = channels,
  .lower = lower, .lower_backward = lower_backward, .from_onnx = from_onnx, .to_onnx = to_onnx,
};
