/* SPDX-License-Identifier: MIT */
/* A pruning as a whole, kind "prune": what is left of it after a kill, the way of the network, its report and its file. */
#include "cli/cli.h"

#include <string.h>

#include "model/work-open.h"
#include "model/work-parts.h"
#include "model/work-settings.h"
#include "prune/gates/sparse.h"

/* Behind those of the choice; keys are in use only once. */
static const PjField fields[] = {
  { "tune-epochs", PJ_FIELD_UINT, G_STRUCT_OFFSET (CliPruneJob, epochs) },
  { "tune-steps", PJ_FIELD_UINT, G_STRUCT_OFFSET (CliPruneJob, steps) },
  { "tune-batch", PJ_FIELD_UINT, G_STRUCT_OFFSET (CliPruneJob, batch) },
  { "tune-lr", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (CliPruneJob, lr) },
  { "tune-lr-b", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (CliPruneJob, lr_b) },
  { "label-rate", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (CliPruneJob, rate_b) },
  { "stage-a", PJ_FIELD_UINT, G_STRUCT_OFFSET (CliPruneJob, stage_a) },
  { "stage-b", PJ_FIELD_UINT, G_STRUCT_OFFSET (CliPruneJob, stage_b) },
  { "test", PJ_FIELD_UINT, G_STRUCT_OFFSET (CliPruneJob, n_test) },
  { "no-recalibrate", PJ_FIELD_BOOL, G_STRUCT_OFFSET (CliPruneJob, no_recalibrate) },
  { "gap", PJ_FIELD_BOOL, G_STRUCT_OFFSET (CliPruneJob, gap) },
  { "drop-block", PJ_FIELD_LIST, G_STRUCT_OFFSET (CliPruneJob, drop.blocks) },
  { "drop-layer", PJ_FIELD_LIST, G_STRUCT_OFFSET (CliPruneJob, drop.layers) },
  { "drop-weakest", PJ_FIELD_UINT, G_STRUCT_OFFSET (CliPruneJob, drop.n_weakest) },
  { "drop-groups", PJ_FIELD_LIST, G_STRUCT_OFFSET (CliPruneJob, drop.groups) },
  { "keep-blocks", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (CliPruneJob, drop.keep_blocks) },
  { "format", PJ_FIELD_TEXT, G_STRUCT_OFFSET (CliPruneJob, format) },
  { NULL }
};

void
cli_prune_job_init (CliPruneJob *self)
{
  memset (self, 0, sizeof *self);
  pj_work_choose_init (&self->choice);
  self->batch = 64;
  self->rate_b = 1.0;
}

void
cli_prune_job_clear (CliPruneJob *self)
{
  pj_work_choose_clear (&self->choice);
  pj_fields_clear (fields, self);
}

/* Of the gates of blocks, and of the choice of channels; bad settings of either are refused. */
static gboolean
say_estimate (Cli *cli, const CliModel *model, const PjWork *work, const CliPruneJob *self, GError **error)
{
  const PjWorkChoose *choice = &self->choice;
  double gates = 0, channels = 0;
  if (self->drop.keep_blocks > 0.0
      && !pj_work_gate_blocks_estimate (work, self->drop.keep_blocks, (const char *const *) choice->set, choice->n_images, &gates, error))
    return FALSE;
  if (pj_work_choose_is_asked (choice) && !pj_work_choose_estimate (work, model->groups, choice, &channels, error))
    return FALSE;
  double seconds = gates + MAX (0.0, channels);
  if (seconds < 1)
    return TRUE;
  g_autofree char *text = cli_duration (seconds);
  cli_note (cli, "%s is going to take about %s.", gates > 0.0 && channels <= 0.0 ? "Training gates of blocks" : "Choosing", text);
  json_object_set_double_member (cli->result, "estimated_seconds", seconds);
  return TRUE;
}

/* What was asked for in place of a stage's published settings. */
static void
adjust (const CliPruneJob *self, PjTrainOptions *options, float usual_lr)
{
  options->max_steps = self->steps;
  options->lr = self->lr > 0.0 ? (float) self->lr : usual_lr;
  options->seed = self->choice.seed;
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

/* The table, and the file. */
static gboolean
finish (Cli *cli, CliModel *model, const PjWork *work, const CliPruneJob *self, const CliStages *stages, GError **error)
{
  gboolean channels = pj_work_choose_is_asked (&self->choice);
  const PjMethod *method = pj_method_find (self->choice.method);
  cli_say (cli, "%s, %s, seed %" G_GUINT64_FORMAT ", %s\n", channels ? method->title : "Whole parts",
           work->dataset != NULL ? pj_dataset_name (work->dataset) : "no pictures", self->choice.seed, work->device->info.id);
  cli_stages_show (stages, cli);
  if (channels && method->connections)
    say_connections (cli, model);
  json_object_set_string_member (cli->result, "method", self->choice.method);
  json_object_set_int_member (cli->result, "seed", (gint64) self->choice.seed);
  if (work->out != NULL && !cli_export (cli, model, work, self->format != NULL ? self->format : "onnx", work->out, "out", error))
    return FALSE;
  if (model->session != NULL)
    cli_say (cli, "  %s (session)\n", pj_session_path (model->session));
  return TRUE;
}

static gboolean
run_way (Cli *cli, CliModel *model, PjWork *work, const CliPruneJob *self, CliStages *stages, GError **error)
{
  g_auto (PjWorkTrain) tune;
  pj_work_train_init (&tune);
  tune.options.epochs = MAX (self->epochs, 1);
  tune.options.batch = self->batch;
  tune.options.eval_every_epoch = FALSE;
  PjWorkTrain a = tune, b = tune;
  adjust (self, &tune.options, 0.01f);
  if (self->stage_a > 0)
    pj_train_options_curl_a (&a.options, self->stage_a, pj_dataset_n (work->dataset, PJ_SPLIT_TRAIN));
  pj_train_options_curl_b (&b.options, MAX (self->stage_b, 1));
  adjust (self, &a.options, a.options.lr);
  adjust (self, &b.options, b.options.lr);
  if (self->lr_b > 0.0)
    b.options.lr = (float) self->lr_b;
  b.options.refine_rate = (float) self->rate_b;
  gboolean by_stages = self->stage_a > 0 || self->stage_b > 0;
  CliPruning pruning = {
    &self->choice, !self->no_recalibrate, !by_stages && (self->epochs > 0 || self->steps > 0) ? &tune : NULL, self->n_test, &self->drop,
    { self->stage_a > 0 ? &a : NULL, self->stage_b > 0 ? &b : NULL }, self->gap,
  };
  return cli_prune (cli, model, work, &pruning, stages, error) && finish (cli, model, work, self, stages, error);
}

/* What was measured before the process ended. */
static CliStages *
find_stages (PjSession *session, int64_t job)
{
  PjCheckpoint checkpoint = { 0 };
  CliStages *stages = NULL;
  if (session != NULL && pj_session_get_checkpoint (session, job, &checkpoint, NULL)) {
    g_autofree char *text = g_strndup (g_bytes_get_data (checkpoint.state, NULL), g_bytes_get_size (checkpoint.state));
    stages = cli_stages_read (text);
    pj_checkpoint_clear (&checkpoint);
  }
  return stages != NULL ? stages : cli_stages_new ();
}

static gboolean
go (Cli *cli, CliModel *model, const PjWork *work, const CliPruneJob *self, GError **error)
{
  g_autofree char *choice = pj_work_choose_write (&self->choice), *way = pj_fields_write (fields, self);
  g_autofree char *settings = g_strconcat (choice, way, NULL);
  PjWorkRun *run = pj_work_begin (work, CLI_JOB_PRUNE, "Prune", settings, self->choice.seed, error);
  if (run == NULL)
    return FALSE;
  g_autoptr (CliStages) stages = find_stages (work->session, pj_work_run_job (run));
  PjWork part = *work;
  part.job = 0;
  part.part_of = pj_work_run_job (run);
  gboolean ok = run_way (cli, model, &part, self, stages, error);
  return pj_work_end (run, ok, ok && model->accuracy != NULL ? g_strdup_printf ("top-1 %s", model->accuracy) : NULL, NULL, error);
}

gboolean
cli_prune_job_run (Cli *cli, CliModel *model, const PjWork *work, const CliPruneJob *self, GError **error)
{
  return say_estimate (cli, model, work, self, error) && go (cli, model, work, self, error);
}

gboolean
cli_prune_job_resume (Cli *cli, PjSession *session, const PjJobRecord *job, const char *target, GError **error)
{
  g_auto (CliPruneJob) self;
  g_auto (PjWorkPlace) place = { 0 };
  cli_prune_job_init (&self);
  g_autofree char *where = pj_settings_get (job->settings, "data");
  if (!pj_work_choose_read (&self.choice, job->settings, error) || !pj_fields_read (fields, &self, job->settings, error)
      || (target != NULL && !cli_check_export (self.format, target, TRUE, TRUE, error))
      || !pj_work_open_step (session, job->step, &place, error))
    return FALSE;
  /* A job without data was started without. */
  g_autoptr (PjDataset) dataset = where != NULL ? pj_work_open_data (where, error) : NULL;
  if (where != NULL && dataset == NULL)
    return FALSE;
  g_auto (CliModel) model = {
    .graph = g_steal_pointer (&place.graph), .groups = g_steal_pointer (&place.groups), .plan = g_steal_pointer (&place.plan),
    .session = session, .step = job->step,
  };
  model.original = pj_graph_ref (model.graph);
  PjWork work = {
    .device = cli->device, .session = session, .step = job->step, .job = job->id, .graph = model.graph, .dataset = dataset,
    .data = where, .out = target, .hooks = &cli->hooks,
  };
  gboolean ok = go (cli, &model, &work, &self, error);
  /* It belongs to the caller. */
  model.session = NULL;
  return ok;
}
