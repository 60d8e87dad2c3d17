/* SPDX-License-Identifier: MIT */
/* A line joins the ratios of one method; the broad pale steps are what no row beats.  New rows never change which stage is
 * shown once a person has chosen one. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "chart-view.h"
#include "compare-columns.h"
#include "compare-scatter.h"
#include "format.h"
#include "method-color.h"

struct _PjuCompareScatter {
  GtkBox parent;
  PjuStudio *studio;
  PjmComparison *comparison;
  GtkWidget *measure, *base, *view;
  gboolean filling, chosen;
};

G_DEFINE_FINAL_TYPE (PjuCompareScatter, pju_compare_scatter, GTK_TYPE_BOX)

static const char *const measures[] = { "cut", "recalibrated", "tuned" };

typedef struct { double share, accuracy; } Point;

static int
compare_points (gconstpointer a, gconstpointer b)
{
  const Point *x = a, *y = b;
  if (x->share != y->share)
    return x->share < y->share ? -1 : 1;
  return x->accuracy > y->accuracy ? -1 : x->accuracy < y->accuracy;
}

/* What is left when points that another beats are gone. @points is sorted. */
static void
add_front (PjuChart *chart, GArray *points)
{
  double best = -1;
  PjuSeries *series = NULL;

  g_array_sort (points, compare_points);
  for (guint i = 0; i < points->len; i++) {
    const Point *point = &g_array_index (points, Point, i);
    if (point->accuracy <= best)
      continue;
    best = point->accuracy;
    if (!series)
      series = pju_chart_series (chart, _("nothing beats these"));
    series->front = TRUE;
    pju_series_add (series, point->share, point->accuracy, NULL);
  }
}

static void
add_row (PjuCompareScatter *self, PjuChart *chart, PjmCompareRow *row, const char *measure)
{
  double accuracy = pju_get_double (row, measure), share = pju_get_double (row, "macs-share");
  g_autofree char *method = pju_get_string (row, "method"), *name = pju_compare_row_name (self->comparison, row);
  g_autofree char *of_spread = g_strdup_printf ("%s-spread", measure), *title = pju_compare_row_title (row);
  g_autofree char *figure = pju_compare_row_figure (row, measure), *macs = pju_format_percent (share, 0);
  g_autofree char *label = g_strdup_printf (_("%s\naccuracy %s at %s of the MACs"), title, figure, macs);
  g_autofree char *start = pju_get_string (row, "start");
  PjuSeries *series = pju_chart_series (chart, name);
  guint color = pju_method_color (pju_studio_get_project (self->studio), method);

  series->scatter = TRUE;
  /* The other start of a method: the same colour, another marker and dash. */
  series->color = g_strcmp0 (start, "recalibrated") == 0 && g_strrstr (name, "(") ? color + PJU_N_SERIES : color;
  pju_series_add (series, share, accuracy, label);
  pju_series_set_error (series, MAX (pju_get_double (row, of_spread), 0));
}

static void
draw (PjuCompareScatter *self)
{
  PjuChart *chart = pju_chart_view_get_chart (PJU_CHART_VIEW (self->view));
  guint n = self->comparison ? g_list_model_get_n_items (G_LIST_MODEL (self->comparison)) : 0;
  const char *measure = measures[MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (self->measure)), 2u)];
  g_autoptr (GArray) points = g_array_new (FALSE, FALSE, sizeof (Point));

  pju_chart_clear (chart);
  for (int pass = 0; pass < 2; pass++) {
    /* The front lies under the marks. */
    if (pass == 1)
      add_front (chart, points);
    for (guint i = 0; i < n; i++) {
      g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
      Point point = { pju_get_double (row, "macs-share"), pju_get_double (row, measure) };
      if (point.accuracy < 0 || point.share < 0)
        continue;
      if (pass == 0)
        g_array_append_val (points, point);
      else
        add_row (self, chart, row, measure);
    }
  }
  double widest = 0;
  for (guint i = 0; i < points->len; i++)
    widest = MAX (widest, g_array_index (points, Point, i).share);
  chart->x_min = 0;
  chart->x_max = MIN (widest * 1.15, 1.02);
  double base = self->comparison ? pju_get_double (self->comparison, "base-accuracy") : -1;
  chart->rule = base >= 0 ? base : NAN;
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u measured point", "%u measured points", points->len),
                                           points->len);
  pju_chart_view_changed (PJU_CHART_VIEW (self->view), text);
}

/* The last stage that was measured says most. */
static void
choose_measure (PjuCompareScatter *self)
{
  guint best = 0;
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->comparison)); i++) {
    g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
    for (guint m = 0; m < G_N_ELEMENTS (measures); m++) {
      if (pju_get_double (row, measures[m]) >= 0)
        best = MAX (best, m);
    }
  }
  self->filling = TRUE;
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->measure), best);
  self->filling = FALSE;
}

static void
show_base (PjuCompareScatter *self)
{
  g_autofree char *accuracy = pju_format_percent (pju_get_double (self->comparison, "base-accuracy"), 1);
  g_autofree char *macs = pju_format_count (pju_get_uint64 (self->comparison, "base-macs"));
  guint n = pju_get_uint (self->comparison, "n-test");
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
    "Uncut: %s accuracy, %s MACs, measured on %u test picture", "Uncut: %s accuracy, %s MACs, measured on %u test pictures",
    n), accuracy, macs, n);
  gtk_label_set_text (GTK_LABEL (self->base), text);
  pju_set_tooltip (self->base, text);
}

void
pju_compare_scatter_show (PjuCompareScatter *self, PjmComparison *comparison)
{
  if (g_set_object (&self->comparison, comparison))
    self->chosen = FALSE;
  if (!comparison) {
    gtk_label_set_text (GTK_LABEL (self->base), "");
    return;
  }
  if (!self->chosen)
    choose_measure (self);
  show_base (self);
  draw (self);
}

static void
measure_cb (PjuCompareScatter *self)
{
  if (self->filling || !self->comparison)
    return;
  self->chosen = TRUE;
  draw (self);
}

static void
save_cb (PjuCompareScatter *self)
{
  pju_chart_view_save (PJU_CHART_VIEW (self->view), self->studio, "comparison.svg");
}

static void
dispose (GObject *object)
{
  PjuCompareScatter *self = PJU_COMPARE_SCATTER (object);
  g_clear_object (&self->comparison);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_compare_scatter_parent_class)->dispose (object);
}

static void
pju_compare_scatter_class_init (PjuCompareScatterClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
}

static void
pju_compare_scatter_init (PjuCompareScatter *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_widget_add_css_class (GTK_WIDGET (self), "card");
}

static GtkWidget *
make_head (PjuCompareScatter *self)
{
  const char *const names[] = { _("After the cut"), _("Recalibrated"), _("Fine-tuned"), NULL };
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *title = pju_heading_new (_("Accuracy against cost"));

  gtk_widget_add_css_class (head, "card-head");
  self->measure = gtk_drop_down_new_from_strings (names);
  pju_set_tooltip (self->measure, _("Which accuracy the picture shows"));
  pju_set_label (self->measure, _("Accuracy shown in the picture"));
  g_signal_connect_swapped (self->measure, "notify::selected", G_CALLBACK (measure_cb), self);
  gtk_box_append (GTK_BOX (head), title);
  gtk_box_append (GTK_BOX (head), self->measure);
  gtk_box_append (GTK_BOX (head), pju_save_button_new (_("Save the scatter plot"), G_CALLBACK (save_cb), self));
  return head;
}

GtkWidget *
pju_compare_scatter_new (PjuStudio *studio)
{
  PjuCompareScatter *self = g_object_new (PJU_TYPE_COMPARE_SCATTER, NULL);
  PjuChart *chart = pju_chart_new (NULL, _("Share of the multiply-accumulates"), NULL);

  self->studio = g_object_ref (studio);
  chart->x_unit = chart->y_unit = PJU_CHART_PERCENT;
  chart->rule_name = g_strdup (_("uncut"));
  self->view = pju_chart_view_new (chart);
  gtk_widget_set_vexpand (self->view, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Accuracy against cost"), -1);
  self->base = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->base), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->base), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (self->base, "dim-label");
  gtk_widget_add_css_class (self->base, "numeric");
  gtk_widget_add_css_class (self->base, "card-line");
  gtk_box_append (GTK_BOX (self), make_head (self));
  gtk_box_append (GTK_BOX (self), self->base);
  gtk_box_append (GTK_BOX (self), self->view);
  return GTK_WIDGET (self);
}
