/* SPDX-License-Identifier: MIT */
/* One node of the file becomes nothing (constants, Identity), one node of the graph, or, with the Add of
 * a stored bias behind it, one node together. */
#include <string.h>

#include "io/onnx/import.h"
#include "ops/op.h"
#include "ops/params.h"

static PjOnnxItem *
lookup (PjOnnxImport *import, const char *name)
{
  return *name != '\0' ? g_hash_table_lookup (import->names, name) : NULL;
}

static unsigned
n_readers (PjOnnxImport *import, const char *name)
{
  const PjOnnxReader *reader = g_hash_table_lookup (import->readers, name);
  return reader != NULL ? reader->n : 0;
}

/* --- inputs and outputs --- */

static gboolean
gather_inputs (PjOnnxIn *in, GError **error)
{
  GPtrArray *names = in->node->inputs;
  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    in->inputs[i] = lookup (in->import, name);
    if (in->inputs[i] == NULL && *name != '\0')
      return pj_onnx_in_refuse (in, error, "its input “%s” is not made by any node before it", name);
    if (*name != '\0')
      in->n_inputs = i + 1;
  }
  return TRUE;
}

static gboolean
check_outputs (PjOnnxIn *in, GError **error)
{
  GPtrArray *names = in->node->outputs;
  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    if (*name != '\0' && g_hash_table_contains (in->import->names, name))
      return pj_onnx_in_refuse (in, error, "its output “%s” exists already", name);
  }
  return TRUE;
}

/* Operators here have one output; what Split makes is several of them. */
static gboolean
check_one_output (PjOnnxIn *in, GError **error)
{
  GPtrArray *names = in->node->outputs;
  for (guint i = 1; i < names->len; i++)
    if (*(const char *) names->pdata[i] != '\0' && n_readers (in->import, names->pdata[i]) > 0)
      return pj_onnx_in_refuse (in, error, "its second output “%s” is used, which is not supported", (char *) names->pdata[i]);
  return TRUE;
}

/* Another name for what is there already.  Exporters store equal tensors once and reach the others through
 * Identity: those become parameters of their own again, so that two layers that happen to be equal (new
 * norms, say) are not tied.  They share the numbers. */
static gboolean
alias (PjOnnxIn *in, PjOnnxItem *item, GError **error)
{
  const char *name = in->node->outputs->pdata[0];
  GError *reason = NULL;
  PjBlob *floats = item->is_constant ? pj_onnx_item_floats (in->import, item, &reason) : NULL;

  if (reason != NULL) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  if (floats != NULL)
    pj_onnx_item_new_floats (in->import, name, item->shape, pj_blob_ref (floats));
  else
    g_hash_table_insert (in->import->names, g_strdup (name), item);
  return TRUE;
}

/* --- a bias behind a product --- */

/* A tensor of one number per channel that broadcasts along axis 1 of an output of @rank. */
static gboolean
is_bias (PjOnnxImport *import, const PjOnnxNode *add, const PjOnnxItem *item, unsigned rank, int64_t channels)
{
  const PjShape *s = &item->shape;
  int64_t axis = -1;
  if (!item->is_constant || pj_shape_n_elems (s) != (size_t) channels || s->rank > rank)
    return FALSE;
  /* Before opset 7 the axis was an attribute. */
  if (import->model->opset < 7 && pj_onnx_node_int (add, "axis", &axis))
    return axis == 1 && s->rank == 1;
  unsigned back = rank - 1;   /* axes from the channels to the last, counted from the end */
  return channels == 1 || (s->rank >= back && s->dim[s->rank - back] == channels);
}

const PjOnnxNode *
pj_onnx_take_bias (PjOnnxIn *in, const PjOp *op)
{
  PjOnnxImport *import = in->import;
  const PjOnnxReader *reader = g_hash_table_lookup (import->readers, in->node->outputs->pdata[0]);
  gboolean is_conv = op == &pj_op_conv;
  PjShape w;

  if ((op != &pj_op_gemm && !is_conv) || in->n_inputs != 2 || in->inputs[1] == NULL || reader == NULL || reader->n != 1
      || reader->node == G_MAXUINT)
    return in->node;
  const PjOnnxNode *add = import->model->nodes->pdata[reader->node];
  if (strcmp (add->op_type, "Add") != 0 || add->inputs->len != 2 || add->outputs->len != 1 || *add->domain != '\0')
    return in->node;
  gboolean first = strcmp (add->inputs->pdata[0], in->node->outputs->pdata[0]) == 0;
  PjOnnxItem *item = lookup (import, add->inputs->pdata[first ? 1 : 0]);
  w = in->inputs[1]->shape;
  int64_t transposed = 0;
  pj_onnx_node_int (in->node, "transB", &transposed);
  int64_t channels = w.rank < 2 ? -1 : is_conv || transposed ? w.dim[0] : w.dim[1];
  if (item == NULL || !is_bias (import, add, item, is_conv ? w.rank : 2, channels)
      || pj_onnx_item_floats (import, item, NULL) == NULL || g_hash_table_contains (import->names, add->outputs->pdata[0]))
    return in->node;
  in->inputs[2] = item;
  in->n_inputs = 3;
  if (item->shape.rank != 1)
    pj_onnx_in_set_const (in, 2, PJ_SHAPE (channels), pj_blob_ref (item->floats));
  import->skip[reader->node] = 1;
  import->n_folded++;
  return add;
}

/* --- nodes of the graph --- */

int
pj_onnx_emit (PjOnnxIn *in, const char *suffix, const PjOp *op, gconstpointer params, const int *values, unsigned n,
              const char *output, GError **error)
{
  PjOnnxImport *import = in->import;
  const char *base = *in->node->name != '\0' ? in->node->name : op->name;
  g_autofree char *name = suffix != NULL ? g_strconcat (base, suffix, NULL) : g_strdup (in->node->name);
  int value = pj_graph_add_node (import->graph, name, op, params, values, n, error);
  if (value < 0)
    return -1;
  if (output != NULL && *output != '\0') {
    pj_graph_rename_value (import->graph, value, output);
    pj_onnx_item_new (import, output, pj_graph_value (import->graph, value)->shape)->value = value;
  }
  return value;
}

gboolean
pj_onnx_take_values (PjOnnxIn *in, const PjOp *op, int *values, GError **error)
{
  for (unsigned i = 0; i < in->n_inputs; i++) {
    PjOnnxItem *item = in->inputs[i];
    values[i] = -1;
    if (item == NULL)
      continue;
    if (item->is_constant && (i >= PJ_OP_MAX_INPUTS || op->uses[i] == PJ_USE_NONE))
      return pj_onnx_in_refuse (in, error, "its input “%s” is a stored constant, expected one computed from the picture",
                                item->name ? item->name : "");
    values[i] = pj_onnx_item_value (in->import, item, error);
    if (values[i] < 0)
      return FALSE;
  }
  return TRUE;
}

static gboolean
declared_shape (PjOnnxIn *in, const char *output, PjOpaqueParams *params)
{
  const PjOnnxInfo *info = g_hash_table_lookup (in->import->infos, output);
  if (info == NULL || !info->has_shape || info->rank < 1 || info->rank > PJ_ONNX_MAX_DIMS)
    return FALSE;
  params->rank = info->rank;
  params->dim[0] = 1;
  for (unsigned i = 1; i < info->rank; i++)
    if ((params->dim[i] = info->dim[i]) < 1)
      return FALSE;
  return TRUE;
}

/* Copies as much of @from as fits, in whole characters. */
static void
copy_text (char *to, size_t size, const char *from)
{
  const char *end;
  g_strlcpy (to, from, size);
  if (!g_utf8_validate (to, -1, &end))
    *(char *) end = '\0';
}

/* Where the file does not say how large a result is: as large as what goes in. */
static void
assume_shape (PjOnnxIn *in, PjOpaqueParams *params)
{
  const PjShape *shape = &pj_graph_value (in->import->graph, pj_graph_get_input (in->import->graph))->shape;
  for (unsigned i = 0; i < in->n_inputs; i++)
    if (in->inputs[i] != NULL && !in->inputs[i]->is_constant) {
      shape = &in->inputs[i]->shape;
      break;
    }
  params->rank = shape->rank;
  memcpy (params->dim, shape->dim, sizeof params->dim);
  in->import->n_assumed++;
}

/* One output of a node that can be looked at only. */
static gboolean
add_unknown_output (PjOnnxIn *in, PjOpaqueParams *params, const char *output, const int *values, GError **error)
{
  if (!declared_shape (in, output, params))
    assume_shape (in, params);
  return pj_onnx_emit (in, NULL, &pj_op_opaque, params, values, in->n_inputs, output, error) >= 0;
}

/* A node that can be looked at only. @reason: (nullable): why, if its operator is known. */
static gboolean
add_unknown (PjOnnxIn *in, const char *reason, GError **error)
{
  PjOpaqueParams params = { 0 };
  int values[PJ_ONNX_MAX_NODE_FIELDS];
  const PjOnnxNode *node = in->node;
  unsigned n_before = in->import->n_assumed;

  g_autofree char *type = g_strconcat (node->domain, *node->domain ? "." : "", node->op_type, NULL);
  g_autofree char *valid = g_utf8_make_valid (type, -1);
  copy_text (params.type, sizeof params.type, valid);
  if (reason != NULL)
    copy_text (params.reason, sizeof params.reason, reason);
  for (unsigned i = 0; i < in->n_inputs; i++) {
    PjOnnxItem *item = in->inputs[i];
    gboolean usable = item != NULL && (!item->is_constant || pj_onnx_item_floats (in->import, item, NULL) != NULL);
    values[i] = usable ? pj_onnx_item_value (in->import, item, NULL) : -1;
  }
  for (guint k = 0; k < node->outputs->len; k++) {
    const char *output = node->outputs->pdata[k];
    if (*output != '\0' && n_readers (in->import, output) > 0 && !add_unknown_output (in, &params, output, values, error))
      return FALSE;
  }
  in->import->report->n_unknown++;
  if (reason != NULL)
    pj_onnx_remark (in->import, "Node “%s” (%s): %s. The network can be shown, but not run.", node->name, params.type, reason);
  else
    pj_onnx_remark (in->import, "Node “%s” (%s) is not known here: the network can be shown, but not run.", node->name, params.type);
  if (in->import->n_assumed > n_before)
    pj_onnx_remark (in->import, "The file does not say how large the result of node “%s” is; sizes and costs from there on are "
                    "guesses.", node->name);
  return TRUE;
}

gboolean
pj_onnx_read_params (PjOnnxIn *in, const PjOp *op, gpointer params, GError **error)
{
  PjOnnxImport *import = in->import;
  g_clear_error (&import->failure);
  gboolean ok = op->from_onnx (in, params, error);
  if (!ok && import->failure != NULL) {
    /* The operator could only say that there was no constant. */
    g_clear_error (error);
    import->is_variant = FALSE;
    g_propagate_error (error, g_steal_pointer (&import->failure));
  }
  return ok;
}

/* Numbers of constants that the operator has replaced by own ones, for the ceiling. */
static size_t
n_replaced (const PjOnnxIn *in, const PjOnnxNode *node)
{
  size_t n = 0;
  for (unsigned i = 0; i < MIN (in->n_inputs, node->inputs->len); i++)
    if (in->inputs[i] != NULL && in->inputs[i]->floats != NULL && in->inputs[i] != lookup (in->import, node->inputs->pdata[i]))
      n += pj_blob_n_elems (in->inputs[i]->floats);
  return n;
}

static gboolean
add_known (PjOnnxIn *in, const PjOp *op, GError **error)
{
  const PjOnnxNode *last = pj_onnx_take_bias (in, op);
  g_autofree void *params = g_malloc0 (MAX (op->params_size, 1));
  int values[PJ_ONNX_MAX_NODE_FIELDS];

  if (!pj_onnx_read_params (in, op, params, error) || !pj_onnx_make_room (in->import, n_replaced (in, in->node), error)
      || !pj_onnx_take_values (in, op, values, error))
    return FALSE;
  return pj_onnx_emit (in, NULL, op, params, values, in->n_inputs, last->outputs->pdata[0], error) >= 0;
}

/* Sum of any number of tensors as a chain of additions. */
static gboolean
add_sum (PjOnnxIn *in, GError **error)
{
  int values[PJ_ONNX_MAX_NODE_FIELDS];
  if (!pj_onnx_take_values (in, &pj_op_add, values, error))
    return FALSE;
  int sum = values[0];
  for (unsigned i = 1; i < in->n_inputs && sum >= 0; i++) {
    gboolean last = i + 1 == in->n_inputs;
    sum = pj_onnx_emit (in, NULL, &pj_op_add, NULL, (int[]) { sum, values[i] }, 2, last ? in->node->outputs->pdata[0] : NULL, error);
  }
  return sum >= 0;
}

/* Sizes of the @n parts of a Split: an input since operator version 13, an attribute before, or equal. */
static gboolean
split_sizes (PjOnnxIn *in, int64_t whole, unsigned n, int64_t *sizes, GError **error)
{
  int given = pj_onnx_in_has_input (in, 1) ? pj_onnx_in_const_ints (in, 1, sizes, n)
                                           : (int) pj_onnx_in_ints (in, "split", sizes, n);
  int64_t each = (whole + n - 1) / n, sum = 0;
  for (unsigned i = 0; i < n; i++) {
    if (given == 0)
      sizes[i] = MIN (each, whole - sum);
    if (given < 0 || (given != 0 && given != (int) n) || sizes[i] < 1 || sizes[i] > whole - sum)
      return pj_onnx_in_refuse (in, error, "its parts do not fit %" G_GINT64_FORMAT " elements", whole);
    sum += sizes[i];
  }
  return sum == whole || pj_onnx_in_refuse (in, error, "its parts do not fit %" G_GINT64_FORMAT " elements", whole);
}

/* Split as one slice per part that somebody reads. */
static gboolean
add_split (PjOnnxIn *in, GError **error)
{
  GPtrArray *outputs = in->node->outputs;
  int64_t sizes[PJ_ONNX_MAX_NODE_FIELDS], at = 0, axis = pj_onnx_in_int (in, "axis", 0);
  PjShape x;
  int values[PJ_ONNX_MAX_NODE_FIELDS];

  if (!pj_onnx_in_shape (in, 0, &x) || in->inputs[0]->is_constant)
    return pj_onnx_in_refuse (in, error, "its input is a stored constant");
  if (axis < 0)
    axis += x.rank;
  if (axis < 1 || axis >= (int64_t) x.rank)
    return pj_onnx_in_refuse (in, error, "axis is %" G_GINT64_FORMAT "; the pictures of a batch cannot be taken apart", axis);
  if (!split_sizes (in, x.dim[axis], outputs->len, sizes, error))
    return FALSE;
  in->n_inputs = 1;
  if (!pj_onnx_take_values (in, &pj_op_slice, values, error))
    return FALSE;
  for (guint k = 0; k < outputs->len; at += sizes[k++]) {
    PjSliceParams params = { .rank = x.rank };
    for (unsigned i = 0; i < x.rank; i++) {
      params.step[i] = 1;
      params.count[i] = x.dim[i];
    }
    params.start[axis] = at;
    params.count[axis] = sizes[k];
    if (*(const char *) outputs->pdata[k] != '\0' && n_readers (in->import, outputs->pdata[k]) > 0
        && pj_onnx_emit (in, NULL, &pj_op_slice, &params, values, 1, outputs->pdata[k], error) < 0)
      return FALSE;
  }
  return TRUE;
}

/* Nodes that pass on their input in inference. */
static gboolean
passes_on (PjOnnxIn *in, const PjOp *op)
{
  return op == &pj_op_identity || (strcmp (in->node->op_type, "Sum") == 0 && in->n_inputs == 1);
}

static gboolean
check_training (PjOnnxIn *in, const PjOp *op, GError **error)
{
  if (op == &pj_op_norm && pj_onnx_in_int (in, "spatial", 1) == 0)
    return pj_onnx_in_refuse (in, error, "statistics per pixel (spatial = 0) are not supported");
  if (op == &pj_op_norm && pj_onnx_in_int (in, "training_mode", 0) != 0)
    pj_onnx_remark (in->import, "Node “%s” was exported for training; its stored statistics are used.", in->node->name);
  int64_t training = 0;
  if (strcmp (in->node->op_type, "Dropout") == 0 && pj_onnx_in_const_ints (in, 2, &training, 1) == 1 && training != 0)
    pj_onnx_remark (in->import, "Node “%s” was exported for training; nothing is dropped here.", in->node->name);
  return TRUE;
}

/* Undoes what pj_onnx_take_bias() did: the Add behind the node is read after all. */
static void
return_bias (PjOnnxImport *import, const PjOnnxNode *node)
{
  const PjOnnxReader *reader = g_hash_table_lookup (import->readers, node->outputs->pdata[0]);
  if (reader != NULL && reader->n == 1 && reader->node != G_MAXUINT)
    import->skip[reader->node] = 0;
}

/* The node as the network has it. @op: (nullable) */
static gboolean
add_node (PjOnnxIn *in, const PjOp *op, GError **error)
{
  const char *type = in->node->op_type;
  if (strcmp (type, "Split") == 0)
    return add_split (in, error);
  if (!check_one_output (in, error))
    return FALSE;
  int done = pj_onnx_add_form (in, op, error);
  if (done != 0)
    return done > 0;
  if (!check_training (in, op, error))
    return FALSE;
  if (passes_on (in, op)) {
    in->import->n_dropped++;
    return alias (in, in->inputs[0], error);
  }
  if (strcmp (type, "Sum") == 0)
    return add_sum (in, error);
  return add_known (in, op->pick != NULL ? op->pick (in) : op, error);
}

/* TRUE if a node that failed may be shown as it is: a variant that is valid, or one that does not fit a size
 * that was only assumed. */
static gboolean
can_be_shown (PjOnnxImport *import, const GError *reason)
{
  return import->is_variant || (import->n_assumed > 0 && reason->domain == PJ_GRAPH_ERROR);
}

gboolean
pj_onnx_import_node (PjOnnxImport *import, guint index, GError **error)
{
  const PjOnnxNode *node = import->model->nodes->pdata[index];
  PjOnnxIn in = { .import = import, .node = node };
  GError *reason = NULL;

  if (node->outputs->len == 0)
    return TRUE;
  if (!gather_inputs (&in, error) || !check_outputs (&in, error))
    return FALSE;
  int folded = pj_onnx_fold (&in, error);
  if (folded != 0) {
    import->n_folded += folded > 0 ? 1 : 0;
    return folded > 0;
  }
  const PjOp *op = *node->domain == '\0' ? pj_op_find_onnx (node->op_type) : NULL;
  if (op == NULL && (*node->domain != '\0' || !pj_onnx_is_form (node->op_type)))
    return add_unknown (&in, NULL, error);
  if (in.n_inputs == 0 || in.inputs[0] == NULL)
    return pj_onnx_in_refuse (&in, error, "it has no input");
  import->is_variant = FALSE;
  if (add_node (&in, op, &reason))
    return TRUE;
  if (!can_be_shown (import, reason)) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  /* “node “x” (Conv): why”: the rest is said by whoever shows it. */
  g_autofree char *prefix = g_strdup_printf ("node “%s” (%s): ", node->name, node->op_type);
  g_autofree char *why = g_strdup (g_str_has_prefix (reason->message, prefix) ? reason->message + strlen (prefix) : reason->message);
  g_clear_error (&reason);
  return_bias (import, node);
  in = (PjOnnxIn) { .import = import, .node = node };
  return gather_inputs (&in, error) && add_unknown (&in, why, error);
}
