/* SPDX-License-Identifier: MIT */
/* From a network to a file.  Field numbers are those of model.c, tensor.c and attribute.c. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/file.h"
#include "io/onnx.h"
#include "io/onnx/import.h"
#include "io/onnx/writer.h"
#include "ops/op.h"

/* AttributeProto.type */
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_STRING = 3, ATTRIBUTE_INTS = 7 };

typedef struct {
  const PjGraph *graph;
  PjOnnxExportOptions options;
  PjOnnxTensorSink sink;
  gpointer sink_data;
  PjMessage message;        /* GraphProto */
  uint8_t *written;         /* one per value: 1 if its tensor is in the file */
} Export;

struct _PjOnnxOut {
  Export *export;
  const PjNode *node;
  PjMessage message;        /* NodeProto */
};

/* --- what operators write --- */

static void
finish_attribute (PjOnnxOut *out, PjMessage *attribute, int type)
{
  pj_message_int (attribute, 20, type);
  pj_message_child (&out->message, 5, attribute);
}

void
pj_onnx_out_int (PjOnnxOut *out, const char *name, int64_t value)
{
  PjMessage attribute;
  pj_message_init (&attribute);
  pj_message_text (&attribute, 1, name);
  pj_message_int (&attribute, 3, value);
  finish_attribute (out, &attribute, ATTRIBUTE_INT);
}

void
pj_onnx_out_float (PjOnnxOut *out, const char *name, float value)
{
  PjMessage attribute;
  pj_message_init (&attribute);
  pj_message_text (&attribute, 1, name);
  pj_message_float (&attribute, 2, value);
  finish_attribute (out, &attribute, ATTRIBUTE_FLOAT);
}

/* Unpacked: the format predates packed lists, and strict readers insist. */
void
pj_onnx_out_ints (PjOnnxOut *out, const char *name, const int64_t *values, unsigned n)
{
  PjMessage attribute;
  pj_message_init (&attribute);
  pj_message_text (&attribute, 1, name);
  for (unsigned i = 0; i < n; i++)
    pj_message_int (&attribute, 8, values[i]);
  finish_attribute (out, &attribute, ATTRIBUTE_INTS);
}

void
pj_onnx_out_text (PjOnnxOut *out, const char *name, const char *text)
{
  PjMessage attribute;
  pj_message_init (&attribute);
  pj_message_text (&attribute, 1, name);
  pj_message_text (&attribute, 4, text);
  finish_attribute (out, &attribute, ATTRIBUTE_STRING);
}

int
pj_onnx_out_opset (const PjOnnxOut *out)
{
  return out->export->options.opset;
}

void
pj_onnx_out_add_absent (PjOnnxOut *out)
{
  pj_message_text (&out->message, 1, "");
}

/* Writes a small tensor under a name that nothing else has, as a further input of the node. */
static void
add_const (PjOnnxOut *out, const char *suffix, int type, gboolean scalar, gconstpointer data, unsigned n, size_t size)
{
  g_autofree char *name = g_strdup_printf ("%s_%s", out->node->name, suffix);
  while (pj_graph_find_value (out->export->graph, name) >= 0) {
    char *longer = g_strconcat (name, "_", NULL);
    g_free (name);
    name = longer;
  }
  PjMessage tensor;
  pj_message_init (&tensor);
  if (!scalar)
    pj_message_int (&tensor, 1, n);
  pj_message_int (&tensor, 2, type);
  pj_message_text (&tensor, 8, name);
  pj_message_bytes (&tensor, 9, data, size);
  pj_message_child (&out->export->message, 5, &tensor);
  pj_message_text (&out->message, 1, name);
}

void
pj_onnx_out_add_const_ints (PjOnnxOut *out, const char *suffix, const int64_t *values, unsigned n)
{
  add_const (out, suffix, PJ_ONNX_INT64, FALSE, values, n, n * sizeof *values);
}

void
pj_onnx_out_add_const_floats (PjOnnxOut *out, const char *suffix, const float *values, unsigned n)
{
  add_const (out, suffix, PJ_ONNX_FLOAT, n == 0, values, n, MAX (n, 1) * sizeof *values);
}

/* --- tensors --- */

static void
write_outside (PjMessage *tensor, PjBlob *blob)
{
  g_autofree char *location = g_strconcat (PJ_ONNX_BLOB_PREFIX, pj_blob_hash (blob), NULL);
  PjMessage entry;
  pj_message_init (&entry);
  pj_message_text (&entry, 1, "location");
  pj_message_text (&entry, 2, location);
  pj_message_child (tensor, 13, &entry);
  pj_message_int (tensor, 14, 1);
}

static gboolean
write_param (Export *self, int index, GError **error)
{
  const PjValue *value = pj_graph_value (self->graph, index);
  PjMessage tensor;

  if (value->kind != PJ_VALUE_PARAM || self->written[index])
    return TRUE;
  self->written[index] = 1;
  if (self->sink != NULL && !self->sink (value->data, self->sink_data, error))
    return FALSE;
  pj_message_init (&tensor);
  for (unsigned i = 0; i < value->shape.rank; i++)
    pj_message_int (&tensor, 1, value->shape.dim[i]);
  pj_message_int (&tensor, 2, PJ_ONNX_FLOAT);
  pj_message_text (&tensor, 8, value->name);
  if (self->sink != NULL)
    write_outside (&tensor, value->data);
  else
    pj_message_blob (&tensor, 9, value->data);
  pj_message_child (&self->message, 5, &tensor);
  return TRUE;
}

/* --- nodes --- */

static gboolean
write_node (Export *self, const PjNode *node, GError **error)
{
  PjOnnxOut out = { .export = self, .node = node };

  if (node->op->to_onnx == NULL) {
    g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_UNSUPPORTED, "node “%s” (%s) cannot be written: this operator is not "
                 "known here", node->name, node->op->title);
    return FALSE;
  }
  pj_message_init (&out.message);
  unsigned n_inputs = node->op->writes_inputs > 0 ? MIN (node->op->writes_inputs, node->n_inputs) : node->n_inputs;
  for (unsigned i = 0; i < n_inputs; i++) {
    if (node->inputs[i] >= 0 && !write_param (self, node->inputs[i], error)) {
      pj_message_clear (&out.message);
      return FALSE;
    }
    pj_message_text (&out.message, 1, node->inputs[i] >= 0 ? pj_graph_value (self->graph, node->inputs[i])->name : "");
  }
  for (unsigned i = 0; i < node->n_outputs; i++)
    pj_message_text (&out.message, 2, pj_graph_value (self->graph, node->outputs[i])->name);
  pj_message_text (&out.message, 3, node->name);
  node->op->to_onnx (&out, self->graph, node);
  pj_message_text (&out.message, 4, node->op->onnx_names[0]);
  pj_message_child (&self->message, 1, &out.message);
  return TRUE;
}

static void
write_dim (PjMessage *shape, int64_t size)
{
  PjMessage dim;
  pj_message_init (&dim);
  if (size > 0)
    pj_message_int (&dim, 1, size);
  else
    pj_message_text (&dim, 2, "N");
  pj_message_child (shape, 1, &dim);
}

/* Declares the input (@field 11) or the output (12). */
static void
write_info (Export *self, uint32_t field, int index)
{
  const PjValue *value = pj_graph_value (self->graph, index);
  PjMessage info, type, tensor, shape;
  pj_message_init (&info);
  pj_message_init (&type);
  pj_message_init (&tensor);
  pj_message_init (&shape);
  for (unsigned i = 0; i < value->shape.rank; i++)
    write_dim (&shape, i == 0 ? (int64_t) self->options.batch : value->shape.dim[i]);
  pj_message_int (&tensor, 1, PJ_ONNX_FLOAT);
  pj_message_child (&tensor, 2, &shape);
  pj_message_child (&type, 1, &tensor);
  pj_message_text (&info, 1, value->name);
  pj_message_child (&info, 2, &type);
  pj_message_child (&self->message, field, &info);
}

/* --- the whole --- */

/* The oldest file format that has this operator version, which is what most readers expect. */
static int
ir_version (int opset)
{
  return opset <= 10 ? 5 : opset == 11 ? 6 : opset <= 14 ? 7 : opset <= 18 ? 8 : opset <= 20 ? 9 : 10;
}

static void
write_pair (PjMessage *model, uint32_t field, const char *key, const char *text)
{
  PjMessage pair;
  pj_message_init (&pair);
  pj_message_text (&pair, 1, key);
  pj_message_text (&pair, 2, text);
  pj_message_child (model, field, &pair);
}

static void
write_model (Export *self, PjMessage *model)
{
  g_autoptr (GList) keys = pj_graph_meta_keys (self->graph);
  PjMessage opset;

  pj_message_init (model);
  pj_message_int (model, 1, ir_version (self->options.opset));
  pj_message_text (model, 2, "penjing");
  pj_message_child (model, 7, &self->message);
  pj_message_init (&opset);
  pj_message_text (&opset, 1, "");
  pj_message_int (&opset, 2, self->options.opset);
  pj_message_child (model, 8, &opset);
  for (GList *l = keys; l != NULL; l = l->next)
    write_pair (model, 14, l->data, pj_graph_get_meta (self->graph, l->data));
}

#define OLDEST_OPSET 10
#define USUAL_OPSET 13
#define NEWEST_OPSET 21

/* Fills in the version if it is left open: the usual one, or a newer one that an operator needs. */
static gboolean
check_options (const PjGraph *graph, PjOnnxExportOptions *options, GError **error)
{
  const PjNode *newest = NULL;
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    if (newest == NULL || pj_onnx_least_opset (node) > pj_onnx_least_opset (newest))
      newest = node;
  }
  int least = newest != NULL ? pj_onnx_least_opset (newest) : 0;
  if (options->opset == 0)
    options->opset = MAX (USUAL_OPSET, least);
  if (options->opset >= OLDEST_OPSET && options->opset <= NEWEST_OPSET && options->opset >= least)
    return TRUE;
  if (options->opset >= OLDEST_OPSET && options->opset <= NEWEST_OPSET)
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "node “%s” (%s) needs operator version %d, and %d was asked for",
                 newest->name, newest->op->title, least, options->opset);
  else
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "operator version %d cannot be written, only %d to %d", options->opset,
                 OLDEST_OPSET, NEWEST_OPSET);
  return FALSE;
}

static gboolean
write_graph (Export *self, GError **error)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++)
    if (!write_node (self, pj_graph_node (self->graph, (int) n), error))
      return FALSE;
  pj_message_text (&self->message, 2, pj_graph_get_name (self->graph) ? pj_graph_get_name (self->graph) : "network");
  write_info (self, 11, pj_graph_get_input (self->graph));
  write_info (self, 12, pj_graph_get_output (self->graph));
  return TRUE;
}

/* Builds the file in @model, which the caller clears if TRUE is returned. */
static gboolean
build (PjGraph *whole, const PjOnnxExportOptions *options, PjOnnxTensorSink sink, gpointer data,
       PjMessage *model, GError **error)
{
  Export self = { .options = options ? *options : (PjOnnxExportOptions) { 0 }, .sink = sink, .sink_data = data };
  if (!check_options (whole, &self.options, error))
    return FALSE;
  g_autoptr (PjGraph) graph = pj_onnx_expand (whole, self.options.opset, error);
  if (graph == NULL)
    return FALSE;
  self.graph = graph;
  self.written = g_malloc0 (pj_graph_n_values (graph) + 1);
  pj_message_init (&self.message);
  gboolean ok = write_graph (&self, error);
  if (ok)
    write_model (&self, model);
  pj_message_clear (&self.message);
  g_free (self.written);
  if (!ok || model->size_bytes <= PJ_ONNX_MAX_FILE)
    return ok;
  g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_LIMIT, "the file would have %zu MiB; ONNX files end at 2048 MiB",
               model->size_bytes >> 20);
  pj_message_clear (model);
  return FALSE;
}

static gboolean
piece_to_file (gconstpointer data, size_t size_bytes, gpointer user, GError **error)
{
  return pj_file_writer_append (user, data, size_bytes, error);
}

gboolean
pj_onnx_export (PjGraph *graph, const PjOnnxExportOptions *options, const char *path, GError **error)
{
  PjMessage model;
  if (!build (graph, options, NULL, NULL, &model, error)) {
    g_autofree char *shown = g_filename_display_name (path);
    g_prefix_error (error, "“%s” cannot be written: ", shown);
    return FALSE;
  }
  g_autoptr (PjFileWriter) writer = pj_file_writer_new (path, error);
  gboolean ok = writer != NULL && pj_message_pieces (&model, piece_to_file, writer, error)
                && pj_file_writer_finish (writer, error);
  pj_message_clear (&model);
  return ok;
}

static gboolean
piece_to_memory (gconstpointer data, size_t size_bytes, gpointer user, GError **error)
{
  uint8_t **at = user;
  if (size_bytes > 0)
    memcpy (*at, data, size_bytes);
  *at += size_bytes;
  return TRUE;
}

GBytes *
pj_onnx_export_bytes (PjGraph *graph, const PjOnnxExportOptions *options, PjOnnxTensorSink sink,
                      gpointer data, GError **error)
{
  PjMessage model;
  if (!build (graph, options, sink, data, &model, error))
    return NULL;
  size_t size = model.size_bytes;
  uint8_t *bytes = pj_alloc (size, "an ONNX file", error);
  if (bytes != NULL) {
    uint8_t *at = bytes;
    pj_message_pieces (&model, piece_to_memory, &at, NULL);
  }
  pj_message_clear (&model);
  return bytes != NULL ? g_bytes_new_with_free_func (bytes, size, pj_free, bytes) : NULL;
}
