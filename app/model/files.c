/* SPDX-License-Identifier: MIT */
#include "model/files-private.h"

typedef struct {
  PjTaskFunc func;
  gpointer data;
  GDestroyNotify destroy;
  PjmWrittenFunc written;
  gpointer user_data;
  gboolean ran;             /* set by whoever runs it, read after that */
} Write;

static void
write_free (gpointer data)
{
  Write *self = data;
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_free (self);
}

static gboolean
write_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Write *self = data;
  self->ran = TRUE;
  return self->func (self->data, NULL, error);
}

static void
write_news (PjTask *task, const PjTaskNews *news, gpointer user_data)
{
  Write *self = user_data;
  g_autoptr (GError) late = NULL;
  const GError *error = news->error;
  if (news->state < PJ_TASK_DONE)
    return;
  /* The queue stopped before it was its turn; nobody else uses the session now. */
  if (!self->ran) {
    error = NULL;
    if (!write_run (self, NULL, &late))
      error = late;
  }
  if (self->written != NULL)
    self->written (self->data, error, self->user_data);
}

void
pjm_write (PjJobQueue *files, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjmWrittenFunc written,
           gpointer user_data)
{
  Write *self = g_new0 (Write, 1);
  *self = (Write) { func, data, destroy, written, user_data, FALSE };
  pj_job_queue_push (files, write_run, self, write_free, write_news, self);
  if (pj_job_queue_is_stopped (files))
    pj_job_queue_drain (files);
}

/* --- sessions --- */

PjmStore *
pjm_store_new (PjSession *session, PjJobQueue *files)
{
  PjmStore *self = g_new (PjmStore, 1);
  *self = (PjmStore) { 1, session, files };
  return self;
}

PjmStore *
pjm_store_ref (PjmStore *self)
{
  self->ref++;
  return self;
}

static gboolean
close_session (gpointer data, const PjHooks *hooks, GError **error)
{
  pj_session_close (data);
  return TRUE;
}

void
pjm_store_unref (PjmStore *self)
{
  if (self == NULL || --self->ref > 0)
    return;
  pjm_write (self->files, close_session, self->session, NULL, NULL, NULL);
  g_free (self);
}
