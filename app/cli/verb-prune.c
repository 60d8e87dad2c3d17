/* SPDX-License-Identifier: MIT */
/* prune: chooses channels, cuts them, trains what is left, and says what it cost. */
#include <string.h>

#include "cli/verbs.h"
#include "graph/gap.h"
#include "model/work-open.h"
#include "model/work-parts.h"
#include "model/work-prune.h"
#include "prune/budget/budget.h"

static char *tied, *widths, *data, *method, *out, *session, *format, *rounding, *constants;
static char **keep, **drop_blocks, **drop_layers, **drop_groups;
static double keep_blocks, macs, params, memory, ms, keep_floor, lr, lr_b, rate_b = -1.0;
static int n_images, n_test, finetune, steps, batch = 64, drop_weakest, stage_a, stage_b;
static gboolean no_scale, no_recalibrate, list, gap;

static const GOptionEntry entries[] = {
  { "method", 0, 0, G_OPTION_ARG_FILENAME, &method, "How the channels are chosen; see --list (default: thinet-ls)",
    "NAME" },
  { "keep", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &keep,
    "Share of the channels to keep, of all groups or of one; may be repeated", "R|GROUP=R" },
  { "macs", 0, 0, G_OPTION_ARG_DOUBLE, &macs, "Instead: keep so much of the MACs, taking the weakest channels anywhere",
    "R" },
  { "params", 0, 0, G_OPTION_ARG_DOUBLE, &params, "Instead: the same for the parameters", "R" },
  { "memory", 0, 0, G_OPTION_ARG_DOUBLE, &memory, "Instead: the same for the bytes of parameters and activations", "R" },
  { "ms", 0, 0, G_OPTION_ARG_DOUBLE, &ms, "Instead: the same for the milliseconds of a picture, predicted from timings on this device", "R" },
  { "floor", 0, 0, G_OPTION_ARG_DOUBLE, &keep_floor, "With such a budget: never keep less of a group", "R" },
  { "widths", 0, 0, G_OPTION_ARG_FILENAME, &widths,
    "What of residual stages is cut: wallet (streams and inner widths, each by its own; the default), hourglass (inner widths "
    "only) or bottleneck (both by the same share)", "WORD" },
  { "tied", 0, 0, G_OPTION_ARG_FILENAME, &tied,
    "How layers that are cut together are judged: usual, sum, mean, max, fragile or first", "WORD" },
  { "drop-block", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &drop_blocks,
    "Remove a residual block first, its shortcut stays; “parts” lists them; may be repeated", "NAME" },
  { "drop-layer", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &drop_layers,
    "Remove a layer that keeps the shape of its input first; may be repeated", "NAME" },
  { "drop-groups", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &drop_groups,
    "Remove whole groups of a grouped convolution first, with their inputs and outputs; may be repeated", "CONV=N,N…" },
  { "drop-blocks", 0, 0, G_OPTION_ARG_INT, &drop_weakest, "Remove the N residual blocks first that the answers miss least", "N" },
  { "blocks", 0, 0, G_OPTION_ARG_DOUBLE, &keep_blocks,
    "With --method autopruner: keep so much of the residual blocks; a gate is trained for each, and those that close go whole, "
    "before any channels", "R" },
  { "round", 0, 0, G_OPTION_ARG_FILENAME, &rounding,
    "Round kept channels up to a multiple of N (for tiled kernels: 8, 16), or by AMC's rule to multiples of 8", "N|amc" },
  { "multiple", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &rounding, "As --round", "N|amc" },
  { "constants", 0, 0, G_OPTION_ARG_FILENAME, &constants,
    "What removed channels add that are the same for every picture moves into the next bias: none (default), exact (where no "
    "padding meets them) or all", "WORD" },
  { "no-scale", 0, 0, G_OPTION_ARG_NONE, &no_scale, "Without the least-squares factors of thinet", NULL },
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data,
    "Data set (default: sample; none: nothing is measured, for methods that look at weights alone)", "DATA" },
  { "samples", 0, 0, G_OPTION_ARG_INT, &n_images, "Calibration pictures (default: the method's own)", "N" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_test, "Measure on the first N test pictures only", "N" },
  { "no-recalibrate", 0, 0, G_OPTION_ARG_NONE, &no_recalibrate, "Leave the norm statistics as they are after cutting",
    NULL },
  { "finetune", 0, 0, G_OPTION_ARG_INT, &finetune, "Train for so many epochs afterwards (default 0)", "EPOCHS" },
  { "finetune-a", 0, 0, G_OPTION_ARG_INT, &stage_a, "Instead, as CURL does: train with mixup, the uncut network as teacher", "EPOCHS" },
  { "finetune-b", 0, 0, G_OPTION_ARG_INT, &stage_b, "Then, as CURL does: refine the labels of an expanded data set", "EPOCHS" },
  { "steps", 0, 0, G_OPTION_ARG_INT, &steps, "Stop each fine-tuning after so many batches", "N" },
  { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &lr, "Learning rate of the fine-tuning (default 0.01; 0.0001 to refine labels)", "X" },
  { "lr-b", 0, 0, G_OPTION_ARG_DOUBLE, &lr_b, "Of the label refinement alone: a few epochs need more than the published 0.0001", "X" },
  { "rate-b", 0, 0, G_OPTION_ARG_DOUBLE, &rate_b, "Learning rate of the labels that are refined (default 1); 0 leaves them as the teacher's", "X" },
  { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "Pictures per step (default 64)", "N" },
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Where the smaller network goes", "MODEL.onnx" },
  { "format", 0, 0, G_OPTION_ARG_FILENAME, &format, "Format of --out (default: onnx; see “export --list”)", "NAME" },
  { "session", 0, 0, G_OPTION_ARG_FILENAME, &session,
    "Session that records the work (default: beside --out; none: nowhere)", "FILE" },
  { "gap", 0, 0, G_OPTION_ARG_NONE, &gap,
    "After cutting, a global average and one new layer take the place of the classifier (ThiNet-GAP); use --finetune", NULL },
  { "list", 0, 0, G_OPTION_ARG_NONE, &list, "List the methods", NULL },
  { NULL }
};

static gboolean
show_list (Cli *cli)
{
  JsonArray *names = json_array_new ();
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    cli_say (cli, "%s: %s\n    %s\n    %s%s\n", (*m)->name, (*m)->title, (*m)->about, (*m)->source,
             (*m)->gives_scores || (*m)->allocates ? "" : "\n    (keep ratios only, no --macs or --params)");
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", (*m)->name);
    json_object_set_string_member (object, "title", (*m)->title);
    json_object_set_string_member (object, "about", (*m)->about);
    json_object_set_string_member (object, "source", (*m)->source);
    json_object_set_boolean_member (object, "gives_scores", (*m)->gives_scores);
    for (const PjMethodOption *o = (*m)->options; o != NULL && o->name != NULL; o++) {
      g_autofree char *about = cli_method_option_about (o);
      cli_say (cli, "    --%s: %s\n", o->name, about);
    }
    json_array_add_object_element (names, object);
  }
  json_object_set_array_member (cli->result, "methods", names);
  return TRUE;
}

static gboolean
read_rounding (int *multiple)
{
  gint64 number = 1;
  gboolean amc = g_strcmp0 (rounding, "amc") == 0;
  if (rounding != NULL && !amc && !g_ascii_string_to_signed (rounding, 10, 1, G_MAXINT16, &number, NULL))
    return FALSE;
  *multiple = amc ? PJ_ROUND_AMC : (int) number;
  return TRUE;
}

/* What a person asked for, or a usage error. */
static gboolean
read_choice (Cli *cli, PjWorkChoose *choice, GError **error)
{
  const char *name = method != NULL ? method : "thinet-ls";
  if (pj_method_find (name) == NULL) {
    g_autoptr (GPtrArray) names = g_ptr_array_new ();
    for (const PjMethod *const *m = pj_methods (); *m != NULL; m++)
      g_ptr_array_add (names, (gpointer) (*m)->name);
    g_ptr_array_add (names, NULL);
    const char *meant = cli_suggest (name, (const char *const *) names->pdata);
    return cli_usage (error, "there is no method “%s”%s%s%s", name, meant != NULL ? "; did you mean "
                      : "; --list lists them",
                      meant != NULL ? meant : "", meant != NULL ? "?" : "");
  }
  int n_ways = (keep != NULL) + (macs != 0.0) + (params != 0.0) + (memory != 0.0) + (ms != 0.0);
  if (n_ways > 1 || (n_ways == 0 && drop_blocks == NULL && drop_layers == NULL && drop_weakest == 0 && drop_groups == NULL && keep_blocks == 0.0))
    return cli_usage (error, "say how much is to stay with one of --keep, --macs, --params, --memory and --ms, or what goes whole "
                      "with --drop-block, --drop-blocks, --drop-layer, --drop-groups and --blocks");
  if (!(keep_blocks >= 0.0 && keep_blocks < 1.0))
    return cli_usage (error, "--blocks is the share of the residual blocks to keep, above 0 and below 1");
  if (keep_blocks > 0.0 && strcmp (name, "autopruner") != 0)
    return cli_usage (error, "only AutoPruner trains gates of blocks: write --method autopruner --blocks %g", keep_blocks);
  const double shares[] = { macs, params, memory, ms, keep_floor };
  for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
    if (!(shares[i] >= 0.0 && shares[i] <= 1.0))
      return cli_usage (error, "--macs, --params, --memory, --ms and --floor are shares from 0 to 1");
  if (finetune > 0 && (stage_a > 0 || stage_b > 0))
    return cli_usage (error, "--finetune-a and --finetune-b take the place of --finetune");
  if (finetune < 0 || stage_a < 0 || stage_b < 0 || steps < 0 || n_test < 0 || n_images < 0 || drop_weakest < 0 || batch < 1 || !(lr >= 0.0) || !(lr_b >= 0.0))
    return cli_usage (error, "numbers must not be negative");
  if (!read_rounding (&choice->multiple))
    return cli_usage (error, "--round takes a whole number from 1 on, or amc; not “%s”", rounding);
  if (constants != NULL && !pj_work_constants_known (constants))
    return cli_usage (error, "--constants is none, exact or all; not “%s”", constants);
  PjTied policy;
  PjWidths which;
  g_autoptr (GError) reason = NULL;
  if ((tied != NULL && !pj_tied_find (tied, &policy, &reason)) || (widths != NULL && !pj_widths_find (widths, &which, &reason)))
    return cli_usage (error, "%s", reason->message);
  choice->tied = g_strdup (tied);
  choice->widths = g_strdup (widths);
  g_free (choice->method);
  choice->method = g_strdup (name);
  choice->keep = g_strdupv (keep);
  choice->macs = macs;
  choice->params = params;
  choice->memory = memory;
  choice->ms = ms;
  choice->floor = keep_floor;
  choice->constants = g_strdup (constants);
  choice->scale = !no_scale;
  choice->set = cli_method_settings ();
  choice->n_images = (unsigned) n_images;
  choice->seed = (uint64_t) cli->seed;
  return TRUE;
}

/* Settings of another method's would be passed over in silence. */
static gboolean
check_settings (const PjWorkChoose *choice, GError **error)
{
  g_autofree double *values = pj_method_values (pj_method_find (choice->method), (const char *const *) choice->set, error);
  return values != NULL;
}

/* What happens besides choosing. */
static void
read_way (CliPruneJob *job)
{
  job->drop = (CliDrop) { g_strdupv (drop_blocks), g_strdupv (drop_layers), (unsigned) drop_weakest, g_strdupv (drop_groups), keep_blocks };
  job->epochs = (unsigned) finetune;
  job->stage_a = (unsigned) stage_a;
  job->stage_b = (unsigned) stage_b;
  job->steps = (unsigned) steps;
  job->batch = (unsigned) batch;
  job->lr = lr;
  job->lr_b = lr_b;
  job->rate_b = rate_b >= 0.0 ? rate_b : 1.0;
  job->n_test = (unsigned) n_test;
  job->no_recalibrate = no_recalibrate;
  job->gap = gap;
  job->format = g_strdup (format);
}

static gboolean
check_gap (PjGraph *graph, GError **error)
{
  g_autoptr (PjGraph) trial = pj_graph_with_gap (graph, 1, error);
  return trial != NULL;
}

static gboolean
check_blocks (const CliModel *model, PjDataset *dataset, const CliPruneJob *job, GError **error)
{
  PjWork work = { .graph = model->graph, .dataset = dataset };
  return job->drop.keep_blocks == 0.0
         || pj_work_gate_blocks_check (&work, job->drop.keep_blocks, (const char *const *) job->choice.set, job->choice.n_images, error);
}

/* What goes without pictures, for “--data none”. */
static gboolean
check_without_data (CliPruneJob *job, GError **error)
{
  const PjMethod *chosen = pj_method_find (job->choice.method);
  if (pj_work_choose_is_asked (&job->choice) && chosen->needs != PJ_NEEDS_NOTHING)
    return cli_usage (error, "%s judges by pictures: name them with --data, or a method that looks at weights alone, as in "
                      "--method weight-sum", chosen->title);
  if (job->epochs > 0 || job->steps > 0 || job->stage_a > 0 || job->stage_b > 0 || chosen->fresh != PJ_FRESH_NO)
    return cli_usage (error, "training needs pictures: name them with --data");
  if (job->drop.n_weakest > 0 || job->drop.keep_blocks > 0.0)
    return cli_usage (error, "which blocks the answers miss least only pictures can tell: name them with --data, or the blocks "
                      "with --drop-block");
  job->no_recalibrate = TRUE;
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (list)
    return show_list (cli);
  if (args[0] == NULL)
    return cli_usage (error, "prune needs MODEL");
  g_auto (CliPruneJob) job;
  cli_prune_job_init (&job);
  g_auto (CliModel) model = { 0 };
  g_autofree char *where = NULL, *target = out != NULL ? g_canonicalize_filename (out, NULL) : NULL;
  if (!read_choice (cli, &job.choice, error) || !check_settings (&job.choice, error)
      || (out != NULL && !cli_check_export (format, out, TRUE, TRUE, error))
      || !cli_open_model (cli, args[0], TRUE, &model, error))
    return FALSE;
  model.original = pj_graph_ref (model.graph);
  read_way (&job);
  gboolean without_data = g_strcmp0 (data, "none") == 0;
  if (without_data && !check_without_data (&job, error))
    return FALSE;
  /* A wrong name or ratio must not cost a measurement first. */
  if (!cli_check_drop (model.graph, &job.drop, error) || (gap && !check_gap (model.graph, error)))
    return FALSE;
  g_autofree double *ratios = pj_work_ratios (model.groups, (const char *const *) job.choice.keep, error);
  g_autoptr (PjDataset) dataset = ratios != NULL && !without_data ? cli_open_data (cli, data, &where, error) : NULL;
  PjWork work;
  if (ratios == NULL || (dataset == NULL && !without_data) || !check_blocks (&model, dataset, &job, error))
    return FALSE;
  return cli_keep_session (cli, &model, session, out, args[0], error)
         && cli_work (cli, &model, dataset, where, target, &work, error) && cli_prune_job_run (cli, &model, &work, &job, error);
}

const CliVerb cli_verb_prune = {
  .name = "prune",
  .arguments = "MODEL",
  .summary = "Makes a network smaller and measures what that costs",
  .about = "Ratios are the share that is kept.  Accuracy is measured before, after cutting, after the norm statistics were measured\n"
           "again, and after fine-tuning.\n\n"
           "Examples:\n"
           "  penjing-cli prune model.onnx --data fashion-mnist --keep 0.5 --finetune 1 --out small.onnx\n"
           "  penjing-cli prune model.onnx --keep conv3=0.25 --keep conv4=0.5 --method apoz --out small.onnx\n"
           "  penjing-cli prune resnet.onnx --macs 0.5 --method taylor-fo-bn --widths hourglass --round 8 --out small.onnx\n"
           "  penjing-cli prune resnet50.onnx --data ~/photos --method thinet --keep 0.7 --keep stem=1 --out thinet-70.onnx\n"
           "  penjing-cli prune resnet.onnx --drop-block stage2.block3 --keep 0.7 --finetune 2 --out small.onnx\n"
           "  penjing-cli prune resnet.onnx --method autopruner --blocks 0.5 --finetune 2 --out small.onnx\n"
           "  penjing-cli prune model.onnx --macs 0.3 --method weight-sum --out small.onnx --json\n"
           "  penjing-cli prune unet.onnx --data none --keep 0.5 --method weight-sum --out small.onnx\n"
           "  penjing-cli prune model.onnx --macs 0.3 --method curl --finetune-a 20 --finetune-b 4 --out small.onnx",
  .entries = entries,
  .more_entries = cli_method_entries,
  .n_min = 0,
  .n_max = 1,
  .run = run,
};
