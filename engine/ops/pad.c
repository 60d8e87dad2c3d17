/* SPDX-License-Identifier: MIT */
/* Padding with a constant, of pixels or of channels (the shortcuts of some residual networks). */
#include "ops/view.h"

#include <string.h>

static void
view_pad (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view)
{
  const PjPadParams *p = node->params;
  pj_view_plain (x, y, view);
  view->fill = p->fill;
  for (unsigned i = 0; i < x->rank; i++) {
    view->before[i] = p->before[i];
    view->extent[i] = x->dim[i];
  }
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  pj_view_lower (l, index, view_pad);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  pj_view_lower_backward (l, index, view_pad);
  return TRUE;
}

static gboolean
infer_pad (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjPadParams *p = node->params;
  outputs[0] = *input_shape (graph, node, 0);
  for (unsigned i = 0; i < outputs[0].rank; i++) {
    if (p->before[i] < 0 || p->after[i] < 0 || p->before[i] > 4096 || p->after[i] > 4096
        || (i == 0 && p->before[i] + p->after[i] != 0)) {
      pj_op_shape_error (error, node, "pads of %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT " in dimension %u are not possible",
                         p->before[i], p->after[i], i);
      return FALSE;
    }
    outputs[0].dim[i] += p->before[i] + p->after[i];
  }
  return TRUE;
}

/* Padded channels have no origin: they belong to whatever they are added to. */
static void
channels_pad (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjPadParams *p = node->params;
  int c = (int) input_shape (graph, node, 0)->dim[1];
  pj_channels_tie (channels, node->inputs[0], 1, 0, 1, node->outputs[0], 1, (int) p->before[1], 1, c);
  if (p->fill != 0)
    pj_channels_lock (channels, node->outputs[0], 1, index, "is padded with a value other than 0");
}

static void
cut_pad (PjGraph *graph, int index, const int *moved_in, const int *moved_out)
{
  PjPadParams *p = pj_graph_node_params (graph, index);
  const PjNode *node = pj_graph_node (graph, index);
  int64_t c = pj_graph_value (graph, node->outputs[0])->shape.dim[1], before = 0, after = 0;

  if (moved_out == NULL)
    return;
  for (int64_t k = 0; k < c; k++)
    if (moved_out[k] >= 0) {
      before += k < p->before[1];
      after += k >= c - p->after[1];
    }
  p->before[1] = before;
  p->after[1] = after;
}

static gboolean
pad_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjPadParams *p = params;
  int64_t pads[2 * PJ_MAX_RANK];
  PjShape x;
  int n = pj_onnx_in_const_ints (in, 1, pads, 2 * PJ_MAX_RANK);

  if (strcmp (pj_onnx_in_string (in, "mode", "constant"), "constant") != 0)
    return pj_onnx_in_refuse (in, error, "only padding with a constant is supported, not “%s”", pj_onnx_in_string (in, "mode", ""));
  if (n < 0 && !pj_onnx_in_has_input (in, 1))
    n = (int) pj_onnx_in_ints (in, "pads", pads, 2 * PJ_MAX_RANK);
  if (!pj_onnx_in_shape (in, 0, &x) || n != 2 * (int) x.rank || pj_onnx_in_has_input (in, 3))
    return pj_onnx_in_refuse (in, error, "only stored pads of all dimensions are supported");
  for (unsigned i = 0; i < x.rank; i++) {
    p->before[i] = pads[i];
    p->after[i] = pads[x.rank + i];
  }
  p->fill = (float) pj_onnx_in_float (in, "value", 0);
  if (pj_onnx_in_has_input (in, 2) && !pj_onnx_in_scalar (in, 2, &p->fill))
    return pj_onnx_in_refuse (in, error, "its value is computed at run time; only a stored one is supported");
  pj_onnx_in_keep_inputs (in, 1);
  return TRUE;
}

static void
pad_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjPadParams *p = node->params;
  unsigned rank = input_shape (graph, node, 0)->rank;
  int64_t pads[2 * PJ_MAX_RANK];
  for (unsigned i = 0; i < rank; i++) {
    pads[i] = p->before[i];
    pads[rank + i] = p->after[i];
  }
  pj_onnx_out_text (out, "mode", "constant");
  if (pj_onnx_out_opset (out) < 11) {
    pj_onnx_out_ints (out, "pads", pads, 2 * rank);
    pj_onnx_out_float (out, "value", p->fill);
    return;
  }
  pj_onnx_out_add_const_ints (out, "pads", pads, 2 * rank);
  pj_onnx_out_add_const_floats (out, "value", &p->fill, 0);
}

const PjOp pj_op_pad = {
  .name = "pad", .title = "Pad", .onnx_names = (const char *const[]) { "Pad", NULL },
  .params_size = sizeof (PjPadParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_pad, .channels = channels_pad, .cut = cut_pad, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = pad_from_onnx, .to_onnx = pad_to_onnx,
};
