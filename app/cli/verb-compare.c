/* SPDX-License-Identifier: MIT */
/* compare: methods x ratios, with a report. */
#include <string.h>

#include "cli/verbs.h"
#include "model/work-open.h"
#include "prune/method.h"

static char *data, *criteria, *keep, *out, *session, *seeds, *start;
static double lr = 0.01;
static int finetune, steps, batch = 64, n_images, n_test, draws = 3, layer_test = PJ_COMPARE_LAYER_TEST;
static gboolean no_recalibrate;

static const GOptionEntry entries[] = {
  { "criteria", 0, 0, G_OPTION_ARG_FILENAME, &criteria, "Methods, separated by commas; “prune --list” lists them",
    "A,B,…" },
  { "methods", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &criteria, "The same", "A,B,…" },
  { "keep", 0, 0, G_OPTION_ARG_FILENAME, &keep, "Keep ratios, separated by commas (default 0.5)", "R1,R2,…" },
  { "seeds", 0, 0, G_OPTION_ARG_FILENAME, &seeds,
    "Run every row by each of these seeds, and give mean and spread (default: the one of --seed)", "S1,S2,…" },
  { "draws", 0, 0, G_OPTION_ARG_INT, &draws, "Seeds that random gets at least, as one draw says nothing (default 3)", "N" },
  { "start", 0, 0, G_OPTION_ARG_FILENAME, &start,
    "What fine-tuning begins with: auto (default), own (the network as the method leaves it), norms (after its norms were "
    "measured again), both (a row of each)", "HOW" },
  { "layer-test", 0, 0, G_OPTION_ARG_INT, &layer_test,
    "Test pictures on which each layer's cut is judged alone (default 256; 0: not at all)", "N" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Data set (default: sample)", "DATA" },
  { "samples", 0, 0, G_OPTION_ARG_INT, &n_images, "Calibration pictures (default: each method's own)", "N" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_test, "Measure on the first N test pictures only", "N" },
  { "no-recalibrate", 0, 0, G_OPTION_ARG_NONE, &no_recalibrate, "Leave the norm statistics as they are after cutting",
    NULL },
  { "finetune", 0, 0, G_OPTION_ARG_INT, &finetune, "Train each row for so many epochs (default 0)", "EPOCHS" },
  { "steps", 0, 0, G_OPTION_ARG_INT, &steps, "Stop each fine-tuning after so many batches", "N" },
  { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &lr, "Learning rate of the fine-tuning (default 0.01)", "X" },
  { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "Pictures per step (default 64)", "N" },
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Report, one page that stands alone; a CSV table goes beside it",
    "REPORT.html" },
  { "session", 0, 0, G_OPTION_ARG_FILENAME, &session,
    "Session that records the work (default: beside --out; none: nowhere)", "FILE" },
  { NULL }
};

static gboolean
read_settings (Cli *cli, PjWorkCompare *settings, GError **error)
{
  static const struct { const char *name; unsigned starts; } starts[] = {
    { "auto", 0 }, { "own", PJ_COMPARE_OWN }, { "norms", PJ_COMPARE_RECALIBRATED }, { "both", PJ_COMPARE_OWN | PJ_COMPARE_RECALIBRATED },
  };
  if (finetune < 0 || steps < 0 || n_images < 0 || n_test < 0 || draws < 0 || layer_test < 0 || batch < 1 || !(lr > 0.0))
    return cli_usage (error, "numbers must not be negative");
  settings->methods = g_strsplit (criteria != NULL ? criteria : "random,weight-sum,apoz,taylor,thinet,thinet-ls", ",",
                                  -1);
  settings->ratios = g_strsplit (keep != NULL ? keep : "0.5", ",", -1);
  for (char **name = settings->methods; *name != NULL; name++) {
    if (pj_method_find (*name) == NULL)
      return cli_usage (error, "there is no method “%s”; “penjing-cli prune --list” lists them", *name);
  }
  for (char **ratio = settings->ratios; *ratio != NULL; ratio++) {
    double number;
    if (!pj_work_read_ratio (*ratio, &number))
      return cli_usage (error, "“%s” is no keep ratio: write numbers above 0 and at most 1, as in 0.5,0.25", *ratio);
  }
  settings->seeds = seeds != NULL ? g_strsplit (seeds, ",", -1) : NULL;
  for (char **seed = settings->seeds; seed != NULL && *seed != NULL; seed++) {
    if (!g_ascii_string_to_unsigned (*seed, 10, 0, G_MAXINT64, NULL, NULL))
      return cli_usage (error, "“%s” is no seed: write whole numbers from 0, as in 1,2,3", *seed);
  }
  guint how = 0;
  while (how < G_N_ELEMENTS (starts) && strcmp (start != NULL ? start : "auto", starts[how].name) != 0)
    how++;
  if (how == G_N_ELEMENTS (starts))
    return cli_usage (error, "--start is auto, own, norms or both, not “%s”", start);
  settings->starts = starts[how].starts;
  settings->n_drawn = (unsigned) draws;
  settings->n_layer_test = (unsigned) layer_test;
  settings->recalibrate = !no_recalibrate;
  settings->n_images = (unsigned) n_images;
  settings->n_test = (unsigned) n_test;
  settings->seed = settings->tune.seed = (uint64_t) cli->seed;
  settings->tune.epochs = (unsigned) (steps > 0 ? MAX (finetune, 1) : finetune);
  settings->tune.max_steps = (unsigned) steps;
  settings->tune.lr = (float) lr;
  settings->tune.batch = (unsigned) batch;
  return TRUE;
}

static void
row_cb (const PjComparison *comparison, unsigned i, gpointer data)
{
  const PjCompareRow *row = comparison->rows->pdata[i];
  g_autofree char *cut = cli_percent (row->cut), *recalibrated = cli_percent (row->recalibrated);
  g_autofree char *tuned = cli_percent (row->tuned);
  if (row->refusal != NULL)
    cli_note (data, "%s, keep %g: %s", row->method, row->ratio, row->refusal);
  else
    cli_note (data, "%s, keep %g, seed %" G_GUINT64_FORMAT ": after cutting %s, norms again %s, fine-tuned%s %s", row->method,
              row->ratio, row->seed, cut, recalibrated,
              row->tuned >= 0.0 && row->start == PJ_COMPARE_RECALIBRATED ? " from there" : "", tuned);
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  g_auto (PjWorkCompare) settings;
  pj_work_compare_init (&settings);
  g_auto (CliModel) model = { 0 };
  g_autofree char *where = NULL, *target = out != NULL ? g_canonicalize_filename (out, NULL) : NULL;
  if (!read_settings (cli, &settings, error) || !cli_check_out (out, error)
      || !cli_open_model (cli, args[0], TRUE, &model, error))
    return FALSE;
  g_autoptr (PjDataset) dataset = cli_open_data (cli, data, &where, error);
  PjWork work;
  if (dataset == NULL || !cli_keep_session (cli, &model, session, out, args[0], error)
      || !cli_work (cli, &model, dataset, where, target, &work, error))
    return FALSE;
  g_autoptr (PjComparison) comparison = pj_work_compare (&work, model.groups, &settings, row_cb, cli, NULL, error);
  if (comparison == NULL)
    return FALSE;
  cli_say (cli, "%s on %s, %s, seed %" G_GINT64_FORMAT ", %u test pictures\n", model.name, pj_dataset_name (dataset),
           cli->device->info.id,
           cli->seed, comparison->n_test);
  return cli_report (cli, model.name, pj_dataset_name (dataset), model.groups, comparison, &settings, out, NULL, error);
}

const CliVerb cli_verb_compare = {
  .name = "compare",
  .arguments = "MODEL",
  .summary = "Compares methods and ratios on the same network, data, seed and fine-tuning",
  .about = "Without --criteria: random, weight-sum, apoz, taylor, thinet and thinet-ls.  All methods cut the same groups: those that\n"
           "each of them can judge.  Every row gets the same fine-tuning: criteria begin it with norms\n"
           "measured again, methods that rebuild or train what they cut with what they leave (--start tells otherwise).  Rows are kept in the session as they finish; a comparison that was stopped goes on with\n"
           "“penjing-cli sessions FILE resume”.\n\n"
           "Examples:\n"
           "  penjing-cli compare model.onnx --data fashion-mnist --keep 0.5 --out report.html\n"
           "  penjing-cli compare model.onnx --data ~/photos --criteria apoz,thinet-ls --keep 0.7,0.5,0.3 --finetune 1 --out report.html\n"
           "  penjing-cli compare sample --criteria random,weight-sum --test 500 --json",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
