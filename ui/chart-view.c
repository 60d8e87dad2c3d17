/* SPDX-License-Identifier: MIT */
/* Shows one PjuChart in the widget's size; all drawing is the painter's.  Screen readers get the title
 * as the name and the newest values as the description. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "chart-view.h"
#include "save.h"

struct _PjuChartView {
  GtkWidget parent;
  PjuChart *chart;
};

G_DEFINE_FINAL_TYPE (PjuChartView, pju_chart_view, GTK_TYPE_WIDGET)

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  pju_paint_widget (widget, snapshot, pju_chart_paint, PJU_CHART_VIEW (widget)->chart, 0);
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
         int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 220 : 140;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 420 : 220;
}

static void
motion_cb (GtkEventControllerMotion *motion, double x, double y, PjuChartView *self)
{
  self->chart->hover_x = x;
  self->chart->hover_y = y;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
leave_cb (GtkEventControllerMotion *motion, PjuChartView *self)
{
  self->chart->hover_x = NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
finalize (GObject *object)
{
  pju_chart_free (PJU_CHART_VIEW (object)->chart);
  G_OBJECT_CLASS (pju_chart_view_parent_class)->finalize (object);
}

static void
pju_chart_view_class_init (PjuChartViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = finalize;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "chart");
}

static void
pju_chart_view_init (PjuChartView *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
}

GtkWidget *
pju_chart_view_new (PjuChart *chart)
{
  PjuChartView *self = g_object_new (PJU_TYPE_CHART_VIEW, "hexpand", TRUE, NULL);
  self->chart = chart;
  if (chart->title)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, chart->title, -1);
  return GTK_WIDGET (self);
}

PjuChart *
pju_chart_view_get_chart (PjuChartView *self)
{
  return self->chart;
}

void
pju_chart_view_changed (PjuChartView *self, const char *description)
{
  if (description)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, description, -1);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
free_copy (gpointer chart)
{
  pju_chart_free (chart);
}

void
pju_chart_view_save (PjuChartView *self, PjuStudio *studio, const char *name)
{
  pju_plot_save (studio, GTK_WIDGET (self), name, pju_chart_paint, pju_chart_copy (self->chart), free_copy, 720, 420,
                 pju_chart_to_csv (self->chart));
}
