/* SPDX-License-Identifier: MIT */
/* What chart.c, chart-paint.c and chart-series.c share. */
#pragma once

#include "chart.h"

/* One drawing of a chart. */
typedef struct {
  PjuChart *chart;
  cairo_t *cr;
  const PjuPalette *palette;
  double left, top, width, height;         /* of the plot */
  double x0, x1, y0, y1;                   /* ranges */
} PjuFrame;

/* From values to pixels. */
static inline double
pju_frame_x (const PjuFrame *f, double x)
{
  return f->left + (x - f->x0) / (f->x1 - f->x0) * f->width;
}

static inline double
pju_frame_y (const PjuFrame *f, double y)
{
  return f->top + f->height - (y - f->y0) / (f->y1 - f->y0) * f->height;
}

/* Half the length of the whisker at a point; 0 for none. */
double pju_series_get_error (const PjuSeries *self, guint point);
/* The path of the shape of a series, around x, y with about the radius @r. */
void pju_frame_marker (cairo_t *cr, guint series, double x, double y, double r);
/* Colour, dash and width of a series. */
void pju_frame_stroke (PjuFrame *f, PjuSeries *series, double width, double alpha);
/* Everything of a series inside the plot. */
void pju_frame_series (PjuFrame *f, PjuSeries *series);
