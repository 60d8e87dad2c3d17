/* SPDX-License-Identifier: MIT */
/* What the networks of a session, and those of steps with channels masked, took each test picture for. */
#include "session/session.h"

#include "session/store.h"

void
pj_answers_record_free (PjAnswersRecord *self)
{
  if (self == NULL)
    return;
  g_free (self->data);
  g_free (self->classes);
  g_free (self->labels);
  g_free (self->answers);
  g_free (self);
}

static gboolean
put (PjSession *self, const char *sql, int64_t id, const PjAnswersRecord *answers, GError **error)
{
  size_t size = answers->n * sizeof (uint16_t);
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_run (self, error, sql, "isisbb", id, answers->data, (int64_t) answers->n, answers->classes,
                              answers->labels, size, answers->answers, size);
  return pj_store_end (self, ok, error);
}

gboolean
pj_session_put_answers (PjSession *self, int64_t model, const PjAnswersRecord *answers, GError **error)
{
  return put (self, "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", model, answers, error);
}

gboolean
pj_session_put_step_answers (PjSession *self, int64_t step, const PjAnswersRecord *answers, GError **error)
{
  return put (self, "INSERT OR REPLACE INTO step_answers VALUES (?, ?, ?, ?, ?, ?)", step, answers, error);
}

static PjAnswersRecord *
get (PjSession *self, const char *sql, int64_t id, GError **error)
{
  g_autoptr (PjAnswersRecord) record = NULL;
  gboolean found = FALSE;
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, sql, "i", id);
  if (row != NULL && pj_store_next (self, row, error) == 1) {
    record = g_new0 (PjAnswersRecord, 1);
    record->data = pj_store_text (row, 0);
    record->n = (unsigned) sqlite3_column_int64 (row, 1);
    record->classes = pj_store_text (row, 2);
    record->labels = pj_store_bytes (row, 3, record->n * sizeof (uint16_t));
    record->answers = pj_store_bytes (row, 4, record->n * sizeof (uint16_t));
    found = record->labels != NULL && record->answers != NULL;
  }
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return found ? g_steal_pointer (&record) : NULL;
}

PjAnswersRecord *
pj_session_get_answers (PjSession *self, int64_t model, GError **error)
{
  return get (self, "SELECT data, n, classes, labels, answers FROM answers WHERE model = ?", model, error);
}

PjAnswersRecord *
pj_session_get_step_answers (PjSession *self, int64_t step, GError **error)
{
  return get (self, "SELECT data, n, classes, labels, answers FROM step_answers WHERE step = ?", step, error);
}
