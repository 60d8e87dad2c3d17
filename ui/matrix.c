/* SPDX-License-Identifier: MIT */
/* Blue is what agrees, orange what runs against each other, pale what has nothing in common; the number stands in every
 * cell, so that nothing hangs on colour.  A frame marks the best cell of a row. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <pango/pangocairo.h>

#include "matrix.h"
#include "save.h"

#define FONT "Cantarell, Noto Sans CJK SC, Sans 9"
#define ROW_HEIGHT 30
#define LEAST_COLUMN 62
#define MOST_COLUMN 120
#define TITLE_HEIGHT 30

struct _PjuMatrix {
  GtkWidget parent;
  char *title;
  PjuMatrixFormat format;
  char **rows, **columns;
  guint n_rows, n_columns;
  double *values, *shades;
  int *marked;
};

G_DEFINE_FINAL_TYPE (PjuMatrix, pju_matrix, GTK_TYPE_WIDGET)

static char *
cell_text (PjuMatrix *self, double value)
{
  if (isnan (value))
    return g_strdup ("–");
  if (self->format == PJU_MATRIX_PERCENT)
    return g_strdup_printf ("%.0f\u202f%%", 100 * value);
  if (self->format == PJU_MATRIX_NUMBER)
    return g_strdup_printf ("%s%.2f", value < -.005 ? "−" : "", fabs (value));
  return g_strdup_printf (1000 * value < 100 ? "%.1f" : "%.0f", 1000 * value);
}

/* --- painting --- */

static PangoLayout *
layout_for (PangoContext *context, const char *text, double width, gboolean bold)
{
  PangoLayout *layout = pango_layout_new (context);
  PangoFontDescription *font = pango_font_description_from_string (FONT);
  if (bold)
    pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  if (width > 0) {
    pango_layout_set_width (layout, (int) (width * PANGO_SCALE));
    pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment (layout, PANGO_ALIGN_CENTER);
  }
  return layout;
}

static void
size_of (PangoContext *context, const char *text, double width, gboolean bold, int *w, int *h)
{
  g_autoptr (PangoLayout) layout = layout_for (context, text, width, bold);
  pango_layout_get_pixel_size (layout, w, h);
}

typedef struct { double left, top, column; } Frame;

static Frame
frame_for (PjuMatrix *self, PangoContext *context, double width)
{
  Frame frame = { 40, 0, LEAST_COLUMN };
  int w, h;
  for (guint i = 0; i < self->n_rows; i++) {
    size_of (context, self->rows[i], 0, FALSE, &w, &h);
    frame.left = MAX (frame.left, w + 14.0);
  }
  if (self->n_columns > 0 && width > 0)
    frame.column = CLAMP ((width - frame.left) / self->n_columns, LEAST_COLUMN, MOST_COLUMN);
  for (guint i = 0; i < self->n_columns; i++) {
    size_of (context, self->columns[i], frame.column - 6, FALSE, &w, &h);
    frame.top = MAX (frame.top, h + 6.0);
  }
  frame.top += TITLE_HEIGHT;
  return frame;
}

static void
show_text (cairo_t *cr, PangoContext *context, const char *text, double x, double y, double ax, double ay, gboolean bold)
{
  g_autoptr (PangoLayout) layout = layout_for (context, text, 0, bold);
  int w, h;
  pango_layout_get_pixel_size (layout, &w, &h);
  cairo_move_to (cr, round (x - ax * w), round (y - ay * h));
  pango_cairo_show_layout (cr, layout);
}

static void
paint_cell (PjuMatrix *self, cairo_t *cr, PangoContext *context, const Frame *frame, guint r, guint c, const PjuPalette *palette)
{
  double value = self->values[r * self->n_columns + c], shade = self->shades[r * self->n_columns + c];
  double x = frame->left + c * frame->column, y = frame->top + r * ROW_HEIGHT;
  g_autofree char *text = cell_text (self, value);
  GdkRGBA color, ink = palette->dim, hue;
  gboolean marked = self->marked && self->marked[r] == (int) c;

  pju_palette_series (palette, shade < 0 ? 1 : 0, &hue);
  pju_mix (&palette->raised, &hue, isnan (shade) ? 0 : MIN (fabs (shade), 1) * .85, &color);
  cairo_rectangle (cr, x + 1, y + 1, frame->column - 2, ROW_HEIGHT - 2);
  pju_set_color (cr, isnan (value) ? &palette->surface : &color, 1);
  cairo_fill (cr);
  if (!isnan (value))
    pju_palette_text_on (&color, &ink);
  pju_set_color (cr, &ink, 1);
  show_text (cr, context, text, x + frame->column / 2, y + ROW_HEIGHT / 2.0, .5, .5, marked);
  if (!marked)
    return;
  cairo_rectangle (cr, x + 2, y + 2, frame->column - 4, ROW_HEIGHT - 4);
  pju_set_color (cr, &palette->fg, 1);
  cairo_set_line_width (cr, 2);
  cairo_stroke (cr);
}

void
pju_matrix_paint (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  PjuMatrix *self = data;
  PangoContext *context = pango_cairo_create_context (cr);
  Frame frame = frame_for (self, context, width);

  pju_set_color (cr, &palette->fg, 1);
  show_text (cr, context, self->title, 0, TITLE_HEIGHT / 2.0, 0, .5, TRUE);
  for (guint c = 0; c < self->n_columns; c++) {
    g_autoptr (PangoLayout) layout = layout_for (context, self->columns[c], frame.column - 6, FALSE);
    int w, h;
    pango_layout_get_pixel_size (layout, &w, &h);
    pju_set_color (cr, &palette->dim, 1);
    cairo_move_to (cr, frame.left + c * frame.column + 3, frame.top - h - 4);
    pango_cairo_show_layout (cr, layout);
  }
  for (guint r = 0; r < self->n_rows; r++) {
    pju_set_color (cr, &palette->fg, 1);
    show_text (cr, context, self->rows[r], 0, frame.top + (r + .5) * ROW_HEIGHT, 0, .5, FALSE);
    for (guint c = 0; c < self->n_columns; c++)
      paint_cell (self, cr, context, &frame, r, c, palette);
  }
  g_object_unref (context);
}

/* --- the widget --- */

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  pju_paint_widget (widget, snapshot, pju_matrix_paint, widget, 0);
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
  PjuMatrix *self = PJU_MATRIX (widget);
  PangoContext *context = gtk_widget_get_pango_context (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    Frame frame = frame_for (self, context, 0);
    *minimum = (int) ceil (frame.left + self->n_columns * LEAST_COLUMN);
    *natural = (int) ceil (frame.left + self->n_columns * 90);
  } else {
    Frame frame = frame_for (self, context, for_size);
    *minimum = *natural = (int) ceil (frame.top + self->n_rows * ROW_HEIGHT + 2);
  }
}

static void
clear (PjuMatrix *self)
{
  g_clear_pointer (&self->rows, g_strfreev);
  g_clear_pointer (&self->columns, g_strfreev);
  g_clear_pointer (&self->values, g_free);
  g_clear_pointer (&self->shades, g_free);
  g_clear_pointer (&self->marked, g_free);
  self->n_rows = self->n_columns = 0;
}

static void
finalize (GObject *object)
{
  PjuMatrix *self = PJU_MATRIX (object);
  clear (self);
  g_free (self->title);
  G_OBJECT_CLASS (pju_matrix_parent_class)->finalize (object);
}

static gboolean
query_tooltip (GtkWidget *widget, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  PjuMatrix *self = PJU_MATRIX (widget);
  Frame frame = frame_for (self, gtk_widget_get_pango_context (widget), gtk_widget_get_width (widget));
  int c = (int) floor ((x - frame.left) / frame.column), r = (int) floor ((y - frame.top) / ROW_HEIGHT);

  if (keyboard || c < 0 || r < 0 || c >= (int) self->n_columns || r >= (int) self->n_rows)
    return FALSE;
  g_autofree char *value = cell_text (self, self->values[r * (int) self->n_columns + c]);
  g_autofree char *text = g_strdup_printf ("%s – %s: %s", self->rows[r], self->columns[c], value);
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

static void
pju_matrix_class_init (PjuMatrixClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = finalize;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->get_request_mode = request_mode;
  widget_class->query_tooltip = query_tooltip;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "matrix");
}

static void
pju_matrix_init (PjuMatrix *self)
{
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
}

GtkWidget *
pju_matrix_new (const char *title, PjuMatrixFormat format)
{
  PjuMatrix *self = g_object_new (PJU_TYPE_MATRIX, NULL);
  self->title = g_strdup (title);
  self->format = format;
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return GTK_WIDGET (self);
}

/* The whole table in words, row by row. */
static void
describe (PjuMatrix *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint r = 0; r < self->n_rows; r++) {
    g_string_append_printf (text, "%s%s: ", r > 0 ? "; " : "", self->rows[r]);
    for (guint c = 0; c < self->n_columns; c++) {
      g_autofree char *value = cell_text (self, self->values[r * self->n_columns + c]);
      g_string_append_printf (text, "%s%s %s", c > 0 ? ", " : "", self->columns[c], value);
    }
  }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text->str, -1);
}

void
pju_matrix_set (PjuMatrix *self, const char *const *rows, const char *const *columns, const double *values,
                const double *shades, const int *marked)
{
  clear (self);
  self->rows = g_strdupv ((char **) rows);
  self->columns = g_strdupv ((char **) columns);
  self->n_rows = g_strv_length (self->rows);
  self->n_columns = g_strv_length (self->columns);
  gsize n = (gsize) self->n_rows * self->n_columns;
  self->values = g_memdup2 (values, n * sizeof (double));
  self->shades = g_memdup2 (shades ? shades : values, n * sizeof (double));
  self->marked = marked ? g_memdup2 (marked, self->n_rows * sizeof (int)) : NULL;
  describe (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

static void
csv_text (GString *out, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "\"", -1);
  g_autofree char *doubled = g_strjoinv ("\"\"", parts);
  g_string_append_printf (out, "\"%s\"", doubled);
}

char *
pju_matrix_to_csv (PjuMatrix *self)
{
  GString *out = g_string_new (NULL);
  csv_text (out, self->title);
  for (guint c = 0; c < self->n_columns; c++) {
    g_string_append_c (out, ',');
    csv_text (out, self->columns[c]);
  }
  g_string_append_c (out, '\n');
  for (guint r = 0; r < self->n_rows; r++) {
    csv_text (out, self->rows[r]);
    for (guint c = 0; c < self->n_columns; c++) {
      double value = self->values[r * self->n_columns + c];
      char number[G_ASCII_DTOSTR_BUF_SIZE];
      g_string_append_printf (out, ",%s", isnan (value) ? "" : g_ascii_formatd (number, sizeof number, "%.6g", value));
    }
    g_string_append_c (out, '\n');
  }
  return g_string_free (out, FALSE);
}

void
pju_matrix_save (PjuMatrix *self, PjuStudio *studio, const char *name)
{
  int width, height;
  gtk_widget_measure (GTK_WIDGET (self), GTK_ORIENTATION_HORIZONTAL, -1, NULL, &width, NULL, NULL);
  gtk_widget_measure (GTK_WIDGET (self), GTK_ORIENTATION_VERTICAL, width, NULL, &height, NULL, NULL);
  pju_plot_save (studio, GTK_WIDGET (self), name, pju_matrix_paint, g_object_ref (self), g_object_unref, width, height,
                 pju_matrix_to_csv (self));
}
