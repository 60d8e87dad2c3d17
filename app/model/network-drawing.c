/* SPDX-License-Identifier: MIT */
/* The drawing of a network: one box per row or folded block, one curve per pair of boxes that a tensor connects. */
#include "model/network-private.h"
#include "ops/op.h"

/* Sizes at 100 %: room for a name, a line of facts and a bar of channels; less for what has no channels. */
#define LAYER_WIDTH 176
#define LAYER_HEIGHT 52
#define SMALL_WIDTH 148
#define SMALL_HEIGHT 34
/* A network of more rows is first shown with its blocks folded. */
#define FOLD_ABOVE 60

static gint
compare_links (gconstpointer a, gconstpointer b)
{
  const PjLayoutLink *x = a, *y = b;
  return x->to != y->to ? x->to - y->to : x->from - y->from;
}

/* Links between rows, each pair once, by their target. (element-type PjLayoutLink) */
static GArray *
find_links (const PjmNetwork *self)
{
  GArray *links = g_array_new (FALSE, FALSE, sizeof (PjLayoutLink));
  g_autofree int *row_of = g_new0 (int, MAX (1u, pj_graph_n_nodes (self->graph)));
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
  g_array_sort (links, compare_links);
  return links;
}

/* --- boxes --- */

typedef struct {
  const PjmNetwork *network;
  int *box_of;                  /* by row */
  GArray *boxes;                /* PjmBox */
  GArray *inside;               /* int: rows of folded boxes, one after the other */
} Builder;

/* Folded blocks stand where their last row would: everything that they read is before it. */
static void
add_boxes (Builder *b, const gboolean *folded)
{
  const PjmNetwork *network = b->network;
  g_autofree int *block_of = g_new (int, MAX (1u, network->rows->len));
  for (guint r = 0; r < network->rows->len; r++)
    block_of[r] = -1;
  for (guint k = 0; k < network->blocks->len; k++) {
    const PjmBlock *block = network->blocks->pdata[k];
    for (guint i = 0; i < block->rows->len; i++)
      block_of[g_array_index (block->rows, int, i)] = (int) k;
  }
  for (guint r = 0; r < network->rows->len; r++) {
    const PjmRow *row = network->rows->pdata[r];
    const PjmBlock *block = block_of[r] >= 0 ? network->blocks->pdata[block_of[r]] : NULL;
    gboolean folds = block != NULL && folded[block_of[r]];
    gboolean is_end = block != NULL && g_array_index (block->rows, int, block->rows->len - 1) == (int) r;
    if (folds && !is_end)
      continue;
    gboolean large = folds || row->group >= 0;
    PjmBox box = { .layer = (int) r, .width = large ? LAYER_WIDTH : SMALL_WIDTH, .height = large ? LAYER_HEIGHT : SMALL_HEIGHT,
                   .block = block_of[r], .folded = folds };
    for (guint i = 0; folds && i < block->rows->len; i++)
      b->box_of[g_array_index (block->rows, int, i)] = (int) b->boxes->len;
    if (folds) {
      box.n_inside = block->rows->len;
      g_array_append_vals (b->inside, block->rows->data, block->rows->len);
    }
    b->box_of[r] = (int) b->boxes->len;
    g_array_append_val (b->boxes, box);
  }
}

/* Links between boxes, each pair once. (element-type PjLayoutLink) */
static GArray *
box_links (const Builder *b, const GArray *links)
{
  GArray *result = g_array_new (FALSE, FALSE, sizeof (PjLayoutLink));
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint i = 0; i < links->len; i++) {
    const PjLayoutLink *row = &g_array_index (links, PjLayoutLink, i);
    PjLayoutLink link = { b->box_of[row->from], b->box_of[row->to] };
    gint64 key = (gint64) link.from << 32 | link.to;
    if (link.from != link.to && g_hash_table_add (seen, g_memdup2 (&key, sizeof key)))
      g_array_append_val (result, link);
  }
  return result;
}

void
pjm_drawing_free (PjmDrawing *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->layout, pj_layout_free);
  g_free (self->boxes);
  g_free (self->edges);
  g_free (self->inside);
  g_free (self->folded);
  g_free (self);
}

/* Takes positions and curves over from the layout. */
static void
take_layout (PjmDrawing *self, const GArray *links)
{
  const int *inside = self->inside;
  self->width = self->layout->width;
  self->height = self->layout->height;
  for (guint i = 0; i < self->n_boxes; i++) {
    PjmBox *box = &self->boxes[i];
    box->x = self->layout->boxes[i].x;
    box->y = self->layout->boxes[i].y;
    box->inside = box->n_inside > 0 ? inside : NULL;
    inside += box->n_inside;
  }
  self->n_edges = links->len;
  self->edges = g_new (PjmEdge, MAX (1u, links->len));
  for (guint i = 0; i < links->len; i++) {
    const PjLayoutLink *link = &g_array_index (links, PjLayoutLink, i);
    const PjLayoutCurve *curve = &self->layout->curves[i];
    /* A point is two doubles, so a list of points is a list of x y pairs. */
    self->edges[i] = (PjmEdge) { link->from, link->to, curve->n_points, (const double *) (gconstpointer) curve->points };
  }
}

PjmDrawing *
pjm_drawing_new (const PjmNetwork *network, const gboolean *folded, GError **error)
{
  g_autoptr (GArray) links = find_links (network), boxes = g_array_new (FALSE, TRUE, sizeof (PjmBox));
  g_autoptr (GArray) inside = g_array_new (FALSE, FALSE, sizeof (int));
  g_autofree int *box_of = g_new0 (int, MAX (1u, network->rows->len));
  Builder b = { network, box_of, boxes, inside };
  add_boxes (&b, folded);
  g_autoptr (GArray) between = box_links (&b, links);
  g_autofree PjLayoutSize *sizes = g_new (PjLayoutSize, MAX (1u, boxes->len));
  for (guint i = 0; i < boxes->len; i++)
    sizes[i] = (PjLayoutSize) { g_array_index (boxes, PjmBox, i).width, g_array_index (boxes, PjmBox, i).height };
  PjLayout *layout = pj_layout_new (sizes, boxes->len, (const PjLayoutLink *) (gpointer) between->data, between->len, NULL, error);
  if (layout == NULL)
    return NULL;
  PjmDrawing *self = g_new0 (PjmDrawing, 1);
  self->layout = layout;
  self->n_boxes = boxes->len;
  self->boxes = g_memdup2 (boxes->data, boxes->len * sizeof (PjmBox));
  self->inside = g_memdup2 (inside->data, inside->len * sizeof (int));
  self->folded = g_memdup2 (folded, network->blocks->len * sizeof (gboolean));
  take_layout (self, between);
  return self;
}

gboolean
pjm_network_draw (PjmNetwork *self, GError **error)
{
  g_autoptr (GArray) links = find_links (self);
  self->blocks = pjm_blocks_new (self, links);
  g_autofree gboolean *folded = g_new (gboolean, self->blocks->len + 1);
  for (guint k = 0; k < self->blocks->len; k++)
    folded[k] = self->rows->len > FOLD_ABOVE;
  self->drawing = pjm_drawing_new (self, folded, error);
  return self->drawing != NULL;
}
