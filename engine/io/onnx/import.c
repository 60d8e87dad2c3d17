/* SPDX-License-Identifier: MIT */
/* From a file to a network: constants first, then the picture, then the nodes that lead to the output. */
#include <string.h>

#include "io/file.h"
#include "io/onnx/import.h"
#include "ops/op.h"

/* Operators changed little after this version; newer files are tried, with a remark. */
#define NEWEST_OPSET 21
/* Numbers of one picture. */
#define MAX_PICTURE (G_GINT64_CONSTANT (1) << 30)

G_DEFINE_QUARK (pj-onnx-error-quark, pj_onnx_error)

void
pj_onnx_report_clear (PjOnnxReport *report)
{
  g_free (report->producer);
  g_clear_pointer (&report->remarks, g_ptr_array_unref);
  memset (report, 0, sizeof *report);
}

static gboolean
fail (GError **error, PjOnnxError code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, PJ_ONNX_ERROR, code, text);
  return FALSE;
}

/* --- who reads what --- */

static void
count_reader (PjOnnxImport *import, const char *name, guint node)
{
  if (*name == '\0')
    return;
  PjOnnxReader *reader = g_hash_table_lookup (import->readers, name);
  if (reader == NULL) {
    reader = g_new0 (PjOnnxReader, 1);
    g_hash_table_insert (import->readers, g_strdup (name), reader);
  }
  reader->n++;
  reader->node = node;
}

static gboolean
is_needed (PjOnnxImport *import, const PjOnnxNode *node)
{
  for (guint i = 0; i < node->outputs->len; i++)
    if (g_hash_table_contains (import->readers, node->outputs->pdata[i]))
      return TRUE;
  return FALSE;
}

/* From the output backwards, nodes that nobody reads are left out. */
static void
find_readers (PjOnnxImport *import, const char *output)
{
  GPtrArray *nodes = import->model->nodes;
  guint n_dead = 0;

  count_reader (import, output, G_MAXUINT);
  import->skip = g_malloc0 (nodes->len + 1);
  for (guint n = nodes->len; n-- > 0;) {
    const PjOnnxNode *node = nodes->pdata[n];
    if (!is_needed (import, node)) {
      import->skip[n] = 1;
      n_dead++;
      continue;
    }
    for (guint i = 0; i < node->inputs->len; i++)
      count_reader (import, node->inputs->pdata[i], n);
  }
  if (n_dead > 0)
    pj_onnx_remark (import, "Nodes that do not lead to the output were left out: %u.", n_dead);
}

/* --- constants, input, output --- */

static void
enter_tensors (PjOnnxImport *import)
{
  GPtrArray *tensors = import->model->tensors;
  for (guint i = 0; i < tensors->len; i++) {
    PjOnnxTensor *tensor = tensors->pdata[i];
    tensor->is_mapped = import->is_mapped;
    if (tensor->name != NULL && *tensor->name != '\0')
      pj_onnx_item_new_tensor (import, tensor, tensor->name);
  }
}

static void
enter_infos (PjOnnxImport *import, GPtrArray *infos)
{
  for (guint i = 0; i < infos->len; i++) {
    PjOnnxInfo *info = infos->pdata[i];
    g_hash_table_insert (import->infos, info->name, info);
  }
}

/* The one input that is not a stored tensor. */
static const PjOnnxInfo *
find_picture (PjOnnxImport *import, GError **error)
{
  GPtrArray *inputs = import->model->inputs;
  const PjOnnxInfo *picture = NULL;
  g_autoptr (GString) names = g_string_new (NULL);
  unsigned n = 0;

  for (guint i = 0; i < inputs->len; i++) {
    const PjOnnxInfo *info = inputs->pdata[i];
    if (g_hash_table_contains (import->names, info->name))
      continue;
    picture = info;
    if (n++ < 4)
      g_string_append_printf (names, "%s“%s”", n > 1 ? ", " : "", info->name);
  }
  if (n == 1)
    return picture;
  if (n == 0)
    fail (error, PJ_ONNX_ERROR_UNSUPPORTED, "the network has no input");
  else
    fail (error, PJ_ONNX_ERROR_UNSUPPORTED, "the network has %u inputs (%s%s); only networks with one picture as "
          "input are supported", n, names->str, n > 4 ? " …" : "");
  return NULL;
}

static gboolean
check_picture_type (PjOnnxImport *import, const PjOnnxInfo *info, GError **error)
{
  if (info->type == PJ_ONNX_FLOAT16 || info->type == PJ_ONNX_DOUBLE)
    pj_onnx_remark (import, "The network is stored in %s precision and computed in single precision.",
                    info->type == PJ_ONNX_DOUBLE ? "double" : "half");
  else if (info->type != PJ_ONNX_FLOAT && info->type != 0)
    return fail (error, PJ_ONNX_ERROR_UNSUPPORTED, "input “%s” is not made of floating-point numbers", info->name);
  return TRUE;
}

static gboolean
add_picture (PjOnnxImport *import, const PjOnnxInfo *info, GError **error)
{
  PjShape shape = { info->rank, { 1 } };
  int64_t n = 1;

  if (!check_picture_type (import, info, error))
    return FALSE;
  if (!info->has_shape || info->rank < 2 || info->rank > 4)
    return fail (error, PJ_ONNX_ERROR_UNSUPPORTED, "input “%s” has %u dimensions, expected 2 to 4: pictures × channels × "
                 "height × width", info->name, info->rank);
  for (unsigned i = 1; i < info->rank; i++) {
    if (info->dim[i] < 1)
      return fail (error, PJ_ONNX_ERROR_UNSUPPORTED, "input “%s”: dimension %u is not fixed; export the network for one "
                   "picture size", info->name, i);
    if (info->dim[i] > MAX_PICTURE / n)
      return fail (error, PJ_ONNX_ERROR_LIMIT, "input “%s”: a picture of it has more than 2^30 numbers", info->name);
    n *= shape.dim[i] = info->dim[i];
  }
  if (info->dim[0] > 1)
    pj_onnx_remark (import, "The file asks for %" G_GINT64_FORMAT " pictures at once; here their number is free.", info->dim[0]);
  int value = pj_graph_add_input (import->graph, info->name, shape);
  pj_onnx_item_new (import, info->name, shape)->value = value;
  return TRUE;
}

static gboolean
set_output (PjOnnxImport *import, const char *name, GError **error)
{
  const PjOnnxItem *item = g_hash_table_lookup (import->names, name);
  if (item == NULL)
    return fail (error, PJ_ONNX_ERROR_DAMAGED, "output “%s” is not made by any node", name);
  if (item->is_constant || item->value < 0 || pj_graph_value (import->graph, item->value)->kind != PJ_VALUE_ACTIVATION)
    return fail (error, PJ_ONNX_ERROR_UNSUPPORTED, "output “%s” is not computed from the picture", name);
  pj_graph_rename_value (import->graph, item->value, name);
  pj_graph_set_output (import->graph, item->value);
  return TRUE;
}

static const char *
find_output (PjOnnxImport *import, GError **error)
{
  GPtrArray *outputs = import->model->outputs;
  if (outputs->len == 1)
    return ((PjOnnxInfo *) outputs->pdata[0])->name;
  fail (error, PJ_ONNX_ERROR_UNSUPPORTED, "the network has %u outputs; only networks with one output are supported", outputs->len);
  return NULL;
}

/* --- the whole --- */

static gboolean
build_nodes (PjOnnxImport *import, GError **error)
{
  GPtrArray *nodes = import->model->nodes;

  /* A bias may be made by a Constant that stands behind the product it belongs to. */
  for (guint n = 0; n < nodes->len; n++) {
    const PjOnnxNode *node = nodes->pdata[n];
    if (import->skip[n] || strcmp (node->op_type, "Constant") != 0)
      continue;
    if (!pj_onnx_import_node (import, n, error))
      return FALSE;
    import->skip[n] = 1;
  }
  for (guint n = 0; n < nodes->len; n++)
    if (!import->skip[n] && !pj_onnx_import_node (import, n, error))
      return FALSE;
  return TRUE;
}

static void
add_remarks (PjOnnxImport *import)
{
  if (import->n_folded > 0)
    pj_onnx_remark (import, "Nodes that compute constants were folded: %u.", import->n_folded);
  if (import->n_dropped > 0)
    pj_onnx_remark (import, "Nodes that change nothing were left out: %u.", import->n_dropped);
  if (import->model->opset > NEWEST_OPSET)
    pj_onnx_remark (import, "Operator version %" G_GINT64_FORMAT " is newer than %d, the newest one known here.",
                    import->model->opset, NEWEST_OPSET);
}

static gboolean
build (PjOnnxImport *import, GError **error)
{
  PjOnnxModel *model = import->model;
  const PjOnnxInfo *picture;
  const char *output;

  if (!model->has_graph || model->nodes->len == 0)
    return fail (error, PJ_ONNX_ERROR_DAMAGED, "there is no network in it");
  enter_tensors (import);
  enter_infos (import, model->outputs);
  enter_infos (import, model->infos);
  if ((picture = find_picture (import, error)) == NULL || !add_picture (import, picture, error)
      || (output = find_output (import, error)) == NULL)
    return FALSE;
  find_readers (import, output);
  if (!build_nodes (import, error) || !set_output (import, output, error))
    return FALSE;
  for (guint i = 0; i < model->notes->len; i++) {
    const PjOnnxNote *note = model->notes->pdata[i];
    pj_graph_set_meta (import->graph, note->key, note->text);
  }
  add_remarks (import);
  return TRUE;
}

/* Exporters that give every network one name say nothing; the file's name does. */
static gboolean
is_telling (const char *name)
{
  static const char *const generic[] = { "", "torch_jit", "torch-jit-export", "main_graph", "graph", "model", "tf2onnx" };
  for (unsigned i = 0; i < G_N_ELEMENTS (generic); i++)
    if (strcmp (name, generic[i]) == 0)
      return FALSE;
  return TRUE;
}

/* Finding out what must be cut together takes memory for every channel of every tensor. */
static gboolean
check_channels (const PjGraph *graph, GError **error)
{
  size_t n = 0;
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++) {
    const PjValue *value = pj_graph_value (graph, (int) v);
    for (unsigned axis = value->kind == PJ_VALUE_PARAM ? 0 : 1; axis < MIN (value->shape.rank, 2); axis++)
      n += (size_t) value->shape.dim[axis];
    if (n > PJ_ONNX_MAX_CHANNELS)
      return fail (error, PJ_ONNX_ERROR_LIMIT, "its maps and weights have more than %zu channels in all", PJ_ONNX_MAX_CHANNELS);
  }
  return TRUE;
}

static PjGraph *
finish (PjOnnxImport *import, GError **error)
{
  if (!check_channels (import->graph, error))
    return NULL;
  unsigned n_joined, n_removed;
  g_autoptr (PjGraph) joined = pj_onnx_join_patterns (import->graph, &n_joined, error);
  if (joined == NULL)
    return NULL;
  if (n_joined > 0)
    pj_onnx_remark (import, "Groups of nodes were recognised as one operator each (channel shuffles, layer norms, GELU): %u.", n_joined);
  PjGraph *graph = pj_onnx_settle_layout (joined, &n_removed, error);
  if (graph != NULL && n_removed > 0)
    pj_onnx_remark (import, "Transpositions and reshapes that undo each other were left out: %u.", n_removed);
  return graph;
}

static void
import_init (PjOnnxImport *import, PjOnnxModel *model, const char *name)
{
  import->model = model;
  import->graph = pj_graph_new (is_telling (model->name) ? model->name : name);
  import->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  import->readers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  import->infos = g_hash_table_new (g_str_hash, g_str_equal);
  import->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  import->items = g_ptr_array_new_with_free_func (pj_onnx_item_free);
  import->constants = g_ptr_array_new ();
}

static void
import_clear (PjOnnxImport *import)
{
  g_clear_error (&import->failure);
  g_hash_table_unref (import->names);
  g_hash_table_unref (import->readers);
  g_hash_table_unref (import->infos);
  g_hash_table_unref (import->texts);
  g_ptr_array_unref (import->items);
  for (guint i = 0; i < import->constants->len; i++) {
    pj_onnx_tensor_clear (import->constants->pdata[i]);
    g_free (import->constants->pdata[i]);
  }
  g_ptr_array_unref (import->constants);
  g_free (import->skip);
  pj_graph_unref (import->graph);
}

static void
start_report (PjOnnxReport *report, const PjOnnxModel *model)
{
  report->producer = g_strstrip (g_strdup_printf ("%s %s", model->producer, model->producer_version));
  report->ir_version = model->ir_version;
  report->opset = model->opset;
}

static PjGraph *
import_span (PjSpan bytes, const char *name, PjOnnxImport *import, GError **error)
{
  if (bytes.size == 0) {
    fail (error, PJ_ONNX_ERROR_DAMAGED, "the file is empty");
    return NULL;
  }
  g_autoptr (PjOnnxModel) model = pj_onnx_model_read (bytes, error);
  if (model == NULL)
    return NULL;
  /* The first files had no list of operator versions. */
  if (model->opset < 1)
    model->opset = 1;
  start_report (import->report, model);
  import_init (import, model, name);
  PjGraph *graph = build (import, error) ? finish (import, error) : NULL;
  import_clear (import);
  return graph;
}

/* Adds what every message needs: the name of the file. */
static PjGraph *
import_named (PjSpan bytes, const char *name, const char *shown, PjOnnxImport *import, PjOnnxReport *report, GError **error)
{
  g_auto (PjOnnxReport) own = { 0 };
  import->report = report != NULL ? report : &own;
  memset (import->report, 0, sizeof own);
  import->report->remarks = g_ptr_array_new_with_free_func (g_free);
  PjGraph *graph = import_span (bytes, name, import, error);
  if (graph == NULL)
    g_prefix_error (error, "“%s” cannot be opened: ", shown);
  return graph;
}

PjGraph *
pj_onnx_import_bytes (GBytes *bytes, const char *name, PjOnnxTensorSource source, gpointer data,
                      PjOnnxReport *report, GError **error)
{
  PjOnnxImport import = { .source = source, .source_data = data };
  gsize size;
  const uint8_t *start = g_bytes_get_data (bytes, &size);
  return import_named ((PjSpan) { start, size }, name, name, &import, report, error);
}

PjGraph *
pj_onnx_import (const char *path, PjOnnxReport *report, GError **error)
{
  if (report != NULL)
    memset (report, 0, sizeof *report);
  GMappedFile *mapped = pj_file_map (path, error);
  if (mapped == NULL)
    return NULL;
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *name = g_utf8_make_valid (base, -1);
  if (g_str_has_suffix (name, ".onnx"))
    name[strlen (name) - strlen (".onnx")] = '\0';
  PjOnnxImport import = { .folder = folder, .is_mapped = TRUE };
  PjSpan bytes = { (const uint8_t *) g_mapped_file_get_contents (mapped), g_mapped_file_get_length (mapped) };
  PjGraph *graph = import_named (bytes, name, path, &import, report, error);
  /* Every tensor was copied: the file may change or go away. */
  g_mapped_file_unref (mapped);
  return graph;
}
