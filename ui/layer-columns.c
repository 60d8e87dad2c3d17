/* SPDX-License-Identifier: MIT */
/* One row of the table of columns per column: its title, its cell, how a cell shows a layer, what of the layer it shows
 * that changes, and how rows are sorted by it.  A cell listens to its layer while it is bound, so that tied rows move
 * together; what other cells show does not concern it. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "format.h"
#include "layer-columns.h"
#include "palette.h"
#include "ratio.h"

typedef struct _Column Column;
struct _Column {
  const char *title, *sort;
  GtkWidget *(*make) (PjuStudio *studio);
  void (*show) (GtkWidget *cell, PjmLayer *layer);
  gboolean expand;
  const char *notify, *signal;     /* of the layer, or NULL */
};

/* --- cells --- */

static GtkWidget *
make_label (PjuStudio *studio)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  return label;
}

/* A cell for words that need not all be in one line: a row has room for two, and the whole is in the tooltip. */
static GtkWidget *
two_lines (int width)
{
  GtkWidget *label = make_label (NULL);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_lines (GTK_LABEL (label), 2);
  gtk_label_set_width_chars (GTK_LABEL (label), width);
  gtk_label_set_max_width_chars (GTK_LABEL (label), width);
  return label;
}

static GtkWidget *
make_kind (PjuStudio *studio)
{
  GtkWidget *label = two_lines (13);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 15);
  return label;
}

static GtkWidget *
make_number (PjuStudio *studio)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_add_css_class (label, "numeric");
  return label;
}

static GtkWidget *
make_name (PjuStudio *studio)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *label = make_label (studio);
  GtkWidget *lock = gtk_image_new_from_icon_name ("changes-prevent-symbolic");
  GtkWidget *tie = gtk_image_new_from_icon_name ("insert-link-symbolic");
  gtk_widget_set_hexpand (label, TRUE);
  gtk_label_set_width_chars (GTK_LABEL (label), 8);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_START);
  gtk_widget_add_css_class (label, "layer-name");
  gtk_accessible_update_property (GTK_ACCESSIBLE (lock), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Locked"), -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (tie), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Cut together with other layers"), -1);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), tie);
  gtk_box_append (GTK_BOX (box), lock);
  return box;
}

static void
show_name (GtkWidget *cell, PjmLayer *layer)
{
  GtkWidget *label = gtk_widget_get_first_child (cell), *lock = gtk_widget_get_last_child (cell);
  GtkWidget *tie = gtk_widget_get_prev_sibling (lock);
  g_autofree char *ties = pju_get_string (layer, "ties");
  gtk_widget_set_visible (tie, ties != NULL);
  pju_set_tooltip (tie, ties);
  gtk_label_set_text (GTK_LABEL (label), pjm_layer_get_name (layer));
  pju_set_tooltip (label, pjm_layer_get_name (layer));
  g_autofree char *reason = pju_get_string (layer, "lock-reason");
  gtk_widget_set_visible (lock, pjm_layer_get_locked (layer) && pjm_layer_get_channels (layer) > 0);
  pju_set_tooltip (lock, reason);
}

static void
show_kind (GtkWidget *cell, PjmLayer *layer)
{
  g_autofree char *kind = pju_get_string (layer, "kind"), *detail = pju_get_string (layer, "detail");
  g_autofree char *text = detail && *detail ? g_strdup_printf ("%s\n%s", kind, detail) : g_strdup (kind);
  gtk_label_set_text (GTK_LABEL (cell), kind);
  pju_set_tooltip (cell, text);
}

static void
show_shape (GtkWidget *cell, PjmLayer *layer)
{
  g_autofree char *text = pju_get_string (layer, "shape");
  gtk_label_set_text (GTK_LABEL (cell), text);
}

static void
show_channels (GtkWidget *cell, PjmLayer *layer)
{
  guint n = pjm_layer_get_channels (layer), kept = pjm_layer_get_kept (layer);
  g_autofree char *text = n == 0 ? g_strdup ("–") : g_strdup_printf (_("%u of %u"), kept, n);
  gtk_label_set_text (GTK_LABEL (cell), text);
}

static void
show_cost (GtkWidget *cell, PjmLayer *layer, const char *before_name, const char *after_name)
{
  guint64 before = pju_get_uint64 (layer, before_name), after = pju_get_uint64 (layer, after_name);
  g_autofree char *b = pju_format_count (before), *a = pju_format_count (after);
  g_autofree char *text = before == 0 ? g_strdup ("–") : before == after ? g_strdup (b)
                                                                         : g_strdup_printf ("%s → %s", b, a);
  gtk_label_set_text (GTK_LABEL (cell), text);
}

static void
show_params (GtkWidget *cell, PjmLayer *layer)
{
  show_cost (cell, layer, "params", "params-after");
}

static void
show_macs (GtkWidget *cell, PjmLayer *layer)
{
  show_cost (cell, layer, "macs", "macs-after");
}

static void
ratio_changed_cb (GtkWidget *ratio, double value, gboolean final, PjuStudio *studio)
{
  PjmLayer *layer = g_object_get_data (G_OBJECT (ratio), "layer");
  if (layer)
    pjm_project_set_ratio (pju_studio_get_project (studio), layer, value, final);
}

static GtkWidget *
make_ratio (PjuStudio *studio)
{
  GtkWidget *ratio = pju_ratio_new (FALSE);
  gtk_widget_set_size_request (ratio, 118, -1);
  pju_ratio_make_narrow (PJU_RATIO (ratio));
  g_signal_connect_object (ratio, "changed", G_CALLBACK (ratio_changed_cb), studio, 0);
  return ratio;
}

static void
show_ratio (GtkWidget *cell, PjmLayer *layer)
{
  gboolean prunable = pjm_layer_get_channels (layer) > 0, locked = pjm_layer_get_locked (layer);
  g_autofree char *label = g_strdup_printf (_("Share of channels to keep in %s"), pjm_layer_get_name (layer));
  g_object_set_data (G_OBJECT (cell), "layer", layer);
  pju_ratio_set_label (PJU_RATIO (cell), label);
  pju_ratio_set (PJU_RATIO (cell), prunable && !locked ? pjm_layer_get_keep_ratio (layer) : 1);
  gtk_widget_set_sensitive (cell, prunable && !locked);
  gtk_widget_set_opacity (cell, prunable ? 1 : 0);
}

static int
falling (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x > y ? -1 : x < y;
}

/* Scores sorted from strong to weak: a flat curve says that ratios hardly matter, a knee says where to cut. */
static void
draw_spark (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  PjmLayer *layer = g_object_get_data (G_OBJECT (area), "layer");
  const double *scores = layer ? pjm_layer_get_scores (layer) : NULL;
  guint n = layer ? pjm_layer_get_channels (layer) : 0;
  PjuPalette palette;

  if (!scores || n < 2)
    return;
  pju_palette_from_widget (&palette, GTK_WIDGET (area));
  g_autofree double *sorted = g_memdup2 (scores, n * sizeof (double));
  qsort (sorted, n, sizeof (double), falling);
  double high = sorted[0], low = sorted[n - 1], kept = (double) pjm_layer_get_kept (layer) / n * width;
  if (!isfinite (high) || !isfinite (low) || high <= low)
    return;
  cairo_move_to (cr, 0, height - 1);
  for (guint i = 0; i < n; i++)
    cairo_line_to (cr, (double) i / (n - 1) * width, 2 + (height - 3) * (1 - (sorted[i] - low) / (high - low)));
  cairo_line_to (cr, width, height - 1);
  cairo_close_path (cr);
  cairo_path_t *path = cairo_copy_path (cr);
  cairo_clip (cr);
  pju_set_color (cr, &palette.accent, .75);
  cairo_rectangle (cr, 0, 0, kept, height);
  cairo_fill (cr);
  cairo_set_line_width (cr, 1);
  pju_hatch (cr, kept, 0, width - kept, height, 4, &palette.dim);
  cairo_reset_clip (cr);
  cairo_append_path (cr, path);
  cairo_path_destroy (path);
  pju_set_color (cr, &palette.dim, 1);
  cairo_stroke (cr);
}

static GtkWidget *
make_spark (PjuStudio *studio)
{
  GtkWidget *area = g_object_new (GTK_TYPE_DRAWING_AREA, "accessible-role", GTK_ACCESSIBLE_ROLE_IMG, NULL);
  gtk_drawing_area_set_content_width (GTK_DRAWING_AREA (area), 48);
  gtk_drawing_area_set_content_height (GTK_DRAWING_AREA (area), 22);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (area), draw_spark, NULL, NULL);
  gtk_widget_set_valign (area, GTK_ALIGN_CENTER);
  return area;
}

static void
show_spark (GtkWidget *cell, PjmLayer *layer)
{
  g_autofree char *label = g_strdup_printf (_("Sorted importance of the channels of %s"), pjm_layer_get_name (layer));
  g_object_set_data (G_OBJECT (cell), "layer", layer);
  gtk_accessible_update_property (GTK_ACCESSIBLE (cell), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_widget_queue_draw (cell);
}

static void
show_criterion (GtkWidget *cell, PjmLayer *layer)
{
  PjuStudio *studio = g_object_get_data (G_OBJECT (cell), "studio");
  PjmProject *project = pju_studio_get_project (studio);
  gboolean prunable = pjm_layer_get_channels (layer) > 0 && !pjm_layer_get_locked (layer);
  g_autofree char *name = pju_get_string (project, "criterion");
  const char *title = name;
  guint n;
  const PjmChoice *methods = pjm_project_get_methods (project, &n);
  for (guint i = 0; i < n; i++)
    if (g_strcmp0 (methods[i].name, name) == 0)
      title = methods[i].title;
  gtk_label_set_text (GTK_LABEL (cell), prunable ? title : "–");
  pju_set_tooltip (cell, pjm_layer_get_refusal (layer) ? pjm_layer_get_refusal (layer) : prunable ? title : NULL);
}

static GtkWidget *
make_criterion (PjuStudio *studio)
{
  GtkWidget *label = make_label (studio);
  gtk_label_set_width_chars (GTK_LABEL (label), 8);
  g_object_set_data (G_OBJECT (label), "studio", studio);
  return label;
}

static void
show_time (GtkWidget *cell, PjmLayer *layer)
{
  g_autofree char *text = pju_format_milliseconds (pjm_layer_get_milliseconds (layer));
  gtk_label_set_text (GTK_LABEL (cell), text);
}

/* Why a layer is locked or what it is tied to is a sentence. */
static GtkWidget *
make_note (PjuStudio *studio)
{
  GtkWidget *label = two_lines (21);
  gtk_widget_add_css_class (label, "layer-note");
  return label;
}

static void
show_note (GtkWidget *cell, PjmLayer *layer)
{
  g_autofree char *reason = pju_get_string (layer, "lock-reason"), *ties = pju_get_string (layer, "ties");
  g_autofree char *refusal = g_strdup (pjm_layer_get_refusal (layer));
  const char *text = reason ? reason : ties ? ties : refusal ? refusal : "";
  gtk_label_set_text (GTK_LABEL (cell), text);
  pju_set_tooltip (cell, *text ? text : NULL);
}

static const Column columns[] = {
  { N_("Layer"), "name", make_name, show_name, FALSE, NULL, NULL },
  { N_("Kind"), "kind", make_kind, show_kind, FALSE, NULL, NULL },
  { N_("Output"), NULL, make_number, show_shape, FALSE, NULL, NULL },
  { N_("Channels"), "kept", make_number, show_channels, FALSE, "notify::kept", NULL },
  { N_("Parameters"), "params", make_number, show_params, FALSE, "notify::params-after", NULL },
  { N_("MACs"), "macs", make_number, show_macs, FALSE, "notify::macs-after", NULL },
  { N_("Time"), "milliseconds", make_number, show_time, FALSE, "notify::milliseconds", NULL },
  { N_("Scores"), "importance", make_spark, show_spark, FALSE, "notify::kept", "scores-changed" },
  { N_("Keep"), "keep-ratio", make_ratio, show_ratio, FALSE, "notify::keep-ratio", NULL },
  { N_("Note"), NULL, make_note, show_note, TRUE, NULL, "scores-changed" },
  { N_("Criterion"), NULL, make_criterion, show_criterion, FALSE, NULL, "scores-changed" },
};

/* --- factories --- */

typedef struct { const Column *column; PjuStudio *studio; } Factory;

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, Factory *self)
{
  gtk_list_item_set_child (item, self->column->make (self->studio));
}

static void
update_cb (PjmLayer *layer, GParamSpec *pspec, GtkListItem *item)
{
  Factory *self = g_object_get_data (G_OBJECT (item), "factory");
  GtkWidget *cell = gtk_list_item_get_child (item);
  if (self && cell)
    self->column->show (cell, layer);
}

static void
scores_cb (PjmLayer *layer, GtkListItem *item)
{
  update_cb (layer, NULL, item);
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, Factory *self)
{
  PjmLayer *layer = gtk_list_item_get_item (item);
  g_object_set_data (G_OBJECT (item), "factory", self);
  if (self->column->notify)
    g_signal_connect (layer, self->column->notify, G_CALLBACK (update_cb), item);
  if (self->column->signal)
    g_signal_connect (layer, self->column->signal, G_CALLBACK (scores_cb), item);
  self->column->show (gtk_list_item_get_child (item), layer);
}

static void
unbind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, Factory *self)
{
  PjmLayer *layer = gtk_list_item_get_item (item);
  GtkWidget *cell = gtk_list_item_get_child (item);
  if (layer)
    g_signal_handlers_disconnect_by_data (layer, item);
  if (cell)
    g_object_set_data (G_OBJECT (cell), "layer", NULL);
}

static GtkSorter *
make_sorter (const char *property)
{
  GtkExpression *value;
  if (!property)
    return NULL;
  value = gtk_property_expression_new (PJM_TYPE_LAYER, NULL, property);
  if (g_str_equal (property, "name") || g_str_equal (property, "kind"))
    return GTK_SORTER (gtk_string_sorter_new (value));
  return GTK_SORTER (gtk_numeric_sorter_new (value));
}

void
pju_layer_columns_add (GtkColumnView *view, PjuStudio *studio)
{
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
    Factory *self = g_new0 (Factory, 1);
    g_autoptr (GtkColumnViewColumn) column = NULL;
    g_autoptr (GtkSorter) sorter = make_sorter (columns[i].sort);

    self->column = &columns[i];
    self->studio = studio;
    g_signal_connect_data (factory, "setup", G_CALLBACK (setup_cb), self, (GClosureNotify) (GCallback) g_free, 0);
    g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), self);
    g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cb), self);
    column = gtk_column_view_column_new (_(columns[i].title), factory);
    gtk_column_view_column_set_expand (column, columns[i].expand);
    gtk_column_view_column_set_resizable (column, TRUE);
    gtk_column_view_column_set_sorter (column, sorter);
    gtk_column_view_append_column (view, column);
  }
}
