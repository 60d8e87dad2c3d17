/* SPDX-License-Identifier: MIT */
/* The checkpoints of a method, kept in the session of its job. */
#include "model/work-private.h"

struct _PjWorkLife {
  PjMethodLife life;
  const PjWork *work;
  PjWorkRun *run;
};

/* A killed process loses at most so many seconds. */
#define CHECKPOINT_SECONDS 5.0

static gboolean
save_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  PjWorkLife *self = data;
  PjCheckpoint checkpoint = { .step = step, .state = state };
  return pj_work_run_flush (self->run, error)
         && pj_session_put_checkpoint (self->work->session, pj_work_run_job (self->run), &checkpoint, error);
}

static gboolean
command_cb (PjCommand *command, gpointer data)
{
  PjWorkLife *self = data;
  return self->work->command (command, self->work->command_data);
}

/* The newest checkpoint of a job that is started again; points after it are going to be repeated. */
static gboolean
find_checkpoint (PjWorkLife *self, GError **error)
{
  g_autoptr (GError) reason = NULL;
  PjCheckpoint checkpoint = { 0 };
  double after = -1;

  if (pj_session_get_checkpoint (self->work->session, self->work->job, &checkpoint, &reason)) {
    self->life.resume = g_bytes_ref (checkpoint.state);
    after = (double) checkpoint.step;
    pj_checkpoint_clear (&checkpoint);
  } else if (!g_error_matches (reason, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  return pj_session_trim_points (self->work->session, self->work->job, after, error);
}

PjWorkLife *
pj_work_life_new (const PjWork *work, PjWorkRun *run, GError **error)
{
  g_autoptr (PjWorkLife) self = g_new0 (PjWorkLife, 1);
  self->work = work;
  self->run = run;
  self->life.data = self;
  self->life.seconds = CHECKPOINT_SECONDS;
  if (work->command != NULL)
    self->life.command = command_cb;
  if (work->session == NULL)
    return g_steal_pointer (&self);
  self->life.save = save_cb;
  if (work->job != 0 && !find_checkpoint (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
pj_work_life_free (PjWorkLife *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->life.resume, g_bytes_unref);
  g_free (self);
}

const PjMethodLife *
pj_work_life_get (const PjWorkLife *self)
{
  return &self->life;
}
