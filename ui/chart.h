/* SPDX-License-Identifier: MIT */
/* Line and scatter charts: axes with round ticks, a legend, several series.  The painter takes a cairo_t
 * and a palette, so that the screen and saved pictures are the same drawing. */
#pragma once

#include "palette.h"

G_BEGIN_DECLS

typedef enum { PJU_CHART_NUMBER, PJU_CHART_PERCENT, PJU_CHART_COUNT } PjuChartUnit;

typedef struct {
  char *name;
  guint color;                 /* series index of the palette: colour, dash and marker */
  gboolean scatter;            /* markers instead of a line */
  gboolean smooth;             /* thin raw line under a thick running mean */
  GArray *points;              /* double: x0 y0 x1 y1 … */
  GPtrArray *labels;           /* (nullable) one string per point */
  GArray *errors;              /* (nullable) double: one per point, half the length of its whisker; 0 for none */
  gboolean front;              /* steps from one point to the next, broad and pale: what nothing beats */
} PjuSeries;

typedef struct {
  char *title, *x_title, *y_title;
  PjuChartUnit x_unit, y_unit;
  GPtrArray *series;           /* PjuSeries */
  double x_min, x_max;         /* forced range of x; NAN: from the data */
  gboolean y_from_zero;
  double rule;                 /* a horizontal line, NAN for none */
  char *rule_name;
  double hover_x, hover_y;     /* pointer in pixels, NAN for none */
} PjuChart;

PjuChart *pju_chart_new (const char *title, const char *x_title, const char *y_title);
void pju_chart_free (PjuChart *self);
PjuChart *pju_chart_copy (PjuChart *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjuChart, pju_chart_free)

/* The series of this name, made at the end if there is none. */
PjuSeries *pju_chart_series (PjuChart *self, const char *name);
void pju_chart_clear (PjuChart *self);
void pju_series_add (PjuSeries *self, double x, double y, const char *label);
/* For the point added last. @error: half the length of its whisker */
void pju_series_set_error (PjuSeries *self, double error);

/* A PjuPainter with a PjuChart as data. */
void pju_chart_paint (gpointer chart, cairo_t *cr, double width, double height, const PjuPalette *palette);
/* Round steps: the distance of ticks for about @n of them over @range. */
double pju_chart_step (double range, int n);
/* The values of all series as a table. */
char *pju_chart_to_csv (PjuChart *self);

G_END_DECLS
