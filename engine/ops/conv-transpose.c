/* SPDX-License-Identifier: MIT */
/* Transposed convolution: the input gradient of a convolution, run forward.  Weights are
 * c_in × c_out/groups × kh × kw, which is what that convolution would have as O × I/groups × kh × kw; the
 * bias is 1 × c_out × 1 × 1. */
#include "ops/util.h"

#include <string.h>

static int64_t
output_size (const PjConvParams *p, int64_t size, int i, int extra)
{
  return p->stride[i] * (size - 1) + extra + (int64_t) p->dilation[i] * (p->kernel[i] - 1) + 1 - p->pad[i] - p->pad[2 + i];
}

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjConvTransposeParams *t = node->params;
  const PjConvParams *p = &t->conv;
  const PjShape *x = input_shape (graph, node, 0), *w = input_shape (graph, node, 1);

  if (x->rank != 4 || w->rank != 4 || p->groups < 1 || x->dim[1] != w->dim[0] || x->dim[1] % p->groups != 0
      || p->kernel[0] != w->dim[2] || p->kernel[1] != w->dim[3]) {
    g_autofree char *xs = pj_shape_to_string (x), *ws = pj_shape_to_string (w);
    pj_op_shape_error (error, node, "an input of %s does not fit weights of %s in %d groups", xs, ws, p->groups);
    return FALSE;
  }
  outputs[0] = PJ_SHAPE (x->dim[0], w->dim[1] * p->groups, 0, 0);
  for (int i = 0; i < 2; i++) {
    outputs[0].dim[2 + i] = output_size (p, x->dim[2 + i], i, t->extra[i]);
    if (p->stride[i] < 1 || p->dilation[i] < 1 || t->extra[i] < 0 || t->extra[i] >= MAX (p->stride[i], p->dilation[i])
        || outputs[0].dim[2 + i] < 1 || outputs[0].dim[2 + i] > 1 << 20
        || pj_window_outputs (outputs[0].dim[2 + i], p->kernel[i], p->stride[i], p->dilation[i], p->pad[i], p->pad[2 + i], FALSE)
             != x->dim[2 + i]) {
      pj_op_shape_error (error, node, "its kernel, stride and pads do not give a size");
      return FALSE;
    }
  }
  if (has_input (node, 2) && (input_shape (graph, node, 2)->rank != 4 || input_shape (graph, node, 2)->dim[1] != outputs[0].dim[1]
                              || pj_shape_n_elems (input_shape (graph, node, 2)) != (size_t) outputs[0].dim[1])) {
    pj_op_shape_error (error, node, "its bias does not have one value per channel");
    return FALSE;
  }
  return TRUE;
}

static void
cost (const PjGraph *graph, const PjNode *node, PjCost *sum)
{
  const PjShape *x = input_shape (graph, node, 0), *w = input_shape (graph, node, 1);
  sum->macs += pj_shape_n_elems (w) * (uint64_t) (x->dim[2] * x->dim[3]);
  sum->weights += pj_shape_n_elems (w);
  sum->learnable += pj_shape_n_elems (w) + (has_input (node, 2) ? pj_shape_n_elems (input_shape (graph, node, 2)) : 0);
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjConvTransposeParams *t = node->params;

  pj_channels_tie_all (channels, node->inputs[0], 1, node->inputs[1], 0);
  pj_channels_role (channels, node->inputs[1], 0, index, PJ_ROLE_CONSUMER);
  pj_channels_role (channels, node->inputs[1], 1, index, PJ_ROLE_PRODUCER);
  if (t->conv.groups == 1) {
    pj_channels_tie_all (channels, node->inputs[1], 1, node->outputs[0], 1);
  } else {
    pj_channels_lock (channels, node->inputs[0], 1, index, "is read by a grouped transposed convolution");
    pj_channels_lock (channels, node->outputs[0], 1, index, "is made by a grouped transposed convolution");
    pj_channels_lock (channels, node->inputs[1], 1, index, "belongs to a grouped transposed convolution");
  }
  if (has_input (node, 2)) {
    pj_channels_tie_all (channels, node->inputs[2], 1, node->outputs[0], 1);
    pj_channels_role (channels, node->inputs[2], 1, index, PJ_ROLE_PER_CHANNEL);
  }
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjConvTransposeParams *t = node->params;
  int x = pj_lower_slot (l, node->inputs[0]), w = pj_lower_slot (l, node->inputs[1]);
  int bias = pj_lower_slot (l, input_or_absent (node, 2));
  int y = bias >= 0 ? pj_lower_temp (l, node->outputs[0]) : pj_lower_output (l, index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_CONV_BWD_INPUT, index);
  call->conv = t->conv;
  call->in[0] = x;
  call->in[1] = w;
  call->out[0] = y;
  if (bias < 0)
    return TRUE;
  call = pj_lower_call (l, PJ_KERNEL_BINARY, index);
  call->binary.op = PJ_BINARY_ADD;
  call->in[0] = y;
  call->in[1] = bias;
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjConvTransposeParams *t = node->params;
  int dy = pj_lower_grad (l, index, FALSE);
  gboolean accumulate = FALSE, accumulate_bias = FALSE;

  int dw = pj_lower_param_grad (l, node->inputs[1], &accumulate);
  int db = pj_lower_param_grad (l, input_or_absent (node, 2), &accumulate_bias);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_CONV_BWD_WEIGHT, index);
  call->conv = t->conv;
  call->in[0] = dy;
  call->in[1] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = dw;
  call->accumulate = accumulate;
  if (db >= 0) {
    call = pj_lower_call (l, PJ_KERNEL_SUM_TO, index);
    call->sum.scale = 1;
    call->accumulate = accumulate_bias;
    call->in[0] = dy;
    call->out[0] = db;
  }
  if (pj_lower_wants_grad (l, node->inputs[0])) {
    int dx = pj_lower_temp (l, node->inputs[0]);
    call = pj_lower_call (l, PJ_KERNEL_CONV, index);
    call->conv = t->conv;
    call->in[0] = dy;
    call->in[1] = pj_lower_slot (l, node->inputs[1]);
    call->out[0] = dx;
    pj_lower_add_grad (l, node->inputs[0], dx);
  }
  return TRUE;
}

/* Pads so that the output has the size that the file asks for, which is with auto_pad the input's times the stride.  An odd
 * pad goes to the end with SAME_UPPER and else to the beginning; what is missing is added at the end. */
static gboolean
fit_output (const PjOnnxIn *in, PjConvTransposeParams *t, const PjShape *x, GError **error)
{
  PjConvParams *p = &t->conv;
  const char *automatic = pj_onnx_in_string (in, "auto_pad", "NOTSET");
  int64_t wanted[2] = { x->dim[2] * p->stride[0], x->dim[3] * p->stride[1] };
  unsigned n = pj_onnx_in_ints (in, "output_shape", wanted, 2);

  if (n == 0 && !g_str_has_prefix (automatic, "SAME_"))
    return TRUE;
  for (int i = 0; i < 2; i++) {
    int64_t size = p->stride[i] * (x->dim[2 + i] - 1) + t->extra[i] + (int64_t) p->dilation[i] * (p->kernel[i] - 1) + 1;
    if ((n != 0 && n != 2) || wanted[i] < 1 || wanted[i] > G_MAXINT32 || size - wanted[i] > 4096 || wanted[i] - size > 4096)
      return pj_onnx_in_refuse (in, error, "the wanted size is out of reach");
    int total = (int) MAX (size - wanted[i], 0), half = total / 2;
    p->pad[i] = strcmp (automatic, "SAME_UPPER") == 0 ? half : total - half;
    p->pad[2 + i] = total - p->pad[i];
    t->extra[i] += (int) MAX (wanted[i] - size, 0);
  }
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjConvTransposeParams *t = params;
  PjConvParams *p = &t->conv;
  int64_t extra[2] = { 0 };
  PjShape x, w, b;

  if (pj_onnx_in_const_floats (in, 1, &w) == NULL || w.rank != 4 || !pj_onnx_in_shape (in, 0, &x) || x.rank != 4)
    return pj_onnx_in_refuse (in, error, "only two-dimensional ones with stored weights are supported");
  if (w.dim[2] > 4096 || w.dim[3] > 4096)
    return pj_onnx_in_refuse (in, error, "a kernel of %" G_GINT64_FORMAT "×%" G_GINT64_FORMAT " is too large", w.dim[2], w.dim[3]);
  p->kernel[0] = (int) w.dim[2];
  p->kernel[1] = (int) w.dim[3];
  if (!pj_onnx_read_window (in, p->kernel, p->stride, p->dilation, p->pad, error))
    return FALSE;
  pj_onnx_in_ints (in, "output_padding", extra, 2);
  for (int i = 0; i < 2; i++)
    t->extra[i] = (int) CLAMP (extra[i], -1, 4096);
  if (!fit_output (in, t, &x, error))
    return FALSE;
  p->groups = (int) CLAMP (pj_onnx_in_int (in, "group", 1), 0, G_MAXINT32);
  PjBlob *bias = pj_onnx_in_has_input (in, 2) ? pj_onnx_in_const_floats (in, 2, &b) : NULL;
  if (pj_onnx_in_has_input (in, 2) && bias == NULL)
    return pj_onnx_in_refuse (in, error, "its bias is computed at run time; only a stored bias is supported");
  if (bias != NULL)
    pj_onnx_in_set_const (in, 2, PJ_SHAPE (1, (int64_t) pj_blob_n_elems (bias), 1, 1), pj_blob_ref (bias));
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjConvTransposeParams *t = node->params;
  pj_onnx_write_window (out, t->conv.kernel, t->conv.stride, t->conv.dilation, t->conv.pad);
  pj_onnx_out_ints (out, "output_padding", (int64_t[]) { t->extra[0], t->extra[1] }, 2);
  pj_onnx_out_int (out, "group", t->conv.groups);
  if (has_input (node, 2)) {
    const PjBlob *bias = pj_graph_value (graph, node->inputs[2])->data;
    pj_onnx_out_add_const_floats (out, "bias", pj_blob_data (bias), (unsigned) pj_blob_n_elems (bias));
  }
}

const PjOp pj_op_conv_transpose = {
  .name = "conv_transpose", .title = "Transposed convolution", .onnx_names = (const char *const[]) { "ConvTranspose", NULL },
  .params_size = sizeof (PjConvTransposeParams), .min_inputs = 2, .max_inputs = 3,
  .uses = { PJ_USE_NONE, PJ_USE_WEIGHT, PJ_USE_PLAIN }, .zero = PJ_ZERO_STARTS, .writes_inputs = 2,
  .infer = infer, .cost = cost, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = to_onnx,
};
