/* SPDX-License-Identifier: MIT */
/* A GtkScale and, beside it, a spin button or a plain number, in percent.
 *
 * While the hand moves, "changed" comes with final FALSE; it comes once more with final TRUE when nothing
 * has changed for a while and no mouse button is down.  So one drag is one undo step, however long it
 * takes, and a series of key presses is one as well. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "ratio.h"

#define STILL_MS 350
/* Pixels that the scale takes beyond its least where there is room. */
#define SCALE_ROOM 60

struct _PjuRatio {
  GtkWidget parent;
  GtkWidget *scale, *spin, *label;
  GtkAdjustment *adjustment;
  gboolean compact, silent;
  guint still;
};

G_DEFINE_FINAL_TYPE (PjuRatio, pju_ratio, GTK_TYPE_WIDGET)

enum { CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static gboolean
button_is_down (PjuRatio *self)
{
  GtkNative *native = gtk_widget_get_native (GTK_WIDGET (self));
  GdkSeat *seat = gdk_display_get_default_seat (gtk_widget_get_display (GTK_WIDGET (self)));
  GdkDevice *pointer = seat ? gdk_seat_get_pointer (seat) : NULL;
  GdkModifierType mask = 0;

  return native && pointer
         && gdk_surface_get_device_position (gtk_native_get_surface (native), pointer, NULL, NULL, &mask)
         && (mask & GDK_BUTTON1_MASK);
}

static gboolean
still_cb (gpointer data)
{
  PjuRatio *self = data;
  if (button_is_down (self))
    return G_SOURCE_CONTINUE;
  self->still = 0;
  g_signal_emit (self, signals[CHANGED], 0, pju_ratio_get (self), TRUE);
  return G_SOURCE_REMOVE;
}

static void
update_label (PjuRatio *self)
{
  if (self->label) {
    g_autofree char *text = g_strdup_printf ("%.0f\u202f%%", gtk_adjustment_get_value (self->adjustment));
    gtk_label_set_text (GTK_LABEL (self->label), text);
  }
}

static void
value_changed_cb (PjuRatio *self)
{
  update_label (self);
  if (self->silent)
    return;
  g_clear_handle_id (&self->still, g_source_remove);
  self->still = g_timeout_add (STILL_MS, still_cb, self);
  g_signal_emit (self, signals[CHANGED], 0, pju_ratio_get (self), FALSE);
}

/* A wheel over a table of sliders is meant for the table. */
static gboolean
scroll_cb (GtkEventControllerScroll *scroll, double dx, double dy, PjuRatio *self)
{
  GtkWidget *view = gtk_widget_get_ancestor (GTK_WIDGET (self), GTK_TYPE_SCROLLED_WINDOW);
  if (view) {
    GtkAdjustment *v = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (view));
    gtk_adjustment_set_value (v, gtk_adjustment_get_value (v) + dy * pow (gtk_adjustment_get_page_size (v), 2.0 / 3));
  }
  return GDK_EVENT_STOP;
}

void
pju_ratio_set (PjuRatio *self, double ratio)
{
  /* What a person is moving stays under the hand. */
  if (self->still)
    return;
  self->silent = TRUE;
  gtk_adjustment_set_value (self->adjustment, ratio * 100);
  self->silent = FALSE;
  update_label (self);
}

double
pju_ratio_get (PjuRatio *self)
{
  return gtk_adjustment_get_value (self->adjustment) / 100;
}

void
pju_ratio_make_narrow (PjuRatio *self)
{
  for (GtkWidget *child = self->spin ? gtk_widget_get_first_child (self->spin) : NULL; child; child = gtk_widget_get_next_sibling (child))
    if (GTK_IS_BUTTON (child))
      gtk_widget_set_visible (child, FALSE);
  if (self->spin)
    gtk_widget_add_css_class (self->spin, "narrow");
}

void
pju_ratio_set_label (PjuRatio *self, const char *label)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->scale), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  if (self->spin)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self->spin), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
}

static gboolean
show_percent_cb (GtkSpinButton *spin, gpointer data)
{
  g_autofree char *text = g_strdup_printf ("%.0f\u202f%%", gtk_spin_button_get_value (spin));
  if (g_strcmp0 (gtk_editable_get_text (GTK_EDITABLE (spin)), text) != 0)
    gtk_editable_set_text (GTK_EDITABLE (spin), text);
  return TRUE;
}

static int
read_percent_cb (GtkSpinButton *spin, double *value, gpointer data)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (spin));
  char *end = NULL;
  *value = g_strtod (text, &end);
  /* What is no number leaves the value as it was; an error here would set it to 0. */
  if (end == text)
    *value = gtk_adjustment_get_value (gtk_spin_button_get_adjustment (spin));
  return TRUE;
}

static void
add_label (PjuRatio *self)
{
  self->label = gtk_label_new (NULL);
  gtk_label_set_width_chars (GTK_LABEL (self->label), 6);
  gtk_label_set_xalign (GTK_LABEL (self->label), 1);
  gtk_widget_add_css_class (self->label, "numeric");
  gtk_widget_set_parent (self->label, GTK_WIDGET (self));
}

static void
add_spin (PjuRatio *self)
{
  self->spin = gtk_spin_button_new (self->adjustment, 1, 0);
  gtk_editable_set_width_chars (GTK_EDITABLE (self->spin), 5);
  gtk_widget_set_valign (self->spin, GTK_ALIGN_CENTER);
  g_signal_connect (self->spin, "output", G_CALLBACK (show_percent_cb), NULL);
  g_signal_connect (self->spin, "input", G_CALLBACK (read_percent_cb), NULL);
  gtk_spin_button_update (GTK_SPIN_BUTTON (self->spin));
  gtk_widget_set_parent (self->spin, GTK_WIDGET (self));
}

static void
constructed (GObject *object)
{
  PjuRatio *self = PJU_RATIO (object);
  G_OBJECT_CLASS (pju_ratio_parent_class)->constructed (object);
  if (self->compact)
    add_label (self);
  else
    add_spin (self);
  update_label (self);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PJU_RATIO (object)->compact = g_value_get_boolean (value);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_boolean (value, PJU_RATIO (object)->compact);
}

/* The scale and what stands beside it: the scale alone gives way where there is little room, and takes what is left over. */
static GtkWidget *
number_of (PjuRatio *self)
{
  return self->spin ? self->spin : self->label;
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *least, int *natural, int *base, int *natural_base)
{
  PjuRatio *self = PJU_RATIO (widget);
  int scale, number;
  gtk_widget_measure (self->scale, orientation, -1, &scale, NULL, NULL, NULL);
  gtk_widget_measure (number_of (self), orientation, -1, NULL, &number, NULL, NULL);
  gboolean wide = orientation == GTK_ORIENTATION_HORIZONTAL;
  *least = wide ? scale + number : MAX (scale, number);
  *natural = *least + (wide ? SCALE_ROOM : 0);
}

static void
size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  PjuRatio *self = PJU_RATIO (widget);
  gboolean mirrored = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;
  int number;
  gtk_widget_measure (number_of (self), GTK_ORIENTATION_HORIZONTAL, -1, NULL, &number, NULL, NULL);
  gtk_widget_size_allocate (self->scale, &(GtkAllocation) { mirrored ? number : 0, 0, width - number, height }, -1);
  gtk_widget_size_allocate (number_of (self), &(GtkAllocation) { mirrored ? 0 : width - number, 0, number, height }, -1);
}

static void
dispose (GObject *object)
{
  PjuRatio *self = PJU_RATIO (object);
  g_clear_handle_id (&self->still, g_source_remove);
  if (self->adjustment)
    g_signal_handlers_disconnect_by_data (self->adjustment, self);
  g_clear_object (&self->adjustment);
  g_clear_pointer (&self->scale, gtk_widget_unparent);
  g_clear_pointer (&self->spin, gtk_widget_unparent);
  g_clear_pointer (&self->label, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_ratio_parent_class)->dispose (object);
}

static void
pju_ratio_class_init (PjuRatioClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = dispose;
  object_class->constructed = constructed;
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  g_object_class_install_property (object_class, 1,
    g_param_spec_boolean ("compact", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
  widget_class->measure = measure;
  widget_class->size_allocate = size_allocate;
  gtk_widget_class_set_css_name (widget_class, "ratio");
  signals[CHANGED] = g_signal_new ("changed", PJU_TYPE_RATIO, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 2, G_TYPE_DOUBLE, G_TYPE_BOOLEAN);
}

static void
pju_ratio_init (PjuRatio *self)
{
  self->adjustment = g_object_ref_sink (gtk_adjustment_new (100, 0, 100, 1, 10, 0));
  g_signal_connect_swapped (self->adjustment, "value-changed", G_CALLBACK (value_changed_cb), self);
  self->scale = gtk_scale_new (GTK_ORIENTATION_HORIZONTAL, self->adjustment);
  gtk_widget_set_parent (self->scale, GTK_WIDGET (self));
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  gtk_event_controller_set_propagation_phase (scroll, GTK_PHASE_CAPTURE);
  g_signal_connect (scroll, "scroll", G_CALLBACK (scroll_cb), self);
  gtk_widget_add_controller (self->scale, scroll);
}

GtkWidget *
pju_ratio_new (gboolean compact)
{
  return g_object_new (PJU_TYPE_RATIO, "compact", compact, NULL);
}
