/* SPDX-License-Identifier: MIT */
/* Nodes whose result is known while importing: constants, and the small sums over shapes that exporters
 * write where a network flattens its maps (Shape → Gather → Unsqueeze → Concat → Reshape).
 *
 * Shapes are those of one picture.  That is exact wherever the batch ends up as dimension 0 of a
 * reshape, which is the only use the operators here accept. */
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "io/onnx/import.h"

/* 1 done, 0 not foldable, -1 error, as pj_onnx_fold(). */
typedef int (*FoldFunc) (PjOnnxIn *in, GError **error);

static const char *
output_name (const PjOnnxIn *in)
{
  return in->node->outputs->pdata[0];
}

/* Integers of input @i, or NULL. */
static const int64_t *
ints_of (PjOnnxIn *in, unsigned i, size_t *n, GError **error)
{
  if (!pj_onnx_in_has_input (in, i) || !in->inputs[i]->is_constant)
    return NULL;
  return pj_onnx_item_ints (in->inputs[i], n, error);
}

/* Enters a result of @n integers: a list, or one number if @scalar. */
static int
put_ints (PjOnnxIn *in, const int64_t *ints, size_t n, gboolean scalar)
{
  PjShape shape = { .rank = scalar ? 0 : 1, .dim = { (int64_t) n } };
  int64_t *copy = g_new0 (int64_t, n + 1);
  memcpy (copy, ints, n * sizeof *ints);
  pj_onnx_item_new_ints (in->import, output_name (in), shape, copy, n);
  return 1;
}

static int
put_floats (PjOnnxIn *in, PjShape shape, PjBlob *floats)
{
  pj_onnx_item_new_floats (in->import, output_name (in), shape, floats);
  return 1;
}

static int
refuse (PjOnnxIn *in, GError **error, const char *why)
{
  return pj_onnx_in_refuse (in, error, "%s", why) - 1;
}

/* --- constants --- */

static int
fold_constant (PjOnnxIn *in, GError **error)
{
  PjSpan span;
  int64_t value, values[256];
  double number;

  if (pj_onnx_node_tensor (in->node, "value", &span)) {
    PjOnnxTensor *tensor = g_new0 (PjOnnxTensor, 1);
    g_ptr_array_add (in->import->constants, tensor);
    if (!pj_onnx_tensor_read (tensor, span, error))
      return -1;
    pj_onnx_item_new_tensor (in->import, tensor, output_name (in));
    return 1;
  }
  if (pj_onnx_node_int (in->node, "value_int", &value))
    return put_ints (in, &value, 1, TRUE);
  unsigned n = pj_onnx_node_ints (in->node, "value_ints", values, G_N_ELEMENTS (values));
  if (n > 0 && n <= G_N_ELEMENTS (values))
    return put_ints (in, values, n, FALSE);
  if (pj_onnx_node_float (in->node, "value_float", &number)) {
    float f = (float) number;
    PjBlob *blob = pj_blob_new_copy (&f, 1, error);
    return blob != NULL ? put_floats (in, (PjShape) { 0 }, blob) : -1;
  }
  return refuse (in, error, "only constants that are tensors, a number or a list of integers are supported");
}

/* The number that fills a ConstantOfShape: as float, or as integer. */
static gboolean
filling (PjOnnxIn *in, float *number, int64_t *integer, gboolean *is_int, GError **error)
{
  PjSpan span;
  PjOnnxTensor tensor;
  *number = 0;
  *is_int = FALSE;
  if (!pj_onnx_node_tensor (in->node, "value", &span))
    return TRUE;
  gboolean ok = pj_onnx_tensor_read (&tensor, span, error) && tensor.location == NULL && tensor.n_elems == 1;
  if (ok && pj_onnx_tensor_is_int (&tensor)) {
    g_autofree int64_t *ints = pj_onnx_tensor_ints (&tensor, error);
    *is_int = TRUE;
    if ((ok = ints != NULL))
      *integer = ints[0];
  } else if (ok) {
    g_autoptr (PjBlob) blob = pj_onnx_tensor_is_float (&tensor) ? pj_onnx_tensor_floats (&tensor, error) : NULL;
    if ((ok = blob != NULL))
      *number = pj_blob_data (blob)[0];
  }
  pj_onnx_tensor_clear (&tensor);
  return ok;
}

static int
fill_floats (PjOnnxIn *in, PjShape shape, size_t n, float number, GError **error)
{
  float *data = pj_alloc (n * sizeof *data, "a constant of the file", error);
  if (data == NULL)
    return -1;
  for (size_t i = 0; i < n; i++)
    data[i] = number;
  return put_floats (in, shape, pj_blob_new_take (data, n));
}

static int
fold_constant_of_shape (PjOnnxIn *in, GError **error)
{
  PjShape shape = { 0 };
  size_t rank, n = 1;
  float number;
  int64_t integer = 0;
  gboolean is_int;
  const int64_t *dim = ints_of (in, 0, &rank, error);

  if (dim == NULL)
    return 0;
  if (rank > PJ_ONNX_MAX_DIMS)
    return refuse (in, error, "it makes a tensor of more than 6 dimensions");
  for (shape.rank = 0; shape.rank < rank; shape.rank++) {
    int64_t d = shape.dim[shape.rank] = dim[shape.rank];
    if (d < 0 || !pj_size_mul (n, (size_t) d, &n) || n > PJ_ONNX_MAX_MADE)
      return refuse (in, error, "it makes too many numbers");
  }
  if (!filling (in, &number, &integer, &is_int, error))
    return error != NULL && *error != NULL ? -1 : refuse (in, error, "its value is not one number");
  if (!is_int)
    return pj_onnx_make_room (in->import, n, error) ? fill_floats (in, shape, n, number, error) : -1;
  if (n > PJ_ONNX_MAX_INTS)
    return refuse (in, error, "it makes too many integers");
  g_autofree int64_t *ints = g_new (int64_t, n + 1);
  for (size_t i = 0; i < n; i++)
    ints[i] = integer;
  return put_ints (in, ints, n, rank == 0);
}

/* --- integers about shapes --- */

static int
fold_shape (PjOnnxIn *in, GError **error)
{
  PjShape x;
  if (!pj_onnx_in_shape (in, 0, &x))
    return 0;
  int64_t from = pj_onnx_in_int (in, "start", 0), to = pj_onnx_in_int (in, "end", x.rank);
  from = CLAMP (from < 0 ? from + x.rank : from, 0, (int64_t) x.rank);
  to = CLAMP (to < 0 ? to + x.rank : to, from, (int64_t) x.rank);
  return put_ints (in, x.dim + from, (size_t) (to - from), FALSE);
}

static int
fold_gather (PjOnnxIn *in, GError **error)
{
  size_t n, n_at;
  const int64_t *list = ints_of (in, 0, &n, error), *at = ints_of (in, 1, &n_at, error);
  if (list == NULL || at == NULL || in->inputs[0]->shape.rank != 1 || pj_onnx_in_int (in, "axis", 0) != 0)
    return 0;
  g_autofree int64_t *found = g_new0 (int64_t, n_at + 1);
  for (size_t i = 0; i < n_at; i++) {
    int64_t k = at[i] < 0 ? at[i] + (int64_t) n : at[i];
    if (k < 0 || k >= (int64_t) n)
      return refuse (in, error, "it reads past the end of a shape");
    found[i] = list[k];
  }
  return put_ints (in, found, n_at, in->inputs[1]->shape.rank == 0);
}

static int
fold_concat (PjOnnxIn *in, GError **error)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (int64_t));
  for (unsigned i = 0; i < in->n_inputs; i++) {
    size_t n;
    const int64_t *list = ints_of (in, i, &n, error);
    if (list == NULL)
      return 0;
    if (all->len + n > PJ_ONNX_MAX_INTS)
      return refuse (in, error, "it makes too many integers");
    g_array_append_vals (all, list, (guint) n);
  }
  return all->len > 0 ? put_ints (in, (const int64_t *) all->data, all->len, FALSE) : 0;
}

/* A number of slice bounds: an input since opset 10, an attribute before. */
static gboolean
slice_bound (PjOnnxIn *in, unsigned i, const char *name, int64_t *value)
{
  return pj_onnx_in_const_ints (in, i, value, 1) == 1 || pj_onnx_in_ints (in, name, value, 1) == 1;
}

static int
fold_slice (PjOnnxIn *in, GError **error)
{
  size_t n;
  int64_t from, to, axis = 0, step = 1;
  const int64_t *list = ints_of (in, 0, &n, error);
  if (list == NULL || !slice_bound (in, 1, "starts", &from) || !slice_bound (in, 2, "ends", &to))
    return 0;
  slice_bound (in, 3, "axes", &axis);
  if ((pj_onnx_in_const_ints (in, 4, &step, 1) == 1 && step != 1) || (axis != 0 && axis != -1))
    return 0;
  from = CLAMP (from < 0 ? from + (int64_t) n : from, 0, (int64_t) n);
  to = CLAMP (to < 0 ? to + (int64_t) n : to, from, (int64_t) n);
  return put_ints (in, list + from, (size_t) (to - from), FALSE);
}

static gboolean
calculate (const char *op, int64_t a, int64_t b, int64_t *result)
{
  switch (*op) {
  case 'A':
    return !__builtin_add_overflow (a, b, result);
  case 'S':
    return !__builtin_sub_overflow (a, b, result);
  case 'M':
    return !__builtin_mul_overflow (a, b, result);
  default:
    if (b == 0 || (a == G_MININT64 && b == -1))
      return FALSE;
    *result = a / b;
    return TRUE;
  }
}

/* Stored weights of one shape, or with one number. */
static int
fold_float_arithmetic (PjOnnxIn *in, GError **error)
{
  PjShape shape_a, shape_b;
  PjBlob *a = pj_onnx_in_const_floats (in, 0, &shape_a), *b = a != NULL ? pj_onnx_in_const_floats (in, 1, &shape_b) : NULL;
  if (b == NULL)
    return 0;
  size_t n_a = pj_blob_n_elems (a), n_b = pj_blob_n_elems (b), n = MAX (n_a, n_b);
  gboolean is_a = n_a > n_b || (n_a == n_b && shape_a.rank >= shape_b.rank);
  if (n_a == 0 || n_b == 0 || !(pj_shape_equal (&shape_a, &shape_b) || (is_a ? n_b == 1 && shape_b.rank <= shape_a.rank
                                                                              : n_a == 1 && shape_a.rank <= shape_b.rank)))
    return 0;
  float *data = pj_onnx_make_room (in->import, n, error) ? pj_alloc (n * sizeof *data, "a constant", error) : NULL;
  if (data == NULL)
    return -1;
  for (size_t i = 0; i < n; i++) {
    float x = pj_blob_data (a)[n_a == 1 ? 0 : i], y = pj_blob_data (b)[n_b == 1 ? 0 : i];
    char op = *in->node->op_type;
    data[i] = op == 'A' ? x + y : op == 'S' ? x - y : op == 'M' ? x * y : x / y;
  }
  return put_floats (in, is_a ? shape_a : shape_b, pj_blob_new_take (data, n));
}

static int
fold_arithmetic (PjOnnxIn *in, GError **error)
{
  size_t n_a, n_b;
  const int64_t *a = ints_of (in, 0, &n_a, error), *b = ints_of (in, 1, &n_b, error);
  if (a == NULL && b == NULL && *error == NULL)
    return fold_float_arithmetic (in, error);
  if (a == NULL || b == NULL || n_a == 0 || n_b == 0 || (n_a != n_b && n_a != 1 && n_b != 1))
    return 0;
  size_t n = MAX (n_a, n_b);
  g_autofree int64_t *result = g_new0 (int64_t, n);
  for (size_t i = 0; i < n; i++)
    if (!calculate (in->node->op_type, a[n_a == 1 ? 0 : i], b[n_b == 1 ? 0 : i], &result[i]))
      return refuse (in, error, "its result does not fit 64 bits");
  return put_ints (in, result, n, in->inputs[0]->shape.rank == 0 && in->inputs[1]->shape.rank == 0);
}

static int
fold_cast (PjOnnxIn *in, GError **error)
{
  size_t n;
  int64_t to = pj_onnx_in_int (in, "to", 0);
  const int64_t *list = ints_of (in, 0, &n, error);
  if (list != NULL && (to == PJ_ONNX_INT64 || to == PJ_ONNX_INT32))
    return put_ints (in, list, n, in->inputs[0]->shape.rank == 0);
  return 0;
}

/* --- constants under another shape --- */

/* Stored weights with dimensions of 1 added or taken away. */
static int
fold_weights_shape (PjOnnxIn *in, gboolean adds, GError **error)
{
  int64_t axes[PJ_MAX_RANK];
  gboolean named[PJ_MAX_RANK] = { FALSE };
  PjShape old, shape = { 0 };
  PjBlob *blob = pj_onnx_in_const_floats (in, 0, &old);
  int n = pj_onnx_in_const_ints (in, 1, axes, PJ_MAX_RANK);

  if (n < 0)
    n = (int) pj_onnx_in_ints (in, "axes", axes, PJ_MAX_RANK);
  if (blob == NULL || n < 1)
    return 0;
  if (n > PJ_MAX_RANK)
    return refuse (in, error, "it names more axes than a tensor has");
  int total = (int) old.rank + (adds ? n : 0);
  if (total > PJ_MAX_RANK)
    return 0;
  for (int i = 0; i < n; i++) {
    int64_t axis = axes[i] < 0 ? axes[i] + total : axes[i];
    if (axis < 0 || axis >= total || named[axis] || (!adds && old.dim[axis] != 1))
      return refuse (in, error, "a constant cannot be reshaped as asked");
    named[axis] = TRUE;
  }
  for (int i = 0, from = 0; i < total; i++) {
    if (adds)
      shape.dim[shape.rank++] = named[i] ? 1 : old.dim[from++];
    else if (!named[i])
      shape.dim[shape.rank++] = old.dim[i];
  }
  return put_floats (in, shape, pj_blob_ref (blob));
}

static int
fold_squeeze (PjOnnxIn *in, GError **error)
{
  size_t n;
  const int64_t *list = ints_of (in, 0, &n, error);
  if (list == NULL)
    return fold_weights_shape (in, FALSE, error);
  return list != NULL && n == 1 ? put_ints (in, list, n, TRUE) : 0;
}

static int
fold_unsqueeze (PjOnnxIn *in, GError **error)
{
  size_t n;
  const int64_t *list = ints_of (in, 0, &n, error);
  if (list == NULL)
    return fold_weights_shape (in, TRUE, error);
  return in->inputs[0]->shape.rank == 0 ? put_ints (in, list, n, FALSE) : 0;
}

static int
fold_transpose (PjOnnxIn *in, GError **error)
{
  PjShape shape;
  int64_t perm[2] = { 1, 0 };
  PjBlob *blob = pj_onnx_in_const_floats (in, 0, &shape);
  unsigned n_perm = pj_onnx_in_ints (in, "perm", perm, 2);
  if (blob == NULL || shape.rank != 2 || (n_perm != 0 && (n_perm != 2 || perm[0] != 1 || perm[1] != 0)))
    return 0;
  size_t rows = (size_t) shape.dim[0], columns = (size_t) shape.dim[1];
  const float *from = pj_blob_data (blob);
  if (!pj_onnx_make_room (in->import, rows * columns, error))
    return -1;
  float *data = pj_alloc (rows * columns * sizeof *data, "a transposed tensor of the file", error);
  if (data == NULL)
    return -1;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++)
      data[c * rows + r] = from[r * columns + c];
  return put_floats (in, PJ_SHAPE ((int64_t) columns, (int64_t) rows), pj_blob_new_take (data, rows * columns));
}

/* Reshape of stored weights, where each of the dimensions asked for is known or one is -1. */
static int
fold_reshape (PjOnnxIn *in, GError **error)
{
  PjShape old, shape = { 0 };
  size_t known = 1, n;
  int open = -1, rank = pj_onnx_in_const_ints (in, 1, shape.dim, PJ_MAX_RANK);
  PjBlob *blob = pj_onnx_in_const_floats (in, 0, &old);

  if (rank < 0)
    rank = (int) pj_onnx_in_ints (in, "shape", shape.dim, PJ_MAX_RANK);
  if (blob == NULL || rank > PJ_MAX_RANK)
    return 0;
  n = pj_blob_n_elems (blob);
  shape.rank = (unsigned) rank;
  for (int i = 0; i < rank; i++) {
    if (shape.dim[i] == 0)
      shape.dim[i] = i < (int) old.rank ? old.dim[i] : -2;
    if (shape.dim[i] == -1 && open < 0)
      open = i;
    else if (shape.dim[i] < 1 || !pj_size_mul (known, (size_t) shape.dim[i], &known))
      return refuse (in, error, "a constant cannot be reshaped as asked");
  }
  if (open >= 0)
    shape.dim[open] = (int64_t) (n / known);
  if (open >= 0 ? n % known != 0 : n != known)
    return refuse (in, error, "a constant cannot be reshaped as asked");
  return put_floats (in, shape, pj_blob_ref (blob));
}

static const struct {
  const char *op_type;
  FoldFunc fold;
} folds[] = {
  { "Constant", fold_constant },     { "ConstantOfShape", fold_constant_of_shape }, { "Shape", fold_shape },
  { "Gather", fold_gather },         { "Concat", fold_concat },       { "Slice", fold_slice },
  { "Add", fold_arithmetic },        { "Sub", fold_arithmetic },      { "Mul", fold_arithmetic },
  { "Div", fold_arithmetic },        { "Cast", fold_cast },           { "Squeeze", fold_squeeze },
  { "Unsqueeze", fold_unsqueeze },   { "Transpose", fold_transpose }, { "Reshape", fold_reshape },
};

int
pj_onnx_fold (PjOnnxIn *in, GError **error)
{
  GError *inner = NULL;
  if (*in->node->domain != '\0' || in->node->outputs->len != 1)
    return 0;
  for (unsigned i = 0; i < G_N_ELEMENTS (folds); i++)
    if (strcmp (folds[i].op_type, in->node->op_type) == 0) {
      int result = folds[i].fold (in, &inner);
      if (inner == NULL)
        return result;
      /* A constant that cannot be read is an error whatever was to be done with it. */
      g_propagate_error (error, inner);
      return -1;
    }
  return 0;
}
