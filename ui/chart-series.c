/* SPDX-License-Identifier: MIT */
/* Lines, fronts, whiskers and markers of a chart.  Long lines are thinned to the extremes of each pixel column, so that a
 * drawing costs the width of the picture and not the length of the training. */
#include <math.h>

#include "chart-private.h"

#define SMOOTH_SHARE 40

/* Seven shapes and twelve colours: no two of 84 series look the same. */
void
pju_frame_marker (cairo_t *cr, guint series, double x, double y, double r)
{
  /* A text drawn before leaves a point that a shape of lines would begin at. */
  cairo_new_path (cr);
  switch (series % 7) {
    case 0:
      cairo_arc (cr, x, y, r, 0, 2 * G_PI);
      break;
    case 1:
      cairo_rectangle (cr, x - r * .9, y - r * .9, r * 1.8, r * 1.8);
      break;
    case 2:
      cairo_move_to (cr, x, y - r * 1.2);
      cairo_line_to (cr, x + r * 1.1, y + r * .9);
      cairo_line_to (cr, x - r * 1.1, y + r * .9);
      cairo_close_path (cr);
      break;
    case 3:
      cairo_move_to (cr, x, y - r * 1.3);
      cairo_line_to (cr, x + r * 1.3, y);
      cairo_line_to (cr, x, y + r * 1.3);
      cairo_line_to (cr, x - r * 1.3, y);
      cairo_close_path (cr);
      break;
    case 4:
      cairo_move_to (cr, x, y + r * 1.2);
      cairo_line_to (cr, x + r * 1.1, y - r * .9);
      cairo_line_to (cr, x - r * 1.1, y - r * .9);
      cairo_close_path (cr);
      break;
    case 5:
      cairo_rectangle (cr, x - r * 1.2, y - r * .45, r * 2.4, r * .9);
      cairo_rectangle (cr, x - r * .45, y - r * 1.2, r * .9, r * 2.4);
      break;
    default:
      for (int i = 0; i < 6; i++)
        cairo_line_to (cr, x + r * 1.1 * cos (i * G_PI / 3), y + r * 1.1 * sin (i * G_PI / 3));
      cairo_close_path (cr);
  }
}

void
pju_frame_stroke (PjuFrame *f, PjuSeries *series, double width, double alpha)
{
  const double *dash;
  GdkRGBA color;
  pju_palette_series (f->palette, series->color, &color);
  int n = pju_palette_dash (series->color, &dash);
  pju_set_color (f->cr, &color, alpha);
  cairo_set_dash (f->cr, dash, series->smooth ? 0 : n, 0);
  cairo_set_line_width (f->cr, width);
  cairo_set_line_join (f->cr, CAIRO_LINE_JOIN_ROUND);
}

/* Extremes per pixel column, in the order in which they come. */
static void
trace (PjuFrame *f, const double *p, guint n)
{
  double column = -INFINITY, low = 0, high = 0, last = 0;
  gboolean started = FALSE;

  for (guint i = 0; i < n; i++) {
    double x = pju_frame_x (f, p[2 * i]), y = pju_frame_y (f, p[2 * i + 1]);
    if (!isfinite (x) || !isfinite (y))
      continue;
    if (started && floor (x) == column) {
      low = MIN (low, y);
      high = MAX (high, y);
      last = y;
      continue;
    }
    if (started && low < high) {
      cairo_line_to (f->cr, column + 0.5, low);
      cairo_line_to (f->cr, column + 0.5, high);
      cairo_line_to (f->cr, column + 0.5, last);
    }
    if (started)
      cairo_line_to (f->cr, x, y);
    else
      cairo_move_to (f->cr, x, y);
    started = TRUE;
    column = floor (x);
    low = high = last = y;
  }
  if (started && low < high)
    cairo_line_to (f->cr, column + 0.5, last);
}

/* A mean over the neighbourhood of each point: a fixed share of the whole, centred. */
static double *
smoothed (const double *p, guint n)
{
  guint half = MAX (n / SMOOTH_SHARE / 2, 1);
  double *out = g_new (double, 2 * n), sum = 0;
  guint from = 0, to = 0;

  for (guint i = 0; i < n; i++) {
    guint want_from = i > half ? i - half : 0, want_to = MIN (i + half + 1, n);
    while (to < want_to)
      sum += p[2 * to++ + 1];
    while (from < want_from)
      sum -= p[2 * from++ + 1];
    out[2 * i] = p[2 * i];
    out[2 * i + 1] = sum / (to - from);
  }
  return out;
}

static void
draw_whisker (PjuFrame *f, double x, double y, double error)
{
  double high = pju_frame_y (f, y + error), low = pju_frame_y (f, y - error), at = pju_frame_x (f, x);
  if (!(error > 0))
    return;
  cairo_move_to (f->cr, at, high);
  cairo_line_to (f->cr, at, low);
  cairo_move_to (f->cr, at - 4, high);
  cairo_line_to (f->cr, at + 4, high);
  cairo_move_to (f->cr, at - 4, low);
  cairo_line_to (f->cr, at + 4, low);
  cairo_set_line_width (f->cr, 1.5);
  cairo_stroke (f->cr);
}

/* The points come by rising x, and y rises with them. */
static void
draw_front (PjuFrame *f, const double *p, guint n)
{
  for (guint i = 0; i < n; i++) {
    double x = pju_frame_x (f, p[2 * i]), y = pju_frame_y (f, p[2 * i + 1]);
    if (i > 0)
      cairo_line_to (f->cr, x, pju_frame_y (f, p[2 * i - 1]));
    cairo_line_to (f->cr, x, y);
  }
  if (n > 0)
    cairo_line_to (f->cr, f->left + f->width, pju_frame_y (f, p[2 * n - 1]));
  pju_set_color (f->cr, &f->palette->fg, .22);
  cairo_set_line_width (f->cr, 5);
  cairo_set_line_join (f->cr, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke (f->cr);
}

static void
draw_scatter (PjuFrame *f, PjuSeries *series, const double *p, guint n)
{
  GdkRGBA color;
  pju_palette_series (f->palette, series->color, &color);
  pju_frame_stroke (f, series, 1.2, .55);
  trace (f, p, n);
  cairo_stroke (f->cr);
  cairo_set_dash (f->cr, NULL, 0, 0);
  pju_set_color (f->cr, &color, .9);
  for (guint i = 0; i < n; i++)
    draw_whisker (f, p[2 * i], p[2 * i + 1], pju_series_get_error (series, i));
  for (guint i = 0; i < n; i++) {
    double x = pju_frame_x (f, p[2 * i]), y = pju_frame_y (f, p[2 * i + 1]);
    pju_frame_marker (f->cr, series->color, x, y, 4.5);
    pju_set_color (f->cr, &color, 1);
    cairo_fill_preserve (f->cr);
    pju_set_color (f->cr, &f->palette->raised, 1);
    cairo_set_line_width (f->cr, 1.2);
    cairo_stroke (f->cr);
  }
}

void
pju_frame_series (PjuFrame *f, PjuSeries *series)
{
  const double *p = (const double *) series->points->data;
  guint n = series->points->len / 2;

  if (series->front) {
    draw_front (f, p, n);
    return;
  }
  if (series->scatter) {
    draw_scatter (f, series, p, n);
    return;
  }
  if (series->smooth && n >= 2 * SMOOTH_SHARE) {
    g_autofree double *mean = smoothed (p, n);
    pju_frame_stroke (f, series, 1, .30);
    trace (f, p, n);
    cairo_stroke (f->cr);
    pju_frame_stroke (f, series, 2, 1);
    trace (f, mean, n);
    cairo_stroke (f->cr);
    return;
  }
  pju_frame_stroke (f, series, 2, 1);
  trace (f, p, n);
  cairo_stroke (f->cr);
  if (n <= 24) {
    cairo_set_dash (f->cr, NULL, 0, 0);
    for (guint i = 0; i < n; i++) {
      pju_frame_marker (f->cr, series->color, pju_frame_x (f, p[2 * i]), pju_frame_y (f, p[2 * i + 1]), 3);
      cairo_fill (f->cr);
    }
  }
}
