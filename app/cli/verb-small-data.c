/* SPDX-License-Identifier: MIT */
/* small-data: prune and then transfer, or transfer and then prune? */
#include "cli/verbs.h"
#include "model/work-open.h"
#include "model/work-settings.h"
#include "model/work-small-data.h"

static char *small_set, *large_set, *method, *out, *session;
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
  { "session", 0, 0, G_OPTION_ARG_FILENAME, &session, "Session that records the work (default: beside --out; none: nowhere)", "FILE" },
  { NULL }
};

static void
row_cb (const PjSmallDataRow *row, gpointer data)
{
  g_autofree char *top1 = cli_percent (row->top1);
  cli_note (data, "%s: top-1 %s", row->title, top1);
}

static void
show (Cli *cli, const GPtrArray *rows)
{
  CliTable *table = cli_table_new ((const char *[]) { "", ">top-1", ">MACs", ">parameters", NULL });
  JsonArray *list = json_array_new ();

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
  }
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "rows", list);
}

/* The job, or what is left of it; its table; the best of the small networks as a file. */
static gboolean
go (Cli *cli, const PjWork *work, PjDataset *large, const PjWorkSmallData *settings, GError **error)
{
  g_autoptr (GPtrArray) rows = pj_work_small_data (work, large, settings, row_cb, cli, NULL, error);
  if (rows == NULL)
    return FALSE;
  cli_say (cli, "%s from %s to %s, %s, %s, seed %" G_GUINT64_FORMAT "\n", pj_graph_get_name (work->graph),
           large != NULL ? pj_dataset_name (large) : "its data", pj_dataset_name (work->dataset), pj_method_find (settings->method)->title,
           work->device->info.id, settings->seed);
  json_object_set_int_member (cli->result, "seed", (gint64) settings->seed);
  show (cli, rows);
  const PjSmallDataRow *best = pj_small_data_best (rows);
  g_autofree char *accuracy = pj_work_accuracy_text (best->top1, best->n);
  CliModel result = { .graph = best->graph, .step = best->step, .accuracy = accuracy };
  if (work->out != NULL && !cli_export (cli, &result, work, "onnx", work->out, "out", error))
    return FALSE;
  if (work->session != NULL)
    cli_say (cli, "  %s (session)\n", pj_session_path (work->session));
  return TRUE;
}

gboolean
cli_small_data_resume (Cli *cli, PjSession *session, const PjJobRecord *job, const char *target, GError **error)
{
  g_auto (PjWorkSmallData) settings;
  g_auto (PjWorkPlace) place = { 0 };
  pj_work_small_data_init (&settings);
  g_autofree char *where = pj_settings_get (job->settings, "data");
  if (!pj_work_small_data_read (&settings, job->settings, error) || !pj_work_open_step (session, job->step, &place, error))
    return FALSE;
  g_autoptr (PjDataset) small = pj_work_open_data (where, error);
  g_autoptr (PjDataset) large = small != NULL && settings.large != NULL ? pj_work_open_data (settings.large, error) : NULL;
  if (small == NULL || (settings.large != NULL && large == NULL))
    return FALSE;
  PjWork work = {
    .device = cli->device, .session = session, .step = job->step, .job = job->id, .graph = place.graph, .dataset = small,
    .data = where, .out = target, .hooks = &cli->hooks,
  };
  return go (cli, &work, large, &settings, error);
}

static gboolean
read_settings (Cli *cli, PjWorkSmallData *settings, GError **error)
{
  const char *name = method != NULL ? method : "curl";
  if (small_set == NULL)
    return cli_usage (error, "name the small data set with --data");
  if (pj_method_find (name) == NULL)
    return cli_usage (error, "there is no method “%s”; “penjing-cli prune --list” lists them", name);
  if (!(macs > 0.0 && macs <= 1.0))
    return cli_usage (error, "--macs is a share above 0 and at most 1");
  if (epochs < 0 || large_epochs < 0 || batch < 1 || n_images < 0 || n_test < 0 || !(lr > 0.0))
    return cli_usage (error, "numbers must not be negative");
  g_free (settings->method);
  *settings = (PjWorkSmallData) {
    .method = g_strdup (name), .macs = macs, .lr = lr, .n_images = (unsigned) n_images, .epochs = (unsigned) epochs,
    .large_epochs = (unsigned) large_epochs, .batch = (unsigned) batch, .n_test = (unsigned) n_test, .seed = (uint64_t) cli->seed,
  };
  return TRUE;
}

/* Bad settings are refused here, too. */
static gboolean
say_estimate (Cli *cli, const PjWork *work, PjDataset *large, const PjWorkSmallData *settings, GError **error)
{
  double seconds;
  if (!pj_work_small_data_estimate (work, large, settings, &seconds, error))
    return FALSE;
  g_autofree char *text = cli_duration (seconds);
  cli_note (cli, "All of it is going to take about %s.", text);
  json_object_set_double_member (cli->result, "estimated_seconds", seconds);
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  g_auto (PjWorkSmallData) settings;
  g_auto (CliModel) model = { 0 };
  g_autofree char *small_path = NULL, *target = out != NULL ? g_canonicalize_filename (out, NULL) : NULL;
  pj_work_small_data_init (&settings);
  if (!read_settings (cli, &settings, error) || !cli_check_out (out, error) || !cli_open_model (cli, args[0], TRUE, &model, error))
    return FALSE;
  g_autoptr (PjDataset) large = large_set != NULL ? cli_open_data (cli, large_set, &settings.large, error) : NULL;
  if (large_set != NULL && large == NULL)
    return FALSE;
  /* The small set is opened last: the result names it. */
  g_autoptr (PjDataset) small = cli_open_data (cli, small_set, &small_path, error);
  PjWork work;
  return small != NULL && cli_keep_session (cli, &model, session, out, args[0], error)
         && cli_work (cli, &model, small, small_path, target, &work, error) && say_estimate (cli, &work, large, &settings, error)
         && go (cli, &work, large, &settings, error);
}

const CliVerb cli_verb_small_data = {
  .name = "small-data",
  .arguments = "MODEL",
  .summary = "Compares pruning before and after a transfer to a small data set",
  .about = "T1 prunes MODEL on the large set it was trained on, and then transfers the small network.  T2 transfers MODEL and prunes on\n"
           "the small set, with plain fine-tuning and with CURL's two stages: mixup with distillation, then label refinement.  All rows\n"
           "keep the same share of the MACs and see the small set equally often.  Stopped or killed, it goes on with “sessions … resume”.\n\n"
           "Example:\n"
           "  penjing-cli small-data resnet.onnx --large ~/large-photos --data ~/photos --macs 0.3 --epochs 30 --out small.onnx",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
