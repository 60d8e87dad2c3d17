/* SPDX-License-Identifier: MIT */
/* Names of the file and what they stand for, and the answers to operators. */
#include <string.h>

#include "io/onnx/import.h"

void
pj_onnx_remark (PjOnnxImport *import, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_ptr_array_add (import->report->remarks, g_strdup_vprintf (format, args));
  va_end (args);
}

gboolean
pj_onnx_make_room (PjOnnxImport *import, size_t n, GError **error)
{
  if (n <= PJ_ONNX_MAX_MADE - import->n_made) {
    import->n_made += n;
    return TRUE;
  }
  g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_LIMIT, "importing it would make more than %zu numbers that it does not hold",
               PJ_ONNX_MAX_MADE);
  return FALSE;
}

PjOnnxItem *
pj_onnx_item_new (PjOnnxImport *import, const char *name, PjShape shape)
{
  PjOnnxItem *item = g_new0 (PjOnnxItem, 1);
  item->name = g_strdup (name);
  item->shape = shape;
  item->value = -1;
  g_ptr_array_add (import->items, item);
  if (name != NULL)
    g_hash_table_insert (import->names, g_strdup (name), item);
  return item;
}

PjOnnxItem *
pj_onnx_item_new_floats (PjOnnxImport *import, const char *name, PjShape shape, PjBlob *floats)
{
  PjOnnxItem *item = pj_onnx_item_new (import, name, shape);
  item->is_constant = TRUE;
  item->floats = floats;
  return item;
}

PjOnnxItem *
pj_onnx_item_new_ints (PjOnnxImport *import, const char *name, PjShape shape, int64_t *ints, size_t n)
{
  PjOnnxItem *item = pj_onnx_item_new (import, name, shape);
  item->is_constant = TRUE;
  item->ints = ints;
  item->n_ints = n;
  return item;
}

PjOnnxItem *
pj_onnx_item_new_tensor (PjOnnxImport *import, const PjOnnxTensor *tensor, const char *name)
{
  PjOnnxItem *item = pj_onnx_item_new (import, name, tensor->shape);
  item->is_constant = TRUE;
  item->tensor = tensor;
  return item;
}

void
pj_onnx_item_free (gpointer data)
{
  PjOnnxItem *item = data;
  g_free (item->name);
  pj_blob_unref (item->floats);
  g_free (item->ints);
  g_free (item);
}

PjBlob *
pj_onnx_item_floats (PjOnnxImport *import, PjOnnxItem *item, GError **error)
{
  if (item->floats != NULL || item->tensor == NULL || !pj_onnx_tensor_is_float (item->tensor))
    return item->floats;
  item->floats = item->tensor->location != NULL ? pj_onnx_outside_read (import, item->tensor, error)
                                                : pj_onnx_tensor_floats (item->tensor, error);
  return item->floats;
}

const int64_t *
pj_onnx_item_ints (PjOnnxItem *item, size_t *n, GError **error)
{
  if (item->ints == NULL && item->tensor != NULL && pj_onnx_tensor_is_int (item->tensor)) {
    if (item->tensor->location != NULL) {
      g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_UNSUPPORTED,
                   "tensor “%s”: integers outside the file are not supported", item->tensor->name);
      return NULL;
    }
    item->ints = pj_onnx_tensor_ints (item->tensor, error);
    item->n_ints = item->tensor->n_elems;
  }
  *n = item->n_ints;
  return item->ints;
}

/* A graph has no empty tensors; empty constants of a file are never read by an operator that runs. */
static gboolean
check_param (PjOnnxItem *item, GError **error)
{
  for (unsigned i = 0; i < item->shape.rank; i++)
    if (item->shape.dim[i] < 1) {
      g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_DAMAGED, "tensor “%s” is empty", item->name ? item->name : "");
      return FALSE;
    }
  if (pj_shape_n_elems (&item->shape) == pj_blob_n_elems (item->floats))
    return TRUE;
  g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_DAMAGED, "tensor “%s”: its numbers do not fit its shape",
               item->name ? item->name : "");
  return FALSE;
}

int
pj_onnx_item_value (PjOnnxImport *import, PjOnnxItem *item, GError **error)
{
  GError *inner = NULL;
  if (item->value >= 0)
    return item->value;
  PjBlob *floats = pj_onnx_item_floats (import, item, &inner);
  if (floats == NULL) {
    if (inner != NULL)
      g_propagate_error (error, inner);
    else
      g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_UNSUPPORTED,
                   "tensor “%s” is not made of floating-point numbers", item->name ? item->name : "");
    return -1;
  }
  if (!check_param (item, error))
    return -1;
  item->value = pj_graph_add_param (import->graph, item->name, item->shape, pj_blob_ref (floats));
  return item->value;
}

/* --- what operators ask --- */

/* Operators only learn that there is no constant; the first reason is kept for the message. */
static GError **
failure (PjOnnxImport *import)
{
  return import->failure == NULL ? &import->failure : NULL;
}

const char *
pj_onnx_in_op_type (const PjOnnxIn *in)
{
  return in->node->op_type;
}

int64_t
pj_onnx_in_opset (const PjOnnxIn *in)
{
  return in->import->model->opset;
}

gboolean
pj_onnx_in_has_input (const PjOnnxIn *in, unsigned i)
{
  return i < in->n_inputs && in->inputs[i] != NULL;
}

gboolean
pj_onnx_in_shape (const PjOnnxIn *in, unsigned i, PjShape *shape)
{
  if (!pj_onnx_in_has_input (in, i))
    return FALSE;
  *shape = in->inputs[i]->shape;
  return TRUE;
}

int64_t
pj_onnx_in_int (const PjOnnxIn *in, const char *name, int64_t otherwise)
{
  pj_onnx_node_int (in->node, name, &otherwise);
  return otherwise;
}

double
pj_onnx_in_float (const PjOnnxIn *in, const char *name, double otherwise)
{
  pj_onnx_node_float (in->node, name, &otherwise);
  return otherwise;
}

const char *
pj_onnx_in_string (const PjOnnxIn *in, const char *name, const char *otherwise)
{
  PjSpan span;
  if (!pj_onnx_node_text (in->node, name, &span) || span.size > PJ_ONNX_MAX_NAME)
    return otherwise;
  /* The caller keeps no copy; the few texts that operators ask for are shared for good. */
  g_autofree char *text = g_strndup ((const char *) span.data, span.size);
  char *kept = g_hash_table_lookup (in->import->texts, text);
  if (kept == NULL)
    g_hash_table_add (in->import->texts, kept = g_steal_pointer (&text));
  return kept;
}

/* Attributes of a window over a row, as of a map of height 1. */
static unsigned
ints_of_line (const PjOnnxIn *in, const char *name, int64_t *values, unsigned max)
{
  int64_t own[2] = { 0 };
  unsigned n = pj_onnx_node_ints (in->node, name, own, 2);
  if (n == 1 && (strcmp (name, "kernel_shape") == 0 || strcmp (name, "strides") == 0 || strcmp (name, "dilations") == 0
                 || strcmp (name, "output_padding") == 0)) {
    const int64_t pair[2] = { strcmp (name, "output_padding") == 0 ? 0 : 1, own[0] };
    memcpy (values, pair, MIN (max, 2) * sizeof *values);
    return 2;
  }
  if (n == 2 && strcmp (name, "pads") == 0) {
    const int64_t pads[4] = { 0, own[0], 0, own[1] };
    memcpy (values, pads, MIN (max, 4) * sizeof *values);
    return 4;
  }
  /* Anything else does not belong to a row. */
  return n == 0 ? 0 : G_MAXUINT;
}

unsigned
pj_onnx_in_ints (const PjOnnxIn *in, const char *name, int64_t *values, unsigned max)
{
  return in->is_line ? ints_of_line (in, name, values, max) : pj_onnx_node_ints (in->node, name, values, max);
}

unsigned
pj_onnx_in_floats (const PjOnnxIn *in, const char *name, float *values, unsigned max)
{
  return pj_onnx_node_floats (in->node, name, values, max);
}

int
pj_onnx_in_const_ints (const PjOnnxIn *in, unsigned i, int64_t *values, unsigned max)
{
  size_t n;
  if (!pj_onnx_in_has_input (in, i) || !in->inputs[i]->is_constant)
    return -1;
  const int64_t *ints = pj_onnx_item_ints (in->inputs[i], &n, failure (in->import));
  if (ints == NULL)
    return -1;
  memcpy (values, ints, MIN (n, max) * sizeof *ints);
  return (int) n;
}

PjBlob *
pj_onnx_in_const_floats (const PjOnnxIn *in, unsigned i, PjShape *shape)
{
  if (!pj_onnx_in_has_input (in, i) || !in->inputs[i]->is_constant)
    return NULL;
  *shape = in->inputs[i]->shape;
  return pj_onnx_item_floats (in->import, in->inputs[i], failure (in->import));
}

void
pj_onnx_in_set_const (PjOnnxIn *in, unsigned i, PjShape shape, PjBlob *data)
{
  PjOnnxItem *old = i < in->n_inputs ? in->inputs[i] : NULL;
  PjOnnxItem *item = pj_onnx_item_new_floats (in->import, NULL, shape, data);
  item->name = g_strdup (old != NULL ? old->name : NULL);
  g_assert (i < PJ_ONNX_MAX_NODE_FIELDS);
  in->n_inputs = MAX (in->n_inputs, i + 1);
  in->inputs[i] = item;
}

void
pj_onnx_in_swap (PjOnnxIn *in, unsigned i, unsigned k)
{
  g_assert (i < in->n_inputs && k < in->n_inputs);
  PjOnnxItem *item = in->inputs[i];
  in->inputs[i] = in->inputs[k];
  in->inputs[k] = item;
}

void
pj_onnx_in_keep_inputs (PjOnnxIn *in, unsigned n)
{
  in->n_inputs = MIN (in->n_inputs, n);
}

gboolean
pj_onnx_in_refuse (const PjOnnxIn *in, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  in->import->is_variant = TRUE;
  g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_UNSUPPORTED, "node “%s” (%s): %s", in->node->name, in->node->op_type, text);
  return FALSE;
}
