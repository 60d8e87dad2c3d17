/* SPDX-License-Identifier: MIT */
/* Jobs, the points of their curves, and their checkpoints. */
#include "session/session.h"

#include <math.h>

#include "session/store.h"

PjJobRecord *
pj_job_record_new (const char *kind, const char *title, const char *settings)
{
  PjJobRecord *self = g_new0 (PjJobRecord, 1);
  self->kind = g_strdup (kind);
  self->title = g_strdup (title);
  self->settings = g_strdup (settings);
  return self;
}

void
pj_job_record_free (PjJobRecord *self)
{
  if (self == NULL)
    return;
  g_free (self->kind);
  g_free (self->title);
  g_free (self->settings);
  g_free (self->device);
  g_free (self->error);
  g_free (self->result);
  g_free (self);
}

gboolean
pj_session_add_job (PjSession *self, PjJobRecord *job, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  job->created = g_get_real_time () / G_USEC_PER_SEC;
  gboolean ok = pj_store_run (self, error,
    "INSERT INTO job (step, kind, title, settings, seed, device, state, created, started, finished, elapsed_ms)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "isssisiiiii", job->step, job->kind, job->title, job->settings,
    (int64_t) job->seed, job->device, (int64_t) job->state, job->created, job->started, job->finished, job->elapsed_ms);
  job->id = sqlite3_last_insert_rowid (self->db);
  return pj_store_end (self, ok, error);
}

gboolean
pj_session_update_job (PjSession *self, const PjJobRecord *job, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_run (self, error,
    "UPDATE job SET device = ?, state = ?, started = ?, finished = ?, elapsed_ms = ?, error = ?, result = ? WHERE id = ?",
    "siiiissi", job->device, (int64_t) job->state, job->started, job->finished, job->elapsed_ms, job->error,
    job->result, job->id);
  return pj_store_end (self, ok, error);
}

#define JOB_COLUMNS "id, step, kind, title, settings, seed, device, state, created, started, finished, elapsed_ms," \
                    " error, result"

static PjJobRecord *
read_job (sqlite3_stmt *row)
{
  PjJobRecord *job = g_new0 (PjJobRecord, 1);
  job->id = sqlite3_column_int64 (row, 0);
  job->step = sqlite3_column_int64 (row, 1);
  job->kind = pj_store_text (row, 2);
  job->title = pj_store_text (row, 3);
  job->settings = pj_store_text (row, 4);
  job->seed = (uint64_t) sqlite3_column_int64 (row, 5);
  job->device = pj_store_text (row, 6);
  job->state = sqlite3_column_int (row, 7);
  job->created = sqlite3_column_int64 (row, 8);
  job->started = sqlite3_column_int64 (row, 9);
  job->finished = sqlite3_column_int64 (row, 10);
  job->elapsed_ms = sqlite3_column_int64 (row, 11);
  job->error = pj_store_text (row, 12);
  job->result = pj_store_text (row, 13);
  return job;
}

GPtrArray *
pj_session_list_jobs (PjSession *self, GError **error)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_job_record_free);
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, "SELECT " JOB_COLUMNS " FROM job ORDER BY id", "");
  int more = -1;
  while (row != NULL && (more = pj_store_next (self, row, error)) == 1)
    g_ptr_array_add (jobs, read_job (row));
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return more == 0 ? g_steal_pointer (&jobs) : NULL;
}

PjJobRecord *
pj_session_get_job (PjSession *self, int64_t id, GError **error)
{
  PjJobRecord *job = NULL;
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, "SELECT " JOB_COLUMNS " FROM job WHERE id = ?", "i", id);
  int more = row != NULL ? pj_store_next (self, row, error) : -1;
  if (more == 1)
    job = read_job (row);
  else if (more == 0)
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "session “%s” has no job %" G_GINT64_FORMAT,
                 self->path, id);
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return job;
}

static gboolean
insert_points (PjSession *self, int64_t job, const PjPoint *points, size_t n, GError **error)
{
  g_autoptr (sqlite3_stmt) insert = pj_store_query (self, error,
    "INSERT INTO point (series, x, y) VALUES ((SELECT id FROM series WHERE job = ? AND name = ?), ?, ?)", "");
  if (insert == NULL)
    return FALSE;
  const char *series = NULL;
  for (size_t i = 0; i < n; i++) {
    if (points[i].series != series
        && !pj_store_run (self, error, "INSERT OR IGNORE INTO series (job, name) VALUES (?, ?)", "is", job, points[i].series))
      return FALSE;
    series = points[i].series;
    sqlite3_bind_int64 (insert, 1, job);
    sqlite3_bind_text (insert, 2, series, -1, SQLITE_STATIC);
    sqlite3_bind_double (insert, 3, points[i].x);
    /* SQLite keeps NaN as NULL; a diverged loss is stored as infinity, which says the same. */
    sqlite3_bind_double (insert, 4, isnan (points[i].y) ? (double) INFINITY : points[i].y);
    if (pj_store_next (self, insert, error) < 0)
      return FALSE;
    sqlite3_reset (insert);
  }
  return TRUE;
}

gboolean
pj_session_add_points (PjSession *self, int64_t job, const PjPoint *points, size_t n, GError **error)
{
  if (n == 0)
    return TRUE;
  if (!pj_store_begin (self, error))
    return FALSE;
  return pj_store_end (self, insert_points (self, job, points, n, error), error);
}

GArray *
pj_session_get_points (PjSession *self, int64_t job, GError **error)
{
  g_autoptr (GArray) points = g_array_new (FALSE, FALSE, sizeof (PjPoint));
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error,
    "SELECT s.name, p.x, p.y FROM point AS p JOIN series AS s ON p.series = s.id WHERE s.job = ? ORDER BY p.id", "i", job);
  int more = -1;
  while (row != NULL && (more = pj_store_next (self, row, error)) == 1) {
    PjPoint point = { g_intern_string ((const char *) sqlite3_column_text (row, 0)), sqlite3_column_double (row, 1),
                      sqlite3_column_double (row, 2) };
    g_array_append_val (points, point);
  }
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return more == 0 ? g_steal_pointer (&points) : NULL;
}

gboolean
pj_session_trim_points (PjSession *self, int64_t job, double after, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_run (self, error, "DELETE FROM point WHERE x > ? AND series IN (SELECT id FROM series WHERE job = ?)",
                              "di", after, job);
  return pj_store_end (self, ok, error);
}

void
pj_checkpoint_clear (PjCheckpoint *self)
{
  g_clear_pointer (&self->state, g_bytes_unref);
  *self = (PjCheckpoint) { 0 };
}

gboolean
pj_session_put_checkpoint (PjSession *self, int64_t job, const PjCheckpoint *checkpoint, GError **error)
{
  g_autofree char *hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, checkpoint->state);
  gsize size;
  gconstpointer data = g_bytes_get_data (checkpoint->state, &size);
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_run (self, error, "DELETE FROM checkpoint WHERE job = ?1 AND id NOT IN"
                              " (SELECT id FROM checkpoint WHERE job = ?1 ORDER BY id DESC LIMIT 1)", "i", job)
                && pj_store_run (self, error,
                                 "INSERT INTO checkpoint (job, step, n_seen, loss_sum, hash, state) VALUES (?, ?, ?, ?, ?, ?)",
                                 "iiidsb", job, (int64_t) checkpoint->step, (int64_t) checkpoint->n_seen,
                                 checkpoint->loss_sum, hash, data, size);
  return pj_store_end (self, ok, error);
}

/* Reads one row; FALSE if its bytes have changed. */
static gboolean
read_checkpoint (sqlite3_stmt *row, PjCheckpoint *checkpoint)
{
  g_autoptr (GBytes) state = g_bytes_new (sqlite3_column_blob (row, 4), (gsize) sqlite3_column_bytes (row, 4));
  g_autofree char *hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, state);
  if (g_strcmp0 (hash, (const char *) sqlite3_column_text (row, 3)) != 0)
    return FALSE;
  checkpoint->step = (uint64_t) sqlite3_column_int64 (row, 0);
  checkpoint->n_seen = (uint64_t) sqlite3_column_int64 (row, 1);
  checkpoint->loss_sum = sqlite3_column_double (row, 2);
  checkpoint->state = g_steal_pointer (&state);
  return TRUE;
}

gboolean
pj_session_get_checkpoint (PjSession *self, int64_t job, PjCheckpoint *checkpoint, GError **error)
{
  gboolean found = FALSE;
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error,
    "SELECT step, n_seen, loss_sum, hash, state FROM checkpoint WHERE job = ? ORDER BY id DESC", "i", job);
  int more = -1;
  while (row != NULL && !found && (more = pj_store_next (self, row, error)) == 1)
    found = read_checkpoint (row, checkpoint);
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  if (!found && more == 0)
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "job %" G_GINT64_FORMAT " has no checkpoint", job);
  return found;
}

gboolean
pj_session_drop_checkpoints (PjSession *self, int64_t job, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  return pj_store_end (self, pj_store_run (self, error, "DELETE FROM checkpoint WHERE job = ?", "i", job), error);
}

/* --- refined labels --- */

gboolean
pj_session_put_labels (PjSession *self, int64_t job, unsigned n, unsigned n_classes, const float *logits, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_run (self, error, "INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?)", "iiib", job, (int64_t) n,
                              (int64_t) n_classes, logits, (size_t) n * n_classes * sizeof (float));
  return pj_store_end (self, ok, error);
}

float *
pj_session_get_labels (PjSession *self, int64_t job, unsigned *n, unsigned *n_classes, GError **error)
{
  float *logits = NULL;
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, "SELECT n, classes, logits FROM labels WHERE job = ?", "i", job);
  if (row != NULL && pj_store_next (self, row, error) == 1) {
    int64_t rows = sqlite3_column_int64 (row, 0), columns = sqlite3_column_int64 (row, 1);
    if (rows > 0 && rows <= G_MAXINT32 && columns > 0 && columns <= G_MAXUINT16)
      logits = pj_store_bytes (row, 2, (size_t) rows * (size_t) columns * sizeof (float));
    *n = (unsigned) rows;
    *n_classes = (unsigned) columns;
  }
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return logits;
}
