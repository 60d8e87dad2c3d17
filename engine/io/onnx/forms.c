/* SPDX-License-Identifier: MIT */
/* Nodes that become several in the network, so that everything else sees maps with their channels in front.
 *
 *   windows over rows     N × C × L as maps of height 1
 *   MatMul, last axis     a 1×1 convolution between two transpositions
 *   GroupNormalization    each group of channels as a row, normalised by itself (Wu, He, ECCV 2018)
 *   c − x, c ÷ x          −x or 1/x, and c added or multiplied
 *   Gelu, tanh form       ½x·(1 + tanh (√(2/π)·(x + 0.044715·x³)))
 *
 * What becomes superfluous where two of them meet is left out afterwards, see layout.c. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/onnx/import.h"
#include "ops/op.h"
#include "ops/params.h"

static int
reshape (PjOnnxIn *in, const char *suffix, int value, PjShape shape, const char *output, GError **error)
{
  PjReshapeParams params = { .rank = shape.rank };
  memcpy (params.dim, shape.dim, sizeof params.dim);
  params.dim[0] = 1;
  params.dim[1] = -1;
  return pj_onnx_emit (in, suffix, &pj_op_reshape, &params, &value, 1, output, error);
}

static PjShape
shape_of (PjOnnxIn *in, int value)
{
  return pj_graph_value (in->import->graph, value)->shape;
}

static const char *
output_of (const PjOnnxNode *node)
{
  return node->outputs->pdata[0];
}

/* --- windows over rows --- */

static gboolean
is_windowed (const PjOp *op)
{
  return op == &pj_op_conv || op == &pj_op_conv_transpose || op == &pj_op_max_pool || op == &pj_op_avg_pool
         || op == &pj_op_global_avg_pool;
}

/* Input 0 and the weights with a height of 1. */
static PjOnnxItem *
raise_inputs (PjOnnxIn *in)
{
  PjShape x = in->inputs[0]->shape, w;
  PjOnnxItem *raised = pj_onnx_item_new (in->import, NULL, PJ_SHAPE (x.dim[0], x.dim[1], 1, x.dim[2]));
  PjBlob *weights = pj_onnx_in_const_floats (in, 1, &w);

  in->is_line = TRUE;
  in->inputs[0] = raised;
  if (weights != NULL && w.rank == 3)
    pj_onnx_in_set_const (in, 1, PJ_SHAPE (w.dim[0], w.dim[1], 1, w.dim[2]), pj_blob_ref (weights));
  return raised;
}

static gboolean
add_windowed (PjOnnxIn *in, const PjOp *op, GError **error)
{
  const PjOnnxNode *last = pj_onnx_take_bias (in, op);
  PjOnnxItem *x = in->inputs[0], *raised = raise_inputs (in);
  g_autofree void *params = g_malloc0 (MAX (op->params_size, 1));
  int values[PJ_ONNX_MAX_NODE_FIELDS];

  if (!pj_onnx_read_params (in, op, params, error))
    return FALSE;
  int row = pj_onnx_item_value (in->import, x, error);
  if (row < 0 || (raised->value = reshape (in, "_map", row, raised->shape, NULL, error)) < 0
      || !pj_onnx_take_values (in, op, values, error))
    return FALSE;
  int y = pj_onnx_emit (in, NULL, op, params, values, in->n_inputs, NULL, error);
  if (y < 0)
    return FALSE;
  PjShape shape = shape_of (in, y);
  return reshape (in, "_row", y, PJ_SHAPE (1, shape.dim[1], shape.dim[3]), output_of (last), error) >= 0;
}

/* --- products with the last axis of maps --- */

static int
transpose (PjOnnxIn *in, const char *suffix, int value, gboolean to_front, const char *output, GError **error)
{
  PjTransposeParams params = { .rank = shape_of (in, value).rank };
  int last = (int) params.rank - 1;
  for (int i = 1; i <= last; i++)
    params.order[i] = to_front ? (i == 1 ? last : i - 1) : (i == last ? 1 : i + 1);
  return pj_onnx_emit (in, suffix, &pj_op_transpose, &params, &value, 1, output, error);
}

/* The stored matrix I × O as weights O × I × 1 × 1. */
static gboolean
turn_weights (PjOnnxIn *in, GError **error)
{
  PjShape shape;
  PjBlob *blob = pj_onnx_in_const_floats (in, 1, &shape);
  size_t rows = (size_t) shape.dim[0], columns = (size_t) shape.dim[1];
  const float *old = pj_blob_data (blob);
  float *data = NULL;

  if (!pj_onnx_make_room (in->import, rows * columns, error)
      || (data = pj_alloc (rows * columns * sizeof *data, "the weights of a fully connected layer", error)) == NULL)
    return FALSE;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++)
      data[c * rows + r] = old[r * columns + c];
  pj_onnx_in_set_const (in, 1, PJ_SHAPE ((int64_t) columns, (int64_t) rows, 1, 1), pj_blob_new_take (data, rows * columns));
  return TRUE;
}

static gboolean
is_last_axis_product (PjOnnxIn *in, const PjOp *op)
{
  PjShape x, w;
  return op == &pj_op_gemm && strcmp (in->node->op_type, "MatMul") == 0 && in->n_inputs == 2 && pj_onnx_in_shape (in, 0, &x)
         && !in->inputs[0]->is_constant && x.rank > 2 && pj_onnx_in_const_floats (in, 1, &w) != NULL && w.rank == 2
         && w.dim[0] == x.dim[x.rank - 1] && w.dim[1] > 0 && pj_blob_n_elems (in->inputs[1]->floats) == pj_shape_n_elems (&w);
}

static gboolean
add_last_axis_product (PjOnnxIn *in, GError **error)
{
  static const PjConvParams one_tap = { .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
  const PjOnnxNode *last = pj_onnx_take_bias (in, &pj_op_gemm);
  int values[PJ_ONNX_MAX_NODE_FIELDS];

  if (!turn_weights (in, error) || !pj_onnx_take_values (in, &pj_op_conv, values, error)
      || (values[0] = transpose (in, "_front", values[0], TRUE, NULL, error)) < 0)
    return FALSE;
  PjShape shape = shape_of (in, values[0]);
  PjShape map = PJ_SHAPE (1, shape.dim[1], 1, 1);
  for (unsigned i = 2; i < shape.rank; i++)
    map.dim[i + 1 == shape.rank ? 3 : 2] *= shape.dim[i];
  if (shape.rank != 4 && (values[0] = reshape (in, "_map", values[0], map, NULL, error)) < 0)
    return FALSE;
  int y = pj_onnx_emit (in, NULL, &pj_op_conv, &one_tap, values, in->n_inputs, NULL, error);
  if (y < 0)
    return FALSE;
  shape.dim[1] = shape_of (in, y).dim[1];
  if (shape.rank != 4 && (y = reshape (in, "_row", y, shape, NULL, error)) < 0)
    return FALSE;
  return transpose (in, "_back", y, FALSE, output_of (last), error) >= 0;
}

/* --- group normalisation --- */

/* A parameter of @n times @value. */
static int
same_numbers (PjOnnxIn *in, const char *suffix, size_t n, float value, GError **error)
{
  float *data = pj_alloc (n * sizeof *data, "the parameters of a norm", error);
  if (data == NULL)
    return -1;
  for (size_t i = 0; i < n; i++)
    data[i] = value;
  g_autofree char *name = g_strconcat (output_of (in->node), suffix, NULL);
  return pj_graph_add_param (in->import->graph, name, PJ_SHAPE ((int64_t) n), pj_blob_new_take (data, n));
}

/* Input @i, one number per channel or (before operator version 21) per group, as 1 × C × 1 …. */
static int
channel_numbers (PjOnnxIn *in, unsigned i, const PjShape *x, int64_t n_groups, GError **error)
{
  PjShape shape;
  PjBlob *blob = pj_onnx_in_const_floats (in, i, &shape);
  size_t c = (size_t) x->dim[1], n = blob != NULL ? pj_blob_n_elems (blob) : 0;
  if (n != c && n != (size_t) n_groups) {
    pj_onnx_in_refuse (in, error, "only a stored scale and bias per channel or per group are supported");
    return -1;
  }
  PjShape full = *x;
  for (unsigned d = 0; d < x->rank; d++)
    full.dim[d] = d == 1 ? x->dim[1] : 1;
  if (n == c)
    return pj_graph_add_param (in->import->graph, in->inputs[i]->name, full, pj_blob_ref (blob));
  float *data = pj_onnx_make_room (in->import, c, error) ? pj_alloc (c * sizeof *data, "the parameters of a norm", error) : NULL;
  if (data == NULL)
    return -1;
  for (size_t k = 0; k < c; k++)
    data[k] = pj_blob_data (blob)[k / (c / n)];
  return pj_graph_add_param (in->import->graph, in->inputs[i]->name, full, pj_blob_new_take (data, c));
}

static gboolean
add_group_norm (PjOnnxIn *in, GError **error)
{
  PjShape x;
  PjNormParams params = { (float) pj_onnx_in_float (in, "epsilon", 1e-5) };
  int64_t n_groups = pj_onnx_in_int (in, "num_groups", 0);

  if (!pj_onnx_in_shape (in, 0, &x) || in->inputs[0]->is_constant || x.rank < 3 || n_groups < 1 || x.dim[1] % n_groups != 0)
    return pj_onnx_in_refuse (in, error, "%" G_GINT64_FORMAT " groups do not fit its input", n_groups);
  int value = pj_onnx_item_value (in->import, in->inputs[0], error);
  int scale = value < 0 ? -1 : channel_numbers (in, 1, &x, n_groups, error);
  int bias = scale < 0 ? -1 : channel_numbers (in, 2, &x, n_groups, error);
  int ones = bias < 0 ? -1 : same_numbers (in, "_ones", (size_t) n_groups, 1, error);
  int zeros = ones < 0 ? -1 : same_numbers (in, "_zeros", (size_t) n_groups, 0, error);
  if (zeros < 0)
    return FALSE;
  int64_t row = (int64_t) pj_shape_n_elems (&x) / x.dim[0] / n_groups;
  int y = reshape (in, "_groups", value, PJ_SHAPE (1, n_groups, row), NULL, error);
  if (y >= 0)
    y = pj_onnx_emit (in, NULL, &pj_op_instance_norm, &params, (int[]) { y, ones, zeros }, 3, NULL, error);
  if (y >= 0)
    y = reshape (in, "_channels", y, x, NULL, error);
  if (y >= 0)
    y = pj_onnx_emit (in, "_scale", &pj_op_mul_const, NULL, (int[]) { y, scale }, 2, NULL, error);
  return y >= 0 && pj_onnx_emit (in, "_bias", &pj_op_add_const, NULL, (int[]) { y, bias }, 2, output_of (in->node), error) >= 0;
}

/* --- a stored constant before the operator --- */

static gboolean
is_turned_round (PjOnnxIn *in, const PjOp *op)
{
  PjShape shape;
  return (op == &pj_op_sub || op == &pj_op_div) && in->n_inputs == 2 && in->inputs[1] != NULL && !in->inputs[1]->is_constant
         && pj_onnx_in_const_floats (in, 0, &shape) != NULL;
}

static gboolean
add_turned_round (PjOnnxIn *in, gboolean divides, GError **error)
{
  PjShape c, x = in->inputs[1]->shape, full = x;
  PjBlob *blob = pj_onnx_in_const_floats (in, 0, &c);
  PjUnaryParams flip = { divides ? PJ_FN_RECIPROCAL : PJ_FN_LINEAR, divides ? 1 : -1, 0 };
  int value = pj_onnx_item_value (in->import, in->inputs[1], error);

  if (pj_blob_n_elems (blob) == 0) {
    g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_DAMAGED, "tensor “%s” is empty", in->inputs[0]->name ? in->inputs[0]->name : "");
    return FALSE;
  }
  for (unsigned i = 0; i < x.rank; i++)
    full.dim[i] = i + c.rank < x.rank ? 1 : c.dim[i + c.rank - x.rank];
  if (c.rank > x.rank || full.dim[0] != 1 || pj_shape_n_elems (&full) != pj_blob_n_elems (blob))
    return pj_onnx_in_refuse (in, error, "its constant differs from picture to picture");
  if (value < 0
      || (value = pj_onnx_emit (in, "_turned", divides ? &pj_op_reciprocal : &pj_op_scale, &flip, &value, 1, NULL, error)) < 0)
    return FALSE;
  if (pj_blob_n_elems (blob) == 1) {
    float number = pj_blob_data (blob)[0];
    PjUnaryParams last = { PJ_FN_LINEAR, divides ? number : 1, divides ? 0 : number };
    return pj_onnx_emit (in, NULL, divides ? &pj_op_scale : &pj_op_shift, &last, &value, 1, output_of (in->node), error) >= 0;
  }
  int param = pj_graph_add_param (in->import->graph, in->inputs[0]->name, full, pj_blob_ref (blob));
  return pj_onnx_emit (in, NULL, divides ? &pj_op_mul_const : &pj_op_add_const, NULL, (int[]) { value, param }, 2,
                       output_of (in->node), error) >= 0;
}

/* --- GELU by tanh (Hendrycks, Gimpel 2016) --- */

static int
unary (PjOnnxIn *in, const char *suffix, const PjOp *op, PjFunction function, float alpha, float beta, int x, GError **error)
{
  PjUnaryParams params = { function, alpha, beta };
  return x < 0 ? -1 : pj_onnx_emit (in, suffix, op, &params, &x, 1, NULL, error);
}

static int
binary (PjOnnxIn *in, const char *suffix, const PjOp *op, int a, int b, const char *output, GError **error)
{
  return a < 0 || b < 0 ? -1 : pj_onnx_emit (in, suffix, op, NULL, (int[]) { a, b }, 2, output, error);
}

static gboolean
add_tanh_gelu (PjOnnxIn *in, GError **error)
{
  int values[PJ_ONNX_MAX_NODE_FIELDS];
  if (!pj_onnx_take_values (in, &pj_op_gelu, values, error))
    return FALSE;
  int x = values[0], square = binary (in, "_square", &pj_op_mul, x, x, NULL, error);
  int cube = binary (in, "_cube", &pj_op_mul, square, x, NULL, error);
  int sum = binary (in, "_sum", &pj_op_add, x, unary (in, "_part", &pj_op_scale, PJ_FN_LINEAR, 0.044715f, 0, cube, error), NULL, error);
  int inner = unary (in, "_inner", &pj_op_scale, PJ_FN_LINEAR, (float) sqrt (2 / G_PI), 0, sum, error);
  int above = unary (in, "_above", &pj_op_shift, PJ_FN_LINEAR, 1, 1, unary (in, NULL, &pj_op_tanh, PJ_FN_TANH, 0, 0, inner, error), error);
  int half = unary (in, "_half", &pj_op_scale, PJ_FN_LINEAR, 0.5f, 0, above, error);
  return binary (in, "_product", &pj_op_mul, x, half, output_of (in->node), error) >= 0;
}

gboolean
pj_onnx_is_form (const char *op_type)
{
  return strcmp (op_type, "GroupNormalization") == 0 || strcmp (op_type, "Split") == 0;
}

int
pj_onnx_add_form (PjOnnxIn *in, const PjOp *op, GError **error)
{
  gboolean done;
  PjShape x;

  if (op == NULL)
    done = add_group_norm (in, error);
  else if (is_windowed (op) && pj_onnx_in_shape (in, 0, &x) && x.rank == 3 && !in->inputs[0]->is_constant)
    done = add_windowed (in, op, error);
  else if (is_last_axis_product (in, op))
    done = add_last_axis_product (in, error);
  else if (is_turned_round (in, op))
    done = add_turned_round (in, op == &pj_op_div, error);
  else if (op == &pj_op_gelu && strcmp (pj_onnx_in_string (in, "approximate", "none"), "tanh") == 0)
    done = add_tanh_gelu (in, error);
  else
    return 0;
  return done ? 1 : -1;
}
