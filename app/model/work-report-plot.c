/* SPDX-License-Identifier: MIT */
/* Accuracy against MACs: one curve for each method and start, means with whiskers of one standard deviation, and the
 * front of what nothing beats. */
#include <math.h>
#include <string.h>

#include "model/work-report-private.h"

enum { WIDTH = 940, HEIGHT = 440, LEFT = 64, RIGHT = 300, TOP = 20, BOTTOM = 52, N_HUES = 8, N_FORMS = 6 };

typedef struct {
  double x_max, y_min, y_max;
} Scale;

/* --- curves --- */

typedef struct {
  const char *method;
  PjCompareStart start;
  GPtrArray *points;     /* PjVerdict, by MACs */
} Curve;

static void
curve_free (gpointer data)
{
  Curve *self = data;
  g_ptr_array_unref (self->points);
  g_free (self);
}

static int
compare_macs (gconstpointer a, gconstpointer b)
{
  const PjVerdict *x = *(const PjVerdict *const *) a, *y = *(const PjVerdict *const *) b;
  return x->cost.macs < y->cost.macs ? -1 : x->cost.macs > y->cost.macs;
}

const PjSpread *
pj_report_stage (const PjVerdict *verdict, PjReportStage stage)
{
  return stage == PJ_REPORT_CUT ? &verdict->cut : stage == PJ_REPORT_RECALIBRATED ? &verdict->recalibrated : &verdict->tuned;
}

static GPtrArray *
find_curves (const GPtrArray *verdicts)
{
  GPtrArray *curves = g_ptr_array_new_with_free_func (curve_free);
  for (guint i = 0; i < verdicts->len; i++) {
    PjVerdict *verdict = verdicts->pdata[i];
    Curve *curve = NULL;
    for (guint c = 0; c < curves->len && curve == NULL; c++) {
      Curve *other = curves->pdata[c];
      if (strcmp (other->method, verdict->method) == 0 && other->start == verdict->start)
        curve = other;
    }
    if (curve == NULL) {
      curve = g_new0 (Curve, 1);
      *curve = (Curve) { verdict->method, verdict->start, g_ptr_array_new () };
      g_ptr_array_add (curves, curve);
    }
    g_ptr_array_add (curve->points, verdict);
  }
  for (guint c = 0; c < curves->len; c++)
    g_ptr_array_sort (((Curve *) curves->pdata[c])->points, compare_macs);
  return curves;
}

/* --- places --- */

static double
at_x (const Scale *scale, double macs)
{
  return LEFT + macs / scale->x_max * (WIDTH - LEFT - RIGHT);
}

static double
at_y (const Scale *scale, double share)
{
  return TOP + (scale->y_max - CLAMP (share, scale->y_min, scale->y_max)) / (scale->y_max - scale->y_min) * (HEIGHT - TOP - BOTTOM);
}

static Scale
find_scale (const PjComparison *comparison, const GPtrArray *verdicts, PjReportStage stage)
{
  Scale scale = { (double) comparison->base_cost.macs, 1.0, 0.0 };
  if (comparison->base_accuracy >= 0.0)
    scale.y_min = scale.y_max = comparison->base_accuracy;
  for (guint i = 0; i < verdicts->len; i++) {
    const PjVerdict *verdict = verdicts->pdata[i];
    const PjSpread *y = pj_report_stage (verdict, stage);
    scale.x_max = fmax (scale.x_max, (double) verdict->cost.macs);
    if (y->n == 0)
      continue;
    scale.y_min = fmin (scale.y_min, y->mean - y->spread);
    scale.y_max = fmax (scale.y_max, y->mean + y->spread);
  }
  /* Whole twentieths around what was measured, and never an empty range. */
  scale.y_min = fmax (0.0, floor (scale.y_min * 20.0 - 0.05) / 20.0);
  scale.y_max = fmin (1.0, fmax (ceil (scale.y_max * 20.0 + 0.05) / 20.0, scale.y_min + 0.05));
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

/* --- drawing --- */

static void
number (GString *out, const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (out, " %s=\"%s\"", name, g_ascii_formatd (text, sizeof text, "%.1f", value));
}

static void
line (GString *out, const char *class, double x1, double y1, double x2, double y2)
{
  g_string_append_printf (out, "<line class=\"%s\"", class);
  number (out, "x1", x1);
  number (out, "y1", y1);
  number (out, "x2", x2);
  number (out, "y2", y2);
  g_string_append (out, "/>");
}

static void
text (GString *out, const char *class, double x, double y, const char *anchor, const char *words)
{
  g_autofree char *escaped = g_markup_escape_text (words, -1);
  g_string_append_printf (out, "<text class=\"%s\" text-anchor=\"%s\"", class, anchor);
  number (out, "x", x);
  number (out, "y", y);
  g_string_append_printf (out, ">%s</text>\n", escaped);
}

static void
draw_axes (GString *out, const Scale *scale)
{
  double y_step = round_step ((scale->y_max - scale->y_min) / 7.0), x_step = round_step (scale->x_max / 5.0);
  double unit = x_step >= 1e9 ? 1e9 : x_step >= 1e6 ? 1e6 : 1e3;
  for (double y = ceil (scale->y_min / y_step - 1e-9) * y_step; y <= scale->y_max + 1e-9; y += y_step) {
    g_autofree char *words = g_strdup_printf ("%.*f %%", y_step < 0.01 ? 1 : 0, 100.0 * y);
    line (out, "grid", LEFT, at_y (scale, y), WIDTH - RIGHT, at_y (scale, y));
    text (out, "tick", LEFT - 8, at_y (scale, y) + 4, "end", words);
  }
  for (int i = 0; i * x_step <= scale->x_max; i++) {
    g_autofree char *words = g_strdup_printf ("%g %s", i * x_step / unit, unit >= 1e9 ? "G" : unit >= 1e6 ? "M" : "k");
    text (out, "tick", at_x (scale, i * x_step), HEIGHT - BOTTOM + 20, "middle", words);
  }
  line (out, "axis", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM);
  text (out, "label", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10, "middle", "MACs per image");
}

/* Six shapes of about the same weight, so that colour is not all that tells curves apart. */
static const char *const forms[N_FORMS] = {
  "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z", "M-4.5-4.5h9v9h-9z", "M0-6L5.5 4.5h-11z", "M0-6.5L6.5 0L0 6.5L-6.5 0z",
  "M0 6L5.5-4.5h-11z", "M-6-2h4v-4h4v4h4v4h-4v4h-4v-4h-4z",
};

static void
mark (GString *out, guint curve, double x, double y, const char *title)
{
  char xs[G_ASCII_DTOSTR_BUF_SIZE], ys[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (out, "<path class=\"c%u mark\" transform=\"translate(%s %s)\" d=\"%s\">", curve % N_HUES,
                          g_ascii_formatd (xs, sizeof xs, "%.1f", x), g_ascii_formatd (ys, sizeof ys, "%.1f", y),
                          forms[curve % N_FORMS]);
  if (title != NULL) {
    g_autofree char *escaped = g_markup_escape_text (title, -1);
    g_string_append_printf (out, "<title>%s</title>", escaped);
  }
  g_string_append (out, "</path>\n");
}

static void
draw_curve (GString *out, const Scale *scale, const Curve *curve, guint index, PjReportStage stage, double shift)
{
  g_autofree char *rise = g_strdup_printf ("c%u rise d%u", index % N_HUES, index / N_HUES % 3);
  g_autofree char *whisker = g_strdup_printf ("c%u whisker", index % N_HUES);
  double last_x = -1, last_y = 0;
  for (guint i = 0; i < curve->points->len; i++) {
    const PjVerdict *verdict = curve->points->pdata[i];
    const PjSpread *spread = pj_report_stage (verdict, stage);
    if (spread->n == 0)
      continue;
    double x = at_x (scale, (double) verdict->cost.macs) + shift, y = at_y (scale, spread->mean);
    if (last_x >= 0)
      line (out, rise, last_x, last_y, x, y);
    last_x = x;
    last_y = y;
  }
  for (guint i = 0; i < curve->points->len; i++) {
    const PjVerdict *verdict = curve->points->pdata[i];
    const PjSpread *spread = pj_report_stage (verdict, stage);
    if (spread->n == 0)
      continue;
    g_autofree char *name = pj_report_name (verdict);
    g_autofree char *title = spread->n > 1
      ? g_strdup_printf ("%s, keep %g: %.2f ± %.2f %% over %u seeds", name, verdict->ratio, 100 * spread->mean, 100 * spread->spread, spread->n)
      : g_strdup_printf ("%s, keep %g: %.2f %%", name, verdict->ratio, 100 * spread->mean);
    double x = at_x (scale, (double) verdict->cost.macs) + shift;
    if (spread->n > 1) {
      double high = at_y (scale, spread->mean + spread->spread), low = at_y (scale, spread->mean - spread->spread);
      line (out, whisker, x, high, x, low);
      line (out, whisker, x - 4, high, x + 4, high);
      line (out, whisker, x - 4, low, x + 4, low);
    }
    mark (out, index, x, at_y (scale, spread->mean), title);
  }
}

/* Steps through what nothing beats, from the fewest MACs up. */
static void
draw_front (GString *out, const Scale *scale, const GPtrArray *verdicts, PjReportStage stage)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  double best = -1;
  for (guint i = 0; i < verdicts->len; i++)
    if (pj_report_stage (verdicts->pdata[i], stage)->n > 0)
      g_ptr_array_add (sorted, verdicts->pdata[i]);
  g_ptr_array_sort (sorted, compare_macs);
  g_string_append (out, "<path class=\"front\" d=\"");
  for (guint i = 0; i < sorted->len; i++) {
    const PjVerdict *verdict = sorted->pdata[i];
    double mean = pj_report_stage (verdict, stage)->mean;
    /* Of the same MACs only the best counts. */
    for (guint k = i + 1; k < sorted->len && ((PjVerdict *) sorted->pdata[k])->cost.macs == verdict->cost.macs; k++, i++)
      mean = fmax (mean, pj_report_stage (sorted->pdata[k], stage)->mean);
    if (mean <= best)
      continue;
    char xs[G_ASCII_DTOSTR_BUF_SIZE], ys[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd (xs, sizeof xs, "%.1f", at_x (scale, (double) verdict->cost.macs));
    g_ascii_formatd (ys, sizeof ys, "%.1f", at_y (scale, mean));
    if (best < 0)
      g_string_append_printf (out, "M%s %s", xs, ys);
    else
      g_string_append_printf (out, "H%sV%s", xs, ys);
    best = mean;
  }
  g_string_append (out, "\"/>\n");
}

static void
draw_legend (GString *out, const GPtrArray *curves)
{
  double x = WIDTH - RIGHT + 24, y = TOP + 10;
  for (guint i = 0; i < curves->len; i++, y += 22) {
    const Curve *curve = curves->pdata[i];
    g_autofree char *name = pj_report_name (curve->points->pdata[0]);
    mark (out, i, x, y, NULL);
    text (out, "tick", x + 14, y + 4, "start", name);
  }
  y += 6;
  line (out, "front", x - 7, y, x + 7, y);
  text (out, "tick", x + 14, y + 4, "start", "nothing beats these");
  y += 22;
  line (out, "base", x - 7, y, x + 7, y);
  text (out, "tick", x + 14, y + 4, "start", "not cut");
}

void
pj_report_plot (GString *out, const PjReport *report, const GPtrArray *verdicts, PjReportStage stage, const char *label)
{
  const PjComparison *comparison = report->comparison;
  g_autoptr (GPtrArray) curves = find_curves (verdicts);
  Scale scale = find_scale (comparison, verdicts, stage);
  int height = MAX ((int) HEIGHT, TOP + 22 * (int) curves->len + 90);
  g_string_append_printf (out, "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Accuracy against MACs, %s\">\n", WIDTH,
                          height, label);
  draw_axes (out, &scale);
  if (comparison->base_accuracy >= 0.0) {
    g_autofree char *words = g_strdup_printf ("not cut %.2f %%", 100.0 * comparison->base_accuracy);
    double y = at_y (&scale, comparison->base_accuracy);
    line (out, "base", LEFT, y, WIDTH - RIGHT, y);
    text (out, "tick", WIDTH - RIGHT - 4, y - 6, "end", words);
  }
  draw_front (out, &scale, verdicts, stage);
  /* Methods at the same ratio have the same MACs: side by side, not on top of each other. */
  double apart = MIN (9.0, 60.0 / MAX (curves->len, 1u));
  for (guint i = 0; i < curves->len; i++)
    draw_curve (out, &scale, curves->pdata[i], i, stage, apart * (i - (curves->len - 1) / 2.0));
  draw_legend (out, curves);
  g_string_append (out, "</svg>\n");
}
