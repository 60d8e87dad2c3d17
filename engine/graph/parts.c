/* SPDX-License-Identifier: MIT */
/* Finding and removing whole branches and layers. */
#include "graph/parts.h"

#include <string.h>

#include "base/alloc.h"
#include "graph/rewrite.h"
#include "ops/op.h"
#include "ops/params.h"

struct _PjParts {
  GPtrArray *list;        /* PjPart */
  GHashTable *by_name;
};

static void
part_free (gpointer data)
{
  PjPart *part = data;
  g_free (part->name);
  g_free (part->lock_reason);
  g_array_unref (part->nodes);
  g_free (part);
}

static PjPart *
part_new (PjPartKind kind, int input, int output, int result)
{
  PjPart *part = g_new0 (PjPart, 1);
  part->kind = kind;
  part->input = input;
  part->output = output;
  part->result = result;
  part->nodes = g_array_new (FALSE, FALSE, sizeof (int));
  return part;
}

static gboolean
has_node (const PjPart *part, int node)
{
  for (guint i = 0; i < part->nodes->len; i++)
    if (g_array_index (part->nodes, int, i) == node)
      return TRUE;
  return FALSE;
}

static gboolean
has_weights (const PjNode *node)
{
  return node->op->uses[1] == PJ_USE_WEIGHT && node->op != &pj_op_norm;
}

/* --- finding branches --- */

/* Marks the nodes that @value is computed from. */
static void
mark_ancestors (const PjGraph *graph, int value, guint8 *marks)
{
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (int));

  g_array_append_val (open, value);
  while (open->len > 0) {
    int node = pj_graph_value (graph, g_array_index (open, int, open->len - 1))->producer;
    g_array_set_size (open, open->len - 1);
    if (node < 0 || marks[node])
      continue;
    marks[node] = 1;
    const PjNode *n = pj_graph_node (graph, node);
    for (unsigned i = 0; i < n->n_inputs; i++)
      if (n->inputs[i] >= 0)
        g_array_append_val (open, n->inputs[i]);
  }
}

/* What only one of two values is computed from, and how many of these nodes have weights. */
static unsigned
own_nodes (const PjGraph *graph, const guint8 *mine, const guint8 *other, PjPart *part)
{
  unsigned n_weighted = 0;
  for (int n = 0; n < (int) pj_graph_n_nodes (graph); n++)
    if (mine[n] && !other[n]) {
      g_array_append_val (part->nodes, n);
      n_weighted += has_weights (pj_graph_node (graph, n));
    }
  return n_weighted;
}

/* Nothing else may read what goes. */
static void
lock_if_read (const PjGraph *graph, PjPart *part)
{
  for (guint i = 0; i < part->nodes->len && part->lock_reason == NULL; i++) {
    int value = pj_graph_node (graph, g_array_index (part->nodes, int, i))->outputs[0];
    if (value == part->output)
      continue;
    g_autoptr (GArray) readers = pj_graph_consumers (graph, value);
    const char *name = pj_graph_value (graph, value)->name;
    if (value == pj_graph_get_output (graph) || value == pj_graph_get_logits (graph))
      part->lock_reason = g_strdup_printf ("“%s” inside it is an output of the network", name);
    for (guint r = 0; r < readers->len && part->lock_reason == NULL; r++) {
      int reader = g_array_index (readers, int, r);
      if (!has_node (part, reader))
        part->lock_reason = g_strdup_printf ("“%s” inside it is also read by “%s”", name, pj_graph_node (graph, reader)->name);
    }
  }
}

/* The longest beginning that the names of the branch's layers and of its add share, up to a separator: what the file
 * calls the block. (transfer full) */
static char *
name_branch (const PjGraph *graph, const PjPart *part, int add)
{
  const char *name = pj_graph_node (graph, add)->name;
  size_t n = strlen (name);

  for (guint i = 0; i < part->nodes->len; i++) {
    const PjNode *node = pj_graph_node (graph, g_array_index (part->nodes, int, i));
    size_t k = 0;
    while (has_weights (node) && k < n && node->name[k] == name[k])
      k++;
    n = has_weights (node) ? k : n;
  }
  while (n > 0 && name[n - 1] != '.' && name[n - 1] != '/')
    n--;
  while (n > 0 && (name[n - 1] == '.' || name[n - 1] == '/'))
    n--;
  while (n > 0 && *name == '/') {
    name++;
    n--;
  }
  return n > 0 ? g_strndup (name, n) : g_strdup (pj_graph_node (graph, add)->name);
}

/* The branch that ends in node @add; NULL if the two values have nothing of their own or no weights to remove. */
static PjPart *
find_branch (const PjGraph *graph, int add)
{
  const PjNode *node = pj_graph_node (graph, add);
  unsigned n_nodes = pj_graph_n_nodes (graph);
  g_autofree guint8 *first = g_malloc0 (n_nodes), *second = g_malloc0 (n_nodes);

  mark_ancestors (graph, node->inputs[0], first);
  mark_ancestors (graph, node->inputs[1], second);
  PjPart *a = part_new (PJ_PART_BRANCH, node->inputs[1], node->outputs[0], node->inputs[0]);
  PjPart *b = part_new (PJ_PART_BRANCH, node->inputs[0], node->outputs[0], node->inputs[1]);
  unsigned weight_a = own_nodes (graph, first, second, a), weight_b = own_nodes (graph, second, first, b);
  PjPart *longer = weight_a >= weight_b ? a : b;
  part_free (longer == a ? b : a);
  if (MAX (weight_a, weight_b) == 0 || weight_a == weight_b) {
    part_free (longer);
    return NULL;
  }
  g_array_append_val (longer->nodes, add);
  longer->name = name_branch (graph, longer, add);
  lock_if_read (graph, longer);
  return longer;
}

/* --- finding layers --- */

/* A layer of node @index whose output could be its input. */
static PjPart *
find_layer (const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  int x = node->inputs[0], y = node->outputs[0];

  if ((node->op != &pj_op_conv && node->op != &pj_op_gemm) || pj_graph_value (graph, x)->kind != PJ_VALUE_ACTIVATION
      || !pj_shape_equal (&pj_graph_value (graph, x)->shape, &pj_graph_value (graph, y)->shape))
    return NULL;
  g_autoptr (GArray) readers = pj_graph_consumers (graph, y);
  int reader = readers->len == 1 ? g_array_index (readers, int, 0) : -1;
  gboolean norm = reader >= 0 && y != pj_graph_get_output (graph) && pj_graph_node (graph, reader)->op == &pj_op_norm;
  PjPart *part = part_new (PJ_PART_LAYER, x, norm ? pj_graph_node (graph, reader)->outputs[0] : y, -1);
  part->result = part->output;
  part->name = g_strdup (node->name);
  g_array_append_val (part->nodes, index);
  if (norm)
    g_array_append_val (part->nodes, reader);
  if (part->output == pj_graph_get_output (graph) || part->output == pj_graph_get_logits (graph))
    part->lock_reason = g_strdup ("it makes the network’s output");
  return part;
}

/* --- the list --- */

static void
add_part (PjParts *self, const PjGraph *graph, PjPart *part)
{
  const char *last = pj_graph_node (graph, g_array_index (part->nodes, int, part->nodes->len - 1))->name;

  if (g_hash_table_contains (self->by_name, part->name)) {
    g_free (part->name);
    part->name = g_strdup (last);
  }
  for (int k = 2; g_hash_table_contains (self->by_name, part->name); k++) {
    g_free (part->name);
    part->name = g_strdup_printf ("%s/%d", last, k);
  }
  part->id = (int) self->list->len;
  g_hash_table_insert (self->by_name, g_strdup (part->name), part);
  if (part->kind == PJ_PART_BRANCH && !g_hash_table_contains (self->by_name, last))
    g_hash_table_insert (self->by_name, g_strdup (last), part);
  g_ptr_array_add (self->list, part);
}

PjParts *
pj_parts_new (const PjGraph *graph)
{
  PjParts *self = g_new0 (PjParts, 1);

  self->list = g_ptr_array_new_with_free_func (part_free);
  self->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (int n = 0; n < (int) pj_graph_n_nodes (graph); n++) {
    PjPart *part = pj_graph_node (graph, n)->op == &pj_op_add ? find_branch (graph, n) : find_layer (graph, n);
    if (part != NULL)
      add_part (self, graph, part);
  }
  return self;
}

void
pj_parts_free (PjParts *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->by_name);
  g_ptr_array_unref (self->list);
  g_free (self);
}

unsigned
pj_parts_n (const PjParts *self)
{
  return self->list->len;
}

const PjPart *
pj_parts_get (const PjParts *self, unsigned i)
{
  g_assert (i < self->list->len);
  return self->list->pdata[i];
}

const PjPart *
pj_parts_find (const PjParts *self, const char *name)
{
  return g_hash_table_lookup (self->by_name, name);
}

void
pj_part_cost (const PjGraph *graph, const PjPart *part, PjCost *cost)
{
  memset (cost, 0, sizeof *cost);
  for (guint i = 0; i < part->nodes->len; i++)
    pj_graph_node_cost (graph, g_array_index (part->nodes, int, i), cost);
}

/* --- removing --- */

static gboolean
check (const PjParts *parts, const guint8 *removed, GError **error)
{
  for (unsigned i = 0; i < pj_parts_n (parts); i++) {
    const PjPart *part = pj_parts_get (parts, i);
    if (!removed[i] || part->lock_reason == NULL)
      continue;
    g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_LOCKED, "%s “%s” cannot be removed: %s",
                 part->kind == PJ_PART_BRANCH ? "branch" : "layer", part->name, part->lock_reason);
    return FALSE;
  }
  return TRUE;
}

/* TRUE if @node would do again what made its input in the new graph, to no effect. */
static gboolean
repeats (const PjRewrite *rewrite, const PjNode *node)
{
  int x = rewrite->map[node->inputs[0]];
  int producer = x >= 0 ? pj_graph_value (rewrite->to, x)->producer : -1;
  const PjNode *before = producer >= 0 ? pj_graph_node (rewrite->to, producer) : NULL;

  if (before == NULL || before->op != node->op || (node->op != &pj_op_relu && node->op != &pj_op_clip))
    return FALSE;
  return node->op->params_size == 0 || memcmp (before->params, node->params, node->op->params_size) == 0;
}

PjGraph *
pj_parts_remove (const PjGraph *graph, const PjParts *parts, const guint8 *removed, GError **error)
{
  unsigned n_nodes = pj_graph_n_nodes (graph);
  g_autofree guint8 *gone = g_malloc0 (n_nodes), *spliced = g_malloc0 (pj_graph_n_values (graph));
  g_autofree int *stands_for = g_new (int, pj_graph_n_values (graph));
  g_auto (PjRewrite) rewrite = { 0 };

  if (!check (parts, removed, error))
    return NULL;
  for (unsigned i = 0; i < pj_parts_n (parts); i++) {
    const PjPart *part = pj_parts_get (parts, i);
    for (guint k = 0; removed[i] && k < part->nodes->len; k++)
      gone[g_array_index (part->nodes, int, k)] = 1;
    if (removed[i]) {
      spliced[part->output] = 1;
      stands_for[part->output] = part->input;
    }
  }
  pj_rewrite_init (&rewrite, graph);
  for (unsigned n = 0; n < n_nodes; n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    int y = node->outputs[0];
    if (spliced[y])
      rewrite.map[y] = rewrite.map[stands_for[y]];
    else if (!gone[n] && spliced[node->inputs[0]] && repeats (&rewrite, node))
      rewrite.map[y] = rewrite.map[node->inputs[0]];
    else if (!gone[n] && !pj_rewrite_copy (&rewrite, node, error))
      return NULL;
  }
  return pj_rewrite_finish (&rewrite);
}

/* --- the reference --- */

/* 1 where row, column and place agree, else 0: a convolution or fully connected layer that changes nothing. */
static PjBlob *
identity_weights (const PjNode *node, const PjShape *w, GError **error)
{
  size_t n = pj_shape_n_elems (w), rows = (size_t) w->dim[0], columns = (size_t) w->dim[1], tail = n / rows / columns;
  float *data = pj_alloc (n * sizeof (float), "an identity", error);
  const PjConvParams *p = node->op == &pj_op_conv ? node->params : NULL;
  size_t groups = p != NULL ? (size_t) p->groups : 1;
  /* The place of the kernel that reads the pixel itself. */
  size_t place = p != NULL ? (size_t) (p->pad[0] / p->dilation[0]) * (size_t) w->dim[3] + (size_t) (p->pad[1] / p->dilation[1]) : 0;

  if (data == NULL)
    return NULL;
  memset (data, 0, n * sizeof (float));
  for (size_t o = 0; o < rows; o++)
    data[(o * columns + (o - o / (rows / groups) * columns)) * tail + place] = 1;
  return pj_blob_new_take (data, n);
}

static PjBlob *
filled (size_t n, float fill, GError **error)
{
  float *data = pj_alloc (n * sizeof (float), "an identity", error);
  for (size_t i = 0; data != NULL && i < n; i++)
    data[i] = fill;
  return data != NULL ? pj_blob_new_take (data, n) : NULL;
}

/* Makes a removed layer's parameters those of an identity.  √(1 + ε) makes up for the ε of the norm. */
static gboolean
make_identity (PjGraph *copy, const PjPart *part, GError **error)
{
  for (guint i = 0; i < part->nodes->len; i++) {
    const PjNode *node = pj_graph_node (copy, g_array_index (part->nodes, int, i));
    for (unsigned k = 1; k < node->n_inputs; k++) {
      if (node->inputs[k] < 0)
        continue;
      PjShape shape = pj_graph_value (copy, node->inputs[k])->shape;
      float eps = node->op == &pj_op_norm ? ((const PjNormParams *) node->params)->eps : 0;
      float fill = node->op == &pj_op_norm && k == 1 ? 1 : node->op == &pj_op_norm && k == 4 ? 1 - eps : 0;
      PjBlob *data = has_weights (node) && k == 1 ? identity_weights (node, &shape, error)
                                                  : filled (pj_shape_n_elems (&shape), fill, error);
      if (data == NULL)
        return FALSE;
      pj_graph_set_param (copy, node->inputs[k], shape, data);
    }
  }
  return TRUE;
}

/* Copies @node; if it ends a removed branch, it adds 0 times its result. */
static gboolean
copy_silent (PjRewrite *rewrite, const PjNode *node, const PjPart *branch, GError **error)
{
  PjUnaryParams zero = { .function = PJ_FN_LINEAR };
  int inputs[2];

  if (branch == NULL)
    return pj_rewrite_copy (rewrite, node, error);
  for (int i = 0; i < 2; i++) {
    inputs[i] = rewrite->map[node->inputs[i]];
    if (node->inputs[i] == branch->result)
      inputs[i] = pj_graph_add_node (rewrite->to, NULL, &pj_op_scale, &zero, &inputs[i], 1, error);
    if (inputs[i] < 0)
      return FALSE;
  }
  return pj_rewrite_emit (rewrite, node->name, node->op, node->params, inputs, 2, node->outputs[0], error);
}

PjGraph *
pj_parts_silence (const PjGraph *graph, const PjParts *parts, const guint8 *removed, GError **error)
{
  g_autoptr (PjGraph) copy = pj_graph_copy (graph);
  g_auto (PjRewrite) rewrite = { 0 };

  if (!check (parts, removed, error))
    return NULL;
  for (unsigned i = 0; i < pj_parts_n (parts); i++)
    if (removed[i] && pj_parts_get (parts, i)->kind == PJ_PART_LAYER && !make_identity (copy, pj_parts_get (parts, i), error))
      return NULL;
  pj_rewrite_init (&rewrite, copy);
  for (unsigned n = 0; n < pj_graph_n_nodes (copy); n++) {
    const PjNode *node = pj_graph_node (copy, (int) n);
    const PjPart *branch = NULL;
    for (unsigned i = 0; i < pj_parts_n (parts); i++)
      if (removed[i] && pj_parts_get (parts, i)->kind == PJ_PART_BRANCH && pj_parts_get (parts, i)->output == node->outputs[0])
        branch = pj_parts_get (parts, i);
    if (!copy_silent (&rewrite, node, branch, error))
      return NULL;
  }
  return pj_rewrite_finish (&rewrite);
}
