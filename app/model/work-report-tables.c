/* SPDX-License-Identifier: MIT */
/* The tables of a report: figures, agreement, layers, classes. */
#include <math.h>
#include <string.h>

#include "model/work-report-private.h"

void
pj_report_append_escaped (GString *out, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text != NULL ? text : "", -1);
  g_string_append (out, escaped);
}

char *
pj_report_name (const PjVerdict *verdict)
{
  const char *title = pj_report_method_title (verdict->method);
  return verdict->start == PJ_COMPARE_RECALIBRATED && verdict->tuned.n > 0 ? g_strdup_printf ("%s, norms again", title)
                                                                           : g_strdup (title);
}

GArray *
pj_report_ratios (const PjComparison *comparison)
{
  GArray *ratios = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < comparison->rows->len; i++) {
    double ratio = ((const PjCompareRow *) comparison->rows->pdata[i])->ratio;
    gboolean known = FALSE;
    for (guint r = 0; r < ratios->len; r++)
      known = known || g_array_index (ratios, double, r) == ratio;
    if (!known)
      g_array_append_val (ratios, ratio);
  }
  return ratios;
}

/* --- figures --- */

static void
append_spread (GString *out, const PjSpread *spread)
{
  if (spread->n == 0)
    g_string_append (out, "<td>–</td>");
  else if (spread->n == 1)
    g_string_append_printf (out, "<td>%.2f %%</td>", 100.0 * spread->mean);
  else
    g_string_append_printf (out, "<td>%.2f <small>± %.2f</small> %%</td>", 100.0 * spread->mean, 100.0 * spread->spread);
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
is_best (const GPtrArray *verdicts, const PjVerdict *verdict)
{
  for (guint i = 0; i < verdicts->len; i++) {
    const PjVerdict *other = verdicts->pdata[i];
    if (other->ratio == verdict->ratio && other->last.mean > verdict->last.mean)
      return FALSE;
  }
  return verdict->last.n > 0;
}

static void
append_verdict (GString *out, const PjComparison *comparison, const GPtrArray *verdicts, const PjVerdict *verdict)
{
  g_autofree char *name = pj_report_name (verdict);
  g_string_append_printf (out, "<tr class=\"%s\"><td>", verdict->refusal != NULL ? "not" : is_best (verdicts, verdict) ? "best" : "");
  pj_report_append_escaped (out, name);
  g_string_append_printf (out, "</td><td>%g</td>", verdict->ratio);
  if (verdict->refusal != NULL) {
    g_string_append (out, "<td class=\"why\" colspan=\"8\">");
    pj_report_append_escaped (out, verdict->refusal);
    g_string_append (out, "</td></tr>\n");
    return;
  }
  g_string_append_printf (out, "<td>%u</td>", verdict->rows->len);
  append_cost (out, comparison, &verdict->cost);
  append_spread (out, &verdict->cut);
  append_spread (out, &verdict->recalibrated);
  append_spread (out, &verdict->tuned);
  if (verdict->images_per_second >= 0.0)
    g_string_append_printf (out, "<td>%.0f</td></tr>\n", verdict->images_per_second);
  else
    g_string_append (out, "<td>–</td></tr>\n");
}

void
pj_report_table (GString *out, const PjReport *report, const GPtrArray *verdicts)
{
  const PjComparison *comparison = report->comparison;
  PjSpread base = { comparison->base_accuracy, 0, comparison->base_accuracy >= 0 };
  g_string_append (out,
                   "<div class=\"wide\"><table><thead><tr><th>method</th><th>keep</th><th>seeds</th><th>MACs</th><th>of all</th>"
                   "<th>parameters</th><th>after cutting</th><th>norms again</th><th>fine-tuned</th><th>images/s</th></tr></thead>"
                   "<tbody>\n<tr><td>not cut</td><td>1</td><td></td>");
  append_cost (out, comparison, &comparison->base_cost);
  append_spread (out, &base);
  g_string_append (out, "<td>–</td><td>–</td>");
  g_string_append_printf (out, "<td>%.0f</td></tr>\n", MAX (0.0, comparison->base_images_per_second));
  for (guint i = 0; i < verdicts->len; i++)
    append_verdict (out, comparison, verdicts, verdicts->pdata[i]);
  g_string_append (out, "</tbody></table></div>\n");
}

/* --- agreement --- */

typedef double (*Measure) (const PjGroups *groups, const PjVerdict *a, const PjVerdict *b);

/* Blue for what agrees, orange for what runs against each other. */
static void
append_matrix (GString *out, const PjReport *report, const GPtrArray *choices, Measure measure, gboolean percent)
{
  g_string_append (out, "<div class=\"wide\"><table class=\"matrix\"><thead><tr><th></th>");
  for (guint i = 0; i < choices->len; i++) {
    g_string_append (out, "<th>");
    pj_report_append_escaped (out, pj_report_method_title (((PjVerdict *) choices->pdata[i])->method));
    g_string_append (out, "</th>");
  }
  g_string_append (out, "</tr></thead><tbody>\n");
  for (guint i = 0; i < choices->len; i++) {
    g_string_append (out, "<tr><th scope=\"row\">");
    pj_report_append_escaped (out, pj_report_method_title (((PjVerdict *) choices->pdata[i])->method));
    g_string_append (out, "</th>");
    for (guint k = 0; k < choices->len; k++) {
      double value = measure (report->groups, choices->pdata[i], choices->pdata[k]);
      char alpha[G_ASCII_DTOSTR_BUF_SIZE];
      if (isnan (value)) {
        g_string_append (out, "<td>–</td>");
        continue;
      }
      g_ascii_formatd (alpha, sizeof alpha, "%.2f", 0.55 * fmin (1, fabs (value)));
      g_string_append_printf (out, "<td style=\"background:rgba(%s,%s)\">", value < 0 ? "213,94,0" : "0,114,178", alpha);
      g_string_append_printf (out, percent ? "%.0f %%</td>" : "%.2f</td>", percent ? 100.0 * value : value);
    }
    g_string_append (out, "</tr>\n");
  }
  g_string_append (out, "</tbody></table></div>\n");
}

void
pj_report_agreement (GString *out, const PjReport *report, const GPtrArray *verdicts, double ratio)
{
  g_autoptr (GPtrArray) choices = pj_verdicts_choices (verdicts, ratio);
  if (choices->len < 2)
    return;
  g_string_append_printf (out, "<h2>Where the methods agree at keep %g</h2>\n<p class=\"sub\">Channels kept by both among those kept by "
                          "either, over all layers. Two lotteries would agree on about %.0f %%.</p>\n", ratio,
                          100.0 * ratio / (2.0 - ratio));
  append_matrix (out, report, choices, pj_verdict_overlap, TRUE);
  g_string_append (out, "<p class=\"sub\">Spearman’s correlation of the importance that they give to channels, the mean over the layers: "
                   "1 the same order, 0 nothing in common, −1 the opposite.</p>\n");
  append_matrix (out, report, choices, pj_verdict_correlation, FALSE);
}

/* --- layers --- */

void
pj_report_layers (GString *out, const PjReport *report, const GPtrArray *verdicts, double ratio)
{
  g_autoptr (GPtrArray) choices = pj_verdicts_choices (verdicts, ratio);
  gboolean any = FALSE;
  for (unsigned g = 0; g < pj_groups_n (report->groups); g++)
    any = any || pj_verdicts_layer_winner (choices, ratio, (int) g, NULL) >= 0;
  if (!any || choices->len < 2)
    return;
  g_string_append_printf (out, "<h2>Who wins which layer at keep %g</h2>\n<p class=\"sub\">KL divergence of the output when this layer "
                          "alone is cut, in thousandths of a nat: the least, in bold, disturbs the network least.</p>\n"
                          "<div class=\"wide\"><table><thead><tr><th>layer</th><th class=\"why\">winner</th>", ratio);
  for (guint i = 0; i < choices->len; i++) {
    g_string_append (out, "<th>");
    pj_report_append_escaped (out, pj_report_method_title (((PjVerdict *) choices->pdata[i])->method));
    g_string_append (out, "</th>");
  }
  g_string_append (out, "</tr></thead><tbody>\n");
  for (unsigned g = 0; g < pj_groups_n (report->groups); g++) {
    int winner = pj_verdicts_layer_winner (choices, ratio, (int) g, NULL);
    if (winner < 0)
      continue;
    g_string_append (out, "<tr><td>");
    pj_report_append_escaped (out, pj_groups_get (report->groups, g)->name);
    g_string_append (out, "</td><td class=\"why\">");
    pj_report_append_escaped (out, pj_report_method_title (((PjVerdict *) choices->pdata[winner])->method));
    g_string_append (out, "</td>");
    for (guint i = 0; i < choices->len; i++) {
      double kl = pj_verdict_layer_kl (choices->pdata[i], (int) g);
      if (kl < 0)
        g_string_append (out, "<td>–</td>");
      else
        g_string_append_printf (out, (int) i == winner ? "<td><b>%.1f</b></td>" : "<td>%.1f</td>", 1000 * kl);
    }
    g_string_append (out, "</tr>\n");
  }
  g_string_append (out, "</tbody></table></div>\n");
}

/* --- classes --- */

static int
compare_changes (gconstpointer a, gconstpointer b)
{
  const PjClassChange *x = a, *y = b;
  double dx = x->changed - x->base, dy = y->changed - y->base;
  return dx < dy ? -1 : dx > dy ? 1 : (int) x->label - (int) y->label;
}

static void
append_change (GString *out, char **names, const PjClassChange *change, gboolean first)
{
  guint n_names = g_strv_length (names);
  if (!first)
    g_string_append (out, ", ");
  if (change->label < n_names)
    pj_report_append_escaped (out, names[change->label]);
  else
    g_string_append_printf (out, "class %u", change->label);
  g_string_append_printf (out, " %+.1f", 100 * (change->changed - change->base));
}

static void
append_changes (GString *out, const PjReport *report, const PjVerdict *verdict)
{
  const PjComparison *c = report->comparison;
  const PjCompareRow *row = verdict->rows->pdata[0];
  g_auto (GStrv) names = g_strsplit (c->classes != NULL ? c->classes : "", "\n", -1);
  unsigned changed = 0, lost = 0, won = 0;
  for (unsigned i = 0; i < c->n_test; i++) {
    changed += row->answers[i] != c->answers[i];
    lost += c->answers[i] == c->labels[i] && row->answers[i] != c->labels[i];
    won += c->answers[i] != c->labels[i] && row->answers[i] == c->labels[i];
  }
  g_autoptr (GArray) changes = pj_class_changes_new (c->labels, c->answers, row->answers, c->n_test, MAX (c->n_classes, 1u));
  g_array_sort (changes, compare_changes);
  g_autofree char *name = pj_report_name (verdict);
  g_string_append (out, "<tr><td>");
  pj_report_append_escaped (out, name);
  g_string_append_printf (out, "</td><td>%g</td><td>%u</td><td>%u</td><td>%u</td><td class=\"why\">", verdict->ratio, changed, lost, won);
  gboolean first = TRUE;
  for (guint i = 0; i < MIN (changes->len, 3u); i++) {
    const PjClassChange *change = &g_array_index (changes, PjClassChange, i);
    if (change->changed >= change->base)
      break;
    append_change (out, names, change, first);
    first = FALSE;
  }
  g_string_append (out, "</td><td class=\"why\">");
  const PjClassChange *best = changes->len > 0 ? &g_array_index (changes, PjClassChange, changes->len - 1) : NULL;
  if (best != NULL && best->changed > best->base)
    append_change (out, names, best, TRUE);
  g_string_append (out, "</td></tr>\n");
}

void
pj_report_classes (GString *out, const PjReport *report, const GPtrArray *verdicts)
{
  const PjComparison *c = report->comparison;
  gboolean any = FALSE;
  for (guint i = 0; i < verdicts->len; i++)
    any = any || ((PjCompareRow *) ((PjVerdict *) verdicts->pdata[i])->rows->pdata[0])->answers != NULL;
  if (c->answers == NULL || c->labels == NULL || !any)
    return;
  g_string_append (out, "<h2>What changed for single classes</h2>\n<p class=\"sub\">Of the first seed, at the last stage measured: test "
                   "pictures that are taken for another class than before the cut, how many of them were right before, how many are right "
                   "now, and the classes whose accuracy moved most, in points.</p>\n<div class=\"wide\"><table><thead><tr><th>method</th>"
                   "<th>keep</th><th>answers changed</th><th>newly wrong</th><th>newly right</th><th class=\"why\">lose most</th>"
                   "<th class=\"why\">wins most</th></tr></thead><tbody>\n");
  for (guint i = 0; i < verdicts->len; i++) {
    const PjVerdict *verdict = verdicts->pdata[i];
    if (((PjCompareRow *) verdict->rows->pdata[0])->answers != NULL)
      append_changes (out, report, verdict);
  }
  g_string_append (out, "</tbody></table></div>\n");
}
