/* SPDX-License-Identifier: MIT */
/* The pale part of a piece is time that a perfect kernel would not need, so that the eye finds what is worth work: wide and
 * pale.  Arrow keys walk from piece to piece and show what the pointer would. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <pango/pangocairo.h>

#include "flame-bar.h"
#include "format.h"
#include "save.h"

#define FONT "Sans 9.5"
#define HEAD 26
#define BAR 56
#define NAMES 20
#define LEGEND_LINE 20
#define LEGEND_CELL 205

struct _PjuFlameBar {
  GtkWidget parent;
  const PjmProfile *profile;
  int cursor;                      /* piece that the keys chose, -1 for none */
};

G_DEFINE_FINAL_TYPE (PjuFlameBar, pju_flame_bar, GTK_TYPE_WIDGET)

/* --- words --- */

char *
pju_profile_text (const PjmProfile *profile)
{
  g_autofree char *ms = pju_format_milliseconds (profile->ms), *memory = g_format_size (profile->memory);
  g_autofree char *rate = pju_format_count (1e3 * profile->batch / MAX (profile->ms, 1e-9));
  g_autofree char *what = profile->train
    ? g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "a training step of %u picture", "a training step of %u pictures", profile->batch), profile->batch)
    : g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u picture forward", "%u pictures forward", profile->batch), profile->batch);
  /* Translators: "1.20 ms for 1 picture forward on oneDNN: 830 pictures a second, 3.4 MB of memory at the peak" */
  return g_strdup_printf (_("%s for %s on %s: %s pictures a second, %s of memory at the peak"), ms, what, profile->device, rate, memory);
}

static double
rate_of (double amount, double ms)
{
  return ms > 0 ? amount / ms / 1e6 : 0;
}

char *
pju_kernel_text (const PjmProfile *profile, const PjmKernel *kernel)
{
  g_autofree char *ms = pju_format_milliseconds (kernel->ms), *part = pju_format_percent (profile->ms > 0 ? kernel->ms / profile->ms : 0, 1);
  g_autofree char *share = pju_format_percent (kernel->share, 0);
  GString *text = g_string_new (kernel->kernel);
  if (*kernel->layer)
    g_string_append_printf (text, " · %s", kernel->layer);
  g_string_append_printf (text, " · %s", kernel->segment);
  if (*kernel->output)
    g_string_append_printf (text, " · %s", kernel->output);
  /* Translators: time, and its part of the whole */
  g_string_append_printf (text, _("\n%s, %s of the time"), ms, part);
  g_string_append_printf (text, "\n%.1f GFLOP/s, %.1f GB/s", rate_of (kernel->flops, kernel->ms), rate_of (kernel->bytes, kernel->ms));
  g_string_append_printf (text, _("\n%s of what the device can do at most"), share);
  return g_string_free (text, FALSE);
}

char *
pju_profile_to_csv (const PjmProfile *profile)
{
  GString *out = g_string_new ("kernel,segment,layer,output,ms,gflop_per_s,gbyte_per_s,share_of_limit\n");
  for (guint i = 0; i < profile->kernels->len; i++) {
    const PjmKernel *k = &g_array_index (profile->kernels, PjmKernel, i);
    const double numbers[] = { k->ms, rate_of (k->flops, k->ms), rate_of (k->bytes, k->ms), k->share };
    g_string_append_printf (out, "%s,%s,\"%s\",%s", k->kernel, k->segment, k->layer, k->output);
    for (guint n = 0; n < G_N_ELEMENTS (numbers); n++) {
      char text[G_ASCII_DTOSTR_BUF_SIZE];
      g_string_append_printf (out, ",%s", g_ascii_formatd (text, sizeof text, "%.6g", numbers[n]));
    }
    g_string_append_c (out, '\n');
  }
  return g_string_free (out, FALSE);
}

/* --- drawing --- */

/* Cut to @most pixels if that is above 0; returns its width. */
static int
show_text (cairo_t *cr, PangoContext *context, const char *text, double x, double y, double most, gboolean bold)
{
  g_autoptr (PangoLayout) layout = pango_layout_new (context);
  PangoFontDescription *font = pango_font_description_from_string (FONT);
  int w, h;
  if (bold)
    pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  if (most > 0) {
    pango_layout_set_width (layout, (int) (most * PANGO_SCALE));
    pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  }
  pango_layout_get_pixel_size (layout, &w, &h);
  cairo_move_to (cr, round (x), round (y - h / 2.0));
  pango_cairo_show_layout (cr, layout);
  return w;
}

static void
paint_piece (cairo_t *cr, PangoContext *context, const PjmKernel *kernel, double x, double width, const PjuPalette *palette)
{
  GdkRGBA color;
  double full = CLAMP (kernel->share, 0, 1) * BAR, gap = width > 3 ? 1 : 0;
  pju_palette_series (palette, kernel->kind, &color);
  pju_set_color (cr, &color, .28);
  cairo_rectangle (cr, x, HEAD, width - gap, BAR);
  cairo_fill (cr);
  pju_set_color (cr, &color, 1);
  cairo_rectangle (cr, x, HEAD + BAR - full, width - gap, full);
  cairo_fill (cr);
  if (width < 40 || !*kernel->layer)
    return;
  cairo_save (cr);
  cairo_rectangle (cr, x, HEAD + BAR, width - gap, NAMES);
  cairo_clip (cr);
  pju_set_color (cr, &palette->dim, 1);
  show_text (cr, context, kernel->layer, x + 2, HEAD + BAR + NAMES / 2.0, width - 5, FALSE);
  cairo_restore (cr);
}

static void
paint_legend (const PjmProfile *profile, cairo_t *cr, PangoContext *context, double width, const PjuPalette *palette)
{
  double ms[PJM_N_KERNEL_KINDS] = { 0 };
  int columns = MAX (1, (int) (width / LEGEND_CELL)), cell = 0;
  for (guint i = 0; i < profile->kernels->len; i++) {
    const PjmKernel *kernel = &g_array_index (profile->kernels, PjmKernel, i);
    ms[kernel->kind] += kernel->ms;
  }
  for (guint kind = 0; kind < PJM_N_KERNEL_KINDS; kind++) {
    if (ms[kind] <= 0)
      continue;
    GdkRGBA color;
    double x = cell % columns * LEGEND_CELL, y = HEAD + BAR + NAMES + 8 + (cell / columns + .5) * LEGEND_LINE;
    g_autofree char *part = pju_format_percent (ms[kind] / profile->ms, 0);
    g_autofree char *text = g_strdup_printf ("%s %s", pjm_kernel_kind_title (kind), part);
    pju_palette_series (palette, kind, &color);
    pju_set_color (cr, &color, 1);
    pju_round_rect (cr, x, y - 5, 10, 10, 2);
    cairo_fill (cr);
    pju_set_color (cr, &palette->fg, 1);
    show_text (cr, context, text, x + 16, y, LEGEND_CELL - 20, FALSE);
    cell++;
  }
}

static void
paint_cursor (const PjuFlameBar *self, cairo_t *cr, double x, double width, const PjuPalette *palette)
{
  pju_set_color (cr, &palette->fg, 1);
  cairo_set_line_width (cr, 2);
  cairo_rectangle (cr, x - 1, HEAD - 1, MAX (width, 3) + 1, BAR + 2);
  cairo_stroke (cr);
}

static void
paint (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  PjuFlameBar *self = data;
  if (!self->profile || self->profile->ms <= 0)
    return;
  PangoContext *context = pango_cairo_create_context (cr);
  g_autofree char *title = pju_profile_text (self->profile);
  double x = 0;

  pju_set_color (cr, &palette->fg, 1);
  show_text (cr, context, title, 0, 11, width, TRUE);
  for (guint i = 0; i < self->profile->kernels->len; i++) {
    const PjmKernel *kernel = &g_array_index (self->profile->kernels, PjmKernel, i);
    double w = kernel->ms / self->profile->ms * width;
    paint_piece (cr, context, kernel, x, w, palette);
    x += w;
  }
  x = 0;
  for (guint i = 0; self->cursor >= 0 && i <= (guint) self->cursor && i < self->profile->kernels->len; i++) {
    double w = g_array_index (self->profile->kernels, PjmKernel, i).ms / self->profile->ms * width;
    if (i == (guint) self->cursor)
      paint_cursor (self, cr, x, w, palette);
    x += w;
  }
  paint_legend (self->profile, cr, context, width, palette);
  g_object_unref (context);
}

/* --- the widget --- */

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  pju_paint_widget (widget, snapshot, paint, widget, 2);
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural, int *minimum_baseline,
         int *natural_baseline)
{
  int columns = MAX (1, (for_size > 0 ? for_size : 640) / LEGEND_CELL), lines = (PJM_N_KERNEL_KINDS + columns - 1) / columns;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : HEAD + BAR + NAMES + 10 + lines * LEGEND_LINE;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 720 : *minimum;
}

static GtkSizeRequestMode
get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static int
piece_at (PjuFlameBar *self, double x)
{
  double width = gtk_widget_get_width (GTK_WIDGET (self)), at = 0;
  for (guint i = 0; self->profile && i < self->profile->kernels->len; i++) {
    at += g_array_index (self->profile->kernels, PjmKernel, i).ms / self->profile->ms * width;
    if (x < at)
      return (int) i;
  }
  return -1;
}

static gboolean
query_tooltip (GtkWidget *widget, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  PjuFlameBar *self = PJU_FLAME_BAR (widget);
  int piece = keyboard ? self->cursor : y >= HEAD && y < HEAD + BAR + NAMES ? piece_at (self, x) : -1;
  if (piece < 0 || !self->profile)
    return FALSE;
  g_autofree char *text = pju_kernel_text (self->profile, &g_array_index (self->profile->kernels, PjmKernel, piece));
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

static void
describe (PjuFlameBar *self)
{
  g_autofree char *text = !self->profile ? g_strdup ("")
    : self->cursor >= 0 ? pju_kernel_text (self->profile, &g_array_index (self->profile->kernels, PjmKernel, self->cursor))
                        : pju_profile_text (self->profile);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
}

static gboolean
key_cb (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state, PjuFlameBar *self)
{
  int n = self->profile ? (int) self->profile->kernels->len : 0;
  int to = key == GDK_KEY_Left ? MAX (self->cursor - 1, 0) : key == GDK_KEY_Right ? MIN (self->cursor + 1, n - 1)
           : key == GDK_KEY_Home ? 0 : key == GDK_KEY_End ? n - 1 : -1;
  if (to < 0 || n == 0)
    return FALSE;
  self->cursor = to;
  describe (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  gtk_widget_trigger_tooltip_query (GTK_WIDGET (self));
  return TRUE;
}

static void
pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, PjuFlameBar *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  self->cursor = piece_at (self, x);
  describe (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
pju_flame_bar_class_init (PjuFlameBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->get_request_mode = get_request_mode;
  widget_class->query_tooltip = query_tooltip;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "flamebar");
}

static void
pju_flame_bar_init (PjuFlameBar *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();
  self->cursor = -1;
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  GtkGesture *click = gtk_gesture_click_new ();
  g_signal_connect (click, "pressed", G_CALLBACK (pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
}

GtkWidget *
pju_flame_bar_new (void)
{
  GtkWidget *self = g_object_new (PJU_TYPE_FLAME_BAR, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Time of each kernel"), -1);
  return self;
}

void
pju_flame_bar_set (PjuFlameBar *self, const PjmProfile *profile)
{
  self->profile = profile;
  self->cursor = -1;
  describe (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

void
pju_flame_bar_save (PjuFlameBar *self, PjuStudio *studio, const char *name)
{
  if (!self->profile)
    return;
  self->cursor = -1;
  pju_plot_save (studio, GTK_WIDGET (self), name, paint, g_object_ref (self), g_object_unref, 900, HEAD + BAR + NAMES + 10 + 2 * LEGEND_LINE,
                 pju_profile_to_csv (self->profile));
}
