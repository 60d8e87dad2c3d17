/* SPDX-License-Identifier: MIT */
/* The canvas is as large as its place in the window and holds its own transform: however large the
 * network, one frame costs what is visible.  New masks and scores redraw and never move the view; another network starts
 * with a fitting one. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "canvas-private.h"
#include "layers-page.h"
#include "save.h"

G_DEFINE_FINAL_TYPE (PjuCanvas, pju_canvas, GTK_TYPE_WIDGET)

enum { VIEW_CHANGED, ACTIVATED, N_SIGNALS };
static guint signals[N_SIGNALS];

void
pju_canvas_changed (PjuCanvas *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
}

void
pju_canvas_activated (PjuCanvas *self)
{
  g_signal_emit (self, signals[ACTIVATED], 0);
}

PjuGraph *
pju_canvas_get_graph (PjuCanvas *self)
{
  return self->graph;
}

/* A canvas has no children to speak for the layers: it says the selected one itself. */
static void
describe (PjuCanvas *self)
{
  PjmLayer *layer = pju_graph_get_layer (self->graph, self->view.selected);
  g_autofree char *text = NULL;

  if (layer && pju_graph_get_folded (self->graph, self->view.selected) >= 0) {
    text = g_strdup_printf (_("block %s, folded; Enter unfolds it"),
                            pjm_project_get_block_name (pju_studio_get_project (self->studio),
                                                        pju_graph_get_folded (self->graph, self->view.selected)));
  } else if (layer) {
    g_autofree char *kind = pju_get_string (layer, "kind");
    g_autofree char *ties = pju_get_string (layer, "ties");
    guint channels = pjm_layer_get_channels (layer);
    g_autofree char *count = channels ? g_strdup_printf (_("%u of %u channels kept"), pjm_layer_get_kept (layer), channels)
                                      : g_strdup (_("nothing to prune"));
    text = g_strdup_printf ("%s, %s, %s. %s", pjm_layer_get_name (layer), kind, count, ties ? ties : "");
  } else {
    text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u operator, none selected", "%u operators, none selected",
                                         pju_graph_n_boxes (self->graph)), pju_graph_n_boxes (self->graph));
  }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Network graph"),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
}

static void
layer_changed_cb (PjuCanvas *self)
{
  int box = pju_graph_find (self->graph, pju_studio_get_layer (self->studio));
  if (box == self->view.selected && pju_graph_get_folded (self->graph, box) < 0)
    return;
  self->view.selected = box;
  describe (self);
  pju_canvas_reveal (self, box);
  pju_canvas_changed (self);
}

static gboolean
redraw_idle (gpointer data)
{
  PjuCanvas *self = data;
  self->redraw = 0;
  describe (self);
  pju_canvas_changed (self);
  return G_SOURCE_REMOVE;
}

/* One edit changes many layers: they are drawn once. */
static void
redraw_cb (PjuCanvas *self)
{
  if (self->redraw == 0)
    self->redraw = g_idle_add_full (G_PRIORITY_HIGH_IDLE, redraw_idle, self, NULL);
}

static void
watch_layers (PjuCanvas *self)
{
  GListModel *layers = pjm_project_get_layers (pju_studio_get_project (self->studio));
  for (guint i = 0; i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    g_signal_handlers_disconnect_by_func (layer, redraw_cb, self);
    g_signal_connect_object (layer, "notify::kept", G_CALLBACK (redraw_cb), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (layer, "notify::importance", G_CALLBACK (redraw_cb), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (layer, "notify::sensitivity", G_CALLBACK (redraw_cb), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (layer, "notify::milliseconds", G_CALLBACK (redraw_cb), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (layer, "notify::macs-after", G_CALLBACK (redraw_cb), self, G_CONNECT_SWAPPED);
  }
}

/* The same layers in other boxes: the selected one, or the middle of the view, stays where it is. */
static void
drawing_changed_cb (PjuCanvas *self)
{
  PjmLayer *layer = pju_studio_get_layer (self->studio), *anchor = layer;
  graphene_rect_t before, after;
  int box = pju_graph_find (self->graph, layer);
  if (box < 0) {
    box = pju_graph_nearest (self->graph, self->view.x + self->view.width / self->view.scale / 2,
                             self->view.y + self->view.height / self->view.scale / 2);
    anchor = pju_graph_get_layer (self->graph, box);
  }
  g_autoptr (PjuGraph) old = g_steal_pointer (&self->graph);
  self->graph = pju_graph_new (pju_studio_get_project (self->studio));
  int now = pju_graph_find (self->graph, anchor);
  if (box >= 0 && now >= 0) {
    pju_graph_get_box (old, box, &before);
    pju_graph_get_box (self->graph, now, &after);
    self->view.x += after.origin.x - before.origin.x;
    self->view.y += after.origin.y - before.origin.y;
  }
  self->view.hover = -1;
  self->view.selected = pju_graph_find (self->graph, layer);
  pju_canvas_clamp (self);
  describe (self);
  pju_canvas_changed (self);
}

void
pju_canvas_unfold (PjuCanvas *self, int box)
{
  int block = pju_graph_get_folded (self->graph, box);
  if (block >= 0)
    pjm_project_fold (pju_studio_get_project (self->studio), block, FALSE);
}

static void
graph_changed_cb (PjuCanvas *self)
{
  PjmLayer *layer = pju_studio_get_layer (self->studio);
  guint before = pju_graph_n_boxes (self->graph);
  double w0, h0, w1, h1;
  pju_graph_get_size (self->graph, &w0, &h0);
  g_clear_pointer (&self->graph, pju_graph_free);
  self->graph = pju_graph_new (pju_studio_get_project (self->studio));
  pju_graph_get_size (self->graph, &w1, &h1);
  self->view.hover = -1;
  self->view.selected = pju_graph_find (self->graph, layer);
  watch_layers (self);
  describe (self);
  /* A cut leaves the drawing as it was, and so the view. */
  if (before != pju_graph_n_boxes (self->graph) || w0 != w1 || h0 != h1) {
    self->fit_pending = self->view.width <= 0;
    pju_canvas_first_view (self);
  }
  pju_canvas_changed (self);
}

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  PjuCanvas *self = PJU_CANVAS (widget);
  int w = gtk_widget_get_width (widget), h = gtk_widget_get_height (widget);
  PjuPalette palette;

  pju_palette_from_widget (&palette, widget);
  gtk_snapshot_push_clip (snapshot, &GRAPHENE_RECT_INIT (0, 0, w, h));
  gtk_snapshot_append_color (snapshot, &palette.canvas, &GRAPHENE_RECT_INIT (0, 0, w, h));
  self->view.focused = gtk_widget_has_focus (widget);
  self->view.match = self->match;
  self->view.layer = pju_studio_get_layer (self->studio);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, w, h));
  pju_graph_paint (self->graph, cr, &self->view, &palette);
  cairo_destroy (cr);
  gtk_snapshot_pop (snapshot);
}

static void
size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  PjuCanvas *self = PJU_CANVAS (widget);
  gboolean first = self->view.width <= 0 || self->fit_pending;
  double dx = (self->view.width - width) / self->view.scale / 2;

  self->view.width = width;
  self->view.height = height;
  self->fit_pending = FALSE;
  if (first && self->restored) {
    self->restored = FALSE;
    pju_canvas_clamp (self);
  } else if (first) {
    pju_canvas_first_view (self);
  } else {
    self->view.x += dx;
    pju_canvas_clamp (self);
  }
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
}

void
pju_canvas_set_match (PjuCanvas *self, const char *text)
{
  g_free (self->match);
  self->match = g_strdup (text);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

gboolean
pju_canvas_find (PjuCanvas *self, gboolean backwards)
{
  int box = self->match ? pju_graph_search (self->graph, self->view.selected, self->match, backwards) : -1;
  if (box >= 0)
    pju_studio_set_layer (self->studio, pju_graph_get_layer (self->graph, box));
  return box >= 0;
}

static void
free_graph (gpointer graph)
{
  pju_graph_free (graph);
}

void
pju_canvas_set_tint (PjuCanvas *self, PjuTint tint)
{
  self->view.tint = tint;
  pju_canvas_changed (self);
}

PjuTint
pju_canvas_get_tint (PjuCanvas *self)
{
  return self->view.tint;
}

void
pju_canvas_save (PjuCanvas *self, const char *name)
{
  double w, h;
  pju_graph_get_size (self->graph, &w, &h);
  if (w <= 0)
    return;
  PjuGraph *copy = pju_graph_new (pju_studio_get_project (self->studio));
  pju_graph_set_paper_tint (copy, self->view.tint);
  /* As a table it is the layers. */
  pju_plot_save (self->studio, GTK_WIDGET (self), name, pju_graph_paint_paper, copy, free_graph, MAX (w, PJU_LEGEND_WIDTH),
                 h + PJU_LEGEND_HEIGHT + 8, pju_layers_to_csv (pju_studio_get_project (self->studio)));
}

void
pju_canvas_set_studio (PjuCanvas *self, PjuStudio *studio)
{
  self->studio = g_object_ref (studio);
  g_signal_connect_object (studio, "notify::layer", G_CALLBACK (layer_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (pju_studio_get_project (studio), "graph-changed", G_CALLBACK (graph_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (pju_studio_get_project (studio), "drawing-changed", G_CALLBACK (drawing_changed_cb), self,
                           G_CONNECT_SWAPPED);
  graph_changed_cb (self);
}

static void
dispose (GObject *object)
{
  PjuCanvas *self = PJU_CANVAS (object);
  g_clear_handle_id (&self->redraw, g_source_remove);
  g_clear_pointer (&self->graph, pju_graph_free);
  g_clear_pointer (&self->match, g_free);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_canvas_parent_class)->dispose (object);
}

static void
pju_canvas_class_init (PjuCanvasClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  widget_class->snapshot = snapshot;
  widget_class->size_allocate = size_allocate;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "canvas");
  pju_canvas_add_bindings (widget_class);
  signals[VIEW_CHANGED] = g_signal_new ("view-changed", PJU_TYPE_CANVAS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 0);
  signals[ACTIVATED] = g_signal_new ("activated", PJU_TYPE_CANVAS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 0);
}

static void
pju_canvas_init (PjuCanvas *self)
{
  self->view = (PjuGraphView) { .scale = 1, .selected = -1, .hover = -1 };
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_vexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_size_request (GTK_WIDGET (self), 240, 200);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  pju_canvas_add_gestures (self);
}
