/* SPDX-License-Identifier: MIT */
/* The chart painter.  Layout from outside in: title and legend on top, tick labels left and below, the
 * plot in what remains. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <pango/pangocairo.h>

#include "chart-private.h"
#include "format.h"

#define FONT "Cantarell, Noto Sans CJK SC, Sans 9"

double
pju_chart_step (double range, int n)
{
  double raw = range / MAX (n, 1), power = pow (10, floor (log10 (raw))), f = raw / power;
  return (f <= 1 ? 1 : f <= 2 ? 2 : f <= 2.5 ? 2.5 : f <= 5 ? 5 : 10) * power;
}

/* The step for one line in so many pixels, and at least two lines: one alone says nothing of the scale. */
static double
step_between (double from, double to, double pixels, double each)
{
  int n = (int) MAX (pixels / each, 2);
  double step = pju_chart_step (to - from, n);
  for (int more = n + 1; more <= 4 * n && floor (to / step + 1e-9) - ceil (from / step - 1e-9) < 1; more++)
    step = pju_chart_step (to - from, more);
  return step;
}

static char *
tick_text (PjuChartUnit unit, double value, double step)
{
  if (unit == PJU_CHART_PERCENT) {
    int digits = step < 0.001 ? 2 : step < 0.01 || fabs (step * 100 - round (step * 100)) > 1e-6 ? 1 : 0;
    return g_strdup_printf ("%.*f\u202f%%", digits, value * 100);
  }
  if (unit == PJU_CHART_COUNT)
    return pju_format_count (value);
  if (value != 0 && (fabs (value) < 1e-3 || fabs (value) >= 1e5))
    return g_strdup_printf ("%.2g", value);
  int digits = step >= 1 ? 0 : (int) ceil (-log10 (step) - 1e-9);
  if (step < 1 && fabs (step * pow (10, digits) - round (step * pow (10, digits))) > 1e-6)
    digits++;
  return g_strdup_printf ("%.*f", CLAMP (digits, 0, 6), value);
}

static PangoLayout *
layout (cairo_t *cr, const char *text, gboolean bold)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string (FONT);
  if (bold)
    pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  return layout;
}

/* Draws @text with its anchor (0 … 1 of its size) at x, y; returns its width. */
static double
draw_text (cairo_t *cr, const char *text, double x, double y, double ax, double ay, gboolean bold)
{
  g_autoptr (PangoLayout) pango = layout (cr, text, bold);
  int w, h;
  pango_layout_get_pixel_size (pango, &w, &h);
  cairo_move_to (cr, round (x - ax * w), round (y - ay * h));
  pango_cairo_show_layout (cr, pango);
  return w;
}

static double
text_width (cairo_t *cr, const char *text)
{
  g_autoptr (PangoLayout) pango = layout (cr, text, FALSE);
  int w;
  pango_layout_get_pixel_size (pango, &w, NULL);
  return w;
}

static gboolean
find_ranges (PjuFrame *f)
{
  PjuChart *chart = f->chart;
  f->x0 = f->y0 = INFINITY;
  f->x1 = f->y1 = -INFINITY;
  for (guint s = 0; s < chart->series->len; s++) {
    PjuSeries *series = chart->series->pdata[s];
    const double *p = (const double *) series->points->data;
    for (guint i = 0; i + 1 < series->points->len; i += 2) {
      if (!isfinite (p[i]) || !isfinite (p[i + 1]))
        continue;
      f->x0 = MIN (f->x0, p[i]);
      f->x1 = MAX (f->x1, p[i]);
      f->y0 = MIN (f->y0, p[i + 1] - pju_series_get_error (series, i / 2));
      f->y1 = MAX (f->y1, p[i + 1] + pju_series_get_error (series, i / 2));
    }
  }
  if (f->x0 > f->x1)
    return FALSE;
  if (isfinite (chart->rule)) {
    f->y0 = MIN (f->y0, chart->rule);
    f->y1 = MAX (f->y1, chart->rule);
  }
  if (chart->y_from_zero)
    f->y0 = MIN (f->y0, 0);
  if (isfinite (chart->x_min))
    f->x0 = chart->x_min;
  if (isfinite (chart->x_max))
    f->x1 = chart->x_max;
  if (f->x1 <= f->x0)
    f->x1 = f->x0 + 1;
  double pad = f->y1 > f->y0 ? (f->y1 - f->y0) * 0.06 : MAX (fabs (f->y1) * 0.1, 1e-6);
  f->y1 += pad;
  if (!chart->y_from_zero || f->y0 < 0)
    f->y0 -= pad;
  if (chart->y_unit == PJU_CHART_PERCENT) {
    f->y0 = MAX (f->y0, 0);
    f->y1 = MIN (f->y1, 1.02);
  }
  return TRUE;
}

static void
draw_grid (PjuFrame *f, double x_step, double y_step)
{
  cairo_t *cr = f->cr;
  cairo_set_line_width (cr, 1);
  cairo_set_dash (cr, NULL, 0, 0);
  for (double y = ceil (f->y0 / y_step - 1e-9) * y_step; y <= f->y1 + y_step * 1e-9; y += y_step) {
    double at = round (pju_frame_y (f, y)) + .5;
    g_autofree char *text = tick_text (f->chart->y_unit, fabs (y) < y_step * 1e-6 ? 0 : y, y_step);
    pju_set_color (cr, &f->palette->line, .8);
    cairo_move_to (cr, f->left, at);
    cairo_line_to (cr, f->left + f->width, at);
    cairo_stroke (cr);
    pju_set_color (cr, &f->palette->dim, 1);
    draw_text (cr, text, f->left - 8, at, 1, .5, FALSE);
  }
  double base = round (f->top + f->height) + .5;
  for (double x = ceil (f->x0 / x_step - 1e-9) * x_step; x <= f->x1 + x_step * 1e-9; x += x_step) {
    double at = round (pju_frame_x (f, x)) + .5;
    g_autofree char *text = tick_text (f->chart->x_unit, fabs (x) < x_step * 1e-6 ? 0 : x, x_step);
    pju_set_color (cr, &f->palette->line, 1);
    cairo_move_to (cr, at, base);
    cairo_line_to (cr, at, base + 4);
    cairo_stroke (cr);
    pju_set_color (cr, &f->palette->dim, 1);
    draw_text (cr, text, at, base + 6, .5, 0, FALSE);
  }
  pju_set_color (cr, &f->palette->dim, .7);
  cairo_move_to (cr, f->left, base);
  cairo_line_to (cr, f->left + f->width, base);
  cairo_stroke (cr);
}

static void
draw_rule (PjuFrame *f)
{
  if (!isfinite (f->chart->rule))
    return;
  double at = round (pju_frame_y (f, f->chart->rule)) + .5;
  static const double dash[] = { 4, 4 };
  pju_set_color (f->cr, &f->palette->dim, 1);
  cairo_set_dash (f->cr, dash, 2, 0);
  cairo_set_line_width (f->cr, 1);
  cairo_move_to (f->cr, f->left, at);
  cairo_line_to (f->cr, f->left + f->width, at);
  cairo_stroke (f->cr);
  cairo_set_dash (f->cr, NULL, 0, 0);
  if (f->chart->rule_name)
    draw_text (f->cr, f->chart->rule_name, f->left + f->width - 4, at - 3, 1, 1, FALSE);
}

static void
draw_legend_mark (PjuFrame *f, PjuSeries *series, double x, double y)
{
  GdkRGBA color;
  pju_palette_series (f->palette, series->color, &color);
  if (series->front) {
    cairo_move_to (f->cr, x, y);
    cairo_line_to (f->cr, x + 18, y);
    pju_set_color (f->cr, &f->palette->fg, .22);
    cairo_set_line_width (f->cr, 5);
    cairo_stroke (f->cr);
    return;
  }
  if (series->scatter) {
    pju_frame_marker (f->cr, series->color, x + 9, y, 4.5);
    pju_set_color (f->cr, &color, 1);
    cairo_fill (f->cr);
    return;
  }
  pju_frame_stroke (f, series, 2, 1);
  cairo_move_to (f->cr, x, y);
  cairo_line_to (f->cr, x + 18, y);
  cairo_stroke (f->cr);
  cairo_set_dash (f->cr, NULL, 0, 0);
}

/* The title at the left, then the legend, over as many lines as it takes; returns the height.  The first line leaves room
 * for the buttons that lie over the right corner of a view. */
static double
draw_head (PjuFrame *f, double width)
{
  double x = 12, y = 16, row = 20, end = width - 88;
  pju_set_color (f->cr, &f->palette->fg, 1);
  if (f->chart->title)
    x += draw_text (f->cr, f->chart->title, x, y, 0, .5, TRUE) + 24;
  for (guint i = 0; i < f->chart->series->len; i++) {
    PjuSeries *series = f->chart->series->pdata[i];
    double w = 24 + text_width (f->cr, series->name);
    if (x + w > end && x > 12) {
      x = 12;
      y += row;
      end = width - 12;
    }
    draw_legend_mark (f, series, x, y);
    pju_set_color (f->cr, &f->palette->fg, 1);
    draw_text (f->cr, series->name, x + 24, y, 0, .5, FALSE);
    x += w + 18;
  }
  return y + 14;
}

static void
draw_tip (PjuFrame *f, double x, double y, const char *text, double full_width)
{
  g_autoptr (PangoLayout) pango = layout (f->cr, text, FALSE);
  int w, h;
  pango_layout_get_pixel_size (pango, &w, &h);
  double bx = x + 12, by = y - h - 18;
  if (bx + w + 16 > full_width)
    bx = x - w - 28;
  by = MAX (by, 2);
  pju_round_rect (f->cr, bx, by, w + 16, h + 10, 6);
  pju_set_color (f->cr, &f->palette->fg, .92);
  cairo_fill (f->cr);
  pju_set_color (f->cr, &f->palette->raised, 1);
  cairo_move_to (f->cr, bx + 8, by + 5);
  pango_cairo_show_layout (f->cr, pango);
}

/* Names the point nearest to the pointer. */
static void
draw_hover (PjuFrame *f, double full_width)
{
  PjuSeries *near = NULL;
  guint near_at = 0;
  double best = 32 * 32;

  if (!isfinite (f->chart->hover_x))
    return;
  for (guint s = 0; s < f->chart->series->len; s++) {
    PjuSeries *series = f->chart->series->pdata[s];
    const double *p = (const double *) series->points->data;
    for (guint i = 0; i < series->points->len / 2 && !series->front; i++) {
      double dx = pju_frame_x (f, p[2 * i]) - f->chart->hover_x, dy = pju_frame_y (f, p[2 * i + 1]) - f->chart->hover_y;
      if (dx * dx + dy * dy < best) {
        best = dx * dx + dy * dy;
        near = series;
        near_at = i;
      }
    }
  }
  if (!near)
    return;
  const double *p = (const double *) near->points->data + 2 * near_at;
  double x = pju_frame_x (f, p[0]), y = pju_frame_y (f, p[1]);
  g_autofree char *xs = tick_text (f->chart->x_unit, p[0], f->chart->x_unit == PJU_CHART_PERCENT ? 1e-3 : 1);
  g_autofree char *ys = tick_text (f->chart->y_unit, p[1], f->chart->y_unit == PJU_CHART_PERCENT ? 1e-4 : 1e-4);
  const char *label = near->labels && near_at < near->labels->len ? near->labels->pdata[near_at] : NULL;
  g_autofree char *text = label ? g_strdup (label)
                                : g_strdup_printf ("%s %s\n%s: %s", f->chart->x_title ? f->chart->x_title : "", xs,
                                                   near->name, ys);
  GdkRGBA color;
  pju_palette_series (f->palette, near->color, &color);
  cairo_arc (f->cr, x, y, 7, 0, 2 * G_PI);
  pju_set_color (f->cr, &color, 1);
  cairo_set_line_width (f->cr, 2);
  cairo_stroke (f->cr);
  draw_tip (f, x, y, text, full_width);
}

void
pju_chart_paint (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  PjuFrame f = { .chart = data, .cr = cr, .palette = palette };
  PjuChart *chart = f.chart;

  double head = draw_head (&f, width);
  if (!find_ranges (&f)) {
    pju_set_color (cr, &palette->dim, 1);
    draw_text (cr, _("No points yet"), width / 2, (height + head) / 2, .5, .5, FALSE);
    return;
  }
  f.top = head + 4 + (chart->y_title ? 16 : 0);
  f.height = height - f.top - (chart->x_title ? 42 : 26);
  double y_step = step_between (f.y0, f.y1, f.height, 40);
  double label = 0;
  for (double y = ceil (f.y0 / y_step) * y_step; y <= f.y1; y += y_step) {
    g_autofree char *text = tick_text (chart->y_unit, y, y_step);
    label = MAX (label, text_width (cr, text));
  }
  f.left = 18 + label;
  f.width = width - f.left - 22;
  if (f.width < 20 || f.height < 20)
    return;
  double x_step = step_between (f.x0, f.x1, f.width, 80);
  draw_grid (&f, x_step, y_step);
  pju_set_color (cr, &palette->dim, 1);
  if (chart->x_title)
    draw_text (cr, chart->x_title, f.left + f.width, f.top + f.height + 24, 1, 0, FALSE);
  if (chart->y_title)
    draw_text (cr, chart->y_title, 12, head + 2, 0, 0, FALSE);

  draw_rule (&f);
  cairo_save (cr);
  cairo_rectangle (cr, f.left - 8, f.top - 8, f.width + 16, f.height + 16);
  cairo_clip (cr);
  for (guint i = 0; i < chart->series->len; i++)
    pju_frame_series (&f, chart->series->pdata[i]);
  cairo_restore (cr);
  draw_hover (&f, width);
}
