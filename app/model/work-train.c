/* SPDX-License-Identifier: MIT */
/* Training and fine-tuning as a job: checkpoints while it runs, a step of the history at the end. */
#include "model/work-train.h"

#include <string.h>

#include "base/error.h"
#include "io/onnx.h"
#include "model/work-open.h"
#include "model/work-private.h"
#include "model/work-settings.h"
#include "session/model.h"
#include "train/fresh.h"
#include "train/soft-labels.h"

/* The settings line "schedule" holds the number of PjSchedule. */
static const PjField fields[] = {
  { "epochs", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkTrain, options.epochs) },
  { "max-steps", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkTrain, options.max_steps) },
  { "batch", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkTrain, options.batch) },
  { "lr", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkTrain, options.lr) },
  { "momentum", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkTrain, options.momentum) },
  { "weight-decay", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkTrain, options.weight_decay) },
  { "nesterov", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkTrain, options.nesterov) },
  { "schedule", PJ_FIELD_INT, G_STRUCT_OFFSET (PjWorkTrain, options.schedule) },
  { "warmup-steps", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkTrain, options.warmup_steps) },
  { "step-epochs", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkTrain, options.step_epochs) },
  { "step-factor", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkTrain, options.step_factor) },
  { "crop", PJ_FIELD_INT, G_STRUCT_OFFSET (PjWorkTrain, options.crop) },
  { "flip", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkTrain, options.flip) },
  { "expand", PJ_FIELD_INT, G_STRUCT_OFFSET (PjWorkTrain, options.expand) },
  { "seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (PjWorkTrain, options.seed) },
  { "mixup", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkTrain, options.mixup) },
  { "refine", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkTrain, options.refine) },
  { "refine-rate", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkTrain, options.refine_rate) },
  { "own-norms", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkTrain, options.own_norms) },
  { "distill", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkTrain, options.distill) },
  { "distill-temperature", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkTrain, options.distill_temperature) },
  { "recompute", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkTrain, options.recompute) },
  { "eval-every-epoch", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkTrain, options.eval_every_epoch) },
  { "fresh", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkTrain, fresh) },
  { "anew", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkTrain, anew) },
  { "teacher", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWorkTrain, teacher) },
  { "teacher-step", PJ_FIELD_UINT64, G_STRUCT_OFFSET (PjWorkTrain, teacher_step) },
  { "checkpoint-seconds", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjWorkTrain, checkpoint_seconds) },
  { NULL }
};

void
pj_work_train_init (PjWorkTrain *self)
{
  memset (self, 0, sizeof *self);
  pj_train_options_init (&self->options);
  self->options.epochs = 1;
  self->options.lr = 0.01f;
  self->options.eval_every_epoch = TRUE;
  self->checkpoint_seconds = 5.0;
}

void
pj_work_train_clear (PjWorkTrain *self)
{
  pj_fields_clear (fields, self);
}

char *
pj_work_train_write (const PjWorkTrain *self)
{
  return pj_fields_write (fields, self);
}

gboolean
pj_work_train_read (PjWorkTrain *self, const char *text, GError **error)
{
  if (!pj_fields_read (fields, self, text, error))
    return FALSE;
  if (self->options.schedule <= PJ_SCHEDULE_CONSTANT && self->checkpoint_seconds > 0.0)
    return TRUE;
  g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
               "the settings of the job hold a schedule %d and a checkpoint every %g s, "
               "which cannot be", (int) self->options.schedule, self->checkpoint_seconds);
  return FALSE;
}

/* --- running --- */

typedef struct {
  const PjWork *work;
  PjWorkRun *run;
  PjFormat format;
  PjGraph *teacher;           /* nullable */
  PjTrainState resume;        /* params NULL: from the beginning */
} Training;

static void
training_clear (Training *self)
{
  g_clear_pointer (&self->teacher, pj_graph_unref);
  pj_train_state_clear (&self->resume);
}

static gboolean
store_checkpoint_cb (const PjTrainState *state, gpointer data, GError **error)
{
  Training *self = data;
  if (self->work->session == NULL)
    return TRUE;
  PjCheckpoint checkpoint = { state->step, state->n_seen, state->loss_sum, state->params };
  return pj_work_run_flush (self->run, error)
         && pj_session_put_checkpoint (self->work->session, pj_work_run_job (self->run), &checkpoint, error);
}

static gboolean
open_teacher (Training *self, const PjWorkTrain *settings, GError **error)
{
  if (settings->teacher_graph != NULL) {
    self->teacher = pj_graph_ref (settings->teacher_graph);
    return TRUE;
  }
  if (settings->teacher != NULL) {
    self->teacher = pj_onnx_import (settings->teacher, NULL, error);
    return self->teacher != NULL;
  }
  if (settings->teacher_step == 0 || self->work->session == NULL)
    return TRUE;
  g_autoptr (PjStepRecord) step = pj_session_get_step (self->work->session, (int64_t) settings->teacher_step, error);
  self->teacher = step != NULL ? pj_session_get_graph (self->work->session, step->model, error) : NULL;
  return self->teacher != NULL;
}

/* Takes the newest checkpoint of a job that is started again, if there is one. */
static gboolean
find_checkpoint (Training *self, GError **error)
{
  if (self->work->session == NULL || self->work->job == 0)
    return TRUE;
  g_autoptr (GError) reason = NULL;
  PjCheckpoint checkpoint = { 0 };
  if (pj_session_get_checkpoint (self->work->session, self->work->job, &checkpoint, &reason)) {
    self->resume.step = (unsigned) checkpoint.step;
    self->resume.n_seen = checkpoint.n_seen;
    self->resume.loss_sum = checkpoint.loss_sum;
    self->resume.params = g_bytes_ref (checkpoint.state);
    pj_checkpoint_clear (&checkpoint);
  } else if (!g_error_matches (reason, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  return pj_session_trim_points (self->work->session, self->work->job, self->resume.step, error);
}

static gboolean
prepare (Training *self, const PjWorkTrain *settings, GError **error)
{
  return pj_train_options_check (&settings->options, error)
         && pj_dataset_format_for (self->work->dataset, self->work->graph, TRUE, &self->format, error)
         && open_teacher (self, settings, error) && find_checkpoint (self, error);
}

/* "2 epochs", "300 steps" */
static char *
amount (const PjTrainOptions *options)
{
  if (options->max_steps > 0)
    return g_strdup_printf ("%u steps", options->max_steps);
  return g_strdup_printf (options->epochs == 1 ? "%u epoch" : "%u epochs", options->epochs);
}

static gboolean
finish (Training *self, const PjWorkTrain *settings, PjGraph *trained, const char *title, int64_t *made, GError **error)
{
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_TRAINED, 0, title);
  step->settings = pj_work_train_write (settings);
  step->detail = g_strdup_printf ("learning rate %g, %s, seed %" G_GUINT64_FORMAT, (double) settings->options.lr,
                                  pj_dataset_name (self->work->dataset), settings->options.seed);
  gboolean ok = pj_work_run_add_step (self->run, trained, step, error);
  *made = step->id;
  return ok;
}

/* Training changed the weights: what was measured before no longer holds. */
static void
note_training (Training *self, PjGraph *trained)
{
  pj_format_note (&self->format, trained);
  pj_graph_set_meta (trained, PJ_NOTE_ACCURACY, NULL);
  pj_graph_set_meta (trained, PJ_NOTE_DATA, pj_dataset_name (self->work->dataset));
}

/* Refined labels outlive the training: they say what the student made of each picture. */
static gboolean
keep_labels (Training *self, const PjTrainResult *figures, GError **error)
{
  const PjSoftLabels *labels = figures->labels;
  return labels == NULL || self->work->session == NULL
         || pj_session_put_labels (self->work->session, pj_work_run_job (self->run), labels->n, labels->n_classes, labels->logits,
                                   error);
}

PjGraph *
pj_work_train (const PjWork *work, const PjWorkTrain *settings, PjTrainResult *result, PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  g_autofree char *how_long = amount (&settings->options);
  g_autofree char *title = g_strdup_printf (settings->fresh || settings->anew ? "Train, %s" : "Fine-tune, %s", how_long);
  g_autofree char *text = pj_work_train_write (settings);
  Training self = { .work = work };
  self.run = pj_work_begin (work, settings->fresh ? "train" : "fine-tune", title, text, settings->options.seed, error);
  if (self.run == NULL)
    return NULL;

  g_autoptr (PjGraph) trained = NULL, start = NULL;
  PjTrainResult figures = { 0 };
  int64_t step = 0;
  if (prepare (&self, settings, error))
    start = settings->anew ? pj_graph_fresh (work->graph, settings->options.seed, error) : pj_graph_ref (work->graph);
  if (start != NULL)
    trained = pj_train (work->device, start, work->dataset, &self.format, &settings->options, self.teacher,
                        self.resume.params != NULL ? &self.resume : NULL, store_checkpoint_cb, &self,
                        settings->checkpoint_seconds, pj_work_run_hooks (self.run), &figures, error);
  if (trained != NULL)
    note_training (&self, trained);
  gboolean ok = trained != NULL && keep_labels (&self, &figures, error) && finish (&self, settings, trained, title, &step, error);
  char *line = ok ? g_strdup_printf ("loss %.4f, %.0f images/s", figures.train_loss, figures.images_per_second) : NULL;
  ok = pj_work_end (self.run, ok, line, done, error);
  training_clear (&self);
  if (ok && result != NULL)
    *result = figures;
  else
    pj_train_result_clear (&figures);
  if (!ok)
    return NULL;
  if (done != NULL)
    done->step = step;
  return g_steal_pointer (&trained);
}

gboolean
pj_work_train_resume (const PjWork *work, const char *text, PjWorkDone *done, GError **error)
{
  g_auto (PjWorkTrain) settings;
  pj_work_train_init (&settings);
  if (!pj_work_train_read (&settings, text, error))
    return FALSE;
  g_autoptr (PjGraph) trained = pj_work_train (work, &settings, NULL, done, error);
  return trained != NULL;
}
