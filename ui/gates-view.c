/* SPDX-License-Identifier: MIT */
/* The job's curves are called "alpha LAYER", "rate LAYER", "gates0 LAYER" … "gates9 LAYER"; a row shows their newest
 * points. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "format.h"
#include "gates-view.h"
#include "palette.h"

#define BARS 10

/* One layer. @bar: share of the gates from closed to open */
typedef struct {
  char *name;
  double alpha, rate, target, bar[BARS];
  gboolean frozen;
  GtkWidget *area, *text, *freeze;
  gulong toggled;
} Row;

struct _PjuGatesView {
  GtkWidget parent;
  GtkWidget *box, *grid, *hint, *stop;
  PjmJob *job;
  GPtrArray *rows;                 /* Row */
};

G_DEFINE_FINAL_TYPE (PjuGatesView, pju_gates_view, GTK_TYPE_WIDGET)

static void
row_free (gpointer data)
{
  Row *row = data;
  g_free (row->name);
  g_free (row);
}

/* --- reading the curves --- */

/* "gates3 conv1" -> "conv1" and 3; NULL if @series is no curve of a layer. */
static const char *
layer_of (const char *series, const char *what, int *bar)
{
  size_t length = strlen (what);
  if (strncmp (series, what, length) != 0)
    return NULL;
  const char *rest = series + length;
  if (bar != NULL && g_ascii_isdigit (*rest))
    *bar = *rest++ - '0';
  return *rest == ' ' ? rest + 1 : NULL;
}

gboolean
pju_gates_view_takes (const char *series)
{
  int bar;
  return layer_of (series, "gates", &bar) != NULL || layer_of (series, "frozen", NULL) != NULL
         || layer_of (series, "lambda", NULL) != NULL || layer_of (series, "target", NULL) != NULL;
}

/* --- drawing --- */

static void
draw (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  Row *row = data;
  PjuPalette palette;
  double cell = (double) width / BARS;

  pju_palette_from_widget (&palette, GTK_WIDGET (area));
  for (int b = 0; b < BARS; b++) {
    GdkRGBA color;
    double filled = row->bar[b] > 0 ? MAX (2, row->bar[b] * (height - 1)) : 0;
    pju_palette_scale (&palette, (b + 0.5) / BARS, &color);
    pju_set_color (cr, &palette.line, .35);
    cairo_rectangle (cr, b * cell + 1, 0, cell - 2, height);
    cairo_fill (cr);
    pju_set_color (cr, &color, 1);
    cairo_rectangle (cr, b * cell + 1, height - filled, cell - 2, filled);
    cairo_fill (cr);
  }
  /* The share to keep, from the right. */
  pju_set_color (cr, &palette.fg, .8);
  cairo_set_line_width (cr, 1);
  double x = CLAMP (width * (1 - row->target), 1, width - 1);
  cairo_move_to (cr, x, 0);
  cairo_line_to (cr, x, height);
  cairo_stroke (cr);
}

/* --- rows --- */

static void
toggled_cb (GtkToggleButton *button, PjuGatesView *self)
{
  const char *name = g_object_get_data (G_OBJECT (button), "layer");
  if (self->job)
    pjm_job_set_frozen (self->job, name, gtk_toggle_button_get_active (button));
}

static Row *
row_for (PjuGatesView *self, const char *name)
{
  for (guint i = 0; i < self->rows->len; i++) {
    Row *row = self->rows->pdata[i];
    if (g_str_equal (row->name, name))
      return row;
  }
  Row *row = g_new0 (Row, 1);
  int at = (int) self->rows->len + 1;
  GtkWidget *title = gtk_label_new (name);
  row->name = g_strdup (name);
  g_ptr_array_add (self->rows, row);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_width_chars (GTK_LABEL (title), 10);
  row->area = g_object_new (GTK_TYPE_DRAWING_AREA, "accessible-role", GTK_ACCESSIBLE_ROLE_IMG, NULL);
  gtk_drawing_area_set_content_width (GTK_DRAWING_AREA (row->area), 160);
  gtk_drawing_area_set_content_height (GTK_DRAWING_AREA (row->area), 32);
  gtk_widget_set_hexpand (row->area, TRUE);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (row->area), draw, row, NULL);
  row->text = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (row->text), 0);
  gtk_widget_add_css_class (row->text, "numeric");
  row->freeze = gtk_toggle_button_new_with_label (_("Freeze"));
  gtk_widget_set_valign (row->freeze, GTK_ALIGN_CENTER);
  pju_set_tooltip (row->freeze, _("Leave the gates of this layer as they stand, open or closed"));
  /* Blocks have one row for all of them, which learn together. */
  g_autofree char *kind = self->job ? pju_get_string (self->job, "kind") : NULL;
  gtk_widget_set_visible (row->freeze, g_strcmp0 (kind, "gate-blocks") != 0);
  g_object_set_data_full (G_OBJECT (row->freeze), "layer", g_strdup (name), g_free);
  row->toggled = g_signal_connect_object (row->freeze, "toggled", G_CALLBACK (toggled_cb), self, 0);
  GtkWidget *cells[] = { title, row->area, row->text, row->freeze };
  for (int i = 0; i < (int) G_N_ELEMENTS (cells); i++)
    gtk_grid_attach (GTK_GRID (self->grid), cells[i], i, at, 1, 1);
  return row;
}

static void
show_row (PjuGatesView *self, Row *row)
{
  g_autofree char *rate = pju_format_percent (row->rate, 0), *target = pju_format_percent (row->target, 0);
  double ends = row->bar[0] + row->bar[BARS - 1];
  g_autofree char *settled = pju_format_percent (MIN (ends, 1), 0);
  /* Translators: how far the gates of a layer are open on average, how far they should be; how many have decided; how sharp */
  g_autofree char *text = row->alpha > 0 ? g_strdup_printf (_("open %s of %s · decided %s · α %.3g"), rate, target, settled, row->alpha)
                          /* Translators: share of the channels of a layer whose gates are not closed */
                          : g_strdup_printf (_("open %s"), rate);
  g_autofree char *name = g_strdup_printf ("%s: %s", row->name, text);

  gtk_label_set_text (GTK_LABEL (row->text), text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->area), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_widget_queue_draw (row->area);
  gtk_widget_set_sensitive (row->freeze, self->job && pjm_job_is_active (self->job));
}

static void
show_state (PjuGatesView *self)
{
  gboolean active = self->job && pjm_job_is_active (self->job);
  gtk_widget_set_visible (self->stop, active);
  for (guint i = 0; i < self->rows->len; i++)
    gtk_widget_set_sensitive (((Row *) self->rows->pdata[i])->freeze, active);
}

/* The newest point of @series goes into its row. */
static void
take_series (PjuGatesView *self, const char *series, double y)
{
  const char *name;
  int bar = -1;

  if ((name = layer_of (series, "gates", &bar)) != NULL && bar >= 0)
    row_for (self, name)->bar[bar] = y;
  else if ((name = layer_of (series, "alpha", NULL)) != NULL)
    row_for (self, name)->alpha = y;
  else if ((name = layer_of (series, "rate", NULL)) != NULL)
    row_for (self, name)->rate = y;
  else if ((name = layer_of (series, "target", NULL)) != NULL)
    row_for (self, name)->target = y;
}

static void
take_points (PjuGatesView *self)
{
  for (guint s = 0; s < pjm_job_n_series (self->job); s++) {
    guint n;
    const double *points = pjm_job_series_points (self->job, s, &n);
    if (n > 0)
      take_series (self, pjm_job_series_name (self->job, s), points[2 * n - 1]);
  }
  for (guint i = 0; i < self->rows->len; i++)
    show_row (self, self->rows->pdata[i]);
  gtk_widget_set_visible (GTK_WIDGET (self), self->rows->len > 0);
}

static void
stop_cb (PjuGatesView *self)
{
  if (self->job)
    pjm_job_finish (self->job);
  gtk_widget_set_sensitive (self->stop, FALSE);
}

static void
leave_job (PjuGatesView *self)
{
  if (self->job) {
    g_signal_handlers_disconnect_by_func (self->job, take_points, self);
    g_signal_handlers_disconnect_by_func (self->job, show_state, self);
  }
  g_clear_object (&self->job);
}

void
pju_gates_view_set_job (PjuGatesView *self, PjmJob *job)
{
  leave_job (self);
  for (guint i = self->rows->len; i > 0; i--)
    gtk_grid_remove_row (GTK_GRID (self->grid), (int) i);
  g_ptr_array_set_size (self->rows, 0);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  gtk_widget_set_sensitive (self->stop, TRUE);
  if (!job)
    return;
  self->job = g_object_ref (job);
  g_signal_connect_object (job, "points-added", G_CALLBACK (take_points), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "notify::state", G_CALLBACK (show_state), self, G_CONNECT_SWAPPED);
  take_points (self);
  show_state (self);
}

static void
dispose (GObject *object)
{
  PjuGatesView *self = PJU_GATES_VIEW (object);
  leave_job (self);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  G_OBJECT_CLASS (pju_gates_view_parent_class)->dispose (object);
}

static void
pju_gates_view_class_init (PjuGatesViewClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
pju_gates_view_init (PjuGatesView *self)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);

  self->rows = g_ptr_array_new_with_free_func (row_free);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->hint = gtk_label_new (_("Gates from closed (left) to open (right); the line is the share to keep."));
  gtk_label_set_xalign (GTK_LABEL (self->hint), 0);
  gtk_label_set_wrap (GTK_LABEL (self->hint), TRUE);
  gtk_widget_set_hexpand (self->hint, TRUE);
  gtk_widget_add_css_class (self->hint, "dim-label");
  self->stop = gtk_button_new_with_label (_("Stop Here and Edit"));
  pju_set_tooltip (self->stop, _("End now; the gates as they stand become the marks of the layers, to be changed by hand"));
  gtk_widget_set_valign (self->stop, GTK_ALIGN_CENTER);
  g_signal_connect_object (self->stop, "clicked", G_CALLBACK (stop_cb), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (head), self->hint);
  gtk_box_append (GTK_BOX (head), self->stop);
  self->grid = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (self->grid), 12);
  gtk_grid_set_row_spacing (GTK_GRID (self->grid), 6);
  gtk_box_append (GTK_BOX (self->box), head);
  gtk_box_append (GTK_BOX (self->box), self->grid);
  gtk_widget_add_css_class (self->box, "card");
  gtk_widget_add_css_class (self->box, "padded");
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

GtkWidget *
pju_gates_view_new (void)
{
  return g_object_new (PJU_TYPE_GATES_VIEW, NULL);
}
