/* SPDX-License-Identifier: MIT */
/* The history: a tree of immutable steps and a cursor in it.
 *
 *   cursor.step     where we are
 *   step.parent     where undo goes
 *   way (step)      the child that redo goes to: set whenever the cursor passes from a parent to a
 *                   child or back, so that it always leads along the branch that was used last */
#include "session/session.h"

#include "session/records.h"
#include "session/store.h"

PjStepRecord *
pj_step_record_new (PjStepKind kind, int64_t model, const char *title)
{
  PjStepRecord *self = g_new0 (PjStepRecord, 1);
  self->kind = kind;
  self->model = model;
  self->title = g_strdup (title);
  self->cuts = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_stored_cut_free);
  return self;
}

void
pj_step_record_free (PjStepRecord *self)
{
  if (self == NULL)
    return;
  g_free (self->title);
  g_free (self->detail);
  g_free (self->criterion);
  g_free (self->settings);
  g_clear_pointer (&self->cuts, g_ptr_array_unref);
  g_free (self);
}

static int64_t
current (PjSession *self)
{
  return pj_store_number (self, 0, "SELECT step FROM cursor", "");
}

static gboolean
set_way (PjSession *self, int64_t parent, int64_t child, GError **error)
{
  return parent == 0 || pj_store_run (self, error, "INSERT OR REPLACE INTO way VALUES (?, ?)", "ii", parent, child);
}

static gboolean
set_cursor (PjSession *self, int64_t step, GError **error)
{
  return pj_store_run (self, error, "INSERT OR REPLACE INTO cursor VALUES (1, ?)", "i", step);
}

static gboolean
insert_step (PjSession *self, PjStepRecord *step, GError **error)
{
  step->parent = current (self);
  step->time = g_get_real_time () / G_USEC_PER_SEC;
  gboolean ok = step->parent == 0
    ? pj_store_run (self, error, "INSERT INTO step (parent, kind, time, model, job, title, detail, criterion, settings)"
                    " VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", "iiiissss", (int64_t) step->kind, step->time, step->model,
                    step->job, step->title, step->detail, step->criterion, step->settings)
    : pj_store_run (self, error, "INSERT INTO step (parent, kind, time, model, job, title, detail, criterion, settings)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiiiissss", step->parent, (int64_t) step->kind, step->time,
                    step->model, step->job, step->title, step->detail, step->criterion, step->settings);
  if (!ok)
    return FALSE;
  step->id = sqlite3_last_insert_rowid (self->db);
  for (guint i = 0; i < step->cuts->len; i++) {
    const PjStoredCut *cut = step->cuts->pdata[i];
    if (!pj_store_run (self, error, "INSERT INTO cut VALUES (?, ?, ?, ?, ?, ?)", "isdibb", step->id, cut->group, cut->ratio,
                       (int64_t) cut->n_channels, cut->keep, (size_t) cut->n_channels, cut->scale,
                       cut->scale != NULL ? cut->n_channels * sizeof (float) : 0))
      return FALSE;
  }
  return set_way (self, step->parent, step->id, error) && set_cursor (self, step->id, error);
}

gboolean
pj_session_add_step (PjSession *self, PjStepRecord *step, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  return pj_store_end (self, insert_step (self, step, error), error);
}

static int64_t
locked_number (PjSession *self, const char *sql)
{
  pthread_mutex_lock (&self->lock);
  int64_t number = pj_store_number (self, 0, sql, "");
  pthread_mutex_unlock (&self->lock);
  return number;
}

int64_t
pj_session_current_step (PjSession *self)
{
  return locked_number (self, "SELECT step FROM cursor");
}

int64_t
pj_session_undo_step (PjSession *self)
{
  return locked_number (self, "SELECT parent FROM step WHERE id = (SELECT step FROM cursor)");
}

int64_t
pj_session_redo_step (PjSession *self)
{
  return locked_number (self, "SELECT child FROM way WHERE step = (SELECT step FROM cursor)");
}

/* Parents are older than their children.  Whoever walks up the tree relies on it: in a changed file he might never arrive. */
static gboolean
check_parent (PjSession *self, int64_t step, int64_t parent, GError **error)
{
  if (parent < step)
    return TRUE;
  g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED, "session “%s” is damaged: its step %" G_GINT64_FORMAT
               " says that it follows step %" G_GINT64_FORMAT ", which is not older", self->path, step, parent);
  return FALSE;
}

/* Leaves a way from the root to @step. */
static gboolean
mark_way (PjSession *self, int64_t step, GError **error)
{
  while (step != 0) {
    int64_t parent = pj_store_number (self, 0, "SELECT parent FROM step WHERE id = ?", "i", step);
    if (!check_parent (self, step, parent, error) || !set_way (self, parent, step, error))
      return FALSE;
    step = parent;
  }
  return TRUE;
}

gboolean
pj_session_go_to (PjSession *self, int64_t step, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_number (self, 0, "SELECT 1 FROM step WHERE id = ?", "i", step) == 1;
  if (!ok)
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "session “%s” has no step %" G_GINT64_FORMAT,
                 self->path, step);
  /* The way to where we are first: it is what redo follows after an undo.  The way to @step wins. */
  ok = ok && mark_way (self, current (self), error) && mark_way (self, step, error) && set_cursor (self, step, error);
  return pj_store_end (self, ok, error);
}

#define STEP_COLUMNS "id, parent, kind, time, model, job, title, detail, criterion, settings," \
                     " (SELECT child FROM way WHERE way.step = step.id)"

static PjStepRecord *
read_step (PjSession *self, sqlite3_stmt *row, GError **error)
{
  if (!check_parent (self, sqlite3_column_int64 (row, 0), sqlite3_column_int64 (row, 1), error))
    return NULL;
  g_autofree char *title = pj_store_text (row, 6);
  PjStepRecord *step = pj_step_record_new (sqlite3_column_int (row, 2), sqlite3_column_int64 (row, 4), title);
  step->id = sqlite3_column_int64 (row, 0);
  step->parent = sqlite3_column_int64 (row, 1);
  step->time = sqlite3_column_int64 (row, 3);
  step->job = sqlite3_column_int64 (row, 5);
  step->detail = pj_store_text (row, 7);
  step->criterion = pj_store_text (row, 8);
  step->settings = pj_store_text (row, 9);
  step->way = sqlite3_column_int64 (row, 10);
  return step;
}

GPtrArray *
pj_session_list_steps (PjSession *self, GError **error)
{
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_step_record_free);
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, "SELECT " STEP_COLUMNS " FROM step ORDER BY id", "");
  int more = -1;
  while (row != NULL && (more = pj_store_next (self, row, error)) == 1) {
    PjStepRecord *step = read_step (self, row, error);
    if (step == NULL)
      break;
    g_ptr_array_add (steps, step);
  }
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return more == 0 ? g_steal_pointer (&steps) : NULL;
}

PjStepRecord *
pj_session_get_step (PjSession *self, int64_t id, GError **error)
{
  PjStepRecord *step = NULL;
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, "SELECT " STEP_COLUMNS " FROM step WHERE id = ?", "i", id);
  int more = row != NULL ? pj_store_next (self, row, error) : -1;
  if (more == 1)
    step = read_step (self, row, error);
  else if (more == 0)
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "session “%s” has no step %" G_GINT64_FORMAT,
                 self->path, id);
  if (step != NULL && !pj_store_read_cuts (self, step->cuts, error,
                                           "SELECT grp, ratio, n, keep, scale FROM cut WHERE step = ? ORDER BY grp", id))
    g_clear_pointer (&step, pj_step_record_free);
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return step;
}
