/* SPDX-License-Identifier: MIT */
/* The canvas is as large as its place in the window and holds its own transform: however large the
 * network, one frame costs what is visible.
 *
 *   scroll             pans; with Shift sideways; with Ctrl zooms at the pointer
 *   drag               pans
 *   pinch              zooms between the fingers
 *   click              selects a layer, or nothing
 *   arrow keys         walk along the edges; Home, End: first and last
 *   Enter              goes to the inspector
 *
 * New masks and scores redraw and never move the view; another network starts with a fitting one. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "canvas.h"
#include "format.h"
#include "save.h"

#define MIN_SCALE 0.05
#define MAX_SCALE 3.0
#define PAN_STEP 56

struct _PjuCanvas {
  GtkWidget parent;
  PjuStudio *studio;
  PjuGraph *graph;
  PjuGraphView view;
  char *match;
  double drag_x, drag_y, pinch_scale, pointer_x, pointer_y;
  gboolean dragged, fit_pending, restored;
};

G_DEFINE_FINAL_TYPE (PjuCanvas, pju_canvas, GTK_TYPE_WIDGET)

enum { VIEW_CHANGED, ACTIVATED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
changed (PjuCanvas *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
}

/* Keeps some of the drawing in sight; a drawing smaller than the window stays whole and centred. */
static double
clamp_axis (double at, double drawing, double visible)
{
  if (drawing <= visible)
    return (drawing - visible) / 2;
  return CLAMP (at, -visible * .25, drawing - visible * .75);
}

static void
clamp_view (PjuCanvas *self)
{
  double w, h;
  pju_graph_get_size (self->graph, &w, &h);
  self->view.x = clamp_axis (self->view.x, w, self->view.width / self->view.scale);
  self->view.y = clamp_axis (self->view.y, h, self->view.height / self->view.scale);
}

static void
zoom_at (PjuCanvas *self, double scale, double x, double y)
{
  PjuGraphView *v = &self->view;
  scale = CLAMP (scale, MIN_SCALE, MAX_SCALE);
  v->x += x / v->scale - x / scale;
  v->y += y / v->scale - y / scale;
  v->scale = scale;
  clamp_view (self);
  changed (self);
}

void
pju_canvas_fit (PjuCanvas *self)
{
  PjuGraphView *v = &self->view;
  double w, h;
  pju_graph_get_size (self->graph, &w, &h);
  if (w <= 0 || h <= 0 || v->width <= 0)
    return;
  v->scale = CLAMP (MIN (v->width / w, v->height / h), MIN_SCALE, 1);
  v->x = (w - v->width / v->scale) / 2;
  v->y = (h - v->height / v->scale) / 2;
  changed (self);
}

/* The first look at a network: all of it where that can be read, else its beginning. */
static void
first_view (PjuCanvas *self)
{
  PjuGraphView *v = &self->view;
  double w, h;
  pju_graph_get_size (self->graph, &w, &h);
  if (w <= 0 || v->width <= 0)
    return;
  v->scale = CLAMP (MIN (v->width / w, v->height / h), .75, 1);
  v->x = (w - v->width / v->scale) / 2;
  v->y = 0;
  clamp_view (self);
  changed (self);
}

void
pju_canvas_zoom_by (PjuCanvas *self, double factor)
{
  zoom_at (self, self->view.scale * factor, self->view.width / 2, self->view.height / 2);
}

void
pju_canvas_zoom_to (PjuCanvas *self, double scale)
{
  zoom_at (self, scale, self->view.width / 2, self->view.height / 2);
}

double
pju_canvas_get_scale (PjuCanvas *self)
{
  return self->view.scale;
}

PjuGraph *
pju_canvas_get_graph (PjuCanvas *self)
{
  return self->graph;
}

void
pju_canvas_get_visible (PjuCanvas *self, graphene_rect_t *rect)
{
  graphene_rect_init (rect, self->view.x, self->view.y, self->view.width / self->view.scale,
                      self->view.height / self->view.scale);
}

void
pju_canvas_set_view (PjuCanvas *self, double scale, double x, double y)
{
  if (!(scale > 0) || !isfinite (x) || !isfinite (y))
    return;
  self->view.scale = CLAMP (scale, MIN_SCALE, MAX_SCALE);
  self->view.x = x;
  self->view.y = y;
  self->fit_pending = FALSE;
  self->restored = self->view.width <= 0;
  if (self->view.width > 0)
    clamp_view (self);
  changed (self);
}

void
pju_canvas_center_on (PjuCanvas *self, double x, double y)
{
  self->view.x = x - self->view.width / self->view.scale / 2;
  self->view.y = y - self->view.height / self->view.scale / 2;
  clamp_view (self);
  changed (self);
}

/* Scrolls by the least that brings the box into sight. */
static void
reveal (PjuCanvas *self, int box)
{
  PjuGraphView *v = &self->view;
  graphene_rect_t rect;
  double margin = 24 / v->scale, w = v->width / v->scale, h = v->height / v->scale;

  if (box < 0 || v->width <= 0)
    return;
  pju_graph_get_box (self->graph, box, &rect);
  if (rect.origin.x - margin < v->x)
    v->x = rect.origin.x - margin;
  else if (rect.origin.x + rect.size.width + margin > v->x + w)
    v->x = rect.origin.x + rect.size.width + margin - w;
  if (rect.origin.y - margin < v->y)
    v->y = rect.origin.y - margin;
  else if (rect.origin.y + rect.size.height + margin > v->y + h)
    v->y = rect.origin.y + rect.size.height + margin - h;
  clamp_view (self);
  changed (self);
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
  reveal (self, box);
  changed (self);
}

static void
redraw_cb (PjuCanvas *self)
{
  describe (self);
  changed (self);
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
  clamp_view (self);
  describe (self);
  changed (self);
}

static void
fold_selected (PjuCanvas *self, int box)
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
    first_view (self);
  }
  changed (self);
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
    clamp_view (self);
  } else if (first) {
    first_view (self);
  } else {
    self->view.x += dx;
    clamp_view (self);
  }
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
}

static int
box_at (PjuCanvas *self, double x, double y)
{
  return pju_graph_box_at (self->graph, self->view.x + x / self->view.scale, self->view.y + y / self->view.scale);
}

static gboolean
scroll_cb (GtkEventControllerScroll *scroll, double dx, double dy, PjuCanvas *self)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (scroll));
  if (state & GDK_CONTROL_MASK) {
    zoom_at (self, self->view.scale * pow (1.15, -dy), self->pointer_x, self->pointer_y);
    return GDK_EVENT_STOP;
  }
  if ((state & GDK_SHIFT_MASK) && dx == 0) {
    dx = dy;
    dy = 0;
  }
  self->view.x += dx * PAN_STEP / self->view.scale;
  self->view.y += dy * PAN_STEP / self->view.scale;
  clamp_view (self);
  changed (self);
  return GDK_EVENT_STOP;
}

static void
drag_begin_cb (GtkGestureDrag *drag, double x, double y, PjuCanvas *self)
{
  self->drag_x = self->view.x;
  self->drag_y = self->view.y;
  self->dragged = FALSE;
  gtk_widget_grab_focus (GTK_WIDGET (self));
}

static void
drag_update_cb (GtkGestureDrag *drag, double dx, double dy, PjuCanvas *self)
{
  /* The threshold of a click. */
  if (!self->dragged && dx * dx + dy * dy < 36)
    return;
  if (!self->dragged)
    gtk_widget_set_cursor_from_name (GTK_WIDGET (self), "grabbing");
  self->dragged = TRUE;
  self->view.x = self->drag_x - dx / self->view.scale;
  self->view.y = self->drag_y - dy / self->view.scale;
  clamp_view (self);
  changed (self);
}

static void
drag_end_cb (GtkGestureDrag *drag, double dx, double dy, PjuCanvas *self)
{
  double x, y;
  if (self->dragged) {
    gtk_widget_set_cursor (GTK_WIDGET (self), NULL);
    return;
  }
  if (!gtk_gesture_drag_get_start_point (drag, &x, &y))
    return;
  int box = box_at (self, x, y);
  pju_studio_set_layer (self->studio, pju_graph_get_layer (self->graph, box));
  fold_selected (self, box);
}

static void
pinch_begin_cb (GtkGesture *gesture, GdkEventSequence *sequence, PjuCanvas *self)
{
  self->pinch_scale = self->view.scale;
}

static void
pinch_cb (GtkGestureZoom *zoom, double scale, PjuCanvas *self)
{
  double x = self->view.width / 2, y = self->view.height / 2;
  gtk_gesture_get_bounding_box_center (GTK_GESTURE (zoom), &x, &y);
  zoom_at (self, self->pinch_scale * scale, x, y);
}

static void
motion_cb (GtkEventControllerMotion *motion, double x, double y, PjuCanvas *self)
{
  int box = box_at (self, x, y);
  self->pointer_x = x;
  self->pointer_y = y;
  if (box != self->view.hover) {
    self->view.hover = box;
    gtk_widget_queue_draw (GTK_WIDGET (self));
  }
}

static void
leave_cb (GtkEventControllerMotion *motion, PjuCanvas *self)
{
  self->view.hover = -1;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
focus_cb (PjuCanvas *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static gboolean
tooltip_cb (PjuCanvas *self, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  PjmLayer *layer = pju_graph_get_layer (self->graph, keyboard ? self->view.selected : box_at (self, x, y));
  if (!layer)
    return FALSE;
  g_autofree char *kind = pju_get_string (layer, "kind");
  g_autofree char *shape = pju_get_string (layer, "shape");
  g_autofree char *reason = pju_get_string (layer, "lock-reason");
  g_autofree char *macs = pju_format_count (pju_get_uint64 (layer, "macs"));
  g_autofree char *after = pju_format_count (pju_get_uint64 (layer, "macs-after"));
  PjuTintRange range;
  pju_graph_get_range (self->graph, self->view.tint, &range);
  g_autofree char *value = pju_tint_text (&range, layer);
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "%s\n%s\n", pjm_layer_get_name (layer), kind);
  g_string_append_printf (text, _("Output %s"), shape);
  if (pju_get_uint64 (layer, "macs") > 0) {
    g_string_append_c (text, '\n');
    g_string_append_printf (text, _("%s → %s multiply-accumulates"), macs, after);
  }
  if (value)
    g_string_append_printf (text, "\n%s: %s", pju_tint_title (range.tint), value);
  if (reason)
    g_string_append_printf (text, "\n%s", reason);
  gtk_tooltip_set_text (tooltip, text->str);
  g_string_free (text, TRUE);
  return TRUE;
}

static gboolean
walk (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  PjuCanvas *self = PJU_CANVAS (widget);
  int dx, dy, next, n = pju_graph_n_boxes (self->graph);

  g_variant_get (arguments, "(ii)", &dx, &dy);
  if (n == 0)
    return GDK_EVENT_PROPAGATE;
  if (ABS (dy) > 1)
    next = dy < 0 ? 0 : n - 1;
  else if (self->view.selected < 0)
    next = 0;
  else
    next = pju_graph_neighbour (self->graph, self->view.selected, dx, dy);
  if (next >= 0)
    pju_studio_set_layer (self->studio, pju_graph_get_layer (self->graph, next));
  return GDK_EVENT_STOP;
}

static gboolean
activate (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  PjuCanvas *self = PJU_CANVAS (widget);
  if (pju_graph_get_folded (self->graph, self->view.selected) >= 0)
    fold_selected (self, self->view.selected);
  else
    g_signal_emit (widget, signals[ACTIVATED], 0);
  return GDK_EVENT_STOP;
}

/* BackSpace folds the block of the selected layer again. */
static gboolean
fold (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  PjuCanvas *self = PJU_CANVAS (widget);
  int block = pju_graph_get_block (self->graph, self->view.selected);
  if (block < 0)
    return GDK_EVENT_PROPAGATE;
  pjm_project_fold (pju_studio_get_project (self->studio), block, TRUE);
  return GDK_EVENT_STOP;
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
  changed (self);
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
  pju_picture_save (self->studio, GTK_WIDGET (self), name, pju_graph_paint_paper, copy, free_graph,
                    MAX (w, PJU_LEGEND_WIDTH), h + PJU_LEGEND_HEIGHT + 8);
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
  g_clear_pointer (&self->graph, pju_graph_free);
  g_clear_pointer (&self->match, g_free);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_canvas_parent_class)->dispose (object);
}

static void
add_bindings (GtkWidgetClass *klass)
{
  gtk_widget_class_add_binding (klass, GDK_KEY_Up, 0, walk, "(ii)", 0, -1);
  gtk_widget_class_add_binding (klass, GDK_KEY_Down, 0, walk, "(ii)", 0, 1);
  gtk_widget_class_add_binding (klass, GDK_KEY_Left, 0, walk, "(ii)", -1, 0);
  gtk_widget_class_add_binding (klass, GDK_KEY_Right, 0, walk, "(ii)", 1, 0);
  gtk_widget_class_add_binding (klass, GDK_KEY_Home, 0, walk, "(ii)", 0, -9);
  gtk_widget_class_add_binding (klass, GDK_KEY_End, 0, walk, "(ii)", 0, 9);
  gtk_widget_class_add_binding (klass, GDK_KEY_Return, 0, activate, NULL);
  gtk_widget_class_add_binding (klass, GDK_KEY_BackSpace, 0, fold, NULL);
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
  add_bindings (widget_class);
  signals[VIEW_CHANGED] = g_signal_new ("view-changed", PJU_TYPE_CANVAS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 0);
  signals[ACTIVATED] = g_signal_new ("activated", PJU_TYPE_CANVAS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 0);
}

static void
add_gestures (PjuCanvas *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *focus = gtk_event_controller_focus_new ();
  GtkGesture *drag = gtk_gesture_drag_new (), *pinch = gtk_gesture_zoom_new ();

  g_signal_connect (scroll, "scroll", G_CALLBACK (scroll_cb), self);
  gtk_widget_add_controller (widget, scroll);
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (widget, motion);
  g_signal_connect_swapped (focus, "enter", G_CALLBACK (focus_cb), self);
  g_signal_connect_swapped (focus, "leave", G_CALLBACK (focus_cb), self);
  gtk_widget_add_controller (widget, focus);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  g_signal_connect (drag, "drag-end", G_CALLBACK (drag_end_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  g_signal_connect (pinch, "begin", G_CALLBACK (pinch_begin_cb), self);
  g_signal_connect (pinch, "scale-changed", G_CALLBACK (pinch_cb), self);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (pinch));
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
  g_signal_connect (self, "query-tooltip", G_CALLBACK (tooltip_cb), NULL);
  add_gestures (self);
}
