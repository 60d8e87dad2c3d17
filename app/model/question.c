/* SPDX-License-Identifier: MIT */
#include "model/question-private.h"

#include <glib/gi18n-lib.h>

typedef struct {
  GTask *task;
  PjTaskFunc run;
  gpointer data;
  GDestroyNotify data_free, answer_free;
  PjmTakeFunc take;
} Question;

static void
question_free (gpointer data)
{
  Question *self = data;
  self->data_free (self->data);
  g_clear_object (&self->task);
  g_free (self);
}

static gboolean
question_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Question *self = data;
  return self->run (self->data, hooks, error);
}

static void
answer (Question *self, const PjTaskNews *news)
{
  if (g_task_return_error_if_cancelled (self->task))
    return;
  if (news->state == PJ_TASK_DONE)
    g_task_return_pointer (self->task, self->take (self->data), self->answer_free);
  else if (news->state == PJ_TASK_FAILED)
    g_task_return_error (self->task, g_error_copy (news->error));
  else
    g_task_return_new_error (self->task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
}

/* The cancellable holds the queue's task, which holds this: without letting go here they would keep each other. */
static void
question_news (PjTask *queued, const PjTaskNews *news, gpointer user_data)
{
  Question *self = pj_task_get_data (queued);
  if (news->state < PJ_TASK_DONE)
    return;
  answer (self, news);
  g_clear_object (&self->task);
}

static void
cancelled_cb (GCancellable *cancellable, gpointer queued)
{
  pj_task_cancel (queued);
}

void
pjm_question_ask (PjJobQueue *queue, GTask *task, PjTaskFunc run, gpointer data, GDestroyNotify data_free, PjmTakeFunc take,
                  GDestroyNotify answer_free)
{
  Question *self = g_new (Question, 1);
  *self = (Question) { .task = task, .run = run, .data = data, .data_free = data_free, .take = take, .answer_free = answer_free };
  GCancellable *cancellable = g_task_get_cancellable (task);
  PjTask *queued = pj_job_queue_push (queue, question_run, self, question_free, question_news, NULL);
  /* The main thread cancels, as it does all else here. */
  if (cancellable != NULL)
    g_cancellable_connect (cancellable, G_CALLBACK (cancelled_cb), pj_task_ref (queued), (GDestroyNotify) pj_task_unref);
}

void
pjm_question_refuse (GTask *task)
{
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s", _("There is no network to work on"));
  g_object_unref (task);
}

double
pjm_question_take_seconds (GAsyncResult *result, gpointer source, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, source), -1.0);
  g_autofree double *seconds = g_task_propagate_pointer (G_TASK (result), error);
  return seconds != NULL ? *seconds : -1.0;
}
