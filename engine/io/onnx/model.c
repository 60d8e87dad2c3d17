/* SPDX-License-Identifier: MIT */
/* ModelProto, GraphProto, NodeProto and ValueInfoProto.
 *
 *   MESSAGE    FIELDS
 *   model      1 ir_version  2 producer_name  3 producer_version  7 graph  8 opset_import  14 metadata_props
 *   graph      1 node  2 name  5 initializer  11 input  12 output  13 value_info  15 sparse_initializer
 *   node       1 input  2 output  3 name  4 op_type  5 attribute  7 domain
 *   info       1 name  2 type { 1 tensor { 1 elem_type  2 shape { 1 dim { 1 value  2 symbol } } } }
 *   opset      1 domain  2 version          note  1 key  2 value */
#include "io/onnx/model.h"

#include <string.h>

#include "io/onnx.h"

typedef gboolean (*FieldFunc) (gpointer self, const PjField *field, GError **error);

/* Hands every field of @message to @func. */
static gboolean
walk (PjSpan message, FieldFunc func, gpointer self, GError **error)
{
  PjField field;
  int more;
  while ((more = pj_wire_next (&message, &field, error)) == 1)
    if (!func (self, &field, error))
      return FALSE;
  return more == 0;
}

static gboolean
set_text (char **text, const PjField *field, size_t max, GError **error)
{
  g_free (*text);
  *text = pj_wire_text (field->bytes, max, error);
  return *text != NULL;
}

static gboolean
add_text (GPtrArray *texts, const PjField *field, GError **error)
{
  char *text = NULL;
  if (!set_text (&text, field, PJ_ONNX_MAX_NAME, error))
    return FALSE;
  g_ptr_array_add (texts, text);
  return TRUE;
}

static gboolean
check_count (guint count, guint max, const char *what, GError **error)
{
  if (count < max)
    return TRUE;
  g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_LIMIT, "it has more than %u %s", max, what);
  return FALSE;
}

/* --- nodes --- */

static void
attribute_clear (gpointer data)
{
  g_free (((PjOnnxAttribute *) data)->name);
}

static void
node_free (gpointer data)
{
  PjOnnxNode *node = data;
  g_free (node->name);
  g_free (node->op_type);
  g_free (node->domain);
  g_ptr_array_unref (node->inputs);
  g_ptr_array_unref (node->outputs);
  g_array_unref (node->attributes);
  g_free (node);
}

static gboolean
attribute_field (gpointer self, const PjField *field, GError **error)
{
  PjOnnxAttribute *attribute = self;
  return field->number != 1 || set_text (&attribute->name, field, PJ_ONNX_MAX_NAME, error);
}

static gboolean
add_attribute (PjOnnxNode *node, PjSpan message, GError **error)
{
  PjOnnxAttribute attribute = { .message = message };
  gboolean ok = walk (message, attribute_field, &attribute, error);
  if (ok && attribute.name != NULL)
    g_array_append_val (node->attributes, attribute);
  else
    g_free (attribute.name);
  return ok;
}

static gboolean
node_field (gpointer self, const PjField *field, GError **error)
{
  PjOnnxNode *node = self;
  guint n = node->inputs->len + node->outputs->len + node->attributes->len;

  if (field->type != PJ_WIRE_BYTES || field->number > 7)
    return TRUE;
  if (!check_count (n, PJ_ONNX_MAX_NODE_FIELDS, "inputs, outputs and attributes at one node", error))
    return FALSE;
  switch (field->number) {
  case 1:
    return add_text (node->inputs, field, error);
  case 2:
    return add_text (node->outputs, field, error);
  case 3:
    return set_text (&node->name, field, PJ_ONNX_MAX_NAME, error);
  case 4:
    return set_text (&node->op_type, field, PJ_ONNX_MAX_NAME, error);
  case 5:
    return add_attribute (node, field->bytes, error);
  case 7:
    return set_text (&node->domain, field, PJ_ONNX_MAX_NAME, error);
  default:
    return TRUE;
  }
}

static gboolean
add_node (PjOnnxModel *model, PjSpan message, GError **error)
{
  PjOnnxNode *node = g_new0 (PjOnnxNode, 1);
  node->name = g_strdup ("");
  node->op_type = g_strdup ("");
  node->domain = g_strdup ("");
  node->inputs = g_ptr_array_new_with_free_func (g_free);
  node->outputs = g_ptr_array_new_with_free_func (g_free);
  node->attributes = g_array_new (FALSE, FALSE, sizeof (PjOnnxAttribute));
  g_array_set_clear_func (node->attributes, attribute_clear);
  g_ptr_array_add (model->nodes, node);
  if (!walk (message, node_field, node, error))
    return FALSE;
  if (strcmp (node->domain, "ai.onnx") == 0)
    *node->domain = '\0';
  /* Old files leave nodes without a name; then the first output stands for it. */
  if (*node->name == '\0' && node->outputs->len > 0) {
    g_free (node->name);
    node->name = g_strdup (node->outputs->pdata[0]);
  }
  return TRUE;
}

/* --- declared shapes --- */

static void
info_free (gpointer data)
{
  g_free (((PjOnnxInfo *) data)->name);
  g_free (data);
}

static gboolean
dim_field (gpointer self, const PjField *field, GError **error)
{
  if (field->number == 1 && field->type == PJ_WIRE_VARINT && field->value <= G_MAXINT32)
    *(int64_t *) self = (int64_t) field->value;
  return TRUE;
}

static gboolean
shape_field (gpointer self, const PjField *field, GError **error)
{
  PjOnnxInfo *info = self;
  int64_t dim = -1;
  if (field->number != 1 || field->type != PJ_WIRE_BYTES)
    return TRUE;
  if (!walk (field->bytes, dim_field, &dim, error))
    return FALSE;
  if (info->rank < PJ_ONNX_MAX_DIMS)
    info->dim[info->rank] = dim;
  info->rank++;
  return TRUE;
}

static gboolean
tensor_type_field (gpointer self, const PjField *field, GError **error)
{
  PjOnnxInfo *info = self;
  if (field->number == 1 && field->value <= G_MAXINT32)
    info->type = (int32_t) field->value;
  if (field->number != 2 || field->type != PJ_WIRE_BYTES)
    return TRUE;
  info->has_shape = TRUE;
  info->rank = 0;
  return walk (field->bytes, shape_field, info, error);
}

static gboolean
type_field (gpointer self, const PjField *field, GError **error)
{
  return field->number != 1 || field->type != PJ_WIRE_BYTES || walk (field->bytes, tensor_type_field, self, error);
}

static gboolean
info_field (gpointer self, const PjField *field, GError **error)
{
  PjOnnxInfo *info = self;
  if (field->type != PJ_WIRE_BYTES)
    return TRUE;
  if (field->number == 1)
    return set_text (&info->name, field, PJ_ONNX_MAX_NAME, error);
  return field->number != 2 || walk (field->bytes, type_field, info, error);
}

static gboolean
add_info (GPtrArray *infos, PjSpan message, GError **error)
{
  PjOnnxInfo *info = g_new0 (PjOnnxInfo, 1);
  info->name = g_strdup ("");
  g_ptr_array_add (infos, info);
  return check_count (infos->len - 1, PJ_ONNX_MAX_TENSORS, "declared shapes", error)
         && walk (message, info_field, info, error);
}

/* --- graph and model --- */

static void
tensor_free (gpointer data)
{
  pj_onnx_tensor_clear (data);
  g_free (data);
}

static gboolean
add_tensor (PjOnnxModel *model, PjSpan message, GError **error)
{
  PjOnnxTensor *tensor = g_new0 (PjOnnxTensor, 1);
  g_ptr_array_add (model->tensors, tensor);
  return check_count (model->tensors->len - 1, PJ_ONNX_MAX_TENSORS, "tensors", error)
         && pj_onnx_tensor_read (tensor, message, error);
}

static gboolean
graph_field (gpointer self, const PjField *field, GError **error)
{
  PjOnnxModel *model = self;
  if (field->type != PJ_WIRE_BYTES)
    return TRUE;
  switch (field->number) {
  case 1:
    return check_count (model->nodes->len, PJ_ONNX_MAX_NODES, "nodes", error) && add_node (model, field->bytes, error);
  case 2:
    return set_text (&model->name, field, PJ_ONNX_MAX_NAME, error);
  case 5:
    return add_tensor (model, field->bytes, error);
  case 11:
    return add_info (model->inputs, field->bytes, error);
  case 12:
    return add_info (model->outputs, field->bytes, error);
  case 13:
    return add_info (model->infos, field->bytes, error);
  case 15:
    g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_UNSUPPORTED, "it stores sparse tensors, which are not supported");
    return FALSE;
  default:
    return TRUE;
  }
}

typedef struct {
  char *domain;
  int64_t version;
} Opset;

static gboolean
opset_field (gpointer self, const PjField *field, GError **error)
{
  Opset *opset = self;
  if (field->number == 1)
    return set_text (&opset->domain, field, PJ_ONNX_MAX_NAME, error);
  if (field->number == 2)
    opset->version = (int64_t) MIN (field->value, G_MAXINT32);
  return TRUE;
}

static gboolean
read_opset (PjOnnxModel *model, PjSpan message, GError **error)
{
  Opset opset = { 0 };
  gboolean ok = walk (message, opset_field, &opset, error);
  if (ok && (opset.domain == NULL || *opset.domain == '\0' || strcmp (opset.domain, "ai.onnx") == 0))
    model->opset = opset.version;
  g_free (opset.domain);
  return ok;
}

static gboolean
note_field (gpointer self, const PjField *field, GError **error)
{
  PjOnnxNote *note = self;
  if (field->number == 1)
    return set_text (&note->key, field, PJ_ONNX_MAX_NAME, error);
  return field->number != 2 || set_text (&note->text, field, PJ_ONNX_MAX_NOTE, error);
}

static void
note_free (gpointer data)
{
  PjOnnxNote *note = data;
  g_free (note->key);
  g_free (note->text);
  g_free (note);
}

static gboolean
add_note (PjOnnxModel *model, PjSpan message, GError **error)
{
  PjOnnxNote *note = g_new0 (PjOnnxNote, 1);
  note->key = g_strdup ("");
  note->text = g_strdup ("");
  g_ptr_array_add (model->notes, note);
  return check_count (model->notes->len - 1, 4096, "notes", error) && walk (message, note_field, note, error);
}

static gboolean
model_field (gpointer self, const PjField *field, GError **error)
{
  PjOnnxModel *model = self;
  if (field->number == 1)
    model->ir_version = (int64_t) MIN (field->value, G_MAXINT32);
  if (field->type != PJ_WIRE_BYTES)
    return TRUE;
  switch (field->number) {
  case 2:
    return set_text (&model->producer, field, PJ_ONNX_MAX_NAME, error);
  case 3:
    return set_text (&model->producer_version, field, PJ_ONNX_MAX_NAME, error);
  case 7:
    if (model->has_graph) {
      g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_DAMAGED, "the file is damaged: it has two networks");
      return FALSE;
    }
    model->has_graph = TRUE;
    return walk (field->bytes, graph_field, model, error);
  case 8:
    return read_opset (model, field->bytes, error);
  case 14:
    return add_note (model, field->bytes, error);
  default:
    return TRUE;
  }
}

PjOnnxModel *
pj_onnx_model_read (PjSpan file, GError **error)
{
  g_autoptr (PjOnnxModel) self = g_new0 (PjOnnxModel, 1);
  self->name = g_strdup ("");
  self->producer = g_strdup ("");
  self->producer_version = g_strdup ("");
  self->nodes = g_ptr_array_new_with_free_func (node_free);
  self->tensors = g_ptr_array_new_with_free_func (tensor_free);
  self->inputs = g_ptr_array_new_with_free_func (info_free);
  self->outputs = g_ptr_array_new_with_free_func (info_free);
  self->infos = g_ptr_array_new_with_free_func (info_free);
  self->notes = g_ptr_array_new_with_free_func (note_free);
  return walk (file, model_field, self, error) ? g_steal_pointer (&self) : NULL;
}

void
pj_onnx_model_free (PjOnnxModel *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->producer);
  g_free (self->producer_version);
  g_ptr_array_unref (self->nodes);
  g_ptr_array_unref (self->tensors);
  g_ptr_array_unref (self->inputs);
  g_ptr_array_unref (self->outputs);
  g_ptr_array_unref (self->infos);
  g_ptr_array_unref (self->notes);
  g_free (self);
}
