/* SPDX-License-Identifier: MIT */
/* train: a network by name from initial weights, or the training of one that is there goes on. */
#include <string.h>

#include "base/error.h"
#include "cli/verbs.h"
#include "model/work-open.h"
#include "model/work-train.h"
#include "train/arch.h"
#include "train/soft-labels.h"

static char *data, *teacher, *out, *session, *schedule, *expand, *labels_out;
static int epochs = -1, steps, batch, crop = -1, warmup, n_test, size;
static double width, lr, weight_decay = -1.0, distill = -1.0, temperature, mixup = -1.0, refine_rate = -1.0, checkpoint = 5.0;
static gboolean no_flip, list, fresh, refine, curl_a, curl_b, recompute;

static const GOptionEntry entries[] = {
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Data set (default: sample)", "DATA" },
  { "size", 0, 0, G_OPTION_ARG_INT, &size, "With ARCH: height and width of its pictures (default: those of the data)", "N" },
  { "width", 0, 0, G_OPTION_ARG_DOUBLE, &width, "With ARCH: multiply all of its widths; “resnet50-0.5” says the same", "X" },
  { "epochs", 0, 0, G_OPTION_ARG_INT, &epochs, "Passes over the training part (default 1)", "N" },
  { "steps", 0, 0, G_OPTION_ARG_INT, &steps, "Stop after so many batches", "N" },
  { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "Pictures per step (default 64)", "N" },
  { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &lr, "Highest learning rate (default 0.05 from initial weights, else 0.01)", "X" },
  { "weight-decay", 0, 0, G_OPTION_ARG_DOUBLE, &weight_decay, "Weight decay (default 0.0005)", "X" },
  { "schedule", 0, 0, G_OPTION_ARG_FILENAME, &schedule, "cosine (default), step or constant", "NAME" },
  { "warmup", 0, 0, G_OPTION_ARG_INT, &warmup, "Steps until the learning rate is at its highest", "N" },
  { "crop", 0, 0, G_OPTION_ARG_INT, &crop, "Augment: pad by N pixels and crop at random", "N" },
  { "no-flip", 0, 0, G_OPTION_ARG_NONE, &no_flip, "Do not mirror half of the pictures", NULL },
  { "teacher", 0, 0, G_OPTION_ARG_FILENAME, &teacher, "Imitate this network, too (distillation)", "MODEL.onnx" },
  { "distill", 0, 0, G_OPTION_ARG_DOUBLE, &distill, "Weight of the teacher, 0 to 1 (default 0.5)", "X" },
  { "temperature", 0, 0, G_OPTION_ARG_DOUBLE, &temperature, "Temperature of the distillation (default 4, to refine labels 1)", "X" },
  { "mixup", 0, 0, G_OPTION_ARG_DOUBLE, &mixup, "Mix pictures of a batch with shares from Beta (X, X); 1 is usual", "X" },
  { "expand", 0, 0, G_OPTION_ARG_FILENAME, &expand, "Six pictures from each: tiles shuffled, turned, and part erased or cropped",
    "erase|crop" },
  { "refine", 0, 0, G_OPTION_ARG_NONE, &refine, "The teacher gives the first labels, which then follow the student", NULL },
  { "refine-rate", 0, 0, G_OPTION_ARG_DOUBLE, &refine_rate, "Learning rate of these labels (default 1)", "X" },
  { "labels-out", 0, 0, G_OPTION_ARG_FILENAME, &labels_out, "Where the refined labels go: logits of each picture", "FILE.npy" },
  { "curl-a", 0, 0, G_OPTION_ARG_NONE, &curl_a, "As CURL's first stage, mixup and a teacher; other options change it", NULL },
  { "curl-b", 0, 0, G_OPTION_ARG_NONE, &curl_b, "As its second stage, refined labels on expanded data", NULL },
  { "fresh", 0, 0, G_OPTION_ARG_NONE, &fresh, "With MODEL: keep its shape only, and train it from initial weights", NULL },
  { "recompute", 0, 0, G_OPTION_ARG_NONE, &recompute,
    "Keep few activations and compute the others again: less memory, more time, the same weights", NULL },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_test, "Measure the result on the first N test pictures only", "N" },
  { "checkpoint", 0, 0, G_OPTION_ARG_DOUBLE, &checkpoint,
    "A killed process loses at most so many seconds of work (default 5)", "S" },
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Where the trained network goes", "MODEL.onnx" },
  { "session", 0, 0, G_OPTION_ARG_FILENAME, &session,
    "Session that records the work (default: beside --out; none: nowhere)", "FILE" },
  { "list", 0, 0, G_OPTION_ARG_NONE, &list, "List the networks that can be made by name", NULL },
  { NULL }
};

static gboolean
read_schedule (PjTrainOptions *options, GError **error)
{
  static const char *const names[] = { "cosine", "step", "constant", NULL };
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp (schedule, names[i]) == 0) {
      options->schedule = (PjSchedule) i;
      return TRUE;
    }
  }
  return cli_usage (error, "--schedule must be cosine, step or constant, not “%s”", schedule);
}

/* The teacher and what is made of pictures and labels. */
static gboolean
read_imitation (PjWorkTrain *settings, GError **error)
{
  PjTrainOptions *options = &settings->options;
  gboolean by_stage = curl_a || curl_b;
  if ((refine || by_stage) && teacher == NULL)
    return cli_usage (error, "labels and answers to imitate come from a network: name it with --teacher");
  if (curl_a && curl_b)
    return cli_usage (error, "--curl-a and --curl-b are two trainings, one after the other");
  if (expand != NULL && strcmp (expand, "erase") != 0 && strcmp (expand, "crop") != 0)
    return cli_usage (error, "--expand must be erase or crop, not “%s”", expand);
  if (labels_out != NULL && !refine && !curl_b)
    return cli_usage (error, "--labels-out writes refined labels; it needs --refine or --curl-b");
  if (teacher != NULL) {
    settings->teacher = g_canonicalize_filename (teacher, NULL);
    if (distill >= 0.0 || !by_stage)
      options->distill = distill >= 0.0 ? (float) distill : 0.5f;
    if (temperature > 0.0 || !by_stage)
      options->distill_temperature = temperature > 0.0 ? (float) temperature : refine ? 1 : 4;
  }
  if (mixup >= 0.0)
    options->mixup = (float) mixup;
  options->refine = options->refine || refine;
  if (refine_rate >= 0.0)
    options->refine_rate = (float) refine_rate;
  if (expand != NULL)
    options->expand = strcmp (expand, "crop") == 0 ? PJ_EXPAND_CROP : PJ_EXPAND_ERASE;
  return TRUE;
}

static gboolean
read_options (Cli *cli, PjWorkTrain *settings, GError **error)
{
  PjTrainOptions *options = &settings->options;
  options->seed = (uint64_t) cli->seed;
  if (epochs < -1 || steps < 0 || batch < 0 || warmup < 0 || crop < -1 || lr < 0.0 || n_test < 0 || temperature < 0.0 || !(checkpoint > 0.0))
    return cli_usage (error, "numbers must not be negative");
  if (size != 0 && (size < 8 || size > 1024))
    return cli_usage (error, "--size must be 8 to 1024, not %d", size);
  if (width < 0.0)
    return cli_usage (error, "--width must be more than 0");
  if (!settings->fresh && (size != 0 || width != 0.0))
    return cli_usage (error, "--size and --width are for networks that are made by name; this one has its own");
  if (curl_a)
    pj_train_options_curl_a (options, (unsigned) MAX (epochs, 0), 0);
  if (curl_b)
    pj_train_options_curl_b (options, (unsigned) MAX (epochs, 0));
  settings->anew = fresh && !settings->fresh;
  settings->checkpoint_seconds = checkpoint;
  if (epochs >= 0)
    options->epochs = (unsigned) epochs;
  options->max_steps = (unsigned) steps;
  options->warmup_steps = (unsigned) warmup;
  if (batch > 0)
    options->batch = (unsigned) batch;
  if (lr > 0.0 || !(curl_a || curl_b))
    options->lr = lr > 0.0 ? (float) lr : settings->fresh || fresh ? 0.05f : 0.01f;
  if (weight_decay >= 0.0)
    options->weight_decay = (float) weight_decay;
  if (crop >= 0)
    options->crop = crop;
  options->flip = !no_flip;
  options->recompute = recompute;
  if (!read_imitation (settings, error))
    return FALSE;
  if (schedule != NULL && !read_schedule (options, error))
    return FALSE;
  g_autoptr (GError) reason = NULL;
  return pj_train_options_check (options, &reason) || cli_usage (error, "%s", reason->message);
}

/* Initial weights for the pictures of @dataset. */
static gboolean
build (Cli *cli, const PjArch *arch, double named_width, PjDataset *dataset, CliModel *model, GError **error)
{
  PjFormat format = { .h = size, .w = size };
  if (!pj_dataset_default_format (dataset, &format, error))
    return FALSE;
  PjArchOptions options = {
    .c = format.c, .h = format.h, .w = format.w, .n_classes = pj_dataset_n_classes (dataset),
    .width = width > 0.0 ? width * named_width : named_width, .seed = (uint64_t) cli->seed,
  };
  model->graph = pj_arch_build (arch, &options, error);
  if (model->graph == NULL)
    return FALSE;
  pj_format_note (&format, model->graph);
  model->groups = pj_groups_new (model->graph);
  model->plan = pj_cut_plan_new ();
  model->name = g_strdup (pj_graph_get_name (model->graph));
  json_object_set_string_member (cli->result, "model", model->name);
  return TRUE;
}

static void
show (Cli *cli, const PjTrainResult *figures, const PjAccuracy *accuracy)
{
  g_autofree char *top1 = cli_percent (accuracy->top1);
  cli_say (cli, "top-1 %s (standard error %.2f points, %u test pictures), loss %.4f, %u steps, %.0f images/s, %.1f %% of the "
           "time waiting for pictures\n", top1,
           100.0 * pj_accuracy_error (accuracy), accuracy->n, accuracy->loss, figures->steps,
           figures->images_per_second, 100.0 * figures->stall_share);
  json_object_set_object_member (cli->result, "test", cli_json_accuracy (accuracy));
  json_object_set_double_member (cli->result, "train_loss", figures->train_loss);
  json_object_set_int_member (cli->result, "steps", figures->steps);
  json_object_set_double_member (cli->result, "images_per_second", figures->images_per_second);
  json_object_set_double_member (cli->result, "stall_share", figures->stall_share);
  json_object_set_int_member (cli->result, "seed", cli->seed);
}

static gboolean
show_list (Cli *cli)
{
  JsonArray *archs = json_array_new ();
  for (const PjArch *arch = pj_archs; arch->name != NULL; arch++) {
    cli_say (cli, "%s: %s\n    %s\n    published for %d×%d×%d and %u classes; sides of %d and more\n", arch->name, arch->title,
             arch->about, arch->c, arch->size, arch->size, arch->n_classes, arch->least);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", arch->name);
    json_object_set_string_member (object, "title", arch->title);
    json_object_set_string_member (object, "about", arch->about);
    json_object_set_int_member (object, "channels", arch->c);
    json_object_set_int_member (object, "size", arch->size);
    json_object_set_int_member (object, "classes", arch->n_classes);
    json_array_add_object_element (archs, object);
  }
  json_object_set_array_member (cli->result, "archs", archs);
  return TRUE;
}

/* What to say of a name that is neither a row nor a file. */
static void
explain_name (const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (const PjArch *arch = pj_archs; arch->name != NULL; arch++)
    g_ptr_array_add (names, (gpointer) arch->name);
  g_ptr_array_add (names, NULL);
  const char *meant = cli_suggest (name, (const char *const *) names->pdata);
  if (meant != NULL)
    g_prefix_error (error, "“%s” is neither a network that can be made by name (did you mean %s?) nor a file: ", name, meant);
  else
    g_prefix_error (error, "“%s” is neither a network that can be made by name (--list lists them) nor a file: ", name);
}

static gboolean
write_labels (Cli *cli, const PjTrainResult *figures, GError **error)
{
  const PjSoftLabels *labels = figures->labels;
  if (labels_out == NULL || labels == NULL)
    return TRUE;
  return cli_write_labels (cli, labels_out, labels->n, labels->n_classes, labels->logits, error);
}

static gboolean
train (Cli *cli, CliModel *model, PjDataset *dataset, const char *where, const PjWorkTrain *settings, GError **error)
{
  PjWork work;
  g_autofree char *target = out != NULL ? g_canonicalize_filename (out, NULL) : NULL;
  if (!cli_work (cli, model, dataset, where, target, &work, error))
    return FALSE;
  g_auto (PjWorkDone) done = { 0 };
  PjTrainResult figures = { 0 };
  PjGraph *trained = pj_work_train (&work, settings, &figures, &done, error);
  if (trained == NULL)
    return FALSE;
  cli_model_advance (model, trained, done.step);
  PjAccuracy accuracy;
  if (!cli_measure (cli, model, &work, (unsigned) n_test, &accuracy, error)) {
    pj_train_result_clear (&figures);
    return FALSE;
  }
  show (cli, &figures, &accuracy);
  pj_accuracy_clear (&accuracy);
  gboolean ok = write_labels (cli, &figures, error);
  pj_train_result_clear (&figures);
  return ok && (out == NULL || cli_export (cli, model, &work, "onnx", out, "out", error));
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (list)
    return show_list (cli);
  if (args[0] == NULL)
    return cli_usage (error, "train needs ARCH or MODEL");
  double named_width;
  const PjArch *arch = pj_arch_parse (args[0], &named_width);
  g_auto (PjWorkTrain) settings;
  pj_work_train_init (&settings);
  settings.fresh = arch != NULL;
  if (!read_options (cli, &settings, error) || !cli_check_out (out, error) || !cli_check_out (labels_out, error))
    return FALSE;
  g_autofree char *where = NULL;
  g_autoptr (PjDataset) dataset = cli_open_data (cli, data, &where, error);
  g_auto (CliModel) model = { 0 };
  if (dataset == NULL)
    return FALSE;
  /* The warm-up of stage A is so many epochs. */
  if (curl_a && warmup == 0) {
    PjTrainOptions usual = settings.options;
    pj_train_options_curl_a (&usual, usual.epochs, pj_dataset_n (dataset, PJ_SPLIT_TRAIN) * usual.batch / settings.options.batch);
    settings.options.warmup_steps = usual.warmup_steps;
  }
  if (arch != NULL ? !build (cli, arch, named_width, dataset, &model, error) : !cli_open_model (cli, args[0], TRUE, &model, error)) {
    if (arch == NULL && g_error_matches (*error, PJ_ERROR, PJ_ERROR_IO))
      explain_name (args[0], error);
    return FALSE;
  }
  return cli_keep_session (cli, &model, session, out, args[0], error)
         && train (cli, &model, dataset, where, &settings, error);
}

const CliVerb cli_verb_train = {
  .name = "train",
  .arguments = "ARCH|MODEL",
  .summary = "Trains a network by name from initial weights, or an existing one further",
  .about = "ARCH is a network that can be made by name, as vgg-mini, resnet20, resnet50 or mobilenetv2; --list lists them.  A number behind\n"
           "it multiplies all widths: resnet50-0.5.  The session keeps a checkpoint every few seconds: work that was stopped by Ctrl-C,\n"
           "or whose process ended in any other way, goes on with “penjing-cli sessions FILE resume” and ends with the same\n"
           "weights, bit for bit.\n\n"
           "Examples:\n"
           "  penjing-cli train resnet-mini --data ~/photos --size 32 --epochs 25 --crop 2 --out photos.onnx\n"
           "  penjing-cli train --list\n"
           "  penjing-cli train mobilenetv2-0.5 --data ~/photos --size 96 --epochs 30 --out photos.onnx\n"
           "  penjing-cli train vgg-mini --data fashion-mnist --epochs 5 --out vgg.onnx\n"
           "  penjing-cli train small.onnx --data ~/photos --lr 0.005 --teacher large.onnx --out better.onnx\n"
           "  penjing-cli train small.onnx --data ~/photos --teacher large.onnx --curl-b --epochs 4 --labels-out labels.npy\n"
           "  penjing-cli train resnet-mini --steps 100 --seed 7 --session try.penjing",
  .entries = entries,
  .n_min = 0,
  .n_max = 1,
  .run = run,
};
