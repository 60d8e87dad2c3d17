/* SPDX-License-Identifier: MIT */
/* The drawing of a network: one box per row, one curve per pair of rows that a tensor connects. */
#include "model/network-private.h"
#include "ops/op.h"

/* Sizes at 100 %: room for a name, a line of facts and a bar of channels; less for what has no channels. */
#define LAYER_WIDTH 176
#define LAYER_HEIGHT 52
#define SMALL_WIDTH 148
#define SMALL_HEIGHT 34

static PjLayoutSize *
box_sizes (const PjmNetwork *self)
{
  PjLayoutSize *sizes = g_new (PjLayoutSize, self->rows->len);
  for (guint i = 0; i < self->rows->len; i++) {
    const PjmRow *row = self->rows->pdata[i];
    sizes[i] = row->group >= 0 ? (PjLayoutSize) { LAYER_WIDTH, LAYER_HEIGHT } : (PjLayoutSize) { SMALL_WIDTH, SMALL_HEIGHT };
  }
  return sizes;
}

/* Links between rows, each pair once. (element-type PjLayoutLink) */
static GArray *
find_links (const PjmNetwork *self)
{
  GArray *links = g_array_new (FALSE, FALSE, sizeof (PjLayoutLink));
  g_autofree int *row_of = g_new0 (int, pj_graph_n_nodes (self->graph));
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint r = 0; r < self->rows->len; r++) {
    const PjmRow *row = self->rows->pdata[r];
    for (guint i = 0; i < row->nodes->len; i++)
      row_of[g_array_index (row->nodes, int, i)] = (int) r;
  }
  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++) {
    const PjNode *node = pj_graph_node (self->graph, (int) n);
    for (unsigned k = 0; k < node->n_inputs; k++) {
      int producer = node->inputs[k] >= 0 ? pj_graph_value (self->graph, node->inputs[k])->producer : -1;
      if (producer < 0 || row_of[producer] == row_of[n])
        continue;
      PjLayoutLink link = { row_of[producer], row_of[n] };
      gint64 key = (gint64) link.from << 32 | link.to;
      if (g_hash_table_add (seen, g_memdup2 (&key, sizeof key)))
        g_array_append_val (links, link);
    }
  }
  return links;
}

gboolean
pjm_network_draw (PjmNetwork *self, GError **error)
{
  g_autofree PjLayoutSize *sizes = box_sizes (self);
  g_autoptr (GArray) links = find_links (self);
  const PjLayoutLink *link = (const PjLayoutLink *) (gpointer) links->data;
  self->layout = pj_layout_new (sizes, self->rows->len, link, links->len, NULL, error);
  if (self->layout == NULL)
    return FALSE;
  self->width = self->layout->width;
  self->height = self->layout->height;
  self->boxes = g_new (PjmBox, self->rows->len);
  for (guint i = 0; i < self->rows->len; i++)
    self->boxes[i] = (PjmBox) { (int) i, self->layout->boxes[i].x, self->layout->boxes[i].y, sizes[i].width, sizes[i].height };
  self->n_edges = links->len;
  self->edges = g_new (PjmEdge, links->len);
  for (guint i = 0; i < links->len; i++) {
    const PjLayoutCurve *curve = &self->layout->curves[i];
    /* A point is two doubles, so a list of points is a list of x y pairs. */
    self->edges[i] = (PjmEdge) { link[i].from, link[i].to, curve->n_points, (const double *) (gconstpointer) curve->points };
  }
  return TRUE;
}
