/* SPDX-License-Identifier: MIT */
/* Prune before or after a transfer: what would come of it, and doing it. */
#include <glib/gi18n-lib.h>

#include "model/engine-text.h"
#include "model/question-private.h"
#include "model/tasks-private.h"
#include "model/work-open.h"

void
pjm_transfer_options_init (PjmTransferOptions *options)
{
  *options = (PjmTransferOptions) {
    .method = "curl", .share = 0.3, .lr = 0.01, .epochs = 20, .large_epochs = 2, .batch = 64, .seed = PJM_SEED,
  };
}

gboolean
pjm_project_method_takes_transfer (PjmProject *self, const char *name)
{
  const PjMethod *method = pj_method_find (name);
  return method != NULL && pj_work_small_data_takes (method);
}

static void
fill (const PjmTransferOptions *options, PjWorkSmallData *settings)
{
  pj_work_small_data_clear (settings);
  *settings = (PjWorkSmallData) {
    .method = g_strdup (options->method), .macs = options->share, .lr = options->lr, .n_images = options->n_images,
    .epochs = options->epochs, .large_epochs = options->large_epochs, .batch = MAX (options->batch, 1), .n_test = options->n_test,
    .seed = options->seed, .large = g_strdup (options->large),
  };
}

/* --- before the start --- */

/* What is asked about, copied. @engine: (nullable): for an estimate, which needs the device */
typedef struct {
  PjmEngine *engine;
  char *device;
  PjmNetwork *network;
  PjDataset *dataset;
  PjWorkSmallData settings;
  PjmPruneOutlook *outlook;
  double seconds;
} Question;

static void
question_free (gpointer data)
{
  Question *self = data;
  g_free (self->device);
  pjm_network_unref (self->network);
  pj_dataset_unref (self->dataset);
  pj_work_small_data_clear (&self->settings);
  g_clear_pointer (&self->outlook, pjm_prune_outlook_free);
  g_free (self);
}

/* @large: (out) (nullable): none was named */
static gboolean
open_large (const PjWorkSmallData *settings, PjDataset **large, GError **error)
{
  *large = settings->large != NULL ? pj_work_open_data (settings->large, error) : NULL;
  return settings->large == NULL || *large != NULL;
}

static gboolean
check_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Question *self = data;
  PjWork work = { .graph = self->network->graph, .dataset = self->dataset, .hooks = hooks };
  g_autoptr (PjDataset) large = NULL;
  g_autoptr (GError) reason = NULL;
  self->outlook = g_new0 (PjmPruneOutlook, 1);
  if (self->dataset == NULL)
    self->outlook->refusal = g_strdup (_("This needs pictures: drop a folder of your own pictures on the window first."));
  else if (!open_large (&self->settings, &large, &reason) || !pj_work_small_data_check (&work, large, &self->settings, &reason))
    self->outlook->refusal = pjm_engine_text (reason->message);
  return TRUE;
}

static gboolean
estimate_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Question *self = data;
  g_autoptr (PjDataset) large = NULL;
  PjWork work = {
    .device = pjm_engine_open (self->engine, self->device, error), .graph = self->network->graph, .dataset = self->dataset, .hooks = hooks,
  };
  return work.device != NULL && open_large (&self->settings, &large, error)
         && pj_work_small_data_estimate (&work, large, &self->settings, &self->seconds, error);
}

static gpointer
take_outlook (gpointer data)
{
  return g_steal_pointer (&((Question *) data)->outlook);
}

static gpointer
take_seconds (gpointer data)
{
  return g_memdup2 (&((Question *) data)->seconds, sizeof (double));
}

/* @estimates: asks the device, behind the jobs that wait for it. */
static void
ask (PjmProject *self, const PjmTransferOptions *options, gboolean estimates, GTask *task)
{
  if (!pjm_project_is_ready (self) || pj_method_find (options->method) == NULL) {
    pjm_question_refuse (task);
    return;
  }
  Question *question = g_new0 (Question, 1);
  question->engine = self->engine;
  question->device = g_strdup (self->device);
  question->network = pjm_network_ref (self->place->network);
  question->dataset = self->dataset != NULL ? pj_dataset_ref (self->dataset) : NULL;
  fill (options, &question->settings);
  if (estimates)
    pjm_question_ask (self->queue, task, estimate_run, question, question_free, take_seconds, g_free);
  else
    pjm_question_ask (self->files, task, check_run, question, question_free, take_outlook, (GDestroyNotify) pjm_prune_outlook_free);
}

void
pjm_project_check_transfer_async (PjmProject *self, const PjmTransferOptions *options, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  ask (self, options, FALSE, g_task_new (self, cancellable, callback, user_data));
}

PjmPruneOutlook *
pjm_project_check_transfer_finish (PjmProject *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
pjm_project_estimate_transfer_async (PjmProject *self, const PjmTransferOptions *options, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  ask (self, options, TRUE, g_task_new (self, cancellable, callback, user_data));
}

double
pjm_project_estimate_transfer_finish (PjmProject *self, GAsyncResult *result, GError **error)
{
  return pjm_question_take_seconds (result, self, error);
}

/* --- doing it --- */

static gboolean
run_transfer (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjDataset) large = NULL;
  gint64 newest = pjm_task_newest_step (self);
  if (!open_large (&self->transfer, &large, error))
    return FALSE;
  g_autoptr (GPtrArray) rows = pj_work_small_data (work, large, &self->transfer, NULL, NULL, &self->done, error);
  /* Also what was made before it was stopped. */
  gboolean noted = pjm_task_note_parts (self, newest, self->done.step, rows != NULL ? error : NULL);
  return rows != NULL && noted;
}

PjmJob *
pjm_project_transfer (PjmProject *self, const PjmTransferOptions *options)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && pj_method_find (options->method) != NULL, NULL);
  PjmTask *task = pjm_task_new (self, "small-data", _("Prune before or after a transfer"), run_transfer, TRUE, TRUE);
  if (task == NULL)
    return NULL;
  fill (options, &task->transfer);
  return pjm_task_start (task);
}
