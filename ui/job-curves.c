/* SPDX-License-Identifier: MIT */
/* Curves whose names speak of the same quantity share a chart, so that loss and accuracy never share an
 * axis.  New points are appended; nothing that is drawn already is computed again. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "chart-view.h"
#include "gates-view.h"
#include "job-curves.h"
#include "save.h"

typedef struct { const char *word, *title, *x_title; PjuChartUnit unit; } Quantity;

static const Quantity quantities[] = {
  { "alpha ", N_("Sharpness α of the gates"), N_("Training steps"), PJU_CHART_NUMBER },
  { "rate ", N_("Open gates"), N_("Training steps"), PJU_CHART_PERCENT },
  { "top1", N_("Accuracy"), N_("Share of channels kept"), PJU_CHART_PERCENT },
  { "kl ", N_("KL divergence of the output"), N_("Share of channels kept"), PJU_CHART_NUMBER },
  { "loss", N_("Loss"), N_("Training steps"), PJU_CHART_NUMBER },
  { "acc", N_("Accuracy"), N_("Training steps"), PJU_CHART_PERCENT },
  { "top", N_("Accuracy"), N_("Training steps"), PJU_CHART_PERCENT },
  { "lr", N_("Learning rate"), N_("Training steps"), PJU_CHART_NUMBER },
  { "rows", N_("Accuracy"), N_("Rows of the comparison"), PJU_CHART_PERCENT },
};

struct _PjuJobCurves {
  GtkWidget parent;
  GtkWidget *box, *empty, *gates;
  PjuStudio *studio;
  PjmJob *job;
  GPtrArray *views;                /* PjuChartView, not owned */
  GArray *drawn;                   /* guint: points of each series already in its chart */
};

G_DEFINE_FINAL_TYPE (PjuJobCurves, pju_job_curves, GTK_TYPE_WIDGET)

static const Quantity *
quantity_of (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (quantities); i++) {
    const char *word = quantities[i].word;
    /* Words that end in a space stand before the name of a layer, which may hold any other word. */
    if (g_str_has_suffix (word, " ") ? g_str_has_prefix (name, word) : strstr (name, word) != NULL)
      return &quantities[i];
  }
  return NULL;
}

static const char *
series_title (const char *name)
{
  static const char *const known[] = { N_("loss"), N_("accuracy"), N_("test loss"), N_("test accuracy"),
                                       N_("training accuracy"), N_("top-1"), N_("top-5"), N_("rows") };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    if (g_str_equal (name, known[i]))
      return _(known[i]);
  }
  if (g_str_equal (name, "lr"))
    return _("learning rate");
  /* One curve per layer: the chart says of what. */
  if (g_str_has_prefix (name, "top1 ") || g_str_has_prefix (name, "kl ") || g_str_has_prefix (name, "alpha ")
      || g_str_has_prefix (name, "rate "))
    return strchr (name, ' ') + 1;
  return name;
}

static void
save_cb (GtkWidget *button, PjuJobCurves *self)
{
  PjuChartView *view = g_object_get_data (G_OBJECT (button), "view");
  g_autofree char *name = g_strdup_printf ("%s.svg", pju_chart_view_get_chart (view)->title);
  g_strdelimit (name, "/\\:", '-');
  pju_chart_view_save (view, self->studio, name);
}

static void
csv_cb (GtkWidget *button, PjuJobCurves *self)
{
  PjuChartView *view = g_object_get_data (G_OBJECT (button), "view");
  g_autofree char *csv = pju_chart_to_csv (pju_chart_view_get_chart (view));
  pju_text_copy (self->studio, GTK_WIDGET (self), csv);
}

static GtkWidget *
chart_button (PjuJobCurves *self, GtkWidget *view, const char *icon, const char *tooltip, GCallback callback)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);
  g_object_set_data (G_OBJECT (button), "view", view);
  pju_set_tooltip (button, tooltip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, tooltip, -1);
  gtk_widget_add_css_class (button, "flat");
  g_signal_connect_object (button, "clicked", callback, self, 0);
  return button;
}

static PjuChartView *
view_for (PjuJobCurves *self, const char *series)
{
  const Quantity *quantity = quantity_of (series);
  const char *title = quantity ? _(quantity->title) : series;

  for (guint i = 0; i < self->views->len; i++) {
    if (g_strcmp0 (pju_chart_view_get_chart (self->views->pdata[i])->title, title) == 0)
      return self->views->pdata[i];
  }
  PjuChart *chart = pju_chart_new (title, quantity ? _(quantity->x_title) : _("Training steps"), NULL);
  chart->y_unit = quantity ? quantity->unit : PJU_CHART_NUMBER;
  GtkWidget *view = pju_chart_view_new (chart), *overlay = gtk_overlay_new ();
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_set_vexpand (view, TRUE);
  gtk_box_append (GTK_BOX (buttons), chart_button (self, view, "edit-copy-symbolic", _("Copy the points as CSV"), G_CALLBACK (csv_cb)));
  gtk_box_append (GTK_BOX (buttons), chart_button (self, view, "document-save-symbolic", _("Save as picture or table"),
                                                   G_CALLBACK (save_cb)));
  gtk_widget_set_halign (buttons, GTK_ALIGN_END);
  gtk_widget_set_valign (buttons, GTK_ALIGN_START);
  gtk_overlay_set_child (GTK_OVERLAY (overlay), view);
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), buttons);
  gtk_widget_add_css_class (overlay, "card");
  gtk_box_append (GTK_BOX (self->box), overlay);
  g_ptr_array_add (self->views, view);
  return PJU_CHART_VIEW (view);
}

/* All charts of a job have the same steps under one another. */
static void
share_range (PjuJobCurves *self)
{
  double last = 0;
  for (guint i = 0; i < self->views->len; i++) {
    PjuChart *chart = pju_chart_view_get_chart (self->views->pdata[i]);
    for (guint s = 0; s < chart->series->len; s++) {
      PjuSeries *series = chart->series->pdata[s];
      if (series->points->len >= 2)
        last = MAX (last, g_array_index (series->points, double, series->points->len - 2));
    }
  }
  for (guint i = 0; i < self->views->len; i++) {
    PjuChart *chart = pju_chart_view_get_chart (self->views->pdata[i]);
    chart->x_min = 0;
    chart->x_max = last;
  }
}

static void
take_points (PjuJobCurves *self)
{
  /* Of a sensitivity job: one number each, not curves. */
  static const char *const facts[] = { "pictures", "rest", "top1", NULL };
  guint n_series = pjm_job_n_series (self->job);

  while (self->drawn->len < n_series) {
    guint none = 0;
    g_array_append_val (self->drawn, none);
  }
  for (guint s = 0; s < n_series; s++) {
    const char *name = pjm_job_series_name (self->job, s);
    guint n, *drawn = &g_array_index (self->drawn, guint, s);
    const double *points = pjm_job_series_points (self->job, s, &n);
    if (n == *drawn || g_strv_contains (facts, name) || pju_gates_view_takes (name))
      continue;
    PjuChartView *view = view_for (self, name);
    PjuSeries *series = pju_chart_series (pju_chart_view_get_chart (view), series_title (name));
    series->smooth = strstr (name, "loss") && !strstr (name, "test");
    /* Points of such curves come between older ones. */
    if (g_str_has_prefix (name, "top1 ") || g_str_has_prefix (name, "kl ")) {
      g_array_set_size (series->points, 0);
      *drawn = 0;
    }
    for (guint i = *drawn; i < n; i++)
      pju_series_add (series, points[2 * i], points[2 * i + 1], NULL);
    *drawn = n;
    g_autofree char *text = g_strdup_printf (_("%s is %.4g after %u points"), series->name, points[2 * n - 1], n);
    pju_chart_view_changed (view, text);
  }
  share_range (self);
  gtk_widget_set_visible (self->empty, self->views->len == 0);
}

static void
show_empty (PjuJobCurves *self)
{
  gtk_label_set_text (GTK_LABEL (self->empty), pjm_job_is_active (self->job) ? _("Curves begin with the first measurement.")
                                                                             : _("This job has no curves."));
}

void
pju_job_curves_set_job (PjuJobCurves *self, PjmJob *job)
{
  if (job == self->job)
    return;
  if (self->job)
    g_signal_handlers_disconnect_by_data (self->job, self);
  g_set_object (&self->job, job);
  for (GtkWidget *child = gtk_widget_get_first_child (self->box), *next; child != NULL; child = next) {
    next = gtk_widget_get_next_sibling (child);
    if (child != self->empty && child != self->gates)
      gtk_box_remove (GTK_BOX (self->box), child);
  }
  g_ptr_array_set_size (self->views, 0);
  g_array_set_size (self->drawn, 0);
  pju_gates_view_set_job (PJU_GATES_VIEW (self->gates), job);
  if (!job)
    return;
  g_signal_connect_object (job, "points-added", G_CALLBACK (take_points), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "notify::state", G_CALLBACK (show_empty), self, G_CONNECT_SWAPPED);
  show_empty (self);
  take_points (self);
}

static void
dispose (GObject *object)
{
  PjuJobCurves *self = PJU_JOB_CURVES (object);
  if (self->job)
    g_signal_handlers_disconnect_by_data (self->job, self);
  g_clear_object (&self->job);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_pointer (&self->views, g_ptr_array_unref);
  g_clear_pointer (&self->drawn, g_array_unref);
  G_OBJECT_CLASS (pju_job_curves_parent_class)->dispose (object);
}

static void
pju_job_curves_class_init (PjuJobCurvesClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
pju_job_curves_init (PjuJobCurves *self)
{
  self->views = g_ptr_array_new ();
  self->drawn = g_array_new (FALSE, TRUE, sizeof (guint));
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  self->empty = gtk_label_new (NULL);
  gtk_widget_add_css_class (self->empty, "dim-label");
  gtk_widget_set_vexpand (self->empty, TRUE);
  self->gates = pju_gates_view_new ();
  gtk_box_append (GTK_BOX (self->box), self->gates);
  gtk_box_append (GTK_BOX (self->box), self->empty);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
pju_job_curves_new (PjuStudio *studio)
{
  PjuJobCurves *self = g_object_new (PJU_TYPE_JOB_CURVES, NULL);
  self->studio = g_object_ref (studio);
  return GTK_WIDGET (self);
}
