/* SPDX-License-Identifier: MIT */
/* The pictures of a report.  Colours are classes of the page's style sheet, which knows light and dark. */
#include "model/work-report-private.h"

#include <math.h>
#include <string.h>

#include "prune/method.h"

const char *
pj_report_method_title (const char *method)
{
  const PjMethod *found = pj_method_find (method);
  return found != NULL ? found->title : method;
}

GPtrArray *
pj_report_methods (const PjComparison *comparison)
{
  GPtrArray *methods = g_ptr_array_new ();
  for (guint i = 0; i < comparison->rows->len; i++) {
    const PjCompareRow *row = comparison->rows->pdata[i];
    if (!g_ptr_array_find_with_equal_func (methods, row->method, g_str_equal, NULL))
      g_ptr_array_add (methods, row->method);
  }
  return methods;
}

/* Which of the eight colours a method has. */
static guint
colour (const GPtrArray *methods, const char *method)
{
  guint index = 0;
  g_ptr_array_find_with_equal_func ((GPtrArray *) methods, method, g_str_equal, &index);
  return index % 8;
}

/* SVG wants points, whatever the locale. */
static void
append (GString *out, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
append (GString *out, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_string_append_vprintf (out, format, args);
  va_end (args);
}

/* --- accuracy against MACs --- */

enum { WIDTH = 860, HEIGHT = 420, LEFT = 64, RIGHT = 200, TOP = 20, BOTTOM = 52 };

typedef struct {
  double x_max, y_min, y_max;
} Scale;

static int
at_x (const Scale *scale, double macs)
{
  return (int) lround (LEFT + macs / scale->x_max * (WIDTH - LEFT - RIGHT));
}

static int
at_y (const Scale *scale, double share)
{
  return (int) lround (TOP + (scale->y_max - share) / (scale->y_max - scale->y_min) * (HEIGHT - TOP - BOTTOM));
}

static void
widen (Scale *scale, double share)
{
  if (share < 0.0)
    return;
  scale->y_min = fmin (scale->y_min, share);
  scale->y_max = fmax (scale->y_max, share);
}

static Scale
find_scale (const PjComparison *comparison)
{
  Scale scale = { (double) comparison->base_cost.macs, 1.0, 0.0 };
  widen (&scale, comparison->base_accuracy);
  for (guint i = 0; i < comparison->rows->len; i++) {
    const PjCompareRow *row = comparison->rows->pdata[i];
    scale.x_max = fmax (scale.x_max, (double) row->cost.macs);
    widen (&scale, row->cut);
    widen (&scale, row->recalibrated);
    widen (&scale, row->tuned);
  }
  /* Whole tenths around what was measured, and never an empty range. */
  scale.y_min = fmax (0.0, floor (scale.y_min * 10.0 - 0.05) / 10.0);
  scale.y_max = fmin (1.0, fmax (ceil (scale.y_max * 10.0 + 0.05) / 10.0, scale.y_min + 0.1));
  scale.x_max = fmax (1.0, scale.x_max * 1.05);
  return scale;
}

/* 1, 2 or 5 times a power of ten, near @step. */
static double
round_step (double step)
{
  double power = pow (10.0, floor (log10 (step))), first = step / power;
  return power * (first < 1.5 ? 1.0 : first < 3.5 ? 2.0 : first < 7.5 ? 5.0 : 10.0);
}

static void
draw_axes (GString *out, const Scale *scale)
{
  int steps = (int) lround ((scale->y_max - scale->y_min) * 10.0);
  for (int i = 0; i <= steps; i++) {
    int y = at_y (scale, scale->y_min + i / 10.0);
    append (out, "<line class=\"grid\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>"
            "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%d %%</text>\n", LEFT, y, WIDTH - RIGHT, y,
            LEFT - 8, y + 4,
            (int) lround (scale->y_min * 100.0) + 10 * i);
  }
  double step = round_step (scale->x_max / 5.0), unit = step >= 1e9 ? 1e9 : step >= 1e6 ? 1e6 : 1e3;
  for (int i = 0; i * step <= scale->x_max; i++) {
    append (out, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%g %s</text>\n", at_x (scale, i * step),
            HEIGHT - BOTTOM + 20, i * step / unit, unit >= 1e9 ? "G" : unit >= 1e6 ? "M" : "k");
  }
  append (out, "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT,
          HEIGHT - BOTTOM);
  append (out, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">MACs per image</text>\n",
          (LEFT + WIDTH - RIGHT) / 2,
          HEIGHT - 10);
}

static void
draw_point (GString *out, int x, int y, guint hue, const char *form, const char *what, const char *title, double ratio,
            double share)
{
  g_autofree char *name = g_markup_escape_text (title, -1);
  append (out, "<circle class=\"c%u %s\" cx=\"%d\" cy=\"%d\" r=\"5\"><title>%s, keep %g: %.2f %% %s</title></circle>\n",
          hue, form, x, y,
          name, ratio, 100.0 * share, what);
}

/* Three points over each other: after cutting (open), norms measured again (half), fine-tuned (full). */
static void
draw_row (GString *out, const Scale *scale, const PjCompareRow *row, guint hue, int shift)
{
  const struct { double share; const char *form, *what; } points[] = {
    { row->cut, "open", "after cutting" },
    { row->recalibrated, "half", "norms measured again" },
    { row->tuned, "full", "after fine-tuning" },
  };
  int x = at_x (scale, (double) row->cost.macs) + shift, last = -1;
  for (guint i = 0; i < G_N_ELEMENTS (points); i++) {
    if (points[i].share < 0.0)
      continue;
    int y = at_y (scale, points[i].share);
    if (last >= 0)
      append (out, "<line class=\"c%u rise\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", hue, x, last, x, y);
    last = y;
  }
  for (guint i = 0; i < G_N_ELEMENTS (points); i++) {
    if (points[i].share >= 0.0)
      draw_point (out, x, at_y (scale, points[i].share), hue, points[i].form, points[i].what,
                  pj_report_method_title (row->method), row->ratio, points[i].share);
  }
}

static void
draw_legend (GString *out, const GPtrArray *methods)
{
  int x = WIDTH - RIGHT + 24, y = TOP + 10;
  for (guint i = 0; i < methods->len; i++, y += 22) {
    g_autofree char *name = g_markup_escape_text (pj_report_method_title (methods->pdata[i]), -1);
    append (out, "<circle class=\"c%u full\" cx=\"%d\" cy=\"%d\" r=\"5\"/><text class=\"tick\" x=\"%d\" y=\"%d\">%s</text>\n", i % 8, x, y,
            x + 12, y + 4, name);
  }
  static const struct { const char *form, *what; } forms[] = {
    { "open", "after cutting" }, { "half", "norms measured again" }, { "full", "after fine-tuning" },
  };
  y += 10;
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++, y += 22)
    append (out, "<circle class=\"ink %s\" cx=\"%d\" cy=\"%d\" r=\"5\"/><text class=\"tick\" x=\"%d\" y=\"%d\">%s</text>\n", forms[i].form, x,
            y, x + 12, y + 4, forms[i].what);
}

void
pj_report_plot (GString *out, const PjReport *report)
{
  const PjComparison *comparison = report->comparison;
  g_autoptr (GPtrArray) methods = pj_report_methods (comparison);
  Scale scale = find_scale (comparison);
  append (out, "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Accuracy against MACs\">\n", WIDTH,
          HEIGHT);
  draw_axes (out, &scale);
  if (comparison->base_accuracy >= 0.0) {
    int x = at_x (&scale, (double) comparison->base_cost.macs), y = at_y (&scale, comparison->base_accuracy);
    append (out, "<line class=\"base\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", LEFT, y, WIDTH - RIGHT, y);
    append (out, "<rect class=\"ink\" x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" transform=\"rotate(45 %d %d)\"><title>not cut: "
            "%.2f %%</title></rect>\n<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"end\">not cut %.2f %%</text>\n", x - 5, y - 5, x, y,
            100.0 * comparison->base_accuracy, x - 12, y - 8, 100.0 * comparison->base_accuracy);
  }
  for (guint i = 0; i < comparison->rows->len; i++) {
    const PjCompareRow *row = comparison->rows->pdata[i];
    guint hue = colour (methods, row->method);
    /* Methods at the same ratio have the same MACs: side by side, not on top of each other. */
    if (row->refusal == NULL)
      draw_row (out, &scale, row, hue, 14 * (int) hue - 7 * (int) (methods->len - 1));
  }
  draw_legend (out, methods);
  append (out, "</svg>\n");
}

/* --- kept channels --- */

enum { CELL = 8, PER_LINE = 16 };

/* Share of the group's largest score, 0 … 1; 1 without scores. */
static double
strength (const PjGroupScores *scores, int channel)
{
  if (scores == NULL || scores->score == NULL)
    return 1.0;
  double low = scores->score[0], high = scores->score[0];
  for (int c = 1; c < scores->n_channels; c++) {
    low = fmin (low, scores->score[c]);
    high = fmax (high, scores->score[c]);
  }
  return high > low ? (scores->score[channel] - low) / (high - low) : 1.0;
}

static void
draw_map (GString *out, const PjGroup *group, const PjCompareRow *row, guint hue)
{
  const PjGroupCut *cut = row->plan != NULL ? pj_cut_plan_get (row->plan, group->id) : NULL;
  const PjGroupScores *scores = row->scores != NULL ? pj_scores_get (row->scores, group->id) : NULL;
  int lines = (group->n_channels + PER_LINE - 1) / PER_LINE;
  append (out, "<svg class=\"map c%u\" width=\"%d\" height=\"%d\">", hue, MIN (group->n_channels, PER_LINE) * CELL,
          lines * CELL);
  for (int c = 0; c < group->n_channels; c++) {
    gboolean kept = cut == NULL || cut->keep[c];
    append (out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", kept ? "kept" : "gone",
            c % PER_LINE * CELL,
            c / PER_LINE * CELL, CELL - 1, CELL - 1);
    if (kept)
      append (out, " fill-opacity=\"%.2f\"", 0.35 + 0.65 * strength (scores, c));
    append (out, "><title>channel %d: %s</title></rect>", c, kept ? "kept" : "cut");
  }
  append (out, "</svg>");
}

/* The row of @method at @ratio that has a plan, or NULL. */
static const PjCompareRow *
find_row (const PjComparison *comparison, const char *method, double ratio)
{
  for (guint i = 0; i < comparison->rows->len; i++) {
    const PjCompareRow *row = comparison->rows->pdata[i];
    if (strcmp (row->method, method) == 0 && fabs (row->ratio - ratio) < 1e-9 && row->refusal == NULL)
      return row;
  }
  return NULL;
}

void
pj_report_maps (GString *out, const PjReport *report, double ratio)
{
  g_autoptr (GPtrArray) methods = pj_report_methods (report->comparison);
  append (out, "<div class=\"wide\"><table class=\"maps\"><thead><tr><th>group</th>");
  for (guint m = 0; m < methods->len; m++) {
    g_autofree char *name = g_markup_escape_text (pj_report_method_title (methods->pdata[m]), -1);
    append (out, "<th>%s</th>", name);
  }
  append (out, "</tr></thead><tbody>\n");
  for (unsigned i = 0; i < pj_groups_n (report->groups); i++) {
    const PjGroup *group = pj_groups_get (report->groups, i);
    if (group->lock_reason != NULL)
      continue;
    g_autofree char *name = g_markup_escape_text (group->name, -1);
    append (out, "<tr><th scope=\"row\">%s<br><small>%d channels</small></th>", name, group->n_channels);
    for (guint m = 0; m < methods->len; m++) {
      const PjCompareRow *row = find_row (report->comparison, methods->pdata[m], ratio);
      append (out, "<td>");
      if (row != NULL)
        draw_map (out, group, row, m % 8);
      append (out, "</td>");
    }
    append (out, "</tr>\n");
  }
  append (out, "</tbody></table></div>\n");
}
