/* SPDX-License-Identifier: MIT */
/* Fully connected layer: y = x·Wᵀ + b with W of O × I, whatever the file had. */
#include "ops/util.h"

#include "base/alloc.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjShape *x = input_shape (graph, node, 0), *w = input_shape (graph, node, 1);

  if (x->rank != 2 || w->rank != 2 || x->dim[1] != w->dim[1]) {
    g_autofree char *xs = pj_shape_to_string (x), *ws = pj_shape_to_string (w);
    pj_op_shape_error (error, node, "an input of %s does not fit weights of %s", xs, ws);
    return FALSE;
  }
  if (has_input (node, 2) && pj_shape_n_elems (input_shape (graph, node, 2)) != (size_t) w->dim[0]) {
    pj_op_shape_error (error, node, "its bias has %zu values, expected %" G_GINT64_FORMAT,
                       pj_shape_n_elems (input_shape (graph, node, 2)), w->dim[0]);
    return FALSE;
  }
  outputs[0] = PJ_SHAPE (x->dim[0], w->dim[0]);
  return TRUE;
}

static void
cost (const PjGraph *graph, const PjNode *node, PjCost *sum)
{
  const PjShape *w = input_shape (graph, node, 1);
  sum->macs += pj_shape_n_elems (w);
  sum->weights += pj_shape_n_elems (w);
  sum->learnable += pj_shape_n_elems (w) + (has_input (node, 2) ? (uint64_t) w->dim[0] : 0);
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);

  pj_channels_tie_all (channels, node->inputs[0], 1, node->inputs[1], 1);
  pj_channels_role (channels, node->inputs[1], 1, index, PJ_ROLE_CONSUMER);
  pj_channels_tie_all (channels, node->inputs[1], 0, node->outputs[0], 1);
  pj_channels_role (channels, node->inputs[1], 0, index, PJ_ROLE_PRODUCER);
  if (has_input (node, 2)) {
    pj_channels_tie_all (channels, node->inputs[2], 0, node->outputs[0], 1);
    pj_channels_role (channels, node->inputs[2], 0, index, PJ_ROLE_PER_CHANNEL);
  }
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int w, b;

  pj_lower_fold (l, index, &w, &b);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_GEMM, index);
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->in[1] = w;
  call->in[2] = b;
  call->relu = pj_lower_relu (l, index);
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
    PjCall *call = pj_lower_call (l, PJ_KERNEL_GEMM_BWD_WEIGHT, index);
    call->in[0] = pj_lower_slot (l, node->inputs[0]);
    call->in[1] = dy;
    call->out[0] = dw;
    call->out[1] = db;
    call->accumulate = accumulate;
  }
  if (pj_lower_wants_grad (l, node->inputs[0])) {
    int dx = pj_lower_temp (l, node->inputs[0]);
    PjCall *call = pj_lower_call (l, PJ_KERNEL_GEMM_BWD_INPUT, index);
    call->in[0] = dy;
    call->in[1] = pj_lower_slot (l, node->inputs[1]);
    call->out[0] = dx;
    pj_lower_add_grad (l, node->inputs[0], dx);
  }
  return TRUE;
}

/* Replaces constant input @i by itself transposed (if @transpose) and multiplied by @factor. */
static gboolean
rewrite_const (PjOnnxIn *in, unsigned i, gboolean transpose, float factor, GError **error)
{
  PjShape shape;
  const float *old = pj_blob_data (pj_onnx_in_const_floats (in, i, &shape));
  size_t n = pj_shape_n_elems (&shape);
  float *data = pj_alloc (n * sizeof (float), "the weights of a fully connected layer", error);

  if (data == NULL)
    return FALSE;
  if (transpose) {
    size_t rows = (size_t) shape.dim[0], columns = (size_t) shape.dim[1];
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < columns; c++)
        data[c * rows + r] = factor * old[r * columns + c];
    shape = PJ_SHAPE ((int64_t) columns, (int64_t) rows);
  } else {
    for (size_t k = 0; k < n; k++)
      data[k] = factor * old[k];
  }
  pj_onnx_in_set_const (in, i, shape, pj_blob_new_take (data, n));
  return TRUE;
}

/* One number for all outputs becomes one for each. */
static gboolean
spread_bias (PjOnnxIn *in, float value, int64_t n, GError **error)
{
  float *data = pj_alloc ((size_t) n * sizeof *data, "the biases of a fully connected layer", error);
  if (data == NULL)
    return FALSE;
  for (int64_t i = 0; i < n; i++)
    data[i] = value;
  pj_onnx_in_set_const (in, 2, PJ_SHAPE (n), pj_blob_new_take (data, (size_t) n));
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  gboolean is_gemm = g_str_equal (pj_onnx_in_op_type (in), "Gemm");
  gboolean transpose = !is_gemm || pj_onnx_in_int (in, "transB", 0) == 0;
  float alpha = is_gemm ? (float) pj_onnx_in_float (in, "alpha", 1.0) : 1.0f;
  float beta = is_gemm ? (float) pj_onnx_in_float (in, "beta", 1.0) : 1.0f;
  PjShape w, b, x;

  if (pj_onnx_in_const_floats (in, 1, &w) == NULL || w.rank != 2)
    return pj_onnx_in_refuse (in, error, "only products with a stored matrix are supported");
  if (pj_onnx_in_shape (in, 0, &x) && x.rank > 2)
    return pj_onnx_in_refuse (in, error, "an input of rank %u: only products with vectors are supported, not with the last "
                              "axis of maps", x.rank);
  if (is_gemm && pj_onnx_in_int (in, "transA", 0) != 0)
    return pj_onnx_in_refuse (in, error, "transA is not supported");
  if ((transpose || alpha != 1.0f) && !rewrite_const (in, 1, transpose, alpha, error))
    return FALSE;
  if (!pj_onnx_in_has_input (in, 2))
    return TRUE;
  PjBlob *bias = pj_onnx_in_const_floats (in, 2, &b);
  if (bias == NULL)
    return pj_onnx_in_refuse (in, error, "its bias is computed at run time; only a stored bias is supported");
  int64_t n_out = transpose ? w.dim[1] : w.dim[0];
  if (pj_blob_n_elems (bias) == 1 && n_out > 1)
    return spread_bias (in, pj_blob_data (bias)[0] * beta, n_out, error);
  if (pj_shape_n_elems (&b) != (size_t) n_out)
    return pj_onnx_in_refuse (in, error, "its bias has %zu values, expected %" G_GINT64_FORMAT, pj_shape_n_elems (&b), n_out);
  if (b.rank != 1)
    pj_onnx_in_set_const (in, 2, PJ_SHAPE (n_out), pj_blob_ref (bias));
  return beta == 1.0f || rewrite_const (in, 2, FALSE, beta, error);
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_float (out, "alpha", 1.0f);
  pj_onnx_out_float (out, "beta", 1.0f);
  pj_onnx_out_int (out, "transB", 1);
  /* The bias was not optional before operator version 11. */
  if (!has_input (node, 2) && pj_onnx_out_opset (out) < 11) {
    size_t n = (size_t) input_shape (graph, node, 1)->dim[0];
    g_autofree float *zeros = g_new0 (float, n);
    pj_onnx_out_add_const_floats (out, "bias", zeros, (unsigned) n);
  }
}

const PjOp pj_op_gemm = {
  .name = "gemm", .title = "Fully connected", .onnx_names = (const char *const[]) { "Gemm", "MatMul", NULL },
  .min_inputs = 2, .max_inputs = 3, .uses = { PJ_USE_NONE, PJ_USE_WEIGHT, PJ_USE_PLAIN },
  .zero = PJ_ZERO_STARTS, .fuses_relu = TRUE,
  .infer = infer, .cost = cost, .channels = channels,
  .lower = lower, .lower_backward = lower_backward, .from_onnx = from_onnx, .to_onnx = to_onnx,
};
