/* SPDX-License-Identifier: MIT */
/* One line per class, those that lost most on top.  Loss is orange and its mark points left, gain is blue and points right,
 * and the points stand at the end of each line. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <pango/pangocairo.h>

#include "class-bars.h"
#include "format.h"
#include "save.h"

#define FONT "Cantarell, Noto Sans CJK SC, Sans 9"
#define LINE 24
#define HEAD 52
#define POINTS 64

typedef struct { char *name; guint n; double before, now; } Change;

struct _PjuClassBars {
  GtkWidget parent;
  char *title;
  GArray *changes;
};

G_DEFINE_FINAL_TYPE (PjuClassBars, pju_class_bars, GTK_TYPE_WIDGET)

static void
clear_change (gpointer data)
{
  g_free (((Change *) data)->name);
}

static int
compare_changes (gconstpointer a, gconstpointer b)
{
  const Change *x = a, *y = b;
  double dx = x->now - x->before, dy = y->now - y->before;
  return dx < dy ? -1 : dx > dy ? 1 : g_utf8_collate (x->name, y->name);
}

static PangoLayout *
layout_for (PangoContext *context, const char *text, double most, gboolean bold)
{
  PangoLayout *layout = pango_layout_new (context);
  PangoFontDescription *font = pango_font_description_from_string (FONT);
  if (bold)
    pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  if (most > 0) {
    pango_layout_set_width (layout, (int) (most * PANGO_SCALE));
    pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  }
  return layout;
}

static void
show_text (cairo_t *cr, PangoContext *context, const char *text, double x, double y, double ax, double most, gboolean bold)
{
  g_autoptr (PangoLayout) layout = layout_for (context, text, most, bold);
  int w, h;
  pango_layout_get_pixel_size (layout, &w, &h);
  cairo_move_to (cr, round (x - ax * w), round (y - h / 2.0));
  pango_cairo_show_layout (cr, layout);
}

static double
names_width (PjuClassBars *self, PangoContext *context, double width)
{
  double widest = 40;
  for (guint i = 0; i < self->changes->len; i++) {
    g_autoptr (PangoLayout) layout = layout_for (context, g_array_index (self->changes, Change, i).name, 0, FALSE);
    int w;
    pango_layout_get_pixel_size (layout, &w, NULL);
    widest = MAX (widest, w + 10.0);
  }
  return MIN (widest, width * .4);
}

typedef struct { double left, width, low; } Scale;

static double
at (const Scale *scale, double share)
{
  return scale->left + (share - scale->low) / (1 - scale->low) * scale->width;
}

static void
paint_change (cairo_t *cr, PangoContext *context, const Change *change, const Scale *scale, double y, const PjuPalette *palette)
{
  double before = at (scale, change->before), now = at (scale, change->now), points = 100 * (change->now - change->before);
  gboolean lost = points < 0;
  GdkRGBA color;
  g_autofree char *text = fabs (points) < .05 ? g_strdup ("0.0") : g_strdup_printf ("%s%.1f", lost ? "−" : "+", fabs (points));

  pju_palette_series (palette, lost ? 1 : 0, &color);
  pju_set_color (cr, &palette->line, .7);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, scale->left, round (y) + .5);
  cairo_line_to (cr, scale->left + scale->width, round (y) + .5);
  cairo_stroke (cr);
  pju_set_color (cr, &color, 1);
  cairo_set_line_width (cr, 4);
  cairo_move_to (cr, before, y);
  cairo_line_to (cr, now, y);
  cairo_stroke (cr);
  cairo_arc (cr, before, y, 4, 0, 2 * G_PI);
  pju_set_color (cr, &palette->raised, 1);
  cairo_fill_preserve (cr);
  pju_set_color (cr, &palette->dim, 1);
  cairo_set_line_width (cr, 1.6);
  cairo_stroke (cr);
  if (fabs (points) >= .05) {
    double way = lost ? -1 : 1;
    cairo_move_to (cr, now + 5 * way, y);
    cairo_line_to (cr, now - 4 * way, y - 5);
    cairo_line_to (cr, now - 4 * way, y + 5);
    cairo_close_path (cr);
    pju_set_color (cr, &color, 1);
    cairo_fill (cr);
  }
  pju_set_color (cr, &palette->fg, 1);
  show_text (cr, context, text, scale->left + scale->width + POINTS - 8, y, 1, 0, FALSE);
}

static void
paint_scale (cairo_t *cr, PangoContext *context, const Scale *scale, double bottom, const PjuPalette *palette)
{
  double step = scale->low < .5 ? .25 : .1;
  for (double t = ceil (scale->low / step) * step; t <= 1.001; t += step) {
    g_autofree char *text = pju_format_percent (t, 0);
    double x = round (at (scale, t)) + .5;
    pju_set_color (cr, &palette->line, .8);
    cairo_set_line_width (cr, 1);
    cairo_move_to (cr, x, HEAD - 8);
    cairo_line_to (cr, x, bottom);
    cairo_stroke (cr);
    pju_set_color (cr, &palette->dim, 1);
    show_text (cr, context, text, x, HEAD - 16, .5, 0, FALSE);
  }
}

static void
paint (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  PjuClassBars *self = data;
  PangoContext *context = pango_cairo_create_context (cr);
  double names = names_width (self, context, width), lowest = 1;

  for (guint i = 0; i < self->changes->len; i++) {
    const Change *change = &g_array_index (self->changes, Change, i);
    lowest = MIN (lowest, MIN (change->before, change->now));
  }
  Scale scale = { names + 8, MAX (width - names - 8 - POINTS, 40), MIN (floor (lowest * 10 - .01) / 10, .9) };
  scale.low = MAX (scale.low, 0);
  pju_set_color (cr, &palette->fg, 1);
  show_text (cr, context, self->title ? self->title : "", 0, 12, 0, width, TRUE);
  paint_scale (cr, context, &scale, HEAD + self->changes->len * LINE, palette);
  pju_set_color (cr, &palette->dim, 1);
  show_text (cr, context, _("points"), width - 8, HEAD - 16, 1, 0, FALSE);
  for (guint i = 0; i < self->changes->len; i++) {
    const Change *change = &g_array_index (self->changes, Change, i);
    double y = HEAD + (i + .5) * LINE;
    pju_set_color (cr, &palette->fg, 1);
    show_text (cr, context, change->name, 0, y, 0, names, FALSE);
    paint_change (cr, context, change, &scale, y, palette);
  }
  g_object_unref (context);
}

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  pju_paint_widget (widget, snapshot, paint, widget, 0);
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural, int *minimum_baseline,
         int *natural_baseline)
{
  PjuClassBars *self = PJU_CLASS_BARS (widget);
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 280 : HEAD + (int) self->changes->len * LINE + 4;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 420 : *minimum;
}

static gboolean
query_tooltip (GtkWidget *widget, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  PjuClassBars *self = PJU_CLASS_BARS (widget);
  int i = (y - HEAD) / LINE;
  if (keyboard || y < HEAD || i >= (int) self->changes->len)
    return FALSE;
  const Change *change = &g_array_index (self->changes, Change, (guint) i);
  g_autofree char *before = pju_format_percent (change->before, 1), *now = pju_format_percent (change->now, 1);
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s: %s right before, %s now, of %u test picture",
                                                        "%s: %s right before, %s now, of %u test pictures", change->n),
                                           change->name, before, now, change->n);
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

static void
finalize (GObject *object)
{
  PjuClassBars *self = PJU_CLASS_BARS (object);
  g_free (self->title);
  g_array_unref (self->changes);
  G_OBJECT_CLASS (pju_class_bars_parent_class)->finalize (object);
}

static void
pju_class_bars_class_init (PjuClassBarsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = finalize;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->query_tooltip = query_tooltip;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "classbars");
}

static void
pju_class_bars_init (PjuClassBars *self)
{
  self->changes = g_array_new (FALSE, FALSE, sizeof (Change));
  g_array_set_clear_func (self->changes, clear_change);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
}

GtkWidget *
pju_class_bars_new (void)
{
  GtkWidget *self = g_object_new (PJU_TYPE_CLASS_BARS, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Accuracy of each class, before and now"), -1);
  return self;
}

void
pju_class_bars_set (PjuClassBars *self, const char *title, const GArray *changes)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_free (self->title);
  self->title = g_strdup (title);
  g_array_set_size (self->changes, 0);
  for (guint i = 0; i < changes->len; i++) {
    const PjmClassChange *from = &g_array_index (changes, PjmClassChange, i);
    Change change = { g_strdup (from->name), from->n, from->before, from->now };
    g_array_append_val (self->changes, change);
  }
  g_array_sort (self->changes, compare_changes);
  for (guint i = 0; i < self->changes->len; i++) {
    const Change *change = &g_array_index (self->changes, Change, i);
    g_autofree char *before = pju_format_percent (change->before, 1), *now = pju_format_percent (change->now, 1);
    g_string_append_printf (text, "%s%s %s → %s", i > 0 ? "; " : "", change->name, before, now);
  }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text->str, -1);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

static char *
to_csv (PjuClassBars *self)
{
  GString *out = g_string_new ("class,pictures,before,now\n");
  for (guint i = 0; i < self->changes->len; i++) {
    const Change *change = &g_array_index (self->changes, Change, i);
    char before[G_ASCII_DTOSTR_BUF_SIZE], now[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf (out, "\"%s\",%u,%s,%s\n", change->name, change->n,
                            g_ascii_formatd (before, sizeof before, "%.6g", change->before),
                            g_ascii_formatd (now, sizeof now, "%.6g", change->now));
  }
  return g_string_free (out, FALSE);
}

void
pju_class_bars_save (PjuClassBars *self, PjuStudio *studio, const char *name)
{
  pju_plot_save (studio, GTK_WIDGET (self), name, paint, g_object_ref (self), g_object_unref, 560,
                 HEAD + self->changes->len * LINE + 4, to_csv (self));
}
