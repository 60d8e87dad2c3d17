/* SPDX-License-Identifier: MIT */
/* Five drawings of what the model found when it looked into the layer.  Maps and filters are kept as small surfaces, made
 * once per look; everything else is drawn from the numbers.  In maps mode a strip of the pictures stands on top: a click
 * or the arrow keys choose one. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "gallery-private.h"
#include "save.h"

G_DEFINE_FINAL_TYPE (PjuGallery, pju_gallery, GTK_TYPE_WIDGET)

enum { TOGGLED, N_SIGNALS };
static guint signals[N_SIGNALS];

static const struct { const char *title, *about; } modes[PJU_N_GALLERIES] = {
  [PJU_GALLERY_MAPS] = { N_("Feature maps"),
    N_("What each channel answers to the chosen picture, dark for nothing, bright for the strongest answer of the layer, by square roots.") },
  [PJU_GALLERY_FILTERS] = { N_("Filters"),
    N_("The weights that make each channel, in colour where they read a colour picture, else the mean over what they read.") },
  [PJU_GALLERY_PICTURES] = { N_("Channels × pictures"),
    N_("How strongly each channel answers to each of twelve test pictures, on the average over positions, by square roots. "
       "Strongest channels by the chosen criterion on top.") },
  [PJU_GALLERY_CRITERIA] = { N_("Channels × criteria"),
    N_("Where each criterion that was measured ranks each channel, bright for its most important one. Rows that change "
       "colour are channels about which the criteria disagree.") },
  [PJU_GALLERY_HISTOGRAM] = { N_("Histogram of scores"),
    N_("How many channels have which score by the chosen criterion; hatched are those that are cut.") },
};

const char *
pju_gallery_mode_title (PjuGalleryMode mode)
{
  return _(modes[mode].title);
}

const char *
pju_gallery_mode_about (PjuGalleryMode mode)
{
  return _(modes[mode].about);
}

const PjmLook *
pju_gallery_get_look (PjuGallery *self)
{
  return self->studio && self->layer ? pjm_project_get_look (pju_studio_get_project (self->studio), self->layer) : NULL;
}

gboolean
pju_gallery_is_kept (PjuGallery *self, guint channel)
{
  const guint8 *mask = pjm_layer_get_mask (self->layer);
  return !mask || mask[channel];
}

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  pju_paint_widget (widget, snapshot, pju_gallery_paint, widget, 1);
}

static GtkSizeRequestMode
request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural, int *minimum_baseline,
         int *natural_baseline)
{
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = 160;
    *natural = 300;
  } else {
    *minimum = *natural = (int) ceil (pju_gallery_height (PJU_GALLERY (widget), for_size > 0 ? for_size : 300));
  }
}

static int
channel_at (PjuGallery *self, double x, double y)
{
  guint n = self->tiles->len;
  double top = self->mode == PJU_GALLERY_MAPS ? STRIP : 0;
  if (n == 0 || y < top || (self->mode != PJU_GALLERY_MAPS && self->mode != PJU_GALLERY_FILTERS))
    return -1;
  PjuGrid grid = pju_gallery_grid (n, gtk_widget_get_width (GTK_WIDGET (self)));
  guint column = (guint) (x / grid.cell), at = (guint) ((y - top) / grid.cell) * grid.columns + column;
  return column < grid.columns && at < n ? (int) at : -1;
}

static void
describe (PjuGallery *self)
{
  const PjmLook *look = pju_gallery_get_look (self);
  const char *title = pju_gallery_mode_title (self->mode), *nothing = self->layer ? pju_gallery_missing (self, look) : NULL;
  g_autofree char *label = g_strdup_printf (_("%s of %s"), title, self->layer ? pjm_layer_get_name (self->layer) : "–");
  g_autofree char *text = NULL;
  if (!nothing && look && self->mode == PJU_GALLERY_MAPS && self->picture < look->n_pictures) {
    const char *class = pjm_project_get_class (pju_studio_get_project (self->studio), look->labels[self->picture]);
    text = g_strdup_printf (_("picture %u of %u, class %s"), self->picture + 1, look->n_pictures, class ? class : "–");
  }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, nothing ? nothing : text ? text : _(modes[self->mode].about), -1);
}

static void
choose_picture (PjuGallery *self, guint picture)
{
  self->picture = picture;
  g_ptr_array_set_size (self->tiles, 0);
  describe (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
click_cb (GtkGestureClick *click, int n_press, double x, double y, PjuGallery *self)
{
  int channel = channel_at (self, x, y);
  gtk_widget_grab_focus (GTK_WIDGET (self));
  if (self->mode == PJU_GALLERY_MAPS && y < STRIP && self->thumbs->len > 0) {
    guint picture = (guint) (x / gtk_widget_get_width (GTK_WIDGET (self)) * self->thumbs->len);
    choose_picture (self, MIN (picture, self->thumbs->len - 1));
  } else if (channel >= 0 && !pjm_layer_get_locked (self->layer)) {
    g_signal_emit (self, signals[TOGGLED], 0, (guint) channel);
  }
}

static gboolean
walk (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  PjuGallery *self = PJU_GALLERY (widget);
  int step = g_variant_get_int32 (arguments), next = (int) self->picture + step;
  if (self->mode != PJU_GALLERY_MAPS || next < 0 || next >= (int) self->thumbs->len)
    return GDK_EVENT_PROPAGATE;
  choose_picture (self, (guint) next);
  return GDK_EVENT_STOP;
}

static void
motion_cb (GtkEventControllerMotion *motion, double x, double y, PjuGallery *self)
{
  int channel = channel_at (self, x, y);
  if (channel == self->hover)
    return;
  self->hover = channel;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
leave_cb (GtkEventControllerMotion *motion, PjuGallery *self)
{
  self->hover = -1;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static gboolean
tooltip_cb (PjuGallery *self, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  int channel = keyboard ? -1 : channel_at (self, x, y);
  const PjmLook *look = pju_gallery_get_look (self);
  if (!keyboard && look && self->mode == PJU_GALLERY_MAPS && y < STRIP && self->thumbs->len > 0) {
    guint picture = MIN ((guint) ((double) x / gtk_widget_get_width (GTK_WIDGET (self)) * self->thumbs->len), look->n_pictures - 1);
    const char *class = pjm_project_get_class (pju_studio_get_project (self->studio), look->labels[picture]);
    gtk_tooltip_set_text (tooltip, class ? class : "–");
    return TRUE;
  }
  if (channel < 0)
    return FALSE;
  g_autofree char *text = g_strdup_printf (pju_gallery_is_kept (self, (guint) channel) ? _("Channel %d · kept. Click to cut it.")
                                                                          : _("Channel %d · cut. Click to keep it."), channel);
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

void
pju_gallery_refresh (PjuGallery *self)
{
  const PjmLook *look = pju_gallery_get_look (self);
  if (!look) {
    g_ptr_array_set_size (self->tiles, 0);
    g_ptr_array_set_size (self->thumbs, 0);
    if (self->layer && self->mode <= PJU_GALLERY_PICTURES && gtk_widget_get_mapped (GTK_WIDGET (self)))
      pjm_project_look (pju_studio_get_project (self->studio), self->layer);
  } else if (self->picture >= look->n_pictures) {
    self->picture = 0;
  }
  describe (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
looked_cb (PjuGallery *self)
{
  g_ptr_array_set_size (self->tiles, 0);
  g_ptr_array_set_size (self->thumbs, 0);
  pju_gallery_refresh (self);
}

void
pju_gallery_set_layer (PjuGallery *self, PjmLayer *layer)
{
  if (g_set_object (&self->layer, layer))
    looked_cb (self);
}

void
pju_gallery_set_mode (PjuGallery *self, PjuGalleryMode mode)
{
  self->mode = mode;
  self->hover = -1;
  g_ptr_array_set_size (self->tiles, 0);
  pju_gallery_refresh (self);
}

void
pju_gallery_set_studio (PjuGallery *self, PjuStudio *studio)
{
  self->studio = g_object_ref (studio);
  g_signal_connect_object (pju_studio_get_project (studio), "looked", G_CALLBACK (looked_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect (self, "map", G_CALLBACK (pju_gallery_refresh), NULL);
}

static void
dispose (GObject *object)
{
  PjuGallery *self = PJU_GALLERY (object);
  g_clear_object (&self->layer);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->tiles, g_ptr_array_unref);
  g_clear_pointer (&self->thumbs, g_ptr_array_unref);
  G_OBJECT_CLASS (pju_gallery_parent_class)->dispose (object);
}

static void
pju_gallery_class_init (PjuGalleryClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->get_request_mode = request_mode;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "gallery");
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Left, 0, walk, "i", -1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Right, 0, walk, "i", 1);
  signals[TOGGLED] = g_signal_new ("toggled", PJU_TYPE_GALLERY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
free_tile (gpointer tile)
{
  cairo_surface_destroy (tile);
}

static void
pju_gallery_init (PjuGallery *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkGesture *click = gtk_gesture_click_new ();
  self->hover = -1;
  self->tiles = g_ptr_array_new_with_free_func (free_tile);
  self->thumbs = g_ptr_array_new_with_free_func (free_tile);
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  g_signal_connect (click, "pressed", G_CALLBACK (click_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  g_signal_connect (self, "query-tooltip", G_CALLBACK (tooltip_cb), NULL);
}
