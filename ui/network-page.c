/* SPDX-License-Identifier: MIT */
/* Puts canvas, overview, legend and search over each other, and the inspector at the right. */
#include <glib/gi18n-lib.h>

#include "inspector.h"
#include "minimap.h"
#include "network-page.h"

struct _PjuNetworkPage {
  GtkWidget parent;
  GtkWidget *paned, *canvas, *search, *search_entry, *tint, *legend, *minimap, *zoom_button, *inspector;
  PjuStudio *studio;
};

G_DEFINE_FINAL_TYPE (PjuNetworkPage, pju_network_page, GTK_TYPE_WIDGET)

enum { VIEW_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
draw_legend (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  PjuNetworkPage *self = data;
  PjuCanvas *canvas = PJU_CANVAS (self->canvas);
  PjuTintRange range;
  PjuPalette palette;

  pju_graph_get_range (pju_canvas_get_graph (canvas), pju_canvas_get_tint (canvas), &range);
  pju_palette_from_widget (&palette, GTK_WIDGET (area));
  pju_legend_paint (cr, width, &range, FALSE, &palette);
}

static void
tint_selected_cb (PjuNetworkPage *self)
{
  guint i = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->tint));
  if (!self->studio || i >= PJU_N_TINTS)
    return;
  pju_canvas_set_tint (PJU_CANVAS (self->canvas), (PjuTint) i);
  pju_set_tooltip (self->tint, pju_tint_about ((PjuTint) i));
  g_autofree char *text = g_strdup_printf (_("Legend: colour is %s; solid bars are kept, hatched bars are cut"),
                                           pju_tint_title ((PjuTint) i));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->legend), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
}

void
pju_network_page_set_tint (PjuNetworkPage *self, PjuTint tint)
{
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->tint), tint);
}

static void
fill_tints (PjuNetworkPage *self)
{
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  for (guint i = 0; i < PJU_N_TINTS; i++)
    gtk_string_list_append (titles, pju_tint_title ((PjuTint) i));
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->tint), G_LIST_MODEL (titles));
  pju_set_label (self->tint, _("Colour of the layers"));
}

static void
activated_cb (PjuNetworkPage *self)
{
  pju_inspector_focus_ratio (PJU_INSPECTOR (self->inspector));
}

static void
view_changed_cb (PjuNetworkPage *self)
{
  g_autofree char *text = g_strdup_printf ("%.0f\u202f%%", pju_canvas_get_scale (PJU_CANVAS (self->canvas)) * 100);
  gtk_button_set_label (GTK_BUTTON (self->zoom_button), text);
  gtk_widget_queue_draw (self->legend);
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
}

gboolean
pju_network_page_get_view (PjuNetworkPage *self, double *scale, double *x, double *y)
{
  graphene_rect_t visible;
  pju_canvas_get_visible (PJU_CANVAS (self->canvas), &visible);
  *scale = pju_canvas_get_scale (PJU_CANVAS (self->canvas));
  *x = visible.origin.x;
  *y = visible.origin.y;
  return visible.size.width > 0;
}

void
pju_network_page_set_view (PjuNetworkPage *self, double scale, double x, double y)
{
  pju_canvas_set_view (PJU_CANVAS (self->canvas), scale, x, y);
}

PjuTint
pju_network_page_get_tint (PjuNetworkPage *self)
{
  return pju_canvas_get_tint (PJU_CANVAS (self->canvas));
}

static void
search_changed_cb (PjuNetworkPage *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search_entry));
  pju_canvas_set_match (PJU_CANVAS (self->canvas), text);
  gtk_widget_remove_css_class (self->search_entry, "error");
}

static void
find (PjuNetworkPage *self, gboolean backwards)
{
  search_changed_cb (self);
  if (!pju_canvas_find (PJU_CANVAS (self->canvas), backwards))
    gtk_widget_add_css_class (self->search_entry, "error");
}

static void
find_next_cb (PjuNetworkPage *self)
{
  find (self, FALSE);
}

static void
find_previous_cb (PjuNetworkPage *self)
{
  find (self, TRUE);
}

static void
stop_search_cb (PjuNetworkPage *self)
{
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->search), FALSE);
  pju_canvas_set_match (PJU_CANVAS (self->canvas), NULL);
  gtk_widget_grab_focus (self->canvas);
}

void
pju_network_page_find (PjuNetworkPage *self)
{
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->search), TRUE);
  gtk_widget_grab_focus (self->search_entry);
  search_changed_cb (self);
}

void
pju_network_page_zoom (PjuNetworkPage *self, PjuZoom zoom)
{
  PjuCanvas *canvas = PJU_CANVAS (self->canvas);
  if (zoom == PJU_ZOOM_IN)
    pju_canvas_zoom_by (canvas, 1.25);
  else if (zoom == PJU_ZOOM_OUT)
    pju_canvas_zoom_by (canvas, 1 / 1.25);
  else if (zoom == PJU_ZOOM_NORMAL)
    pju_canvas_zoom_to (canvas, 1);
  else
    pju_canvas_fit (canvas);
}

void
pju_network_page_save (PjuNetworkPage *self)
{
  g_autofree char *network = pju_get_string (pju_studio_get_project (self->studio), "name");
  g_autofree char *name = g_strdup_printf ("%s.svg", network ? network : "network");
  g_strdelimit (name, "/\\:", '-');
  pju_canvas_save (PJU_CANVAS (self->canvas), name);
}

void
pju_network_page_set_inspector (PjuNetworkPage *self, gboolean visible)
{
  gtk_widget_set_visible (self->inspector, visible);
}

void
pju_network_page_set_studio (PjuNetworkPage *self, PjuStudio *studio)
{
  self->studio = g_object_ref (studio);
  pju_canvas_set_studio (PJU_CANVAS (self->canvas), studio);
  pju_minimap_set_canvas (PJU_MINIMAP (self->minimap), PJU_CANVAS (self->canvas));
  pju_inspector_set_studio (PJU_INSPECTOR (self->inspector), studio);
  tint_selected_cb (self);
}

static void
dispose (GObject *object)
{
  PjuNetworkPage *self = PJU_NETWORK_PAGE (object);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->paned, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_network_page_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuNetworkPage, name)
#define CALLBACK(name) gtk_widget_class_bind_template_callback (widget_class, name)

static void
pju_network_page_class_init (PjuNetworkPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  g_type_ensure (PJU_TYPE_CANVAS);
  g_type_ensure (PJU_TYPE_MINIMAP);
  g_type_ensure (PJU_TYPE_INSPECTOR);
  signals[VIEW_CHANGED] = g_signal_new ("view-changed", PJU_TYPE_NETWORK_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/network-page.ui");
  CHILD (paned); CHILD (canvas); CHILD (search); CHILD (search_entry); CHILD (tint); CHILD (legend); CHILD (minimap);
  CHILD (zoom_button); CHILD (inspector);
  CALLBACK (activated_cb); CALLBACK (view_changed_cb); CALLBACK (search_changed_cb); CALLBACK (find_next_cb);
  CALLBACK (find_previous_cb); CALLBACK (stop_search_cb); CALLBACK (tint_selected_cb);
}

static void
pju_network_page_init (PjuNetworkPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->legend), draw_legend, self, NULL);
  gtk_drawing_area_set_content_width (GTK_DRAWING_AREA (self->legend), PJU_LEGEND_WIDTH);
  gtk_drawing_area_set_content_height (GTK_DRAWING_AREA (self->legend), PJU_LEGEND_HEIGHT);
  fill_tints (self);
  gtk_search_entry_set_key_capture_widget (GTK_SEARCH_ENTRY (self->search_entry), NULL);
}
