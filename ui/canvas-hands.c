/* SPDX-License-Identifier: MIT */
/* Pointer, touch and keys on the canvas.
 *
 *   scroll             pans; with Shift sideways; with Ctrl zooms at the pointer
 *   drag               pans
 *   pinch              zooms between the fingers
 *   click              selects a layer, or nothing
 *   arrow keys         walk along the edges; Home, End: first and last
 *   Enter              goes to the inspector */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "canvas-private.h"
#include "format.h"

#define PAN_STEP 56

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
    pju_canvas_zoom_at (self, self->view.scale * pow (1.15, -dy), self->pointer_x, self->pointer_y);
    return GDK_EVENT_STOP;
  }
  if ((state & GDK_SHIFT_MASK) && dx == 0) {
    dx = dy;
    dy = 0;
  }
  self->view.x += dx * PAN_STEP / self->view.scale;
  self->view.y += dy * PAN_STEP / self->view.scale;
  pju_canvas_clamp (self);
  pju_canvas_changed (self);
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
  pju_canvas_clamp (self);
  pju_canvas_changed (self);
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
  pju_canvas_unfold (self, box);
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
  if (gtk_gesture_is_active (GTK_GESTURE (zoom)))
    gtk_gesture_get_bounding_box_center (GTK_GESTURE (zoom), &x, &y);
  pju_canvas_zoom_at (self, self->pinch_scale * scale, x, y);
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
    pju_canvas_unfold (self, self->view.selected);
  else
    pju_canvas_activated (self);
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
pju_canvas_add_bindings (GtkWidgetClass *klass)
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

void
pju_canvas_add_gestures (PjuCanvas *self)
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
  g_signal_connect (self, "query-tooltip", G_CALLBACK (tooltip_cb), NULL);
}
