/* SPDX-License-Identifier: MIT */
/* sample: the whole way on bundled data, without a display: what ./run --headless shows.
 *
 *   network (bundled, or trained here) -> accuracy -> scores -> comparison at keep 0.5
 *           -> ThiNet with least squares -> cut -> norms -> one epoch of fine-tuning -> export, report
 *
 * Everything is in one folder.  Once it is complete, running it again only shows what was measured. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/verbs.h"
#include "model/work-open.h"
#include "session/model.h"
#include "train/arch.h"

#define KEEP "0.5"
/* Key of the session under which the measured stages are kept once all is done. */
#define META_STAGES "sample-stages"
/* … and what they were measured with: other options measure again. */
#define META_OPTIONS "sample-options"

static char *folder, *data;
static int steps, n_test, train_epochs = 2;
static gboolean again;

static const GOptionEntry entries[] = {
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &folder,
    "Where everything goes (default: penjing/sample in the data folder, ~/.local/share)", "FOLDER" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data,
    "Data set (default: fashion-mnist, or sample where that is not installed)", "DATA" },
  { "steps", 0, 0, G_OPTION_ARG_INT, &steps, "Stop each training after so many batches", "N" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_test, "Measure on the first N test pictures only", "N" },
  { "epochs", 0, 0, G_OPTION_ARG_INT, &train_epochs,
    "Epochs of the first training, in a build without a bundled network (default 2)", "N" },
  { "again", 0, 0, G_OPTION_ARG_NONE, &again, "Measure again, even if everything is there", NULL },
  { NULL }
};

/* What the story carries from one part to the next. */
typedef struct {
  Cli *cli;
  char *session_path, *base_path, *small_path, *report_path;
  PjSession *session;
  PjDataset *dataset;
  char *where;
  CliModel model;
  PjWork work;
  CliStages *stages;
  PjWorkCompare compare;
} Story;

static void
story_clear (Story *self)
{
  g_clear_pointer (&self->stages, cli_stages_free);
  pj_work_compare_clear (&self->compare);
  cli_model_clear (&self->model);
  g_clear_pointer (&self->session, pj_session_close);
  g_clear_pointer (&self->dataset, pj_dataset_unref);
  g_free (self->where);
  g_free (self->session_path);
  g_free (self->base_path);
  g_free (self->small_path);
  g_free (self->report_path);
}

static gboolean
open_folder (Story *self, GError **error)
{
  if (folder == NULL) {
    folder = cli_data_folder ("sample", error);
    if (folder == NULL)
      return FALSE;
  } else if (g_mkdir_with_parents (folder, 0755) < 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot make the folder “%s”: %s", folder, g_strerror (errno));
    return FALSE;
  }
  self->session_path = g_build_filename (folder, "sample.penjing", NULL);
  self->base_path = g_build_filename (folder, "vgg-mini.onnx", NULL);
  self->small_path = g_build_filename (folder, "vgg-mini-thin.onnx", NULL);
  self->report_path = g_build_filename (folder, "report.html", NULL);
  return cli_check_out (self->session_path, error);
}

static gboolean
open_data (Story *self, GError **error)
{
  g_autoptr (GError) reason = NULL;
  self->dataset = cli_open_data (self->cli, data != NULL ? data : "fashion-mnist", &self->where, data != NULL ? error
                                 : &reason);
  if (self->dataset == NULL && data == NULL) {
    cli_note (self->cli, "%s; going on with the small sample", reason->message);
    self->dataset = cli_open_data (self->cli, "sample", &self->where, error);
  }
  return self->dataset != NULL;
}

/* --- what is there already --- */

/* (transfer full) */
static char *
describe_options (const Story *self)
{
  return g_strdup_printf ("%s, seed %" G_GINT64_FORMAT ", device %s, steps %d, test %d", self->where, self->cli->seed,
                          self->cli->device->info.id, steps, n_test);
}

/* Opens the session; one that is not complete makes way for a new one. @done: everything is there */
static gboolean
open_session (Story *self, gboolean *done, GError **error)
{
  self->session = pj_session_open (self->session_path, PJ_SESSION_CREATE, error);
  if (self->session == NULL)
    return FALSE;
  g_autofree char *stages = pj_session_get_meta (self->session, META_STAGES);
  g_autofree char *before = pj_session_get_meta (self->session, META_OPTIONS), *now = describe_options (self);
  *done = !again && stages != NULL && g_strcmp0 (before, now) == 0 && access (self->base_path, R_OK) == 0 && access (self->small_path, R_OK) == 0;
  if (*done) {
    self->stages = cli_stages_read (stages);
    *done = self->stages != NULL;
    return TRUE;
  }
  if (pj_session_is_read_only (self->session)) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_READ_ONLY,
                 "session “%s” is open in another process or cannot be written; close it there, or name another folder with --out",
                 self->session_path);
    return FALSE;
  }
  if (pj_session_current_step (self->session) == 0)
    return TRUE;
  g_autofree char *old = g_strconcat (self->session_path, ".old", NULL);
  g_clear_pointer (&self->session, pj_session_close);
  if (g_rename (self->session_path, old) < 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot rename “%s”: %s", self->session_path, g_strerror (errno));
    return FALSE;
  }
  self->session = pj_session_open (self->session_path, PJ_SESSION_CREATE, error);
  return self->session != NULL;
}

/* --- the network --- */

static gboolean
adopt (Story *self, PjGraph *graph, int64_t step)
{
  cli_model_advance (&self->model, graph, step);
  g_free (self->model.name);
  self->model.name = g_strdup (pj_graph_get_name (graph));
  self->work.graph = graph;
  self->work.step = self->model.step;
  return TRUE;
}

/* A build from a tree without a bundled network makes one. */
static gboolean
train_network (Story *self, GError **error)
{
  const PjArch *arch = pj_arch_find ("vgg-mini");
  PjFormat format = { 0 };
  g_auto (PjWorkTrain) settings;
  g_auto (PjWorkDone) done = { 0 };
  pj_work_train_init (&settings);
  settings.fresh = TRUE;
  settings.options.epochs = (unsigned) MAX (1, train_epochs);
  settings.options.max_steps = (unsigned) steps;
  settings.options.lr = 0.05f;
  settings.options.seed = (uint64_t) self->cli->seed;
  cli_note (self->cli, "This build has no bundled network: training vgg-mini first");
  if (!pj_dataset_default_format (self->dataset, &format, error))
    return FALSE;
  PjArchOptions options = {
    .c = format.c, .h = format.h, .w = format.w, .n_classes = pj_dataset_n_classes (self->dataset), .width = 1.0,
    .seed = (uint64_t) self->cli->seed,
  };
  PjGraph *graph = pj_arch_build (arch, &options, error);
  int64_t step = 0;
  if (graph == NULL)
    return FALSE;
  pj_format_note (&format, graph);
  if (!pj_work_import (self->session, graph, "vgg-mini, initial weights", &step, error)) {
    pj_graph_unref (graph);
    return FALSE;
  }
  adopt (self, graph, step);
  PjGraph *trained = pj_work_train (&self->work, &settings, NULL, &done, error);
  return trained != NULL && adopt (self, trained, done.step);
}

static gboolean
open_network (Story *self, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (PjGraph) graph = pj_work_open_sample (&reason);
  if (graph == NULL && g_error_matches (reason, PJ_ERROR, PJ_ERROR_UNSUPPORTED))
    return train_network (self, error);
  if (graph == NULL) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  int64_t step;
  return pj_work_import (self->session, graph, "sample", &step, error) && adopt (self, g_steal_pointer (&graph), step);
}

/* --- the parts --- */

static gboolean
score (Story *self, const char *criterion, GError **error)
{
  g_autoptr (PjScores) scores = pj_work_score (&self->work, self->model.groups, criterion, PJ_TIED_USUAL, 0,
                                               (uint64_t) self->cli->seed, NULL, error);
  return scores != NULL;
}

static void
row_cb (const PjComparison *comparison, unsigned i, gpointer data)
{
  const PjCompareRow *row = comparison->rows->pdata[i];
  g_autofree char *cut = cli_percent (row->cut), *recalibrated = cli_percent (row->recalibrated);
  cli_note (data, "%s at keep %g: after cutting %s, norms measured again %s", row->method, row->ratio, cut,
            recalibrated);
}

static void
fill_comparison (Story *self)
{
  PjWorkCompare *compare = &self->compare;
  compare->methods = g_strsplit ("random,weight-sum,apoz,taylor,thinet,thinet-ls", ",", -1);
  compare->ratios = g_strsplit (KEEP, ",", -1);
  compare->seed = (uint64_t) self->cli->seed;
  compare->n_test = (unsigned) n_test;
}

static gboolean
prune (Story *self, GError **error)
{
  g_auto (PjWorkChoose) choice;
  g_auto (PjWorkTrain) tune;
  pj_work_choose_init (&choice);
  choice.keep = g_strsplit (KEEP, ",", -1);
  choice.seed = (uint64_t) self->cli->seed;
  pj_work_train_init (&tune);
  tune.options.seed = (uint64_t) self->cli->seed;
  tune.options.max_steps = (unsigned) steps;
  tune.options.eval_every_epoch = FALSE;
  CliPruning pruning = { &choice, TRUE, &tune, (unsigned) n_test };
  return cli_prune (self->cli, &self->model, &self->work, &pruning, self->stages, error);
}

/* The network as it was opened, before anything was cut: measured, and exported beside the small one. */
static gboolean
measure_base (Story *self, GError **error)
{
  PjAccuracy accuracy;
  if (!cli_measure (self->cli, &self->model, &self->work, (unsigned) n_test, &accuracy, error))
    return FALSE;
  g_autofree char *top1 = cli_percent (accuracy.top1);
  cli_note (self->cli, "before: top-1 %s of %u pictures", top1, accuracy.n);
  cli_stages_add (self->stages, "before", "before", self->model.graph, &accuracy);
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

static gboolean
compare (Story *self, GError **error)
{
  fill_comparison (self);
  g_autoptr (PjComparison) comparison = pj_work_compare (&self->work, self->model.groups, &self->compare, row_cb,
                                                         self->cli, NULL, error);
  return comparison != NULL;
}

/* --- what a person sees --- */

static gboolean
show_comparison (Story *self, GError **error)
{
  g_autoptr (GPtrArray) all = pj_session_list_comparisons (self->session, error);
  if (all == NULL || all->len == 0)
    return all != NULL;
  const PjComparisonRecord *record = all->pdata[all->len - 1];
  g_auto (PjWorkPlace) place = { 0 };
  if (!pj_work_open_step (self->session, record->step, &place, error))
    return FALSE;
  g_autoptr (PjComparison) comparison = pj_work_comparison (place.groups, record, error);
  g_autofree char *html = cli_stages_html (self->stages);
  return comparison != NULL
         && cli_report (self->cli, pj_graph_get_name (place.graph), pj_dataset_name (self->dataset), place.groups,
                        comparison, &self->compare,
                        self->report_path, html, error);
}

static void
show_stages (Story *self)
{
  const PjDataset *set = self->dataset;
  cli_say (self->cli, "\nvgg-mini on %s (%u training and %u test pictures), %s, seed %" G_GINT64_FORMAT "\n",
           pj_dataset_name (set),
           pj_dataset_n (set, PJ_SPLIT_TRAIN), pj_dataset_n (set, PJ_SPLIT_TEST), self->cli->device->info.id,
           self->cli->seed);
  cli_say (self->cli, "\nBefore and after: half of the channels of every layer, chosen by ThiNet with least squares\n");
  cli_stages_show (self->stages, self->cli);
}

static void
show_files (Story *self)
{
  cli_say (self->cli, "\nEverything is in %s\n", folder);
  cli_say (self->cli, "  vgg-mini.onnx, vgg-mini-thin.onnx   the network before and after\n"
           "  report.html, report.csv             the comparison\n  sample.penjing                      the session\n");
  json_object_set_string_member (self->cli->result, "folder", folder);
  json_object_set_string_member (self->cli->result, "session", self->session_path);
}

static gboolean
tell (Story *self, GError **error)
{
  CliModel base = { 0 };
  cli_say (self->cli, "\nExported, read back and compared\n");
  /* The base is at the step where the comparison was made. */
  g_autoptr (GPtrArray) all = pj_session_list_comparisons (self->session, error);
  g_auto (PjWorkPlace) place = { 0 };
  if (all == NULL || !pj_work_open_step (self->session, ((PjComparisonRecord *) all->pdata[all->len - 1])->step, &place,
                                         error))
    return FALSE;
  base.graph = place.graph;
  base.step = place.step->id;
  g_autofree char *stages = cli_stages_write (self->stages), *options = describe_options (self);
  return cli_export (self->cli, &base, &self->work, "onnx", self->base_path, "base", error)
         && cli_export (self->cli, &self->model, &self->work, "onnx", self->small_path, "thin", error)
         && pj_session_set_meta (self->session, META_OPTIONS, options, error)
         && pj_session_set_meta (self->session, META_STAGES, stages, error);
}

static gboolean
make (Story *self, GError **error)
{
  g_autofree char *quoted = g_shell_quote (self->session_path);
  self->cli->resume_hint = g_strdup_printf ("Stopped. To go on: penjing-cli sessions %s resume", quoted);
  self->stages = cli_stages_new ();
  return pj_session_set_meta (self->session, PJ_META_DATA, self->where, error)
         && open_network (self, error) && measure_base (self, error) && score (self, "weight-sum", error)
         && score (self, "apoz", error) && compare (self, error) && prune (self, error);
}

static gboolean
run_story (Story *self, GError **error)
{
  gboolean done = FALSE;
  if (!open_folder (self, error) || !open_data (self, error) || cli_device (self->cli, error) == NULL
      || !open_session (self, &done, error))
    return FALSE;
  self->work = (PjWork) {
    .device = self->cli->device, .session = self->session, .dataset = self->dataset, .data = self->where,
              .hooks = &self->cli->hooks,
  };
  if (!done && !make (self, error))
    return FALSE;
  if (done)
    cli_say (self->cli, "This was measured before; --again measures it again.\n");
  if (done)
    fill_comparison (self);
  show_stages (self);
  cli_say (self->cli, "\nOther ways to choose the same number of channels, before any fine-tuning\n");
  if (!show_comparison (self, error) || (!done && !tell (self, error)))
    return FALSE;
  show_files (self);
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (steps < 0 || n_test < 0)
    return cli_usage (error, "numbers must not be negative");
  Story story = { .cli = cli };
  pj_work_compare_init (&story.compare);
  gboolean ok = run_story (&story, error);
  story_clear (&story);
  return ok;
}

const CliVerb cli_verb_sample = {
  .name = "sample",
  .arguments = "",
  .summary = "The whole way on bundled data: score, compare, prune, fine-tune, export, report",
  .about = "Takes a few minutes on two processor cores the first time.  Opening the folder's sample.penjing in the studio shows the\n"
           "same session.\n\n"
           "Examples:\n"
           "  penjing-cli sample\n"
           "  penjing-cli sample --out /tmp/penjing --data sample --steps 50 --test 300",
  .entries = entries,
  .n_min = 0,
  .n_max = 0,
  .run = run,
};
