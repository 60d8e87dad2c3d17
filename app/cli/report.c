/* SPDX-License-Identifier: MIT */
/* A comparison on stdout, as JSON, and as a page with a CSV table beside it. */
#include "cli/cli.h"

#include "cli/compare-json.h"
#include "model/work-report.h"
#include "prune/compare/jury.h"

/* "84.20 % ±0.61" (transfer full) */
static char *
spread_text (const PjSpread *spread)
{
  g_autofree char *mean = cli_percent (spread->mean);
  return spread->n > 1 ? g_strdup_printf ("%s ±%.2f", mean, 100.0 * spread->spread) : g_strdup (mean);
}

static void
add_verdict (CliTable *table, const PjComparison *comparison, const PjVerdict *verdict, gboolean on_front)
{
  g_autofree char *ratio = g_strdup_printf ("%g", verdict->ratio), *seeds = g_strdup_printf ("%u", verdict->rows->len);
  if (verdict->refusal != NULL) {
    cli_table_add (table, verdict->method, ratio, "", "", "", "", "", "", "", verdict->refusal, NULL);
    return;
  }
  g_autofree char *macs = cli_count ((double) verdict->cost.macs), *cut = spread_text (&verdict->cut);
  double all = (double) MAX (1, comparison->base_cost.macs);
  g_autofree char *share = g_strdup_printf ("%.0f %%", 100.0 * (double) verdict->cost.macs / all);
  g_autofree char *recalibrated = spread_text (&verdict->recalibrated), *tuned = spread_text (&verdict->tuned);
  cli_table_add (table, verdict->method, ratio, seeds, macs, share, cut, recalibrated, tuned,
                 verdict->tuned.n > 0 ? pj_compare_start_title (verdict->method, verdict->start) : "", on_front ? "nothing beats it" : "", NULL);
}

static void
show (Cli *cli, const PjGroups *groups, const PjComparison *comparison)
{
  CliTable *table = cli_table_new ((const char *[]) { "method", ">keep", ">seeds", ">MACs", ">", ">after cutting", ">norms again",
                                                      ">fine-tuned", "from", "", NULL });
  g_autofree char *macs = cli_count ((double) comparison->base_cost.macs);
  g_autofree char *accuracy = cli_percent (comparison->base_accuracy);
  g_autoptr (GPtrArray) verdicts = pj_verdicts_new (comparison);
  g_autofree gboolean *on_front = g_new0 (gboolean, MAX (verdicts->len, 1u));
  pj_verdicts_front (verdicts, on_front);
  cli_table_add (table, "not cut", "1", "", macs, "100 %", accuracy, "", "", "", "", NULL);
  for (guint i = 0; i < verdicts->len; i++)
    add_verdict (table, comparison, verdicts->pdata[i], on_front[i]);
  cli_table_print (table, cli);
  cli_comparison_json (cli->result, groups, comparison, verdicts);
}

/* "1 epoch at learning rate 0.01, batch 64". (transfer full) (nullable) */
static char *
describe_tuning (const PjTrainOptions *tune)
{
  if (tune->max_steps > 0)
    return g_strdup_printf ("%u steps at learning rate %g, batch %u", tune->max_steps, (double) tune->lr, tune->batch);
  if (tune->epochs > 0)
    return g_strdup_printf ("%u epoch%s at learning rate %g, batch %u", tune->epochs, tune->epochs == 1 ? "" : "s",
                            (double) tune->lr,
                            tune->batch);
  return NULL;
}

gboolean
cli_report (Cli *cli, const char *network, const char *data, const PjGroups *groups, const PjComparison *comparison,
            const PjWorkCompare *settings, const char *path, const char *stages_html, GError **error)
{
  show (cli, groups, comparison);
  json_object_set_int_member (cli->result, "seed", (gint64) settings->seed);
  if (path == NULL)
    return TRUE;
  g_autofree char *title = g_strdup_printf ("%s: what stays, and what it costs", network);
  g_autofree char *tuning = describe_tuning (&settings->tune);
  g_autofree char *device = cli->device != NULL ? g_strdup_printf ("%s (%s)", cli->device->info.id,
                                                                   cli->device->info.name) : g_strdup ("?");
  g_autofree char *csv = NULL, *means = NULL;
  PjReport report = {
    .title = title, .network = network, .data = data, .device = device, .settings = tuning, .stages_html = stages_html,
    .groups = groups, .comparison = comparison, .recalibrated = settings->recalibrate, .n_images = settings->n_images,
  };
  if (!pj_report_write (&report, path, &csv, &means, error))
    return FALSE;
  cli_say (cli, "  %s\n  %s\n  %s\n", path, csv, means);
  json_object_set_string_member (cli->result, "report", path);
  json_object_set_string_member (cli->result, "csv", csv);
  json_object_set_string_member (cli->result, "means_csv", means);
  return TRUE;
}
