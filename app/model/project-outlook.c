/* SPDX-License-Identifier: MIT */
/* What would come of pruning by a method, told before the start: a refusal, the network that is left, how long it takes. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/engine-text.h"
#include "model/question-private.h"
#include "model/tasks-private.h"
#include "model/work-parts.h"
#include "prune/method.h"

void
pjm_prune_outlook_free (PjmPruneOutlook *self)
{
  g_free (self->refusal);
  g_free (self);
}

/* What is asked about, copied. @engine: (nullable): for an estimate, which needs the device */
typedef struct {
  PjmEngine *engine;
  char *device;
  PjmNetwork *network;
  PjDataset *dataset;
  PjWorkChoose choose;
  guint drop_blocks, n_blocks;
  gboolean gates;
  double share;
  PjmPruneOutlook *outlook;
  double seconds;
  gboolean needs_pictures;
} Question;

static void
question_free (gpointer data)
{
  Question *self = data;
  g_free (self->device);
  pjm_network_unref (self->network);
  pj_dataset_unref (self->dataset);
  pj_work_choose_clear (&self->choose);
  g_clear_pointer (&self->outlook, pjm_prune_outlook_free);
  g_free (self);
}

/* Gates of blocks instead of a choice of channels. */
static char *
refuse_gates (const Question *self, const PjWork *work)
{
  g_autoptr (GError) reason = NULL;
  if (strcmp (self->choose.method, "autopruner") != 0)
    return g_strdup (_("Gates of whole blocks are AutoPruner’s: choose it in the list, or another measure."));
  return pj_work_gate_blocks_check (work, self->share, (const char *const *) self->choose.set, self->choose.n_images, &reason)
         ? NULL : pjm_engine_text (reason->message);
}

static gboolean
check_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Question *self = data;
  PjWork work = { .graph = self->network->graph, .dataset = self->dataset, .hooks = hooks };
  g_autoptr (GError) reason = NULL;
  PjCost after = { 0 };
  gboolean asked = pj_work_choose_is_asked (&self->choose);
  self->outlook = g_new0 (PjmPruneOutlook, 1);
  if (!asked && self->drop_blocks == 0 && !self->gates)
    self->outlook->refusal = g_strdup (_("Nothing would be cut: set how much each layer keeps, or choose another measure."));
  else if (self->drop_blocks > self->n_blocks)
    self->outlook->refusal = g_strdup_printf (ngettext ("Only %u residual block can be removed whole: ask for no more.",
                                                        "Only %u residual blocks can be removed whole: ask for no more.",
                                                        self->n_blocks), self->n_blocks);
  else if (self->needs_pictures)
    self->outlook->refusal = g_strdup (_("This method needs pictures: drop a folder of pictures on the window first."));
  else if (self->gates)
    self->outlook->refusal = refuse_gates (self, &work);
  else if (asked && !pj_work_choose_check (&work, self->network->groups, &self->choose, &after, &reason))
    self->outlook->refusal = pjm_engine_text (reason->message);
  /* Which blocks go is not known yet. */
  if (self->drop_blocks > 0)
    return TRUE;
  self->outlook->macs = after.macs;
  self->outlook->params = after.learnable;
  return TRUE;
}

static gboolean
estimate_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Question *self = data;
  self->seconds = -1;
  if (self->drop_blocks > 0)
    return TRUE;
  PjDevice *device = pjm_engine_open (self->engine, self->device, error);
  PjWork work = { .device = device, .graph = self->network->graph, .dataset = self->dataset, .hooks = hooks };
  if (device != NULL && self->gates)
    return pj_work_gate_blocks_estimate (&work, self->share, (const char *const *) self->choose.set, self->choose.n_images,
                                         &self->seconds, error);
  return device != NULL && pj_work_choose_estimate (&work, self->network->groups, &self->choose, &self->seconds, error);
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

/* NULL if there is no network to ask about. */
static Question *
question_new (PjmProject *self, const PjmPruneOptions *options)
{
  const PjMethod *method = pj_method_find (options->method);
  if (!pjm_project_is_ready (self) || method == NULL)
    return NULL;
  Question *question = g_new0 (Question, 1);
  question->device = g_strdup (self->device);
  question->network = pjm_network_ref (self->place->network);
  question->dataset = self->dataset != NULL ? pj_dataset_ref (self->dataset) : NULL;
  question->needs_pictures = self->dataset == NULL && (method->needs != PJ_NEEDS_NOTHING || options->drop_blocks > 0);
  question->drop_blocks = options->drop_blocks;
  question->n_blocks = pjm_project_count_blocks (self);
  question->gates = options->keep == PJM_KEEP_BLOCKS;
  question->share = options->share;
  pjm_project_fill_choose (self, options, &question->choose);
  return question;
}

void
pjm_project_check_prune_async (PjmProject *self, const PjmPruneOptions *options, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Question *question = question_new (self, options);
  if (question == NULL)
    pjm_question_refuse (task);
  else
    pjm_question_ask (self->files, task, check_run, question, question_free, take_outlook, (GDestroyNotify) pjm_prune_outlook_free);
}

PjmPruneOutlook *
pjm_project_check_prune_finish (PjmProject *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
pjm_project_estimate_prune_async (PjmProject *self, const PjmPruneOptions *options, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Question *question = question_new (self, options);
  if (question == NULL) {
    pjm_question_refuse (task);
    return;
  }
  question->engine = self->engine;
  pjm_question_ask (self->queue, task, estimate_run, question, question_free, take_seconds, g_free);
}

double
pjm_project_estimate_prune_finish (PjmProject *self, GAsyncResult *result, GError **error)
{
  return pjm_question_take_seconds (result, self, error);
}
