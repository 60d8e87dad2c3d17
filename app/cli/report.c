/* SPDX-License-Identifier: MIT */
/* A comparison on stdout, as JSON, and as a page with a CSV table beside it. */
#include "cli/cli.h"

#include "model/work-report.h"
#include "prune/method.h"

static void
add_row (CliTable *table, JsonArray *json, const PjComparison *comparison, const PjCompareRow *row)
{
  JsonObject *object = json_object_new ();
  g_autofree char *ratio = g_strdup_printf ("%g", row->ratio);
  json_object_set_string_member (object, "method", row->method);
  json_object_set_double_member (object, "keep", row->ratio);
  json_array_add_object_element (json, object);
  if (row->refusal != NULL) {
    cli_table_add (table, row->method, ratio, "", "", "", "", "", row->refusal, NULL);
    json_object_set_string_member (object, "refusal", row->refusal);
    return;
  }
  g_autofree char *macs = cli_count ((double) row->cost.macs), *cut = cli_percent (row->cut);
  double all = (double) MAX (1, comparison->base_cost.macs);
  g_autofree char *share = g_strdup_printf ("%.0f %%", 100.0 * (double) row->cost.macs / all);
  g_autofree char *recalibrated = cli_percent (row->recalibrated), *tuned = cli_percent (row->tuned);
  cli_table_add (table, row->method, ratio, macs, share, cut, recalibrated, tuned, "", NULL);
  cli_json_cost (object, &row->cost);
  json_object_set_double_member (object, "cut", row->cut);
  json_object_set_double_member (object, "recalibrated", row->recalibrated);
  json_object_set_double_member (object, "tuned", row->tuned);
  json_object_set_double_member (object, "images_per_second", row->images_per_second);
}

static void
show (Cli *cli, const PjComparison *comparison)
{
  CliTable *table = cli_table_new ((const char *[]) { "method", ">keep", ">MACs", ">", ">after cutting", ">norms again",
                                                      ">fine-tuned",
                                                      "", NULL });
  g_autofree char *macs = cli_count ((double) comparison->base_cost.macs);
  g_autofree char *accuracy = cli_percent (comparison->base_accuracy);
  cli_table_add (table, "not cut", "1", macs, "100 %", accuracy, "", "", "", NULL);
  JsonArray *rows = json_array_new ();
  for (guint i = 0; i < comparison->rows->len; i++)
    add_row (table, rows, comparison, comparison->rows->pdata[i]);
  cli_table_print (table, cli);
  JsonObject *base = json_object_new ();
  cli_json_cost (base, &comparison->base_cost);
  json_object_set_double_member (base, "accuracy", comparison->base_accuracy);
  json_object_set_double_member (base, "images_per_second", comparison->base_images_per_second);
  json_object_set_object_member (cli->result, "base", base);
  json_object_set_int_member (cli->result, "n_test", comparison->n_test);
  json_object_set_array_member (cli->result, "rows", rows);
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
  show (cli, comparison);
  json_object_set_int_member (cli->result, "seed", (gint64) settings->seed);
  if (path == NULL)
    return TRUE;
  g_autofree char *title = g_strdup_printf ("%s: what stays, and what it costs", network);
  g_autofree char *tuning = describe_tuning (&settings->tune);
  g_autofree char *device = cli->device != NULL ? g_strdup_printf ("%s (%s)", cli->device->info.id,
                                                                   cli->device->info.name) : g_strdup ("?");
  g_autofree char *csv = NULL;
  PjReport report = {
    .title = title, .network = network, .data = data, .device = device, .settings = tuning, .stages_html = stages_html,
    .groups = groups, .comparison = comparison, .recalibrated = settings->recalibrate, .n_images = settings->n_images,
    .seed = settings->seed,
  };
  if (!pj_report_write (&report, path, &csv, error))
    return FALSE;
  cli_say (cli, "  %s\n  %s\n", path, csv);
  json_object_set_string_member (cli->result, "report", path);
  json_object_set_string_member (cli->result, "csv", csv);
  return TRUE;
}
