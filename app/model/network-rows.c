/* SPDX-License-Identifier: MIT */
/* From nodes to rows: a convolution or fully connected layer takes the norm and the activation that
 * follow it into its row; other operators have rows of their own, with their activation. */
#include <glib/gi18n-lib.h>

#include "model/network-private.h"
#include "ops/op.h"
#include "ops/params.h"

static void
row_free (gpointer data)
{
  PjmRow *row = data;
  g_free (row->name);
  g_free (row->kind);
  g_free (row->detail);
  g_free (row->shape);
  g_free (row->lock_reason);
  g_free (row->ties);
  g_array_unref (row->nodes);
  g_free (row);
}

/* --- texts --- */

/* The titles of the operators, for the catalogue of translations. */
static const char *const op_titles[] G_GNUC_UNUSED = {
  N_("Convolution"), N_("Fully connected"), N_("Batch norm"), N_("ReLU"), N_("Max pooling"), N_("Average pooling"),
  N_("Global average pooling"), N_("Add"), N_("Flatten"), N_("Reshape"), N_("Softmax"), N_("Identity"),
  N_("Unknown operator"),
};

static char *
window_text (const char *title, const int kernel[2], const int stride[2])
{
  if (stride[0] == 1 && stride[1] == 1)
    /* Translators: an operator and the size of its window: Convolution 3×3 */
    return g_strdup_printf (_("%s %d×%d"), title, kernel[0], kernel[1]);
  if (stride[0] == stride[1])
    return g_strdup_printf (_("%s %d×%d, stride %d"), title, kernel[0], kernel[1], stride[0]);
  return g_strdup_printf (_("%s %d×%d, stride %d×%d"), title, kernel[0], kernel[1], stride[0], stride[1]);
}

static char *
kind_text (const PjNode *node)
{
  const char *title = _(node->op->title);
  if (node->op == &pj_op_conv) {
    const PjConvParams *p = node->params;
    return window_text (p->depthwise ? _("Depthwise convolution") : title, p->kernel, p->stride);
  }
  if (node->op == &pj_op_max_pool || node->op == &pj_op_avg_pool) {
    const PjPoolParams *p = node->params;
    return window_text (title, p->kernel, p->stride);
  }
  if (node->op == &pj_op_opaque)
    /* Translators: %s is the ONNX name of an operator */
    return g_strdup_printf (_("Unknown operator %s"), ((const PjOpaqueParams *) node->params)->type);
  return g_strdup (title);
}

static char *
detail_text (const PjGraph *graph, const PjmRow *row)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 1; i < row->nodes->len; i++) {
    const PjNode *node = pj_graph_node (graph, g_array_index (row->nodes, int, i));
    g_string_append_printf (text, "%s%s", i > 1 ? _(", ") : "", _(node->op->title));
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* "64×14×14": without the batch. */
static char *
shape_text (const PjShape *shape)
{
  PjShape one = { .rank = shape->rank > 0 ? shape->rank - 1 : 0 };
  for (unsigned i = 0; i < one.rank; i++)
    one.dim[i] = shape->dim[i + 1];
  return pj_shape_to_string (&one);
}

/* More names than these are counted: a residual stream of a deep network has hundreds, which nobody reads and which
 * take a second to lay out. */
#define MOST_NAMES 8

static char *
join_names (const PjGraph *graph, const GArray *nodes, int except)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < nodes->len; i++) {
    int node = g_array_index (nodes, int, i);
    if (node != except)
      g_ptr_array_add (names, pj_graph_node (graph, node)->name);
  }
  g_autoptr (GString) text = g_string_new (NULL);
  guint rest = names->len > MOST_NAMES ? names->len - MOST_NAMES + 2 : 0, n = names->len - rest;
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s%s", i == 0 ? "" : i + 1 < n || rest > 0 ? _(", ") : _(" and "),
                            (char *) names->pdata[i]);
  if (rest > 0)
    /* Translators: after the first names of a list: "conv1, conv2, conv3 and 20 others" */
    g_string_append_printf (text, ngettext (" and %u other", " and %u others", rest), rest);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* What else loses a channel when this row does, and why. */
static char *
ties_text (const PjGraph *graph, const PjGroup *group, int node)
{
  if (group->producers->len < 2)
    return NULL;
  g_autofree char *others = join_names (graph, group->producers, node);
  g_autofree char *joints = join_names (graph, group->ties, -1);
  if (*joints == '\0')
    return g_strdup_printf (_("Cut together with %s"), others);
  return g_strdup_printf (ngettext ("Cut together with %s: the addition %s joins them",
                                    "Cut together with %s: the additions %s join them", group->ties->len), others, joints);
}

/* --- rows --- */

typedef struct {
  const PjGraph *graph;
  int *row_of;            /* by node: index of its row */
  guint *n_readers;       /* by value */
  GPtrArray *rows;
} Builder;

static guint *
count_readers (const PjGraph *graph)
{
  guint *n = g_new0 (guint, pj_graph_n_values (graph));
  for (unsigned i = 0; i < pj_graph_n_nodes (graph); i++) {
    const PjNode *node = pj_graph_node (graph, (int) i);
    for (unsigned k = 0; k < node->n_inputs; k++)
      if (node->inputs[k] >= 0)
        n[node->inputs[k]]++;
  }
  n[pj_graph_get_output (graph)]++;
  return n;
}

/* The row that @node belongs into, or NULL if it begins one. */
static PjmRow *
row_before (const Builder *b, const PjNode *node)
{
  gboolean is_norm = node->op->zero == PJ_ZERO_BREAKS && !node->op->is_activation;
  if (!node->op->is_activation && !is_norm)
    return NULL;
  int x = node->inputs[0], producer = pj_graph_value (b->graph, x)->producer;
  if (producer < 0 || b->n_readers[x] != 1)
    return NULL;
  PjmRow *row = b->rows->pdata[b->row_of[producer]];
  if (row->value != x)
    return NULL;
  /* A norm behind an activation is not part of the layer: it cannot be folded into its weights. */
  if (is_norm && (row->nodes->len > 1 || pj_graph_node (b->graph, row->node)->op->zero != PJ_ZERO_STARTS))
    return NULL;
  return row;
}

/* Where the row belongs among what can be removed whole. */
static void
row_find_parts (PjmRow *row, const PjParts *parts)
{
  guint smallest = G_MAXUINT;
  row->block = row->part = -1;
  for (unsigned i = 0; i < pj_parts_n (parts); i++) {
    const PjPart *part = pj_parts_get (parts, i);
    gboolean inside = FALSE;
    for (guint k = 0; k < part->nodes->len && !inside; k++)
      inside = g_array_index (part->nodes, int, k) == row->node;
    if (inside && part->kind == PJ_PART_LAYER && part->lock_reason == NULL)
      row->part = part->id;
    if (inside && part->kind == PJ_PART_BRANCH && part->nodes->len < smallest) {
      row->block = part->id;
      smallest = part->nodes->len;
    }
  }
}

static PjmRow *
row_begin (Builder *b, int index)
{
  PjmRow *row = g_new0 (PjmRow, 1);
  row->node = index;
  row->group = -1;
  row->nodes = g_array_new (FALSE, FALSE, sizeof (int));
  g_ptr_array_add (b->rows, row);
  return row;
}

static void
row_describe (PjmRow *row, const PjGraph *graph, const PjGroups *groups)
{
  const PjNode *node = pj_graph_node (graph, row->node);
  const PjGroup *group = pj_groups_of_node (groups, row->node);
  row->name = g_strdup (node->name);
  row->kind = kind_text (node);
  row->detail = detail_text (graph, row);
  row->shape = shape_text (&pj_graph_value (graph, row->value)->shape);
  if (group != NULL) {
    row->group = group->id;
    row->channels = (guint) group->n_channels;
    row->lock_reason = g_strdup (group->lock_reason);
    row->ties = ties_text (graph, group, row->node);
  }
  PjCost cost = { 0 };
  for (guint i = 0; i < row->nodes->len; i++)
    pj_graph_node_cost (graph, g_array_index (row->nodes, int, i), &cost);
  row->params = cost.learnable;
  row->macs = cost.macs;
}

GPtrArray *
pjm_rows_new (const PjGraph *graph, const PjGroups *groups, const PjParts *parts)
{
  g_autofree int *row_of = g_new0 (int, pj_graph_n_nodes (graph));
  g_autofree guint *n_readers = count_readers (graph);
  Builder b = { graph, row_of, n_readers, g_ptr_array_new_with_free_func (row_free) };
  for (unsigned i = 0; i < pj_graph_n_nodes (graph); i++) {
    const PjNode *node = pj_graph_node (graph, (int) i);
    int index = (int) i;
    PjmRow *row = row_before (&b, node);
    if (row != NULL) {
      row_of[i] = row_of[pj_graph_value (graph, node->inputs[0])->producer];
    } else {
      row = row_begin (&b, index);
      row_of[i] = (int) b.rows->len - 1;
    }
    g_array_append_val (row->nodes, index);
    row->value = node->outputs[0];
  }
  for (guint i = 0; i < b.rows->len; i++) {
    row_describe (b.rows->pdata[i], graph, groups);
    row_find_parts (b.rows->pdata[i], parts);
  }
  return b.rows;
}
