/* SPDX-License-Identifier: MIT */
/* Max, average and global average pooling: one window rule, three operators.  Max pooling pads with −∞. */
#include "ops/util.h"

#include <string.h>

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjPoolParams *p = node->params;
  const PjShape *x = input_shape (graph, node, 0);

  if (x->rank != 4) {
    pj_op_shape_error (error, node, "its input has rank %u, expected 4", x->rank);
    return FALSE;
  }
  outputs[0] = *x;
  for (int i = 0; i < 2; i++) {
    if (p->kernel[i] < 1 || p->stride[i] < 1 || p->pad[i] < 0 || p->pad[2 + i] < 0
        || p->pad[i] >= p->kernel[i] || p->pad[2 + i] >= p->kernel[i]) {
      pj_op_shape_error (error, node, "a window of %d with stride %d and pads %d, %d is not possible",
                         p->kernel[i], p->stride[i], p->pad[i], p->pad[2 + i]);
      return FALSE;
    }
    outputs[0].dim[2 + i] = pj_window_outputs (x->dim[2 + i], p->kernel[i], p->stride[i], 1, p->pad[i],
                                               p->pad[2 + i], p->ceil_mode);
    if (outputs[0].dim[2 + i] < 1) {
      pj_op_shape_error (error, node, "a window of %d×%d does not fit its input of %" G_GINT64_FORMAT "×%" G_GINT64_FORMAT,
                         p->kernel[0], p->kernel[1], x->dim[2], x->dim[3]);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
infer_global (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjShape *x = input_shape (graph, node, 0);
  if (x->rank != 4) {
    pj_op_shape_error (error, node, "its input has rank %u, expected 4", x->rank);
    return FALSE;
  }
  outputs[0] = PJ_SHAPE (x->dim[0], x->dim[1], 1, 1);
  return TRUE;
}

/* Average over the whole map: one window as large as the input. */
static PjPoolParams
window (PjLower *l, const PjNode *node)
{
  if (node->params != NULL)
    return *(const PjPoolParams *) node->params;
  const PjShape *x = input_shape (pj_lower_graph (l), node, 0);
  int h = (int) x->dim[2], w = (int) x->dim[3];
  return (PjPoolParams) { .kernel = { h, w }, .stride = { h, w } };
}

static gboolean
lower_max (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int positions = -1;

  if (pj_lower_mode (l) == PJ_PLAN_TRAIN || pj_lower_mode (l) == PJ_PLAN_SCORE) {
    positions = pj_lower_temp_shape (l, PJ_SLOT_OPAQUE, pj_graph_value (pj_lower_graph (l), node->outputs[0])->shape);
    pj_lower_save (l, index, 0, positions);
  }
  PjCall *call = pj_lower_call (l, PJ_KERNEL_MAX_POOL, index);
  call->pool = window (l, node);
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = pj_lower_output (l, index);
  call->out[1] = positions;
  return TRUE;
}

static gboolean
lower_average (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_AVG_POOL, index);
  call->pool = window (l, node);
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
  gboolean is_max = node->op == &pj_op_max_pool;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, FALSE);
  PjCall *call = pj_lower_call (l, is_max ? PJ_KERNEL_MAX_POOL_BWD : PJ_KERNEL_AVG_POOL_BWD, index);
  call->pool = window (l, node);
  call->in[0] = dy;
  call->in[1] = is_max ? pj_lower_saved (l, index, 0) : -1;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjPoolParams *p = params;
  if (!pj_onnx_read_window (in, p->kernel, p->stride, NULL, p->pad, error))
    return FALSE;
  p->ceil_mode = pj_onnx_in_int (in, "ceil_mode", 0) != 0;
  p->count_include_pad = pj_onnx_in_int (in, "count_include_pad", 0) != 0;
  return TRUE;
}

/* GlobalMaxPool is a window as large as the maps, which are known: sizes in a network are fixed. */
static gboolean
max_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjPoolParams *p = params;
  PjShape x;
  if (strcmp (pj_onnx_in_op_type (in), "GlobalMaxPool") != 0)
    return from_onnx (in, params, error);
  if (!pj_onnx_in_shape (in, 0, &x) || x.rank != 4 || x.dim[2] > G_MAXINT || x.dim[3] > G_MAXINT)
    return pj_onnx_in_refuse (in, error, "only one- and two-dimensional windows are supported; its input has rank %u", x.rank);
  for (int i = 0; i < 2; i++)
    p->kernel[i] = p->stride[i] = (int) x.dim[2 + i];
  return TRUE;
}

static void
to_onnx_max (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjPoolParams *p = node->params;
  pj_onnx_write_window (out, p->kernel, p->stride, NULL, p->pad);
  if (p->ceil_mode)
    pj_onnx_out_int (out, "ceil_mode", 1);
}

static void
to_onnx_average (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjPoolParams *p = node->params;
  to_onnx_max (out, graph, node);
  if (p->count_include_pad)
    pj_onnx_out_int (out, "count_include_pad", 1);
}

const PjOp pj_op_max_pool = {
  .name = "max_pool", .title = "Max pooling", .onnx_names = (const char *const[]) { "MaxPool", "GlobalMaxPool", NULL },
  .params_size = sizeof (PjPoolParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer, .channels = pj_op_channels_through,
  .lower = lower_max, .lower_backward = lower_backward, .from_onnx = max_from_onnx, .to_onnx = to_onnx_max,
};

const PjOp pj_op_avg_pool = {
  .name = "avg_pool", .title = "Average pooling", .onnx_names = (const char *const[]) { "AveragePool", NULL },
  .params_size = sizeof (PjPoolParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer, .channels = pj_op_channels_through,
  .lower = lower_average, .lower_backward = lower_backward, .from_onnx = from_onnx, .to_onnx = to_onnx_average,
};

const PjOp pj_op_global_avg_pool = {
  .name = "global_avg_pool", .title = "Global average pooling",
  .onnx_names = (const char *const[]) { "GlobalAveragePool", NULL },
  .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_global, .channels = pj_op_channels_through,
  .lower = lower_average, .lower_backward = lower_backward,
  .from_onnx = pj_op_from_onnx_plain, .to_onnx = pj_op_to_onnx_plain,
};
