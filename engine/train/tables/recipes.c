/* SPDX-License-Identifier: MIT */
#include "train/tables/recipes.h"

#include <math.h>
#include <string.h>

#include "graph/cut.h"
#include "graph/parts.h"
#include "graph/rewrite.h"
#include "ops/op.h"

static const int resnet50_blocks[4] = { 3, 4, 6, 3 };

typedef struct {
  const PjGraph *graph;
  PjGroups *groups;
  PjCutPlan *plan;
  gboolean ok;
  GError **error;
} Cutter;

static Cutter
cutter_start (const PjGraph *graph, GError **error)
{
  return (Cutter) { graph, pj_groups_new (graph), pj_cut_plan_new (), TRUE, error };
}

/* Keeps @width channels of the group that the layer @name makes. The rows tell how many, not which. */
static void
keep (Cutter *self, int width, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *name = g_strdup_vprintf (format, args);
  va_end (args);
  const PjGroup *group = pj_groups_of_node (self->groups, pj_graph_find_node (self->graph, name));
  if (!self->ok)
    return;
  if (group == NULL || width > group->n_channels) {
    g_set_error (self->error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID, "“%s” cannot keep %d channels", name, width);
    self->ok = FALSE;
    return;
  }
  g_autofree guint8 *kept = g_malloc0 ((gsize) group->n_channels);
  memset (kept, 1, (gsize) width);
  pj_cut_plan_set (self->plan, group, kept, NULL);
}

static PjGraph *
cutter_end (Cutter *self)
{
  PjGraph *cut = self->ok ? pj_cut_outline (self->graph, self->groups, self->plan, self->error) : NULL;
  pj_cut_plan_unref (self->plan);
  pj_groups_unref (self->groups);
  return cut;
}

/* What stays of @c channels. The small number undoes what binary floating point takes from the product. */
static int
share (int c, double ratio)
{
  return MAX (1, (int) floor (c * ratio + 1e-9));
}

/* --- VGG --- */

static const struct { int stage, index, width; } vgg_layers[13] = {
  { 1, 1, 64 }, { 1, 2, 64 }, { 2, 1, 128 }, { 2, 2, 128 }, { 3, 1, 256 }, { 3, 2, 256 }, { 3, 3, 256 },
  { 4, 1, 512 }, { 4, 2, 512 }, { 4, 3, 512 }, { 5, 1, 512 }, { 5, 2, 512 }, { 5, 3, 512 },
};

PjGraph *
pj_recipe_vgg (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  Cutter cutter = cutter_start (graph, error);
  for (int i = 0; i < 13; i++)
    keep (&cutter, row->widths[i], "conv%d_%d", vgg_layers[i].stage, vgg_layers[i].index);
  return cutter_end (&cutter);
}

PjGraph *
pj_recipe_vgg_ratio (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  Cutter cutter = cutter_start (graph, error);
  for (int i = 0; i < 10; i++)
    keep (&cutter, share (vgg_layers[i].width, row->ratio), "conv%d_%d", vgg_layers[i].stage, vgg_layers[i].index);
  return cutter_end (&cutter);
}

/* --- ResNet-50 --- */

static PjGraph *
inner_ratio (const PjTableRow *row, const PjGraph *graph, gboolean last, GError **error)
{
  Cutter cutter = cutter_start (graph, error);
  for (int s = 0; s < 4; s++)
    for (int b = 0; b < resnet50_blocks[s]; b++)
      for (int i = 1; i <= 2; i++)
        if (last || s < 3 || b < resnet50_blocks[s] - 1)
          keep (&cutter, share (64 << s, row->ratio), "stage%d.block%d.conv%d", s + 1, b + 1, i);
  return cutter_end (&cutter);
}

PjGraph *
pj_recipe_inner_ratio (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  return inner_ratio (row, graph, TRUE, error);
}

PjGraph *
pj_recipe_inner_ratio_but_last (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  return inner_ratio (row, graph, FALSE, error);
}

PjGraph *
pj_recipe_wallet (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  Cutter cutter = cutter_start (graph, error);
  const int *width = row->widths;
  for (int s = 1; s <= 4; s++) {
    keep (&cutter, *width++, "stage%d.block1.conv3", s);
    for (int b = 1; b <= resnet50_blocks[s - 1]; b++) {
      keep (&cutter, *width++, "stage%d.block%d.conv1", s, b);
      keep (&cutter, *width++, "stage%d.block%d.conv2", s, b);
    }
  }
  return cutter_end (&cutter);
}

/* Lets the layer @node read the first @n channels of its input alone. */
static gboolean
copy_sampled (PjRewrite *rewrite, const PjNode *node, int n, GError **error)
{
  g_autofree char *list = g_strconcat (node->name, ".sampled", NULL);
  g_autofree float *channels = g_new (float, n);
  PjShape w = pj_graph_value (rewrite->from, node->inputs[1])->shape;

  for (int c = 0; c < n; c++)
    channels[c] = (float) c;
  w.dim[1] = n;
  int index = pj_graph_add_param (rewrite->to, list, PJ_SHAPE (n), pj_blob_new_copy (channels, (size_t) n, NULL));
  int weight = pj_graph_add_param (rewrite->to, node->name, w, pj_blob_new_foreign (NULL, pj_shape_n_elems (&w), NULL, NULL));
  int x = pj_graph_add_node (rewrite->to, list, &pj_op_gather, NULL, (int[]) { rewrite->map[node->inputs[0]], index }, 2, error);
  return x >= 0
         && pj_rewrite_emit (rewrite, node->name, node->op, node->params, (int[]) { x, weight }, 2, node->outputs[0], error);
}

PjGraph *
pj_recipe_sampled (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  Cutter cutter = cutter_start (graph, error);
  g_autoptr (GHashTable) sampled = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const int *width = row->widths;

  for (int s = 1; s <= 4; s++)
    for (int b = 1; b <= resnet50_blocks[s - 1]; b++) {
      g_hash_table_insert (sampled, g_strdup_printf ("stage%d.block%d.conv1", s, b), GINT_TO_POINTER (*width++));
      keep (&cutter, *width++, "stage%d.block%d.conv1", s, b);
      keep (&cutter, *width++, "stage%d.block%d.conv2", s, b);
    }
  g_autoptr (PjGraph) thin = cutter_end (&cutter);
  g_auto (PjRewrite) rewrite = { 0 };
  if (thin == NULL)
    return NULL;
  pj_rewrite_init (&rewrite, thin);
  for (unsigned n = 0; n < pj_graph_n_nodes (thin); n++) {
    const PjNode *node = pj_graph_node (thin, (int) n);
    int reads = GPOINTER_TO_INT (g_hash_table_lookup (sampled, node->name));
    if (reads > 0 ? !copy_sampled (&rewrite, node, reads, error) : !pj_rewrite_copy (&rewrite, node, error))
      return NULL;
  }
  return pj_rewrite_finish (&rewrite);
}

PjGraph *
pj_recipe_branches (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  g_autofree guint8 *removed = g_malloc0 (pj_parts_n (parts));

  for (const int *block = row->widths; *block >= 0; block++) {
    int stage = 0, index = *block;
    while (index >= resnet50_blocks[stage])
      index -= resnet50_blocks[stage++];
    g_autofree char *name = g_strdup_printf ("stage%d.block%d", stage + 1, index + 1);
    const PjPart *part = pj_parts_find (parts, name);
    g_assert (part != NULL);
    removed[part->id] = 1;
  }
  return pj_parts_remove (graph, parts, removed, error);
}

/* --- MobileNetV2 --- */

static const int mobilenet_blocks[7] = { 1, 2, 3, 4, 3, 3, 1 };

static void
keep_hidden_wallet (Cutter *cutter, const int *width)
{
  int block = 0;
  for (int s = 0; s < 7; s++) {
    keep (cutter, *width++, "block%d.project", block + 1);
    for (int b = 0; b < mobilenet_blocks[s]; b++)
      if (++block > 1)
        keep (cutter, *width++, "block%d.expand", block);
  }
}

PjGraph *
pj_recipe_hidden (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  Cutter cutter = cutter_start (graph, error);
  for (int b = 2; b <= 17; b++)
    keep (&cutter, row->widths[b - 2], "block%d.expand", b);
  return cutter_end (&cutter);
}

PjGraph *
pj_recipe_hidden_wallet (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  Cutter cutter = cutter_start (graph, error);
  keep_hidden_wallet (&cutter, row->widths);
  return cutter_end (&cutter);
}

PjGraph *
pj_recipe_hidden_all (const PjTableRow *row, const PjGraph *graph, GError **error)
{
  Cutter cutter = cutter_start (graph, error);
  /* Seven streams and sixteen hidden widths lie between. */
  keep (&cutter, row->widths[0], "stem");
  keep_hidden_wallet (&cutter, row->widths + 1);
  keep (&cutter, row->widths[24], "last");
  return cutter_end (&cutter);
}
