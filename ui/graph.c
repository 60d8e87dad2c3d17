/* SPDX-License-Identifier: MIT */
/* Geometry and texts of the drawn network, and finding one's way in it.  The positions come laid out from
 * the model and never move while a person looks; only what stands in the boxes changes. */
#include <math.h>

#include "graph-private.h"

static void
node_clear (gpointer data)
{
  PjuNode *node = data;
  g_clear_object (&node->layer);
  g_clear_object (&node->title);
  g_clear_object (&node->detail);
  g_clear_pointer (&node->key, g_free);
  g_clear_pointer (&node->name, g_free);
  g_clear_pointer (&node->inside, g_ptr_array_unref);
}

static void
take_block (PjuNode *node, const PjmBox *box, PjmProject *project)
{
  GListModel *layers = pjm_project_get_layers (project);
  node->name = g_strdup (pjm_project_get_block_name (project, box->block));
  node->inside = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < box->n_inside; i++) {
    PjmLayer *layer = g_list_model_get_item (layers, (guint) box->inside[i]);
    if (!layer)
      continue;
    g_ptr_array_add (node->inside, layer);
    if (!node->layer && pjm_layer_get_channels (layer) > 0)
      node->layer = g_object_ref (layer);
  }
  if (!node->layer && node->inside->len > 0)
    node->layer = g_object_ref (node->inside->pdata[0]);
}

PjuGraph *
pju_graph_new (PjmProject *project)
{
  PjuGraph *self = g_new0 (PjuGraph, 1);
  GListModel *layers = pjm_project_get_layers (project);
  guint n_boxes, n_edges, n_layers = g_list_model_get_n_items (layers);
  const PjmBox *boxes = pjm_project_get_boxes (project, &n_boxes, &self->width, &self->height);
  const PjmEdge *edges = pjm_project_get_edges (project, &n_edges);

  self->nodes = g_array_new (FALSE, TRUE, sizeof (PjuNode));
  g_array_set_clear_func (self->nodes, node_clear);
  for (guint i = 0; i < n_boxes; i++) {
    PjuNode node = { .x = boxes[i].x, .y = boxes[i].y, .w = boxes[i].width, .h = boxes[i].height };
    node.block = boxes[i].block;
    if (boxes[i].folded)
      take_block (&node, &boxes[i], project);
    else if (boxes[i].layer >= 0 && (guint) boxes[i].layer < n_layers)
      node.layer = g_list_model_get_item (layers, boxes[i].layer);
    g_array_append_val (self->nodes, node);
  }
  self->links = g_array_new (FALSE, FALSE, sizeof (PjuLink));
  self->points = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < n_edges; i++) {
    PjuLink link = { edges[i].from, edges[i].to, edges[i].n_points, self->points->len };
    if (link.from < 0 || link.to < 0 || (guint) link.from >= n_boxes || (guint) link.to >= n_boxes)
      continue;
    g_array_append_vals (self->points, edges[i].points, 2 * edges[i].n_points);
    g_array_append_val (self->links, link);
  }
  return self;
}

void
pju_graph_free (PjuGraph *self)
{
  if (!self)
    return;
  g_array_unref (self->nodes);
  g_array_unref (self->links);
  g_array_unref (self->points);
  g_free (self);
}

guint
pju_graph_n_boxes (PjuGraph *self)
{
  return self ? self->nodes->len : 0;
}

void
pju_graph_get_size (PjuGraph *self, double *width, double *height)
{
  *width = self ? self->width : 0;
  *height = self ? self->height : 0;
}

PjmLayer *
pju_graph_get_layer (PjuGraph *self, int box)
{
  return self && box >= 0 && (guint) box < self->nodes->len ? pju_node (self, box)->layer : NULL;
}

void
pju_graph_get_box (PjuGraph *self, int box, graphene_rect_t *rect)
{
  PjuNode *node = pju_node (self, box);
  graphene_rect_init (rect, node->x, node->y, node->w, node->h);
}

int
pju_graph_find (PjuGraph *self, PjmLayer *layer)
{
  for (guint i = 0; self && layer && i < self->nodes->len; i++) {
    PjuNode *node = pju_node (self, i);
    guint at;
    if (node->layer == layer || (node->inside && g_ptr_array_find (node->inside, layer, &at)))
      return i;
  }
  return -1;
}

int
pju_graph_get_folded (PjuGraph *self, int box)
{
  return self && box >= 0 && (guint) box < self->nodes->len && pju_node (self, box)->inside ? pju_node (self, box)->block : -1;
}

int
pju_graph_get_block (PjuGraph *self, int box)
{
  return self && box >= 0 && (guint) box < self->nodes->len ? pju_node (self, box)->block : -1;
}

int
pju_graph_box_at (PjuGraph *self, double x, double y)
{
  for (guint i = 0; self && i < self->nodes->len; i++) {
    PjuNode *node = pju_node (self, i);
    if (x >= node->x && x < node->x + node->w && y >= node->y && y < node->y + node->h)
      return i;
  }
  return -1;
}

int
pju_graph_nearest (PjuGraph *self, double x, double y)
{
  int best = -1;
  double best_distance = INFINITY;
  for (guint i = 0; self && i < self->nodes->len; i++) {
    PjuNode *node = pju_node (self, i);
    double distance = hypot (node->x + node->w / 2 - x, node->y + node->h / 2 - y);
    if (distance < best_distance) {
      best_distance = distance;
      best = (int) i;
    }
  }
  return best;
}

/* Down and up follow the edges, the straightest first; left and right go to the nearest box beside. */
int
pju_graph_neighbour (PjuGraph *self, int box, int dx, int dy)
{
  int best = -1;
  double best_cost = INFINITY;

  if (!self || box < 0 || (guint) box >= self->nodes->len)
    return -1;
  PjuNode *from = pju_node (self, box);
  double cx = from->x + from->w / 2, cy = from->y + from->h / 2;
  if (dy != 0) {
    for (guint i = 0; i < self->links->len; i++) {
      PjuLink *link = &g_array_index (self->links, PjuLink, i);
      int other = dy > 0 && link->from == box ? link->to : dy < 0 && link->to == box ? link->from : -1;
      if (other < 0)
        continue;
      PjuNode *node = pju_node (self, other);
      double cost = fabs (node->x + node->w / 2 - cx) + 0.01 * fabs (node->y + node->h / 2 - cy);
      if (cost < best_cost) {
        best_cost = cost;
        best = other;
      }
    }
    return best;
  }
  for (guint i = 0; i < self->nodes->len; i++) {
    PjuNode *node = pju_node (self, i);
    double away = (node->x + node->w / 2 - cx) * dx, off = fabs (node->y + node->h / 2 - cy);
    if ((int) i != box && away > 1 && off < from->h * 2 && away + 3 * off < best_cost) {
      best_cost = away + 3 * off;
      best = i;
    }
  }
  return best;
}

gboolean
pju_node_matches (PjuNode *node, const char *folded)
{
  if (!node->layer)
    return FALSE;
  if (!node->key) {
    g_autoptr (GString) text = g_string_new (node->name ? node->name : "");
    for (guint i = 0; i < (node->inside ? node->inside->len : 1); i++) {
      PjmLayer *layer = node->inside ? node->inside->pdata[i] : node->layer;
      g_autofree char *kind = pju_get_string (layer, "kind");
      g_string_append_printf (text, " %s %s", pjm_layer_get_name (layer), kind);
    }
    node->key = g_utf8_casefold (text->str, -1);
  }
  return strstr (node->key, folded) != NULL;
}

int
pju_graph_search (PjuGraph *self, int box, const char *text, gboolean backwards)
{
  g_autofree char *folded = g_utf8_casefold (text, -1);
  int n = pju_graph_n_boxes (self);

  for (int step = 1; step <= n && *folded; step++) {
    int i = ((box + (backwards ? -step : step)) % n + n) % n;
    if (pju_node_matches (pju_node (self, i), folded))
      return i;
  }
  return -1;
}

void
pju_graph_forget_texts (PjuGraph *self)
{
  for (guint i = 0; self && i < self->nodes->len; i++) {
    PjuNode *node = pju_node (self, i);
    g_clear_object (&node->title);
    g_clear_object (&node->detail);
  }
}
