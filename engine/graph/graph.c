/* SPDX-License-Identifier: MIT */
/* Storage of values and nodes.  Everything that can be wrong in a file is checked by the operators'
 * shape rules when a node is added; past that point a graph is safe to analyse and to run. */
#include "graph/graph.h"

#include <string.h>

#include "base/checked.h"
#include "ops/op.h"
#include "ops/params.h"

/* Ceilings that keep every later size computation inside 63 bits. */
#define MAX_DIM (G_GINT64_CONSTANT (1) << 31)
#define MAX_ELEMS (G_GINT64_CONSTANT (1) << 40)

struct _PjGraph {
  gatomicrefcount ref;
  char *name;
  GPtrArray *values;      /* PjValue */
  GPtrArray *nodes;       /* PjNode */
  GHashTable *value_index;
  GHashTable *node_index;
  GHashTable *meta;
  int input, output;
};

G_DEFINE_QUARK (pj-graph-error-quark, pj_graph_error)

/* --- shapes --- */

size_t
pj_shape_n_elems (const PjShape *shape)
{
  size_t n = 1;
  for (unsigned i = 0; i < shape->rank; i++)
    n *= (size_t) shape->dim[i];
  return n;
}

gboolean
pj_shape_equal (const PjShape *a, const PjShape *b)
{
  return a->rank == b->rank && memcmp (a->dim, b->dim, a->rank * sizeof a->dim[0]) == 0;
}

char *
pj_shape_to_string (const PjShape *shape)
{
  GString *s = g_string_new (shape->rank == 0 ? "scalar" : NULL);
  for (unsigned i = 0; i < shape->rank; i++)
    g_string_append_printf (s, "%s%" G_GINT64_FORMAT, i ? "×" : "", shape->dim[i]);
  return g_string_free (s, FALSE);
}

static gboolean
shape_is_sane (const PjShape *shape)
{
  int64_t n = 1;
  if (shape->rank > PJ_MAX_RANK)
    return FALSE;
  for (unsigned i = 0; i < shape->rank; i++) {
    if (shape->dim[i] < 1 || shape->dim[i] > MAX_DIM || n > MAX_ELEMS / shape->dim[i])
      return FALSE;
    n *= shape->dim[i];
  }
  return TRUE;
}

/* --- life --- */

static void
value_free (gpointer data)
{
  PjValue *value = data;
  g_free (value->name);
  pj_blob_unref (value->data);
  g_free (value);
}

static void
node_free (gpointer data)
{
  PjNode *node = data;
  g_free (node->name);
  g_free (node->params);
  g_free (node->inputs);
  g_free (node->outputs);
  g_free (node);
}

PjGraph *
pj_graph_new (const char *name)
{
  PjGraph *self = g_new0 (PjGraph, 1);
  g_atomic_ref_count_init (&self->ref);
  self->name = g_strdup (name);
  self->values = g_ptr_array_new_with_free_func (value_free);
  self->nodes = g_ptr_array_new_with_free_func (node_free);
  self->value_index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->node_index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->meta = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->input = self->output = -1;
  return self;
}

PjGraph *
pj_graph_ref (PjGraph *self)
{
  g_atomic_ref_count_inc (&self->ref);
  return self;
}

void
pj_graph_unref (PjGraph *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref))
    return;
  g_free (self->name);
  g_ptr_array_unref (self->values);
  g_ptr_array_unref (self->nodes);
  g_hash_table_unref (self->value_index);
  g_hash_table_unref (self->node_index);
  g_hash_table_unref (self->meta);
  g_free (self);
}

static int
append_value (PjGraph *self, const char *name, PjValueKind kind, PjShape shape, PjBlob *data, int producer)
{
  int index = (int) self->values->len;
  PjValue *value = g_new0 (PjValue, 1);
  g_autofree char *fallback = NULL;

  if (name == NULL || *name == '\0' || g_hash_table_contains (self->value_index, name))
    name = fallback = g_strdup_printf ("%s%sv%d", name ? name : "", name && *name ? "_" : "", index);
  value->name = g_strdup (name);
  value->kind = kind;
  value->shape = shape;
  value->data = data;
  value->producer = producer;
  g_ptr_array_add (self->values, value);
  g_hash_table_insert (self->value_index, g_strdup (name), GINT_TO_POINTER (index));
  return index;
}

static PjNode *
append_node (PjGraph *self, const char *name, const PjOp *op, gconstpointer params, const int *inputs,
             unsigned n_inputs, unsigned n_outputs)
{
  int index = (int) self->nodes->len;
  PjNode *node = g_new0 (PjNode, 1);
  g_autofree char *fallback = NULL;

  if (name == NULL || *name == '\0' || g_hash_table_contains (self->node_index, name))
    name = fallback = g_strdup_printf ("%s_%d", name && *name ? name : op->name, index);
  node->name = g_strdup (name);
  node->op = op;
  if (op->params_size > 0)
    node->params = params ? g_memdup2 (params, op->params_size) : g_malloc0 (op->params_size);
  node->n_inputs = n_inputs;
  node->inputs = g_memdup2 (inputs, n_inputs * sizeof (int));
  node->n_outputs = n_outputs;
  node->outputs = g_new (int, n_outputs);
  g_ptr_array_add (self->nodes, node);
  g_hash_table_insert (self->node_index, g_strdup (name), GINT_TO_POINTER (index));
  return node;
}

PjGraph *
pj_graph_copy (const PjGraph *self)
{
  PjGraph *copy = pj_graph_new (self->name);
  GHashTableIter iter;
  gpointer key, text;

  for (guint i = 0; i < self->values->len; i++) {
    const PjValue *v = self->values->pdata[i];
    append_value (copy, v->name, v->kind, v->shape, v->data ? pj_blob_ref (v->data) : NULL, v->producer);
  }
  for (guint i = 0; i < self->nodes->len; i++) {
    const PjNode *n = self->nodes->pdata[i];
    PjNode *node = append_node (copy, n->name, n->op, n->params, n->inputs, n->n_inputs, n->n_outputs);
    memcpy (node->outputs, n->outputs, n->n_outputs * sizeof (int));
  }
  g_hash_table_iter_init (&iter, self->meta);
  while (g_hash_table_iter_next (&iter, &key, &text))
    g_hash_table_insert (copy->meta, g_strdup (key), g_strdup (text));
  copy->input = self->input;
  copy->output = self->output;
  return copy;
}

/* --- reading --- */

const char *
pj_graph_get_name (const PjGraph *self)
{
  return self->name;
}

unsigned
pj_graph_n_values (const PjGraph *self)
{
  return self->values->len;
}

unsigned
pj_graph_n_nodes (const PjGraph *self)
{
  return self->nodes->len;
}

const PjValue *
pj_graph_value (const PjGraph *self, int value)
{
  g_assert (value >= 0 && (guint) value < self->values->len);
  return self->values->pdata[value];
}

const PjNode *
pj_graph_node (const PjGraph *self, int node)
{
  g_assert (node >= 0 && (guint) node < self->nodes->len);
  return self->nodes->pdata[node];
}

static int
lookup (GHashTable *index, const char *name)
{
  gpointer found;
  return g_hash_table_lookup_extended (index, name, NULL, &found) ? GPOINTER_TO_INT (found) : -1;
}

int
pj_graph_find_value (const PjGraph *self, const char *name)
{
  return lookup (self->value_index, name);
}

int
pj_graph_find_node (const PjGraph *self, const char *name)
{
  return lookup (self->node_index, name);
}

int
pj_graph_get_input (const PjGraph *self)
{
  return self->input;
}

int
pj_graph_get_output (const PjGraph *self)
{
  return self->output;
}

int
pj_graph_get_logits (const PjGraph *self)
{
  const PjValue *output = pj_graph_value (self, self->output);
  const PjNode *last = output->producer >= 0 ? pj_graph_node (self, output->producer) : NULL;
  gboolean compares = last != NULL && (last->op == &pj_op_softmax || last->op == &pj_op_log_softmax);
  /* Scores of many places are compared at each of them, not all with all. */
  if (compares)
    compares = output->shape.dim[MAX (((const PjSoftmaxParams *) last->params)->axis, 1)] == (int64_t) pj_shape_n_elems (&output->shape);
  return compares ? last->inputs[0] : self->output;
}

unsigned
pj_graph_n_classes (const PjGraph *self)
{
  return (unsigned) pj_shape_n_elems (&pj_graph_value (self, pj_graph_get_logits (self))->shape);
}

GArray *
pj_graph_consumers (const PjGraph *self, int value)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (int));
  for (int n = 0; n < (int) self->nodes->len; n++) {
    const PjNode *node = self->nodes->pdata[n];
    for (unsigned i = 0; i < node->n_inputs; i++)
      if (node->inputs[i] == value) {
        g_array_append_val (found, n);
        break;
      }
  }
  return found;
}

const char *
pj_graph_get_meta (const PjGraph *self, const char *key)
{
  return g_hash_table_lookup (self->meta, key);
}

void
pj_graph_set_meta (PjGraph *self, const char *key, const char *text)
{
  if (text == NULL)
    g_hash_table_remove (self->meta, key);
  else
    g_hash_table_insert (self->meta, g_strdup (key), g_strdup (text));
}

GList *
pj_graph_meta_keys (const PjGraph *self)
{
  return g_list_sort (g_hash_table_get_keys (self->meta), (GCompareFunc) strcmp);
}

/* --- building --- */

int
pj_graph_add_input (PjGraph *self, const char *name, PjShape shape)
{
  g_return_val_if_fail (shape_is_sane (&shape), -1);
  int value = append_value (self, name, PJ_VALUE_INPUT, shape, NULL, -1);
  if (self->input < 0)
    self->input = value;
  return value;
}

int
pj_graph_add_param (PjGraph *self, const char *name, PjShape shape, PjBlob *data)
{
  g_return_val_if_fail (shape_is_sane (&shape) && pj_blob_n_elems (data) == pj_shape_n_elems (&shape), -1);
  return append_value (self, name, PJ_VALUE_PARAM, shape, data, -1);
}

/* Runs the shape rule of @node and checks what no rule needs to repeat. */
static gboolean
infer_node (const PjGraph *self, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjOp *op = node->op;

  if (node->n_inputs < op->min_inputs || node->n_inputs > op->max_inputs) {
    pj_op_shape_error (error, node, "%s has %u inputs, expected %u to %u", op->title, node->n_inputs,
                       op->min_inputs, op->max_inputs);
    return FALSE;
  }
  for (unsigned i = 0; i < node->n_inputs; i++) {
    if (node->inputs[i] < -1 || node->inputs[i] >= (int) self->values->len
        || (node->inputs[i] == -1 && i < op->min_inputs)) {
      pj_op_shape_error (error, node, "input %u is missing", i);
      return FALSE;
    }
  }
  memset (outputs, 0, node->n_outputs * sizeof *outputs);
  if (!op->infer (self, node, outputs, error))
    return FALSE;
  for (unsigned i = 0; i < node->n_outputs; i++)
    if (!shape_is_sane (&outputs[i])) {
      g_autofree char *text = pj_shape_to_string (&outputs[i]);
      pj_op_shape_error (error, node, "its output would be %s", text);
      return FALSE;
    }
  return TRUE;
}

int
pj_graph_add_node (PjGraph *self, const char *name, const PjOp *op, gconstpointer params,
                   const int *inputs, unsigned n_inputs, GError **error)
{
  PjShape shape;
  int index = (int) self->nodes->len;
  PjNode *node = append_node (self, name, op, params, inputs, n_inputs, 1);

  if (!infer_node (self, node, &shape, error)) {
    g_hash_table_remove (self->node_index, node->name);
    g_ptr_array_set_size (self->nodes, index);
    return -1;
  }
  node->outputs[0] = append_value (self, node->name, PJ_VALUE_ACTIVATION, shape, NULL, index);
  return node->outputs[0];
}

void
pj_graph_rename_value (PjGraph *self, int value, const char *name)
{
  PjValue *v = self->values->pdata[value];
  if (g_hash_table_contains (self->value_index, name))
    return;
  g_hash_table_remove (self->value_index, v->name);
  g_free (v->name);
  v->name = g_strdup (name);
  g_hash_table_insert (self->value_index, g_strdup (name), GINT_TO_POINTER (value));
}

void
pj_graph_set_output (PjGraph *self, int value)
{
  g_return_if_fail (value >= 0 && (guint) value < self->values->len);
  self->output = value;
}

void
pj_graph_set_param (PjGraph *self, int value, PjShape shape, PjBlob *data)
{
  PjValue *v = self->values->pdata[value];
  g_return_if_fail (v->kind == PJ_VALUE_PARAM && pj_blob_n_elems (data) == pj_shape_n_elems (&shape));
  pj_blob_unref (v->data);
  v->data = data;
  v->shape = shape;
}

gboolean
pj_graph_infer (PjGraph *self, GError **error)
{
  for (guint n = 0; n < self->nodes->len; n++) {
    const PjNode *node = self->nodes->pdata[n];
    g_autofree PjShape *shapes = g_new (PjShape, node->n_outputs);
    if (node->op->recut != NULL)
      node->op->recut (self, (int) n);
    if (!infer_node (self, node, shapes, error))
      return FALSE;
    for (unsigned i = 0; i < node->n_outputs; i++)
      ((PjValue *) self->values->pdata[node->outputs[i]])->shape = shapes[i];
  }
  return TRUE;
}

gpointer
pj_graph_node_params (PjGraph *self, int node)
{
  return ((PjNode *) self->nodes->pdata[node])->params;
}
