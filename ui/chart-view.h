/* SPDX-License-Identifier: MIT */
/* PjuChartView: a chart on screen, with the nearest point named under the pointer. */
#pragma once

#include "chart.h"
#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_CHART_VIEW (pju_chart_view_get_type ())
G_DECLARE_FINAL_TYPE (PjuChartView, pju_chart_view, PJU, CHART_VIEW, GtkWidget)

/* Takes @chart. */
GtkWidget *pju_chart_view_new (PjuChart *chart);
PjuChart *pju_chart_view_get_chart (PjuChartView *self);
/* Draw again after the chart's data changed; @description says it in words. */
void pju_chart_view_changed (PjuChartView *self, const char *description);
/* Asks for a name and saves the chart as a picture or as a table. */
void pju_chart_view_save (PjuChartView *self, PjuStudio *studio, const char *name);

G_END_DECLS
