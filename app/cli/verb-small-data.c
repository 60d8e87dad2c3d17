/* SPDX-License-Identifier: MIT */
/* small-data: prune and then transfer, or transfer and then prune? */
#include "cli/verbs.h"
#include "model/work-open.h"
#include "prune/small-data.h"

static char *small_set, *large_set, *method, *out;
static double macs = 0.3, lr = 0.01;
static int epochs = 20, large_epochs = 2, batch = 64, n_images, n_test;

static const GOptionEntry entries[] = {
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &small_set, "The small data set, of any classes", "DATA" },
  { "large", 0, 0, G_OPTION_ARG_FILENAME, &large_set, "What MODEL was trained on; without it T1 is left out", "DATA" },
  { "method", 0, 0, G_OPTION_ARG_FILENAME, &method, "How channels are chosen (default: curl)", "NAME" },
  { "macs", 0, 0, G_OPTION_ARG_DOUBLE, &macs, "Share of the MACs to keep (default 0.3)", "R" },
  { "epochs", 0, 0, G_OPTION_ARG_INT, &epochs, "Passes over the small set for every row (default 20)", "N" },
  { "large-epochs", 0, 0, G_OPTION_ARG_INT, &large_epochs, "Passes over the large set after pruning there (default 2)", "N" },
  { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &lr, "Learning rate (default 0.01)", "X" },
  { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "Pictures per step of plain fine-tuning (default 64)", "N" },
  { "samples", 0, 0, G_OPTION_ARG_INT, &n_images, "Pictures that channels are chosen on (default: the method's own)", "N" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_test, "Measure on the first N test pictures only", "N" },
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Where the best of the small networks goes", "MODEL.onnx" },
  { NULL }
};

static void
row_cb (const PjSmallDataRow *row, gpointer data)
{
  g_autofree char *top1 = cli_percent (row->top1);
  cli_note (data, "%s: top-1 %s", row->title, top1);
}

static const PjSmallDataRow *
show (Cli *cli, const GPtrArray *rows)
{
  CliTable *table = cli_table_new ((const char *[]) { "", ">top-1", ">MACs", ">parameters", NULL });
  JsonArray *list = json_array_new ();
  const PjSmallDataRow *best = NULL;

  for (guint i = 0; i < rows->len; i++) {
    const PjSmallDataRow *row = rows->pdata[i];
    g_autofree char *top1 = cli_percent (row->top1), *cost = cli_count ((double) row->cost.macs), *params = cli_count ((double) row->cost.learnable);
    cli_table_add (table, row->title, top1, cost, params, NULL);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "row", row->name);
    json_object_set_double_member (object, "top1", row->top1);
    json_object_set_int_member (object, "n", row->n);
    cli_json_cost (object, &row->cost);
    json_array_add_object_element (list, object);
    if (!g_str_equal (row->name, "transferred") && (best == NULL || row->top1 > best->top1))
      best = row;
  }
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "rows", list);
  json_object_set_int_member (cli->result, "seed", cli->seed);
  return best;
}

static gboolean
run_experiment (Cli *cli, CliModel *model, PjDataset *small, PjDataset *large, const PjSmallDataOptions *options, GError **error)
{
  PjFormat format;
  PjDevice *device = cli_device (cli, error);
  if (device == NULL || (large != NULL && !pj_dataset_format_for (large, model->graph, TRUE, &format, error)))
    return FALSE;
  PjScoring scoring = {
    .device = device, .graph = model->graph, .groups = model->groups, .dataset = large, .format = large != NULL ? &format : NULL,
    .hooks = &cli->hooks,
  };
  g_autoptr (GPtrArray) rows = pj_small_data (&scoring, small, options, row_cb, cli, error);
  if (rows == NULL)
    return FALSE;
  cli_say (cli, "%s from %s to %s, %s, %s, seed %" G_GINT64_FORMAT "\n", model->name, large != NULL ? pj_dataset_name (large) : "its data",
           pj_dataset_name (small), options->method->title, device->info.id, cli->seed);
  const PjSmallDataRow *best = show (cli, rows);
  if (out == NULL)
    return TRUE;
  PjWork work = { .device = device, .graph = best->graph, .dataset = small, .hooks = &cli->hooks };
  CliModel result = { .graph = best->graph };
  PjFormat small_format;
  if (pj_dataset_format_for (small, best->graph, TRUE, &small_format, NULL))
    pj_format_note (&small_format, best->graph);
  return cli_export (cli, &result, &work, "onnx", out, "out", error);
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  const PjMethod *chosen = pj_method_find (method != NULL ? method : "curl");
  if (small_set == NULL)
    return cli_usage (error, "name the small data set with --data");
  if (chosen == NULL)
    return cli_usage (error, "there is no method “%s”; “penjing-cli prune --list” lists them", method);
  if (!(macs > 0.0 && macs <= 1.0))
    return cli_usage (error, "--macs is a share above 0 and at most 1");
  if (epochs < 0 || large_epochs < 0 || batch < 1 || n_images < 0 || n_test < 0 || !(lr > 0.0))
    return cli_usage (error, "numbers must not be negative");
  g_autofree double *values = pj_method_values (chosen, NULL, error);
  PjSmallDataOptions options = {
    .method = chosen, .values = values, .target = macs, .n_images = (unsigned) n_images, .seed = (uint64_t) cli->seed,
    .epochs = (unsigned) epochs, .large_epochs = (unsigned) large_epochs, .n_test = (unsigned) n_test,
  };
  pj_train_options_init (&options.tune);
  options.tune.lr = (float) lr;
  options.tune.batch = (unsigned) batch;
  g_auto (CliModel) model = { 0 };
  g_autofree char *small_path = NULL, *large_path = NULL;
  if (!cli_check_out (out, error) || !cli_open_model (cli, args[0], FALSE, &model, error))
    return FALSE;
  g_autoptr (PjDataset) small = cli_open_data (cli, small_set, &small_path, error);
  g_autoptr (PjDataset) large = small != NULL && large_set != NULL ? cli_open_data (cli, large_set, &large_path, error) : NULL;
  return small != NULL && (large_set == NULL || large != NULL) && run_experiment (cli, &model, small, large, &options, error);
}

const CliVerb cli_verb_small_data = {
  .name = "small-data",
  .arguments = "MODEL",
  .summary = "Compares pruning before and after a transfer to a small data set",
  .about = "T1 prunes MODEL on the large set it was trained on, and then transfers the small network.  T2 transfers MODEL and prunes on\n"
           "the small set, with plain fine-tuning and with CURL's two stages: mixup with distillation, then label refinement.  All rows\n"
           "keep the same share of the MACs and see the small set equally often.\n\n"
           "Example:\n"
           "  penjing-cli small-data resnet.onnx --large ~/large-photos --data ~/photos --macs 0.3 --epochs 30 --out small.onnx",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
