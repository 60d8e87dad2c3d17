/* SPDX-License-Identifier: MIT */
/* prune: chooses channels, cuts them, trains what is left, and says what it cost. */
#include "cli/verbs.h"
#include "model/work-open.h"
#include "model/work-prune.h"
#include "model/work-train.h"
#include "prune/sparse.h"

static char *tied, *widths, *data, *method, *out, *session, *format;
static char **keep, **drop_blocks, **drop_layers, **drop_groups;
static double macs, params, memory, ms, keep_floor, lr;
static int multiple = 1, n_images, n_test, finetune, steps, batch = 64, drop_weakest, stage_a, stage_b;
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
  { "round", 0, 0, G_OPTION_ARG_INT, &multiple, "Round kept channels up to a multiple of N (for tiled kernels: 8, 16)", "N" },
  { "multiple", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &multiple, "Round kept channels up to a multiple of N", "N" },
  { "no-scale", 0, 0, G_OPTION_ARG_NONE, &no_scale, "Without the least-squares factors of thinet", NULL },
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Data set (default: sample)", "DATA" },
  { "samples", 0, 0, G_OPTION_ARG_INT, &n_images, "Calibration pictures (default: the method's own)", "N" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_test, "Measure on the first N test pictures only", "N" },
  { "no-recalibrate", 0, 0, G_OPTION_ARG_NONE, &no_recalibrate, "Leave the norm statistics as they are after cutting",
    NULL },
  { "finetune", 0, 0, G_OPTION_ARG_INT, &finetune, "Train for so many epochs afterwards (default 0)", "EPOCHS" },
  { "finetune-a", 0, 0, G_OPTION_ARG_INT, &stage_a, "Instead, as CURL does: train with mixup, the uncut network as teacher", "EPOCHS" },
  { "finetune-b", 0, 0, G_OPTION_ARG_INT, &stage_b, "Then, as CURL does: refine the labels of an expanded data set", "EPOCHS" },
  { "steps", 0, 0, G_OPTION_ARG_INT, &steps, "Stop each fine-tuning after so many batches", "N" },
  { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &lr, "Learning rate of the fine-tuning (default 0.01; 0.0001 to refine labels)", "X" },
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
    for (const PjMethodOption *o = (*m)->options; o != NULL && o->name != NULL; o++)
      cli_say (cli, "    --%s: %s\n", o->name, o->about);
    json_array_add_object_element (names, object);
  }
  json_object_set_array_member (cli->result, "methods", names);
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
  if (n_ways > 1 || (n_ways == 0 && drop_blocks == NULL && drop_layers == NULL && drop_weakest == 0 && drop_groups == NULL))
    return cli_usage (error, "say how much is to stay with one of --keep, --macs, --params, --memory and --ms, or what goes whole "
                      "with --drop-block, --drop-blocks, --drop-layer and --drop-groups");
  const double shares[] = { macs, params, memory, ms, keep_floor };
  for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
    if (!(shares[i] >= 0.0 && shares[i] <= 1.0))
      return cli_usage (error, "--macs, --params, --memory, --ms and --floor are shares from 0 to 1");
  if (finetune > 0 && (stage_a > 0 || stage_b > 0))
    return cli_usage (error, "--finetune-a and --finetune-b take the place of --finetune");
  if (finetune < 0 || stage_a < 0 || stage_b < 0 || steps < 0 || n_test < 0 || n_images < 0 || drop_weakest < 0 || multiple < 1 || batch < 1 || !(lr >= 0.0))
    return cli_usage (error, "numbers must not be negative");
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
  choice->multiple = multiple;
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

static gboolean
say_estimate (Cli *cli, const CliModel *model, const PjWork *work, const PjWorkChoose *choice, GError **error)
{
  double seconds;
  if (!pj_work_choose_estimate (work, model->groups, choice, &seconds, error))
    return FALSE;
  if (seconds < 1)
    return TRUE;
  g_autofree char *text = cli_duration (seconds);
  cli_note (cli, "Choosing is going to take about %s.", text);
  json_object_set_double_member (cli->result, "estimated_seconds", seconds);
  return TRUE;
}

/* What was asked for in place of a stage's published settings. */
static void
adjust (Cli *cli, PjTrainOptions *options, float usual_lr)
{
  options->max_steps = (unsigned) steps;
  options->lr = lr > 0.0 ? (float) lr : usual_lr;
  options->seed = (uint64_t) cli->seed;
}

/* What single connections that went save, and what they do not. */
static void
say_connections (Cli *cli, const CliModel *model)
{
  PjSparseCost cost;
  pj_sparse_cost (model->graph, &cost);
  g_autofree char *left = cli_count ((double) cost.n_left), *all = cli_count ((double) cost.n_weights);
  g_autofree char *share = cli_percent ((double) cost.n_left / (double) MAX (cost.n_weights, 1));
  g_autofree char *sparse = cli_bytes (cost.sparse_bytes), *dense = cli_bytes (cost.dense_bytes);
  g_autofree char *macs_left = cli_count ((double) cost.macs_left), *macs = cli_count ((double) cost.macs);
  cli_say (cli, "  %s of %s weights are left (%s); stored as compressed rows they take %s instead of %s\n", left, all, share,
           sparse, dense);
  cli_say (cli, "  %s of %s MACs meet a weight that is not 0; dense kernels compute them all: this network is not faster\n",
           macs_left, macs);
  JsonObject *object = json_object_new ();
  json_object_set_int_member (object, "weights", (gint64) cost.n_weights);
  json_object_set_int_member (object, "weights_left", (gint64) cost.n_left);
  json_object_set_int_member (object, "dense_bytes", (gint64) cost.dense_bytes);
  json_object_set_int_member (object, "sparse_bytes", (gint64) cost.sparse_bytes);
  json_object_set_int_member (object, "macs", (gint64) cost.macs);
  json_object_set_int_member (object, "macs_left", (gint64) cost.macs_left);
  json_object_set_object_member (cli->result, "connections", object);
}

static gboolean
prune (Cli *cli, CliModel *model, PjWork *work, const PjWorkChoose *choice, const CliDrop *drop, GError **error)
{
  g_autoptr (CliStages) stages = cli_stages_new ();
  g_auto (PjWorkTrain) tune;
  pj_work_train_init (&tune);
  tune.options.epochs = (unsigned) MAX (finetune, 1);
  tune.options.batch = (unsigned) batch;
  tune.options.eval_every_epoch = FALSE;
  PjWorkTrain a = tune, b = tune;
  adjust (cli, &tune.options, 0.01f);
  pj_train_options_curl_a (&a.options, (unsigned) MAX (stage_a, 1), pj_dataset_n (work->dataset, PJ_SPLIT_TRAIN));
  pj_train_options_curl_b (&b.options, (unsigned) MAX (stage_b, 1));
  adjust (cli, &a.options, a.options.lr);
  adjust (cli, &b.options, b.options.lr);
  gboolean by_stages = stage_a > 0 || stage_b > 0;
  CliPruning pruning = {
    choice, !no_recalibrate, !by_stages && (finetune > 0 || steps > 0) ? &tune : NULL, (unsigned) n_test, drop,
    { stage_a > 0 ? &a : NULL, stage_b > 0 ? &b : NULL }, gap,
  };
  gboolean channels = pj_work_choose_is_asked (choice);
  if ((channels && !say_estimate (cli, model, work, choice, error)) || !cli_prune (cli, model, work, &pruning, stages, error))
    return FALSE;
  cli_say (cli, "%s, %s, seed %" G_GINT64_FORMAT ", %s\n", channels ? pj_method_find (choice->method)->title : "Whole parts",
           pj_dataset_name (work->dataset),
           cli->seed, work->device->info.id);
  cli_stages_show (stages, cli);
  if (channels)
    if (pj_method_find (choice->method)->connections)
    say_connections (cli, model);
  json_object_set_string_member (cli->result, "method", choice->method);
  json_object_set_int_member (cli->result, "seed", cli->seed);
  if (out != NULL && !cli_export (cli, model, work, format != NULL ? format : "onnx", out, "out", error))
    return FALSE;
  if (model->session != NULL)
    cli_say (cli, "  %s (session)\n", pj_session_path (model->session));
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (list)
    return show_list (cli);
  if (args[0] == NULL)
    return cli_usage (error, "prune needs MODEL");
  g_auto (PjWorkChoose) choice;
  pj_work_choose_init (&choice);
  g_auto (CliModel) model = { 0 };
  g_autofree char *where = NULL, *target = out != NULL ? g_canonicalize_filename (out, NULL) : NULL;
  if (!read_choice (cli, &choice, error) || !check_settings (&choice, error)
      || (out != NULL && !cli_check_export (format, out, TRUE, TRUE, error))
      || !cli_open_model (cli, args[0], TRUE, &model, error))
    return FALSE;
  model.original = pj_graph_ref (model.graph);
  CliDrop drop = { drop_blocks, drop_layers, (unsigned) drop_weakest, drop_groups };
  /* A wrong name or ratio must not cost a measurement first. */
  if (!cli_check_drop (model.graph, &drop, error))
    return FALSE;
  g_autofree double *ratios = pj_work_ratios (model.groups, (const char *const *) choice.keep, error);
  g_autoptr (PjDataset) dataset = ratios != NULL ? cli_open_data (cli, data, &where, error) : NULL;
  PjWork work;
  return dataset != NULL && cli_keep_session (cli, &model, session, out, args[0], error)
         && cli_work (cli, &model, dataset, where, target, &work, error) && prune (cli, &model, &work, &choice, &drop, error);
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
           "  penjing-cli prune resnet.onnx --drop-block stage2.block3 --keep 0.7 --finetune 2 --out small.onnx\n"
           "  penjing-cli prune model.onnx --macs 0.3 --method weight-sum --out small.onnx --json\n"
           "  penjing-cli prune model.onnx --macs 0.3 --method curl --finetune-a 20 --finetune-b 4 --out small.onnx",
  .entries = entries,
  .more_entries = cli_method_entries,
  .n_min = 0,
  .n_max = 1,
  .run = run,
};
