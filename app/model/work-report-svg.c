/* SPDX-License-Identifier: MIT */
/* The kept channels of each group as pictures.  Colours are classes of the page's style sheet, which knows light and dark. */
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

/* SVG wants points, whatever the locale. */
static void append (GString *out, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
append (GString *out, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_string_append_vprintf (out, format, args);
  va_end (args);
}

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
