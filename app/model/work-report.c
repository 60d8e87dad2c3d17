/* SPDX-License-Identifier: MIT */
/* The page and the table of a comparison: see work-report.h. */
#include "model/work-report.h"

#include <math.h>
#include <string.h>

#include "io/file.h"
#include "model/work-report-private.h"

/* --- CSV --- */

static void
csv_number (GString *out, double number, const char *format)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (out, ",%s", number >= 0.0 ? g_ascii_formatd (text, sizeof text, format, number) : "");
}

static void
csv_text (GString *out, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text != NULL ? text : "", "\"", -1);
  g_autofree char *doubled = g_strjoinv ("\"\"", parts);
  g_string_append_printf (out, "\"%s\"", doubled);
}

static void
csv_head (GString *out, const PjComparison *comparison, const char *method, double ratio, const PjCost *cost)
{
  csv_text (out, method);
  csv_number (out, ratio, "%.4g");
  g_string_append_printf (out, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, cost->macs, cost->learnable);
  csv_number (out, (double) cost->macs / (double) MAX (1, comparison->base_cost.macs), "%.4f");
}

/* @row: NULL for the network that was not cut */
static void
csv_row (GString *out, const PjComparison *comparison, const PjCompareRow *row)
{
  if (row == NULL)
    csv_head (out, comparison, "not cut", 1.0, &comparison->base_cost);
  else
    csv_head (out, comparison, row->method, row->ratio, &row->cost);
  csv_number (out, row != NULL ? row->cut : comparison->base_accuracy, "%.4f");
  csv_number (out, row != NULL ? row->recalibrated : -1.0, "%.4f");
  csv_number (out, row != NULL ? row->tuned : -1.0, "%.4f");
  csv_number (out, row != NULL ? row->images_per_second : comparison->base_images_per_second, "%.0f");
  if (row != NULL)
    g_string_append_printf (out, ",%" G_GUINT64_FORMAT, row->seed);
  else
    g_string_append_c (out, ',');
  g_string_append_c (out, ',');
  csv_text (out, row != NULL && row->tuned >= 0.0 ? pj_compare_start_title (row->method, row->start) : "");
  g_string_append_c (out, ',');
  csv_text (out, row != NULL ? row->refusal : NULL);
  g_string_append_c (out, '\n');
}

char *
pj_report_csv (const PjComparison *comparison)
{
  GString *out = g_string_new ("method,keep,macs,params,macs_share,top1_cut,top1_recalibrated,top1_tuned,images_per_second,seed,start,"
                               "refusal\n");
  csv_row (out, comparison, NULL);
  for (guint i = 0; i < comparison->rows->len; i++)
    csv_row (out, comparison, comparison->rows->pdata[i]);
  return g_string_free (out, FALSE);
}

static void
csv_spread (GString *out, const PjSpread *spread)
{
  csv_number (out, spread->mean, "%.4f");
  csv_number (out, spread->n > 1 ? spread->spread : -1.0, "%.4f");
}

char *
pj_report_means_csv (const PjComparison *comparison)
{
  g_autoptr (GPtrArray) verdicts = pj_verdicts_new (comparison);
  g_autofree gboolean *on_front = g_new0 (gboolean, MAX (verdicts->len, 1u));
  GString *out = g_string_new ("method,keep,macs,params,macs_share,seeds,start,cut,cut_spread,recalibrated,recalibrated_spread,tuned,"
                               "tuned_spread,on_front\n");
  pj_verdicts_front (verdicts, on_front);
  for (guint i = 0; i < verdicts->len; i++) {
    const PjVerdict *verdict = verdicts->pdata[i];
    csv_head (out, comparison, verdict->method, verdict->ratio, &verdict->cost);
    g_string_append_printf (out, ",%u,", verdict->rows->len);
    csv_text (out, verdict->tuned.n > 0 ? pj_compare_start_title (verdict->method, verdict->start) : "");
    csv_spread (out, &verdict->cut);
    csv_spread (out, &verdict->recalibrated);
    csv_spread (out, &verdict->tuned);
    g_string_append_printf (out, ",%d\n", on_front[i] ? 1 : 0);
  }
  return g_string_free (out, FALSE);
}

/* --- the page --- */

static const char style[] =
  ":root{color-scheme:light dark;--paper:#fdfcf9;--ink:#24292b;--soft:#667075;--line:#dcd9d0;--card:#fff;"
  "--h0:#2f6b3a;--h1:#b4532a;--h2:#2b5f9e;--h3:#8a3f86;--h4:#94700a;--h5:#17807c;--h6:#a8324c;--h7:#5b5f66}\n"
  "@media(prefers-color-scheme:dark){:root{--paper:#17191a;--ink:#e6e4dd;--soft:#9ba3a6;--line:#34393b;--card:#1f2224;"
  "--h0:#7cc48a;--h1:#eb9469;--h2:#7fb2f0;--h3:#d590d0;--h4:#dcb544;--h5:#5fccc6;--h6:#f2899f;--h7:#b4b9c0}}\n"
  "*{box-sizing:border-box}body{margin:0 auto;max-width:1200px;padding:32px 20px 64px;background:var(--paper);color:var(--ink);"
  "font:16px/1.5 system-ui,Cantarell,\"Noto Sans\",\"Noto Sans CJK SC\",sans-serif}\n"
  "h1{font-size:28px;margin:0 0 4px;font-weight:650}h2{font-size:19px;margin:40px 0 10px}p{margin:8px 0;max-width:74ch}"
  ".sub,small{color:var(--soft)}\n"
  ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line)}"
  "th,td{padding:7px 9px;font-size:15px;text-align:right;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums;white-space:nowrap}"
  "thead th{color:var(--soft);font-weight:500;font-size:14px}th:first-child,td:first-child{text-align:left}"
  "th.why{text-align:left}td.why{text-align:left;color:var(--soft);white-space:normal}tr.best td{font-weight:650}tr.not td{color:var(--soft)}"
  "tbody tr:last-child th,tbody tr:last-child td{border-bottom:0}.maps td,.maps th{text-align:left;vertical-align:top;padding:7px 10px}.maps small{font-weight:400}\n"
  ".plot{width:100%;height:auto;background:var(--card);border:1px solid var(--line)}"
  ".grid{stroke:var(--line)}.axis{stroke:var(--soft)}.tick,.label{fill:var(--soft);font-size:13px}"
  ".base{stroke:var(--soft);stroke-dasharray:4 4}.ink{--c:var(--ink);fill:var(--ink)}\n"
  ".c0{--c:var(--h0)}.c1{--c:var(--h1)}.c2{--c:var(--h2)}.c3{--c:var(--h3)}.c4{--c:var(--h4)}.c5{--c:var(--h5)}.c6{--c:var(--h6)}"
  ".c7{--c:var(--h7)}.rise{stroke:var(--c);stroke-opacity:.45;stroke-width:2}"
  ".d1{stroke-dasharray:7 4}.d2{stroke-dasharray:2 3}.whisker{stroke:var(--c);stroke-width:1.5}"
  ".front{fill:none;stroke:var(--ink);stroke-opacity:.3;stroke-width:5;stroke-linejoin:round}"
  ".mark{fill:var(--c);stroke:var(--card);stroke-width:1}.matrix th{text-align:right}.matrix th[scope]{text-align:left;font-weight:400}.kept{fill:var(--c)}.gone{fill:none;stroke:var(--line)}\n"
  "dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}dt{color:var(--soft)}dd{margin:0}"
  "@media print{body{background:#fff}}";

static void
append_maps (GString *out, const PjReport *report, double ratio)
{
  g_string_append_printf (out,
                          "<h2>Kept channels at keep %g</h2>\n<p class=\"sub\">One square per channel: filled is kept, darker is "
                          "more important to the method, an outline is cut.</p>\n", ratio);
  pj_report_maps (out, report, ratio);
}

static void
append_plots (GString *out, const PjReport *report, const GPtrArray *verdicts)
{
  static const struct { PjReportStage stage; const char *heading, *label; } stages[] = {
    { PJ_REPORT_TUNED, "Accuracy against MACs after fine-tuning", "after fine-tuning" },
    { PJ_REPORT_RECALIBRATED, "Accuracy against MACs with norms measured again", "norms measured again" },
    { PJ_REPORT_CUT, "Accuracy against MACs right after cutting", "right after cutting" },
  };
  gboolean first = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (stages); i++) {
    gboolean any = FALSE;
    for (guint k = 0; k < verdicts->len; k++)
      any = any || pj_report_stage (verdicts->pdata[k], stages[i].stage)->n > 0;
    if (!any)
      continue;
    g_string_append_printf (out, "<h2>%s</h2>\n", stages[i].heading);
    if (first)
      g_string_append (out, "<p class=\"sub\">Methods at the same keep ratio have the same MACs: they are drawn side by side around "
                       "them. Marks are means over the seeds, whiskers one standard deviation.</p>\n");
    first = FALSE;
    pj_report_plot (out, report, verdicts, stages[i].stage, stages[i].label);
  }
}

static void
append_fact (GString *out, const char *name, const char *text)
{
  g_string_append_printf (out, "<dt>%s</dt><dd>", name);
  pj_report_append_escaped (out, text);
  g_string_append (out, "</dd>\n");
}

/* "1, 2, 3" (transfer full) */
static char *
list_seeds (const PjComparison *comparison)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  GString *seeds = g_string_new (NULL);
  for (guint i = 0; i < comparison->rows->len; i++) {
    const PjCompareRow *row = comparison->rows->pdata[i];
    if (g_hash_table_add (seen, (gpointer) &row->seed))
      g_string_append_printf (seeds, "%s%" G_GUINT64_FORMAT, seeds->len > 0 ? ", " : "", row->seed);
  }
  return g_string_free (seeds, FALSE);
}

static void
append_facts (GString *out, const PjReport *report)
{
  const PjComparison *comparison = report->comparison;
  double p = comparison->base_accuracy, n = MAX (1, comparison->n_test);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d %H:%M");
  g_autofree char *seeds = list_seeds (comparison);
  g_autofree char *accuracy = g_strdup_printf ("top-1 on %u test pictures of %s, which neither training nor choosing has seen; standard error "
                                               "about %.2f points, so smaller differences between rows mean nothing",
                                               comparison->n_test,
                                               report->data, p >= 0.0 ? 100.0 * sqrt (p * (1.0 - p) / n) : 0.0);
  g_autofree char *images = report->n_images > 0 ? g_strdup_printf ("%u training pictures, a seeded choice",
                                                                    report->n_images)
                                                 : g_strdup ("training pictures, a seeded choice of each method's own number");
  g_autofree char *tuned = report->settings != NULL ? g_strdup_printf ("%s, the same for every row", report->settings)
                                                    : g_strdup ("not done");
  g_string_append (out, "<h2>How each figure was measured</h2>\n<dl>\n");
  append_fact (out, "accuracy", accuracy);
  append_fact (out, "scores", images);
  append_fact (out, "after cutting",
               "the channels are really removed; nothing was trained. ThiNet also scales what it keeps");
  append_fact (out, "norms again", report->recalibrated
               ? "mean and variance of every norm averaged over 20 batches of training pictures, no training"
                                                                 : "not done");
  append_fact (out, "fine-tuned", tuned);
  append_fact (out, "fine-tuning begins", "where nothing is said with what the method leaves, as published; “norms again”: with the "
               "same weights after norms were measured again; scratch: with initial weights");
  append_fact (out, "±", "one standard deviation over the seeds; a seed decides the pictures for scores, the lots and the order of "
               "fine-tuning");
  append_fact (out, "MACs",
               "multiply-adds of convolutions and fully connected layers for one image, nothing else counted");
  append_fact (out, "parameters", "weights, biases and two per norm channel");
  append_fact (out, "images/s",
               "the device's work alone, without reading pictures; other programs on the machine make it smaller");
  append_fact (out, "device", report->device);
  append_fact (out, "seeds", seeds);
  append_fact (out, "made", date);
  g_string_append (out, "</dl>\n");
}

char *
pj_report_html (const PjReport *report)
{
  GString *out = g_string_new ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                               "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
  pj_report_append_escaped (out, report->title);
  g_string_append_printf (out, "</title>\n<style>\n%s\n</style></head><body>\n<h1>", style);
  pj_report_append_escaped (out, report->title);
  g_string_append (out, "</h1>\n<p class=\"sub\">");
  g_autofree char *sub = g_strdup_printf ("%s on %s, %s", report->network, report->data, report->device);
  pj_report_append_escaped (out, sub);
  g_string_append (out, "</p>\n");
  if (report->stages_html != NULL)
    g_string_append (out, report->stages_html);
  g_autoptr (GPtrArray) verdicts = pj_verdicts_new (report->comparison);
  g_autoptr (GArray) ratios = pj_report_ratios (report->comparison);
  g_string_append (out, "<h2>All figures</h2>\n");
  pj_report_table (out, report, verdicts);
  append_plots (out, report, verdicts);
  for (guint i = 0; i < ratios->len; i++) {
    double ratio = g_array_index (ratios, double, i);
    pj_report_agreement (out, report, verdicts, ratio);
    pj_report_layers (out, report, verdicts, ratio);
    append_maps (out, report, ratio);
  }
  pj_report_classes (out, report, verdicts);
  append_facts (out, report);
  g_string_append (out, "</body></html>\n");
  return g_string_free (out, FALSE);
}

static gboolean
write_text (const char *path, const char *text, GError **error)
{
  g_autoptr (PjFileWriter) writer = pj_file_writer_new (path, error);
  return writer != NULL && pj_file_writer_append (writer, text, strlen (text), error)
         && pj_file_writer_finish (writer, error);
}

gboolean
pj_report_write (const PjReport *report, const char *path, char **csv_path, char **means_path, GError **error)
{
  g_autofree char *html = pj_report_html (report), *csv = pj_report_csv (report->comparison);
  g_autofree char *means = pj_report_means_csv (report->comparison);
  const char *dot = strrchr (path, '.'), *slash = strrchr (path, '/');
  size_t stem = dot != NULL && dot > path && (slash == NULL || dot > slash + 1) ? (size_t) (dot - path) : strlen (path);
  g_autofree char *table = g_strdup_printf ("%.*s.csv", (int) stem, path);
  g_autofree char *summary = g_strdup_printf ("%.*s-means.csv", (int) stem, path);
  if (!write_text (path, html, error) || !write_text (table, csv, error) || !write_text (summary, means, error))
    return FALSE;
  if (csv_path != NULL)
    *csv_path = g_steal_pointer (&table);
  if (means_path != NULL)
    *means_path = g_steal_pointer (&summary);
  return TRUE;
}
