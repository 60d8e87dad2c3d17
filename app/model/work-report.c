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
csv_row (GString *out, const PjComparison *comparison, const char *method, double ratio, const PjCost *cost,
         const double *shares,
         double speed, const char *refusal)
{
  csv_text (out, method);
  csv_number (out, ratio, "%.4g");
  g_string_append_printf (out, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, cost->macs, cost->learnable);
  csv_number (out, (double) cost->macs / (double) MAX (1, comparison->base_cost.macs), "%.4f");
  for (int i = 0; i < 3; i++)
    csv_number (out, shares[i], "%.4f");
  csv_number (out, speed, "%.0f");
  g_string_append_c (out, ',');
  csv_text (out, refusal);
  g_string_append (out, "\n");
}

char *
pj_report_csv (const PjComparison *comparison)
{
  GString *out = g_string_new ("method,keep,macs,params,macs_share,top1_cut,top1_recalibrated,top1_tuned,images_per_second,refusal\n");
  const double base[3] = { comparison->base_accuracy, -1.0, -1.0 };
  csv_row (out, comparison, "not cut", 1.0, &comparison->base_cost, base, comparison->base_images_per_second, NULL);
  for (guint i = 0; i < comparison->rows->len; i++) {
    const PjCompareRow *row = comparison->rows->pdata[i];
    const double shares[3] = { row->cut, row->recalibrated, row->tuned };
    csv_row (out, comparison, row->method, row->ratio, &row->cost, shares, row->images_per_second, row->refusal);
  }
  return g_string_free (out, FALSE);
}

/* --- the page --- */

static const char style[] =
  ":root{color-scheme:light dark;--paper:#fdfcf9;--ink:#24292b;--soft:#667075;--line:#dcd9d0;--card:#fff;"
  "--h0:#2f6b3a;--h1:#b4532a;--h2:#2b5f9e;--h3:#8a3f86;--h4:#94700a;--h5:#17807c;--h6:#a8324c;--h7:#5b5f66}\n"
  "@media(prefers-color-scheme:dark){:root{--paper:#17191a;--ink:#e6e4dd;--soft:#9ba3a6;--line:#34393b;--card:#1f2224;"
  "--h0:#7cc48a;--h1:#eb9469;--h2:#7fb2f0;--h3:#d590d0;--h4:#dcb544;--h5:#5fccc6;--h6:#f2899f;--h7:#b4b9c0}}\n"
  "*{box-sizing:border-box}body{margin:0 auto;max-width:1080px;padding:32px 20px 64px;background:var(--paper);color:var(--ink);"
  "font:16px/1.5 system-ui,Cantarell,\"Noto Sans\",\"Noto Sans CJK SC\",sans-serif}\n"
  "h1{font-size:28px;margin:0 0 4px;font-weight:650}h2{font-size:19px;margin:40px 0 10px}p{margin:8px 0;max-width:74ch}"
  ".sub,small{color:var(--soft)}\n"
  ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line)}"
  "th,td{padding:7px 12px;text-align:right;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums;white-space:nowrap}"
  "thead th{color:var(--soft);font-weight:500;font-size:14px}th:first-child,td:first-child{text-align:left}"
  "td.why{text-align:left;color:var(--soft);white-space:normal}tr.best td{font-weight:650}tr.not td{color:var(--soft)}"
  "tbody tr:last-child th,tbody tr:last-child td{border-bottom:0}.maps td,.maps th{text-align:left;vertical-align:top;padding:7px 10px}.maps small{font-weight:400}\n"
  ".plot{width:100%;height:auto;background:var(--card);border:1px solid var(--line)}"
  ".grid{stroke:var(--line)}.axis{stroke:var(--soft)}.tick,.label{fill:var(--soft);font-size:13px}"
  ".base{stroke:var(--soft);stroke-dasharray:4 4}.ink{--c:var(--ink);fill:var(--ink)}\n"
  ".c0{--c:var(--h0)}.c1{--c:var(--h1)}.c2{--c:var(--h2)}.c3{--c:var(--h3)}.c4{--c:var(--h4)}.c5{--c:var(--h5)}.c6{--c:var(--h6)}"
  ".c7{--c:var(--h7)}.rise{stroke:var(--c);stroke-opacity:.45;stroke-width:2}"
  ".open{fill:var(--card);stroke:var(--c);stroke-width:2}.half{fill:var(--c);fill-opacity:.45;stroke:var(--c);stroke-width:2}"
  ".full{fill:var(--c);stroke:var(--c);stroke-width:2}.kept{fill:var(--c)}.gone{fill:none;stroke:var(--line)}\n"
  "dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}dt{color:var(--soft)}dd{margin:0}"
  "@media print{body{background:#fff}}";

static void
append_escaped (GString *out, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text != NULL ? text : "", -1);
  g_string_append (out, escaped);
}

static void
append_share (GString *out, double share)
{
  if (share < 0.0)
    g_string_append (out, "<td>–</td>");
  else
    g_string_append_printf (out, "<td>%.2f %%</td>", 100.0 * share);
}

static double
final_accuracy (const PjCompareRow *row)
{
  return row->tuned >= 0.0 ? row->tuned : row->recalibrated >= 0.0 ? row->recalibrated : row->cut;
}

static void
append_cost (GString *out, const PjComparison *comparison, const PjCost *cost)
{
  g_string_append_printf (out, "<td>%.2f M</td><td>%.0f %%</td><td>%.1f k</td>", (double) cost->macs / 1e6,
                          100.0 * (double) cost->macs / (double) MAX (1, comparison->base_cost.macs),
                          (double) cost->learnable / 1e3);
}

/* The best last figure among rows of the same ratio, to print it in bold. */
static gboolean
is_best (const PjComparison *comparison, const PjCompareRow *row)
{
  for (guint i = 0; i < comparison->rows->len; i++) {
    const PjCompareRow *other = comparison->rows->pdata[i];
    if (fabs (other->ratio - row->ratio) < 1e-9 && final_accuracy (other) > final_accuracy (row))
      return FALSE;
  }
  return TRUE;
}

static void
append_row (GString *out, const PjComparison *comparison, const PjCompareRow *row)
{
  g_string_append_printf (out, "<tr class=\"%s\"><td>", row->refusal != NULL ? "not" : is_best (comparison, row)
                          ? "best" : "");
  append_escaped (out, pj_report_method_title (row->method));
  g_string_append_printf (out, "</td><td>%g</td>", row->ratio);
  if (row->refusal != NULL) {
    g_string_append (out, "<td class=\"why\" colspan=\"7\">");
    append_escaped (out, row->refusal);
    g_string_append (out, "</td></tr>\n");
    return;
  }
  append_cost (out, comparison, &row->cost);
  append_share (out, row->cut);
  append_share (out, row->recalibrated);
  append_share (out, row->tuned);
  if (row->images_per_second >= 0.0)
    g_string_append_printf (out, "<td>%.0f</td></tr>\n", row->images_per_second);
  else
    g_string_append (out, "<td>–</td></tr>\n");
}

static void
append_table (GString *out, const PjComparison *comparison)
{
  g_string_append (out,
                   "<div class=\"wide\"><table><thead><tr><th>method</th><th>keep</th><th>MACs</th><th>of all</th><th>parameters</th>"
                   "<th>after cutting</th><th>norms measured again</th><th>fine-tuned</th><th>images/s</th></tr></thead><tbody>\n"
                   "<tr><td>not cut</td><td>1</td>");
  append_cost (out, comparison, &comparison->base_cost);
  append_share (out, comparison->base_accuracy);
  g_string_append (out, "<td>–</td><td>–</td>");
  g_string_append_printf (out, "<td>%.0f</td></tr>\n", MAX (0.0, comparison->base_images_per_second));
  for (guint i = 0; i < comparison->rows->len; i++)
    append_row (out, comparison, comparison->rows->pdata[i]);
  g_string_append (out, "</tbody></table></div>\n");
}

/* Ratios in the order of their first row. (transfer full) (element-type double) */
static GArray *
find_ratios (const PjComparison *comparison)
{
  GArray *ratios = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < comparison->rows->len; i++) {
    double ratio = ((const PjCompareRow *) comparison->rows->pdata[i])->ratio;
    gboolean known = FALSE;
    for (guint r = 0; r < ratios->len; r++)
      known = known || fabs (g_array_index (ratios, double, r) - ratio) < 1e-9;
    if (!known)
      g_array_append_val (ratios, ratio);
  }
  return ratios;
}

static void
append_maps (GString *out, const PjReport *report)
{
  g_autoptr (GArray) ratios = find_ratios (report->comparison);
  for (guint i = 0; i < ratios->len; i++) {
    double ratio = g_array_index (ratios, double, i);
    g_string_append_printf (out,
                            "<h2>Kept channels at keep %g</h2>\n<p class=\"sub\">One square per channel: filled is kept, darker is "
                            "more important to the method, an outline is cut.</p>\n", ratio);
    pj_report_maps (out, report, ratio);
  }
}

/* How much the methods agree, at the first ratio. */
static void
append_overlap (GString *out, const PjReport *report)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  for (guint i = 0; i < report->comparison->rows->len; i++) {
    PjCompareRow *row = report->comparison->rows->pdata[i];
    if (row->refusal == NULL && row->plan != NULL && (rows->len == 0
                                                      || fabs (row->ratio - ((PjCompareRow *) rows->pdata[0])->ratio) < 1e-9))
      g_ptr_array_add (rows, row);
  }
  if (rows->len < 2)
    return;
  g_string_append (out,
                   "<h2>Where the methods agree</h2>\n<p class=\"sub\">Channels kept by both among those kept by either.</p>\n"
                   "<div class=\"wide\"><table><thead><tr><th></th>");
  for (guint i = 0; i < rows->len; i++) {
    g_string_append (out, "<th>");
    append_escaped (out, pj_report_method_title (((PjCompareRow *) rows->pdata[i])->method));
    g_string_append (out, "</th>");
  }
  g_string_append (out, "</tr></thead><tbody>\n");
  for (guint i = 0; i < rows->len; i++) {
    PjCompareRow *row = rows->pdata[i];
    g_string_append (out, "<tr><td>");
    append_escaped (out, pj_report_method_title (row->method));
    g_string_append (out, "</td>");
    for (guint j = 0; j < rows->len; j++)
      g_string_append_printf (out, "<td>%.0f %%</td>", 100.0 * pj_cut_plan_overlap (report->groups, row->plan,
                                                                                    ((PjCompareRow *) rows->pdata[j])->plan));
    g_string_append (out, "</tr>\n");
  }
  g_string_append (out, "</tbody></table></div>\n");
}

static void
append_fact (GString *out, const char *name, const char *text)
{
  g_string_append_printf (out, "<dt>%s</dt><dd>", name);
  append_escaped (out, text);
  g_string_append (out, "</dd>\n");
}

static void
append_facts (GString *out, const PjReport *report)
{
  const PjComparison *comparison = report->comparison;
  double p = comparison->base_accuracy, n = MAX (1, comparison->n_test);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d %H:%M");
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, report->seed);
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
  append_fact (out, "norms measured again", report->recalibrated
               ? "mean and variance of every norm averaged over 20 batches of training pictures, no training"
                                                                 : "not done");
  append_fact (out, "fine-tuned", tuned);
  append_fact (out, "MACs",
               "multiply-adds of convolutions and fully connected layers for one image, nothing else counted");
  append_fact (out, "parameters", "weights, biases and two per norm channel");
  append_fact (out, "images/s",
               "the device's work alone, without reading pictures; other programs on the machine make it smaller");
  append_fact (out, "device", report->device);
  append_fact (out, "seed", seed);
  append_fact (out, "made", date);
  g_string_append (out, "</dl>\n");
}

char *
pj_report_html (const PjReport *report)
{
  GString *out = g_string_new ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                               "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
  append_escaped (out, report->title);
  g_string_append_printf (out, "</title>\n<style>\n%s\n</style></head><body>\n<h1>", style);
  append_escaped (out, report->title);
  g_string_append (out, "</h1>\n<p class=\"sub\">");
  g_autofree char *sub = g_strdup_printf ("%s on %s, %s, seed %" G_GUINT64_FORMAT, report->network, report->data,
                                          report->device, report->seed);
  append_escaped (out, sub);
  g_string_append (out, "</p>\n");
  if (report->stages_html != NULL)
    g_string_append (out, report->stages_html);
  g_string_append (out,
                   "<h2>Accuracy against MACs</h2>\n<p class=\"sub\">Methods at the same keep ratio have the same MACs: they are drawn "
                   "side by side around them.</p>\n");
  pj_report_plot (out, report);
  g_string_append (out, "<h2>All rows</h2>\n");
  append_table (out, report->comparison);
  append_maps (out, report);
  append_overlap (out, report);
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
pj_report_write (const PjReport *report, const char *path, char **csv_path, GError **error)
{
  g_autofree char *html = pj_report_html (report), *csv = pj_report_csv (report->comparison);
  const char *dot = strrchr (path, '.'), *slash = strrchr (path, '/');
  size_t stem = dot != NULL && dot > path && (slash == NULL || dot > slash + 1) ? (size_t) (dot - path) : strlen (path);
  g_autofree char *table = g_strdup_printf ("%.*s.csv", (int) stem, path);
  if (!write_text (path, html, error) || !write_text (table, csv, error))
    return FALSE;
  if (csv_path != NULL)
    *csv_path = g_steal_pointer (&table);
  return TRUE;
}
