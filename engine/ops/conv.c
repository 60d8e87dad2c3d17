/* SPDX-License-Identifier: MIT */
/* Two-dimensional convolution, grouped and depthwise included.  y[n,o] = Σ_i w[o,i] ⋆ x[n,i] + b[o]. */
#include "ops/util.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjConvParams *p = node->params;
  const PjShape *x = input_shape (graph, node, 0), *w = input_shape (graph, node, 1);

  if (x->rank != 4 || w->rank != 4) {
    pj_op_shape_error (error, node, "its input has rank %u and its weights rank %u, expected 4 and 4", x->rank, w->rank);
    return FALSE;
  }
  if (p->kernel[0] != w->dim[2] || p->kernel[1] != w->dim[3]) {
    pj_op_shape_error (error, node, "kernel is %d×%d but the weights are %" G_GINT64_FORMAT "×%" G_GINT64_FORMAT,
                       p->kernel[0], p->kernel[1], w->dim[2], w->dim[3]);
    return FALSE;
  }
  if (p->groups < 1 || x->dim[1] % p->groups != 0 || w->dim[0] % p->groups != 0
      || w->dim[1] != x->dim[1] / p->groups) {
    pj_op_shape_error (error, node, "%" G_GINT64_FORMAT " input channels in %d groups do not fit weights of %" G_GINT64_FORMAT
                       "×%" G_GINT64_FORMAT, x->dim[1], p->groups, w->dim[0], w->dim[1]);
    return FALSE;
  }
  if (has_input (node, 2) && pj_shape_n_elems (input_shape (graph, node, 2)) != (size_t) w->dim[0]) {
    pj_op_shape_error (error, node, "its bias has %zu values, expected %" G_GINT64_FORMAT,
                       pj_shape_n_elems (input_shape (graph, node, 2)), w->dim[0]);
    return FALSE;
  }
  int64_t size[2];
  for (int i = 0; i < 2; i++) {
    if (p->stride[i] < 1 || p->dilation[i] < 1 || p->pad[i] < 0 || p->pad[2 + i] < 0) {
      pj_op_shape_error (error, node, "stride and dilation must be at least 1 and pads at least 0");
      return FALSE;
    }
    size[i] = pj_window_outputs (x->dim[2 + i], p->kernel[i], p->stride[i], p->dilation[i], p->pad[i], p->pad[2 + i], FALSE);
    if (size[i] < 1) {
      pj_op_shape_error (error, node, "a kernel of %d×%d does not fit its input of %" G_GINT64_FORMAT "×%" G_GINT64_FORMAT,
                         p->kernel[0], p->kernel[1], x->dim[2], x->dim[3]);
      return FALSE;
    }
  }
  outputs[0] = PJ_SHAPE (x->dim[0], w->dim[0], size[0], size[1]);
  return TRUE;
}

static void
cost (const PjGraph *graph, const PjNode *node, PjCost *sum)
{
  const PjShape *w = input_shape (graph, node, 1);
  const PjShape *y = &pj_graph_value (graph, node->outputs[0])->shape;

  sum->macs += pj_shape_n_elems (w) * (uint64_t) (y->dim[2] * y->dim[3]);
  sum->weights += pj_shape_n_elems (w);
  sum->learnable += pj_shape_n_elems (w) + (has_input (node, 2) ? (uint64_t) w->dim[0] : 0);
}

/* Depthwise: output c·m + t follows input c. */
static void
channels_depthwise (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  int c_in = (int) input_shape (graph, node, 0)->dim[1];
  int multiplier = (int) (input_shape (graph, node, 1)->dim[0] / c_in);

  for (int t = 0; t < multiplier; t++)
    pj_channels_tie (channels, node->inputs[0], 1, 0, 1, node->outputs[0], 1, t, multiplier, c_in);
  pj_channels_role (channels, node->inputs[1], 0, index, PJ_ROLE_PER_CHANNEL);
}

/* TRUE if every reader of the weights is a convolution with as many groups. */
static gboolean
weights_agree (const PjGraph *graph, const PjNode *node)
{
  g_autoptr (GArray) readers = pj_graph_consumers (graph, node->inputs[1]);
  for (guint i = 0; i < readers->len; i++) {
    const PjNode *reader = pj_graph_node (graph, g_array_index (readers, int, i));
    if (reader->op != &pj_op_conv || reader->inputs[1] != node->inputs[1]
        || ((const PjConvParams *) reader->params)->groups != ((const PjConvParams *) node->params)->groups)
      return FALSE;
  }
  return TRUE;
}

/* Each group of outputs reads its own run of inputs.  All must keep as many; which ones is free in each. */
static void
channels_grouped (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjConvParams *p = node->params;

  pj_channels_role (channels, node->inputs[1], 0, index, PJ_ROLE_PRODUCER);
  if (!weights_agree (graph, node)) {
    pj_channels_lock (channels, node->inputs[0], 1, index, "is read by a grouped convolution with shared weights");
    pj_channels_lock (channels, node->outputs[0], 1, index, "is made by a grouped convolution with shared weights");
    return;
  }
  pj_channels_slice (channels, node->inputs[1], p->groups);
  pj_channels_tie_all (channels, node->inputs[0], 1, node->inputs[1], 1);
  pj_channels_role (channels, node->inputs[1], 1, index, PJ_ROLE_CONSUMER);
  pj_channels_even (channels, node->inputs[0], 1, index, p->groups);
  pj_channels_even (channels, node->outputs[0], 1, index, p->groups);
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjConvParams *p = node->params;

  if (p->depthwise) {
    channels_depthwise (channels, graph, index);
  } else if (p->groups == 1) {
    pj_channels_tie_all (channels, node->inputs[0], 1, node->inputs[1], 1);
    pj_channels_role (channels, node->inputs[1], 1, index, PJ_ROLE_CONSUMER);
    pj_channels_role (channels, node->inputs[1], 0, index, PJ_ROLE_PRODUCER);
  } else {
    channels_grouped (channels, graph, index);
  }
  pj_channels_tie_all (channels, node->inputs[1], 0, node->outputs[0], 1);
  if (has_input (node, 2)) {
    pj_channels_tie_all (channels, node->inputs[2], 0, node->outputs[0], 1);
    pj_channels_role (channels, node->inputs[2], 0, index, PJ_ROLE_PER_CHANNEL);
  }
}

/* A depthwise layer has as many groups as input channels, also after a cut to one channel.  Of another one whole groups
 * may have gone: those that stay read as many inputs each as its weights have columns. */
static void
recut (PjGraph *graph, int index)
{
  PjConvParams *p = pj_graph_node_params (graph, index);
  const PjNode *node = pj_graph_node (graph, index);
  const PjShape *x = input_shape (graph, node, 0), *w = input_shape (graph, node, 1);
  if (p->depthwise)
    p->groups = (int) x->dim[1];
  else if (p->groups > 1 && x->rank > 1 && w->rank > 1 && x->dim[1] % w->dim[1] == 0)
    p->groups = (int) (x->dim[1] / w->dim[1]);
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjChain *chain = pj_lower_chain (l, index);
  int w, b;

  pj_lower_fold (l, index, &w, &b);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_CONV, index);
  call->conv = *(const PjConvParams *) node->params;
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->in[1] = w;
  call->in[2] = b;
  call->in[3] = pj_lower_slot (l, chain->residual);
  call->relu = pj_lower_relu (l, index);
  call->ceiling = pj_lower_ceiling (l, index);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int dy = pj_lower_grad (l, index, FALSE);
  gboolean accumulate = FALSE, accumulate_bias = FALSE;

  int dw = pj_lower_param_grad (l, node->inputs[1], &accumulate);
  int db = pj_lower_param_grad (l, input_or_absent (node, 2), &accumulate_bias);
  if (db >= 0 && !pj_op_shares_alike (node, accumulate, accumulate_bias, error))
    return FALSE;
  if (dw >= 0) {
    PjCall *call = pj_lower_call (l, PJ_KERNEL_CONV_BWD_WEIGHT, index);
    call->conv = *(const PjConvParams *) node->params;
    call->in[0] = pj_lower_slot (l, node->inputs[0]);
    call->in[1] = dy;
    call->out[0] = dw;
    call->out[1] = db;
    call->accumulate = accumulate;
  }
  if (pj_lower_wants_grad (l, node->inputs[0])) {
    int dx = pj_lower_temp (l, node->inputs[0]);
    PjCall *call = pj_lower_call (l, PJ_KERNEL_CONV_BWD_INPUT, index);
    call->conv = *(const PjConvParams *) node->params;
    call->in[0] = dy;
    call->in[1] = pj_lower_slot (l, node->inputs[1]);
    call->out[0] = dx;
    pj_lower_add_grad (l, node->inputs[0], dx);
  }
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjConvParams *p = params;
  PjShape x, w;

  if (pj_onnx_in_const_floats (in, 1, &w) == NULL)
    return pj_onnx_in_refuse (in, error, "its weights are computed at run time; only stored weights are supported");
  if (pj_onnx_in_has_input (in, 2) && pj_onnx_in_const_floats (in, 2, &x) == NULL)
    return pj_onnx_in_refuse (in, error, "its bias is computed at run time; only a stored bias is supported");
  if (w.rank != 4 || !pj_onnx_in_shape (in, 0, &x) || x.rank != 4)
    return pj_onnx_in_refuse (in, error, "weights of rank %u: only one- and two-dimensional convolutions are supported", w.rank);
  if (w.dim[2] > 4096 || w.dim[3] > 4096)
    return pj_onnx_in_refuse (in, error, "a kernel of %" G_GINT64_FORMAT "×%" G_GINT64_FORMAT " is too large", w.dim[2], w.dim[3]);
  p->kernel[0] = (int) w.dim[2];
  p->kernel[1] = (int) w.dim[3];
  if (!pj_onnx_read_window (in, p->kernel, p->stride, p->dilation, p->pad, error))
    return FALSE;
  int64_t groups = pj_onnx_in_int (in, "group", 1);
  if (groups < 1 || groups > w.dim[0])
    return pj_onnx_in_refuse (in, error, "group is %" G_GINT64_FORMAT ", expected 1 to %" G_GINT64_FORMAT, groups, w.dim[0]);
  p->groups = (int) groups;
  p->depthwise = groups > 1 && groups == x.dim[1];
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjConvParams *p = node->params;
  pj_onnx_write_window (out, p->kernel, p->stride, p->dilation, p->pad);
  pj_onnx_out_int (out, "group", p->groups);
}

const PjOp pj_op_conv = {
  .name = "conv", .title = "Convolution", .onnx_names = (const char *const[]) { "Conv", NULL },
  .params_size = sizeof (PjConvParams), .min_inputs = 2, .max_inputs = 3,
  .uses = { PJ_USE_NONE, PJ_USE_WEIGHT, PJ_USE_PLAIN },
  .zero = PJ_ZERO_STARTS, .fuses_relu = TRUE,
  .infer = infer, .cost = cost, .channels = channels, .recut = recut,
  .lower = lower, .lower_backward = lower_backward, .from_onnx = from_onnx, .to_onnx = to_onnx,
};
