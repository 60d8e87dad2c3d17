/* SPDX-License-Identifier: MIT */
/* Drawn by the graph's painter at a scale at which it leaves texts away: a heat strip of the network.  It
 * hides itself while the canvas shows everything anyway. */
#include <glib/gi18n-lib.h>

#include "minimap.h"

#define WIDTH 96
#define MAX_HEIGHT 260

struct _PjuMinimap {
  GtkWidget parent;
  PjuCanvas *canvas;               /* weak: both are children of one page */
  double width, height;            /* of the network, when its own size was asked for last */
};

G_DEFINE_FINAL_TYPE (PjuMinimap, pju_minimap, GTK_TYPE_WIDGET)

static double
scale_of (PjuMinimap *self, double *width, double *height)
{
  double w, h;
  pju_graph_get_size (pju_canvas_get_graph (self->canvas), &w, &h);
  double scale = w > 0 && h > 0 ? MIN ((WIDTH - 12) / w, (MAX_HEIGHT - 12) / h) : 1;
  *width = w * scale;
  *height = h * scale;
  return scale;
}

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  PjuMinimap *self = PJU_MINIMAP (widget);
  int w = gtk_widget_get_width (widget), h = gtk_widget_get_height (widget);
  double gw, gh;
  graphene_rect_t visible;
  PjuPalette palette;

  if (!self->canvas)
    return;
  double scale = scale_of (self, &gw, &gh), left = (w - gw) / 2, top = (h - gh) / 2;
  PjuGraphView view = { .scale = scale, .x = -left / scale, .y = -top / scale, .width = w, .height = h,
                        .selected = -1, .hover = -1, .tint = pju_canvas_get_tint (self->canvas) };
  pju_palette_from_widget (&palette, widget);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, w, h));
  pju_graph_paint (pju_canvas_get_graph (self->canvas), cr, &view, &palette);
  pju_canvas_get_visible (self->canvas, &visible);
  double x0 = CLAMP (left + visible.origin.x * scale, 1, w - 1), y0 = CLAMP (top + visible.origin.y * scale, 1, h - 1);
  double x1 = CLAMP (left + (visible.origin.x + visible.size.width) * scale, 1, w - 1);
  double y1 = CLAMP (top + (visible.origin.y + visible.size.height) * scale, 1, h - 1);
  pju_round_rect (cr, x0, y0, x1 - x0, y1 - y0, 4);
  pju_set_color (cr, &palette.accent, .14);
  cairo_fill_preserve (cr);
  pju_set_color (cr, &palette.accent, 1);
  cairo_set_line_width (cr, 1.5);
  cairo_stroke (cr);
  cairo_destroy (cr);
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
         int *minimum_baseline, int *natural_baseline)
{
  PjuMinimap *self = PJU_MINIMAP (widget);
  double w = WIDTH, h = 60;
  if (self->canvas)
    scale_of (self, &w, &h);
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? WIDTH : (int) h + 12;
}

static void
view_changed_cb (PjuMinimap *self)
{
  graphene_rect_t visible;
  double w, h;
  pju_canvas_get_visible (self->canvas, &visible);
  pju_graph_get_size (pju_canvas_get_graph (self->canvas), &w, &h);
  gboolean whole = visible.size.width >= w && visible.size.height >= h;
  gtk_widget_set_opacity (GTK_WIDGET (self), whole ? 0 : 1);
  gtk_widget_set_can_target (GTK_WIDGET (self), !whole);
  /* Its size is the network's, not that of the view. */
  if (w != self->width || h != self->height)
    gtk_widget_queue_resize (GTK_WIDGET (self));
  self->width = w;
  self->height = h;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
go (PjuMinimap *self, double x, double y)
{
  double gw, gh, scale = scale_of (self, &gw, &gh);
  double left = (gtk_widget_get_width (GTK_WIDGET (self)) - gw) / 2;
  double top = (gtk_widget_get_height (GTK_WIDGET (self)) - gh) / 2;
  pju_canvas_center_on (self->canvas, (x - left) / scale, (y - top) / scale);
}

static void
drag_begin_cb (GtkGestureDrag *drag, double x, double y, PjuMinimap *self)
{
  go (self, x, y);
}

static void
drag_update_cb (GtkGestureDrag *drag, double dx, double dy, PjuMinimap *self)
{
  double x, y;
  if (gtk_gesture_drag_get_start_point (drag, &x, &y))
    go (self, x + dx, y + dy);
}

void
pju_minimap_set_canvas (PjuMinimap *self, PjuCanvas *canvas)
{
  g_set_weak_pointer (&self->canvas, canvas);
  g_signal_connect_object (canvas, "view-changed", G_CALLBACK (view_changed_cb), self, G_CONNECT_SWAPPED);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Overview of the network"), -1);
}

static void
dispose (GObject *object)
{
  g_clear_weak_pointer (&PJU_MINIMAP (object)->canvas);
  G_OBJECT_CLASS (pju_minimap_parent_class)->dispose (object);
}

static void
pju_minimap_class_init (PjuMinimapClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "minimap");
}

static void
pju_minimap_init (PjuMinimap *self)
{
  GtkGesture *drag = gtk_gesture_drag_new ();
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (drag_update_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
}
