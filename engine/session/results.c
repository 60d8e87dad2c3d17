/* SPDX-License-Identifier: MIT */
/* Scores of groups, and comparisons with their rows. */
#include "session/session.h"

#include "session/records.h"
#include "session/store.h"

static gboolean
insert_scores (PjSession *self, GError **error, const char *sql, int64_t owner, const GPtrArray *scores)
{
  for (guint i = 0; scores != NULL && i < scores->len; i++) {
    const PjStoredScore *score = scores->pdata[i];
    if (!pj_store_run (self, error, sql, "iisibs", owner, (int64_t) i, score->group, (int64_t) score->n_channels,
                       score->score, score->score != NULL ? score->n_channels * sizeof (double) : 0, score->refusal))
      return FALSE;
  }
  return TRUE;
}

gboolean
pj_session_put_scores (PjSession *self, int64_t model, const char *criterion, uint64_t seed, unsigned n_images,
                       const GPtrArray *scores, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_run (self, error, "DELETE FROM scores WHERE model = ? AND criterion = ?", "is", model, criterion)
                && pj_store_run (self, error, "INSERT INTO scores (model, criterion, seed, n_images) VALUES (?, ?, ?, ?)",
                                 "isii", model, criterion, (int64_t) seed, (int64_t) n_images)
                && insert_scores (self, error, "INSERT INTO group_score VALUES (?, ?, ?, ?, ?, ?)",
                                  sqlite3_last_insert_rowid (self->db), scores);
  return pj_store_end (self, ok, error);
}

GPtrArray *
pj_session_get_scores (PjSession *self, int64_t model, const char *criterion, uint64_t *seed, unsigned *n_images,
                       GError **error)
{
  g_autoptr (GPtrArray) scores = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_stored_score_free);
  gboolean found = FALSE;
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error,
    "SELECT id, seed, n_images FROM scores WHERE model = ? AND criterion = ?", "is", model, criterion);
  if (row != NULL && pj_store_next (self, row, error) == 1) {
    *seed = (uint64_t) sqlite3_column_int64 (row, 1);
    *n_images = (unsigned) sqlite3_column_int64 (row, 2);
    found = pj_store_read_scores (self, scores, error,
                                  "SELECT grp, n, score, refusal FROM group_score WHERE scores = ? ORDER BY position",
                                  sqlite3_column_int64 (row, 0));
  }
  g_clear_pointer (&row, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return found ? g_steal_pointer (&scores) : NULL;
}

static void
stored_layer_free (gpointer data)
{
  PjStoredLayer *self = data;
  g_free (self->group);
  g_free (self);
}

PjComparisonRowRecord *
pj_comparison_row_record_new (const char *method, double ratio)
{
  PjComparisonRowRecord *self = g_new0 (PjComparisonRowRecord, 1);
  self->method = g_strdup (method);
  self->ratio = ratio;
  self->seed = 1;
  self->layers = g_ptr_array_new_with_free_func (stored_layer_free);
  self->cut = self->recalibrated = self->tuned = self->images_per_second = -1.0;
  self->cuts = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_stored_cut_free);
  self->scores = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_stored_score_free);
  return self;
}

void
pj_comparison_row_record_add_layer (PjComparisonRowRecord *self, const char *group, double kl)
{
  PjStoredLayer *layer = g_new0 (PjStoredLayer, 1);
  layer->group = g_strdup (group);
  layer->kl = kl;
  g_ptr_array_add (self->layers, layer);
}

void
pj_comparison_row_record_free (PjComparisonRowRecord *self)
{
  if (self == NULL)
    return;
  g_free (self->method);
  g_free (self->refusal);
  g_free (self->answers);
  g_clear_pointer (&self->layers, g_ptr_array_unref);
  g_clear_pointer (&self->cuts, g_ptr_array_unref);
  g_clear_pointer (&self->scores, g_ptr_array_unref);
  g_free (self);
}

PjComparisonRecord *
pj_comparison_record_new (const char *title)
{
  PjComparisonRecord *self = g_new0 (PjComparisonRecord, 1);
  self->title = g_strdup (title);
  self->base_accuracy = self->base_images_per_second = -1.0;
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_comparison_row_record_free);
  return self;
}

void
pj_comparison_record_free (PjComparisonRecord *self)
{
  if (self == NULL)
    return;
  g_free (self->title);
  g_free (self->classes);
  g_free (self->labels);
  g_free (self->answers);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_free (self);
}

static gboolean
insert_row (PjSession *self, int64_t comparison, const PjComparisonRowRecord *row, GError **error)
{
  if (!pj_store_run (self, error, "INSERT INTO comparison_row (comparison, method, ratio, macs, params, cut, recalibrated,"
                     " tuned, speed, refusal, seed, start, answers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "isdiiddddsiib", comparison, row->method, row->ratio, (int64_t) row->macs, (int64_t) row->params, row->cut,
                     row->recalibrated, row->tuned, row->images_per_second, row->refusal, (int64_t) row->seed,
                     (int64_t) row->start, row->answers, row->answers != NULL ? row->n_answers * sizeof *row->answers : 0))
    return FALSE;
  int64_t id = sqlite3_last_insert_rowid (self->db);
  for (guint i = 0; i < row->cuts->len; i++) {
    const PjStoredCut *cut = row->cuts->pdata[i];
    if (!pj_store_run (self, error, "INSERT INTO row_cut VALUES (?, ?, ?, ?, ?, ?, ?)", "iisdibb", id, (int64_t) i, cut->group,
                       cut->ratio, (int64_t) cut->n_channels, cut->keep, (size_t) cut->n_channels, cut->scale,
                       cut->scale != NULL ? cut->n_channels * sizeof (float) : 0))
      return FALSE;
  }
  for (guint i = 0; i < row->layers->len; i++) {
    const PjStoredLayer *layer = row->layers->pdata[i];
    if (!pj_store_run (self, error, "INSERT INTO row_layer VALUES (?, ?, ?)", "isd", id, layer->group, layer->kl))
      return FALSE;
  }
  return insert_scores (self, error, "INSERT INTO row_score VALUES (?, ?, ?, ?, ?, ?)", id, row->scores);
}

static size_t
answers_size (const uint16_t *answers, unsigned n)
{
  return answers != NULL ? n * sizeof *answers : 0;
}

gboolean
pj_session_add_comparison (PjSession *self, PjComparisonRecord *comparison, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  comparison->time = g_get_real_time () / G_USEC_PER_SEC;
  gboolean ok = pj_store_run (self, error, "INSERT INTO comparison (step, job, time, title, base_macs, base_params,"
                              " base_accuracy, base_speed, n_test, labels, answers, classes)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiisiiddibbs",
                              comparison->step, comparison->job, comparison->time, comparison->title,
                              (int64_t) comparison->base_macs, (int64_t) comparison->base_params,
                              comparison->base_accuracy, comparison->base_images_per_second, (int64_t) comparison->n_test,
                              comparison->labels, answers_size (comparison->labels, comparison->n_test),
                              comparison->answers, answers_size (comparison->answers, comparison->n_test),
                              comparison->classes);
  comparison->id = sqlite3_last_insert_rowid (self->db);
  for (guint i = 0; ok && i < comparison->rows->len; i++)
    ok = insert_row (self, comparison->id, comparison->rows->pdata[i], error);
  return pj_store_end (self, ok, error);
}

gboolean
pj_session_update_comparison (PjSession *self, const PjComparisonRecord *comparison, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_run (self, error, "UPDATE comparison SET base_macs = ?, base_params = ?, base_accuracy = ?,"
                              " base_speed = ?, n_test = ?, labels = ?, answers = ?, classes = ? WHERE id = ?", "iiddibbsi", (int64_t) comparison->base_macs,
                              (int64_t) comparison->base_params, comparison->base_accuracy,
                              comparison->base_images_per_second, (int64_t) comparison->n_test, comparison->labels,
                              answers_size (comparison->labels, comparison->n_test), comparison->answers,
                              answers_size (comparison->answers, comparison->n_test), comparison->classes, comparison->id);
  return pj_store_end (self, ok, error);
}

gboolean
pj_session_add_comparison_row (PjSession *self, int64_t comparison, const PjComparisonRowRecord *row, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  return pj_store_end (self, insert_row (self, comparison, row, error), error);
}

static gboolean
read_layers (PjSession *self, PjComparisonRowRecord *record, int64_t id, GError **error)
{
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, "SELECT grp, kl FROM row_layer WHERE row = ?", "i", id);
  int more = -1;
  while (row != NULL && (more = pj_store_next (self, row, error)) == 1)
    pj_comparison_row_record_add_layer (record, (const char *) sqlite3_column_text (row, 0), sqlite3_column_double (row, 1));
  return more == 0;
}

static gboolean
read_rows (PjSession *self, PjComparisonRecord *comparison, GError **error)
{
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error,
    "SELECT id, method, ratio, macs, params, cut, recalibrated, tuned, speed, refusal, seed, start, answers"
    " FROM comparison_row"
    " WHERE comparison = ? ORDER BY id", "i", comparison->id);
  int more = -1;
  while (row != NULL && (more = pj_store_next (self, row, error)) == 1) {
    PjComparisonRowRecord *record = pj_comparison_row_record_new ((const char *) sqlite3_column_text (row, 1),
                                                                  sqlite3_column_double (row, 2));
    g_ptr_array_add (comparison->rows, record);
    record->macs = (uint64_t) sqlite3_column_int64 (row, 3);
    record->params = (uint64_t) sqlite3_column_int64 (row, 4);
    record->cut = sqlite3_column_double (row, 5);
    record->recalibrated = sqlite3_column_double (row, 6);
    record->tuned = sqlite3_column_double (row, 7);
    record->images_per_second = sqlite3_column_double (row, 8);
    record->refusal = pj_store_text (row, 9);
    record->seed = (uint64_t) sqlite3_column_int64 (row, 10);
    record->start = sqlite3_column_int (row, 11);
    record->answers = pj_store_bytes (row, 12, comparison->n_test * sizeof *record->answers);
    record->n_answers = record->answers != NULL ? comparison->n_test : 0;
    int64_t id = sqlite3_column_int64 (row, 0);
    if (!read_layers (self, record, id, error)
        || !pj_store_read_cuts (self, record->cuts, error,
                             "SELECT grp, ratio, n, keep, scale FROM row_cut WHERE row = ? ORDER BY position", id)
        || !pj_store_read_scores (self, record->scores, error,
                                  "SELECT grp, n, score, refusal FROM row_score WHERE row = ? ORDER BY position", id))
      return FALSE;
  }
  return more == 0;
}

static GPtrArray *
read_comparisons (PjSession *self, GError **error)
{
  g_autoptr (GPtrArray) comparisons = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_comparison_record_free);
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error,
    "SELECT id, step, job, time, title, base_macs, base_params, base_accuracy, base_speed, n_test, labels, answers, classes"
    " FROM comparison"
    " ORDER BY id", "");
  int more = -1;
  while (row != NULL && (more = pj_store_next (self, row, error)) == 1) {
    PjComparisonRecord *record = pj_comparison_record_new ((const char *) sqlite3_column_text (row, 4));
    g_ptr_array_add (comparisons, record);
    record->id = sqlite3_column_int64 (row, 0);
    record->step = sqlite3_column_int64 (row, 1);
    record->job = sqlite3_column_int64 (row, 2);
    record->time = sqlite3_column_int64 (row, 3);
    record->base_macs = (uint64_t) sqlite3_column_int64 (row, 5);
    record->base_params = (uint64_t) sqlite3_column_int64 (row, 6);
    record->base_accuracy = sqlite3_column_double (row, 7);
    record->base_images_per_second = sqlite3_column_double (row, 8);
    record->n_test = (unsigned) sqlite3_column_int64 (row, 9);
    record->labels = pj_store_bytes (row, 10, record->n_test * sizeof *record->labels);
    record->answers = pj_store_bytes (row, 11, record->n_test * sizeof *record->answers);
    record->classes = pj_store_text (row, 12);
    if (!read_rows (self, record, error))
      return NULL;
  }
  return more == 0 ? g_steal_pointer (&comparisons) : NULL;
}

GPtrArray *
pj_session_list_comparisons (PjSession *self, GError **error)
{
  pthread_mutex_lock (&self->lock);
  GPtrArray *comparisons = read_comparisons (self, error);
  pthread_mutex_unlock (&self->lock);
  return comparisons;
}
