/* SPDX-License-Identifier: MIT */
/* Flatten and reshape: the same numbers under another shape.  Dimension 0 stays the batch. */
#include "ops/util.h"

#include <string.h>

static gboolean
infer_flatten (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjShape *x = input_shape (graph, node, 0);
  if (x->rank < 2) {
    pj_op_shape_error (error, node, "its input has rank %u, expected 2 or more", x->rank);
    return FALSE;
  }
  outputs[0] = PJ_SHAPE (x->dim[0], (int64_t) pj_shape_n_elems (x) / x->dim[0]);
  return TRUE;
}

static gboolean
infer_reshape (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjReshapeParams *p = node->params;
  const PjShape *x = input_shape (graph, node, 0);
  int64_t rest = (int64_t) pj_shape_n_elems (x) / x->dim[0];

  outputs[0].rank = p->rank;
  for (unsigned i = 0; i < MIN (p->rank, PJ_MAX_RANK); i++) {
    outputs[0].dim[i] = i == 0 ? x->dim[0] : p->dim[i];
    if (i >= 2 && (p->dim[i] < 1 || rest % p->dim[i] != 0))
      rest = 0;
    else if (i >= 2)
      rest /= p->dim[i];
  }
  outputs[0].dim[1] = rest;
  if (p->rank < 2 || p->rank > PJ_MAX_RANK || rest < 1) {
    g_autofree char *text = pj_shape_to_string (x);
    pj_op_shape_error (error, node, "%s cannot be reshaped as asked", text);
    return FALSE;
  }
  return TRUE;
}

/* Channel c of C × H × W becomes the H·W neighbours c·H·W … of a vector; or keeps its place. */
static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjShape *x = input_shape (graph, node, 0);
  const PjShape *y = &pj_graph_value (graph, node->outputs[0])->shape;
  int c = (int) x->dim[1];

  if (y->dim[1] == c) {
    pj_op_channels_through (channels, graph, index);
  } else if (y->rank == 2) {
    int plane = (int) (y->dim[1] / c);
    for (int p = 0; p < plane; p++)
      pj_channels_tie (channels, node->inputs[0], 1, 0, 1, node->outputs[0], 1, p, plane, c);
  } else {
    pj_channels_lock (channels, node->inputs[0], 1, index, "is mixed by a reshape");
    pj_channels_lock (channels, node->outputs[0], 1, index, "is mixed by a reshape");
  }
}

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
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, FALSE);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_RESHAPE, index);
  call->in[0] = dy;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

static gboolean
flatten_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  int64_t axis = pj_onnx_in_int (in, "axis", 1);
  PjShape x;
  if (axis < 0 && pj_onnx_in_shape (in, 0, &x))
    axis += x.rank;
  if (axis != 1)
    return pj_onnx_in_refuse (in, error, "axis is %" G_GINT64_FORMAT "; only flattening from axis 1 keeps the batch", axis);
  return TRUE;
}

static void
flatten_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_int (out, "axis", 1);
}

/* Squeeze and Unsqueeze on a map: the shape they lead to. */
static gboolean
squeeze_shape (PjOnnxIn *in, const PjShape *x, int64_t dim[PJ_MAX_RANK], int *rank, GError **error)
{
  gboolean adds = g_str_equal (pj_onnx_in_op_type (in), "Unsqueeze"), named[2 * PJ_MAX_RANK] = { FALSE };
  int64_t axes[PJ_MAX_RANK];
  int n = pj_onnx_in_const_ints (in, 1, axes, PJ_MAX_RANK);

  if (n < 0 && !pj_onnx_in_has_input (in, 1))
    n = (int) pj_onnx_in_ints (in, "axes", axes, PJ_MAX_RANK);
  int old = (int) x->rank, total = adds ? old + n : old;
  if (n < 0 || n > PJ_MAX_RANK || total > PJ_MAX_RANK)
    return pj_onnx_in_refuse (in, error, "its axes must be stored");
  for (int i = 0; i < n; i++) {
    int64_t axis = axes[i] < 0 ? axes[i] + total : axes[i];
    if (axis < 1 || axis >= total || named[axis])
      return pj_onnx_in_refuse (in, error, "axis %" G_GINT64_FORMAT " is not possible", axes[i]);
    named[axis] = TRUE;
  }
  *rank = 0;
  for (int i = 0, from = 0; i < total; i++) {
    if (adds) {
      dim[(*rank)++] = named[i] ? 1 : x->dim[from++];
    } else if (i == 0 || !(n == 0 ? x->dim[i] == 1 : named[i])) {
      dim[(*rank)++] = x->dim[i];
    } else if (x->dim[i] != 1) {
      return pj_onnx_in_refuse (in, error, "axis %d has %" G_GINT64_FORMAT " elements, expected 1", i, x->dim[i]);
    }
  }
  return TRUE;
}

static gboolean
reshape_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjReshapeParams *p = params;
  int64_t dim[PJ_MAX_RANK] = { 0 };
  PjShape x;
  int rank = -1;

  if (!pj_onnx_in_shape (in, 0, &x))
    return pj_onnx_in_refuse (in, error, "its input has no known shape");
  if (g_str_has_suffix (pj_onnx_in_op_type (in), "queeze")) {
    if (!squeeze_shape (in, &x, dim, &rank, error))
      return FALSE;
  } else if ((rank = pj_onnx_in_const_ints (in, 1, dim, PJ_MAX_RANK)) < 0) {
    rank = (int) pj_onnx_in_ints (in, "shape", dim, PJ_MAX_RANK);
  }
  if (rank < 2 || rank > PJ_MAX_RANK)
    return pj_onnx_in_refuse (in, error, "its shape must be a constant of 2 to %d dimensions", PJ_MAX_RANK);
  int64_t rest = (int64_t) pj_shape_n_elems (&x) / x.dim[0], known = 1;
  int open = -1;
  for (int i = 1; i < rank; i++) {
    if (dim[i] == 0)
      dim[i] = i < (int) x.rank ? x.dim[i] : -2;
    if (dim[i] == -1 && open < 0)
      open = i;
    else if (dim[i] < 1 || dim[i] > rest || known > rest / dim[i])
      return pj_onnx_in_refuse (in, error, "dimension %d of its shape is not possible", i);
    else
      known *= dim[i];
  }
  if (open >= 0 && rest % known == 0)
    dim[open] = rest / known;
  else if (open >= 0 || known != rest)
    return pj_onnx_in_refuse (in, error, "its shape moves elements between pictures of a batch, or does not fit");
  p->rank = (unsigned) rank;
  memcpy (p->dim, dim, sizeof dim);
  p->dim[0] = 1;
  p->dim[1] = -1;
  pj_onnx_in_keep_inputs (in, 1);
  return TRUE;
}

static void
reshape_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  PjShape y = pj_graph_value (graph, node->outputs[0])->shape;
  y.dim[0] = 0;   /* copies the batch */
  pj_onnx_out_add_const_ints (out, "shape", y.dim, y.rank);
}

const PjOp pj_op_flatten = {
  .name = "flatten", .title = "Flatten", .onnx_names = (const char *const[]) { "Flatten", NULL },
  .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_flatten, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = flatten_from_onnx, .to_onnx = flatten_to_onnx,
};

const PjOp pj_op_reshape = {
  .name = "reshape", .title = "Reshape", .onnx_names = (const char *const[]) { "Reshape", "Squeeze", "Unsqueeze", NULL },
  .params_size = sizeof (PjReshapeParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_reshape, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = reshape_from_onnx, .to_onnx = reshape_to_onnx,
};
