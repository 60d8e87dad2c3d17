/* SPDX-License-Identifier: MIT */
/* Opening and closing.  Everything is read, checked and laid out on the files thread; only when all of it
 * is there does it replace what was open. */
#include <glib/gi18n-lib.h>
#include <unistd.h>

#include "base/error.h"
#include "io/onnx.h"
#include "model/comparison-private.h"
#include "model/tasks-private.h"
#include "model/work-open.h"
#include "prune/criterion.h"
#include "session/model.h"

#define SAMPLE_NAME "sample"

/* A stored comparison with the groups that its masks name. */
typedef struct {
  PjComparisonRecord *record;
  PjGroups *groups;
} FoundComparison;

typedef struct {
  PjmProject *project;
  char *path, *state_dir, *open_path;   /* @open_path: (nullable): the session that is open now */
  PjmNetwork *network;                  /* (nullable): what is shown now, for data that must fit it */
  GCancellable *cancellable;
  gulong handler;

  /* What was found. */
  gboolean is_data, is_same;
  char *made;                           /* session file that this call made */
  PjSession *session;
  GPtrArray *steps, *jobs, *points, *comparisons;
  gint64 current;
  PjmPlace *place;
  PjDataset *dataset;
  char *where, *data_error;
  const char *criterion;
} Opening;

static void
found_comparison_free (gpointer data)
{
  FoundComparison *self = data;
  pj_comparison_record_free (self->record);
  pj_groups_unref (self->groups);
  g_free (self);
}

static void
opening_free (gpointer data)
{
  Opening *self = data;
  g_clear_object (&self->cancellable);
  g_free (self->path);
  g_free (self->state_dir);
  g_free (self->open_path);
  g_free (self->made);
  g_free (self->where);
  g_free (self->data_error);
  pjm_network_unref (self->network);
  pjm_place_unref (self->place);
  pj_dataset_unref (self->dataset);
  pj_session_close (self->session);
  g_clear_pointer (&self->steps, g_ptr_array_unref);
  g_clear_pointer (&self->jobs, g_ptr_array_unref);
  g_clear_pointer (&self->points, g_ptr_array_unref);
  g_clear_pointer (&self->comparisons, g_ptr_array_unref);
  g_free (self);
}

/* --- files thread: reading a session --- */

static gboolean
read_steps (Opening *self, GError **error)
{
  self->current = pj_session_current_step (self->session);
  if (self->current == 0) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "session “%s” holds no network yet",
                 pj_session_path (self->session));
    return FALSE;
  }
  g_autoptr (GPtrArray) all = pj_session_list_steps (self->session, error);
  self->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_step_record_free);
  for (guint i = 0; all != NULL && i < all->len; i++) {
    PjStepRecord *step = pj_session_get_step (self->session, ((PjStepRecord *) all->pdata[i])->id, error);
    if (step == NULL)
      return FALSE;
    g_ptr_array_add (self->steps, step);
  }
  return all != NULL;
}

static gboolean
read_jobs (Opening *self, GError **error)
{
  self->jobs = pj_session_list_jobs (self->session, error);
  self->points = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  for (guint i = 0; self->jobs != NULL && i < self->jobs->len; i++) {
    GArray *points = pj_session_get_points (self->session, ((PjJobRecord *) self->jobs->pdata[i])->id, error);
    if (points == NULL)
      return FALSE;
    g_ptr_array_add (self->points, points);
  }
  return self->jobs != NULL;
}

static gint64
model_of_step (Opening *self, gint64 step)
{
  for (guint i = 0; i < self->steps->len; i++)
    if (((PjStepRecord *) self->steps->pdata[i])->id == step)
      return ((PjStepRecord *) self->steps->pdata[i])->model;
  return 0;
}

/* The groups of a model of the session; a few comparisons share one. (transfer full) */
static PjGroups *
groups_of_model (Opening *self, GHashTable *known, gint64 model, GError **error)
{
  PjGroups *groups = model == self->place->network->model ? self->place->network->groups
                                                          : g_hash_table_lookup (known, &model);
  if (groups != NULL)
    return pj_groups_ref (groups);
  g_autoptr (PjGraph) graph = pj_session_get_graph (self->session, model, error);
  if (graph == NULL)
    return NULL;
  groups = pj_groups_new (graph);
  g_hash_table_insert (known, g_memdup2 (&model, sizeof model), pj_groups_ref (groups));
  return groups;
}

static gboolean
read_comparisons (Opening *self, GError **error)
{
  g_autoptr (GPtrArray) records = pj_session_list_comparisons (self->session, error);
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) pj_groups_unref);
  self->comparisons = g_ptr_array_new_with_free_func (found_comparison_free);
  while (records != NULL && records->len > 0) {
    FoundComparison *found = g_new0 (FoundComparison, 1);
    g_ptr_array_add (self->comparisons, found);
    found->record = g_ptr_array_steal_index (records, 0);
    found->groups = groups_of_model (self, known, model_of_step (self, found->record->step), error);
    if (found->groups == NULL)
      return FALSE;
  }
  return records != NULL;
}

/* Data that is gone is no reason to keep the session shut. */
static void
read_data (Opening *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *where = pj_session_get_meta (self->session, PJ_META_DATA);
  if (where == NULL)
    return;
  self->dataset = pj_work_open_data (where, &error);
  if (self->dataset != NULL)
    self->where = g_steal_pointer (&where);
  else
    self->data_error = g_strdup (error->message);
}

static gboolean
read_session (Opening *self, const PjHooks *hooks, GError **error)
{
  g_autofree char *criterion = pj_session_get_meta (self->session, "criterion");
  self->criterion = g_intern_string (criterion != NULL && pj_criterion_find (criterion) != NULL ? criterion
                                                                                                : PJM_DEFAULT_CRITERION);
  if (!read_steps (self, error) || !pj_hooks_go_on (hooks, error))
    return FALSE;
  self->place = pjm_place_new (self->session, model_of_step (self, self->current), NULL, self->criterion, error);
  if (self->place == NULL || !pj_hooks_go_on (hooks, error) || !read_jobs (self, error) || !read_comparisons (self, error))
    return FALSE;
  read_data (self);
  return pj_hooks_go_on (hooks, error);
}

/* --- files thread: a new session --- */

/* "…/name.penjing", or "…/name 2.penjing" if that is taken. (transfer full) */
static char *
free_path (const char *folder, const char *name)
{
  g_autofree char *first = g_strdup_printf ("%s.penjing", name);
  char *path = g_build_filename (folder, first, NULL);
  for (int i = 2; g_file_test (path, G_FILE_TEST_EXISTS); i++) {
    g_autofree char *base = g_strdup_printf ("%s %d.penjing", name, i);
    g_free (path);
    path = g_build_filename (folder, base, NULL);
  }
  return path;
}

/* @graph: (transfer full) */
static gboolean
make_session (Opening *self, PjGraph *graph, const char *name, const char *origin, GError **error)
{
  g_autoptr (PjGraph) owned = graph;
  int64_t step;
  if (g_mkdir_with_parents (self->state_dir, 0700) < 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "the folder “%s” for sessions cannot be made", self->state_dir);
    return FALSE;
  }
  self->made = free_path (self->state_dir, name);
  self->session = pj_session_open (self->made, PJ_SESSION_CREATE, error);
  return self->session != NULL && pj_work_import (self->session, graph, origin, &step, error);
}

static gboolean
open_onnx (Opening *self, GError **error)
{
  g_autofree char *base = g_path_get_basename (self->path);
  char *dot = g_strrstr (base, ".");
  if (dot != NULL && dot > base)
    *dot = '\0';
  PjGraph *graph = pj_onnx_import (self->path, NULL, error);
  return graph != NULL && make_session (self, graph, base, self->path, error);
}

/* The sample session of an earlier time, or a new one. */
static gboolean
open_sample (Opening *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->state_dir, SAMPLE_NAME ".penjing", NULL);
  self->session = g_file_test (path, G_FILE_TEST_EXISTS) ? pj_session_open (path, 0, NULL) : NULL;
  if (self->session != NULL && pj_session_current_step (self->session) != 0)
    return TRUE;
  g_clear_pointer (&self->session, pj_session_close);
  PjGraph *graph = pj_work_open_sample (error);
  return graph != NULL && make_session (self, graph, SAMPLE_NAME, SAMPLE_NAME, error)
         && pj_session_set_meta (self->session, PJ_META_DATA, SAMPLE_NAME, error);
}

static gboolean
open_data (Opening *self, GError **error)
{
  PjFormat format;
  self->is_data = TRUE;
  if (self->network == NULL) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "“%s” is a folder of pictures: open a network first, then its pictures",
                 self->path);
    return FALSE;
  }
  self->dataset = pj_work_open_data (self->path, error);
  self->where = g_strdup (self->path);
  return self->dataset != NULL && pj_dataset_format_for (self->dataset, self->network->graph, TRUE, &format, error);
}

static gboolean
is_open_already (const Opening *self)
{
  g_autofree char *real = realpath (self->path, NULL);
  return real != NULL && g_strcmp0 (real, self->open_path) == 0;
}

static gboolean
open_any (Opening *self, const PjHooks *hooks, GError **error)
{
  PjFileKind kind = PJ_FILE_ONNX;
  if (self->path != NULL && !pj_work_detect (self->path, &kind, error))
    return FALSE;
  if (self->path == NULL)
    return open_sample (self, error) && read_session (self, hooks, error);
  switch (kind) {
  case PJ_FILE_DATA:
    return open_data (self, error);
  case PJ_FILE_SESSION:
    self->is_same = is_open_already (self);
    if (self->is_same)
      return TRUE;
    self->session = pj_session_open (self->path, 0, error);
    return self->session != NULL && read_session (self, hooks, error);
  case PJ_FILE_ONNX:
    break;
  }
  return open_onnx (self, error) && read_session (self, hooks, error);
}

static gboolean
opening_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Opening *self = data;
  if (open_any (self, hooks, error))
    return TRUE;
  /* A session that holds nothing is not left behind. */
  g_clear_pointer (&self->session, pj_session_close);
  if (self->made != NULL)
    unlink (self->made);
  return FALSE;
}

/* --- main thread --- */

static void
set_data (PjmProject *self, PjDataset *dataset, const char *where)
{
  g_clear_pointer (&self->dataset, pj_dataset_unref);
  self->dataset = dataset != NULL ? pj_dataset_ref (dataset) : NULL;
  g_free (self->data);
  self->data = g_strdup (where);
  pjm_project_notify (self, PJM_PROP_DATA_NAME);
}

static void
replace_jobs (PjmProject *self, const Opening *found)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_old = g_list_model_get_n_items (G_LIST_MODEL (self->jobs));
  for (guint i = 0; i < n_old; i++) {
    g_autoptr (PjmJob) job = g_list_model_get_item (G_LIST_MODEL (self->jobs), i);
    pjm_job_cancel (job);
  }
  for (guint i = 0; i < found->jobs->len; i++) {
    const PjJobRecord *record = found->jobs->pdata[i];
    g_autofree char *title = pjm_job_title (record);
    gboolean can_resume = !self->read_only && pj_work_can_resume (record);
    g_ptr_array_add (jobs, pjm_job_new_stored (record, title, found->points->pdata[i], can_resume));
  }
  g_list_store_splice (self->jobs, 0, n_old, jobs->pdata, jobs->len);
}

static void
replace_comparisons (PjmProject *self, const Opening *found)
{
  g_list_store_remove_all (self->comparisons);
  for (guint i = 0; i < found->comparisons->len; i++) {
    const FoundComparison *one = found->comparisons->pdata[i];
    g_autoptr (PjmComparison) comparison = pjm_comparison_new (one->record->title);
    pjm_comparison_update (comparison, one->record, one->groups);
    g_list_store_append (self->comparisons, comparison);
  }
}

/* Puts the session that was found in the place of what was open. */
static void
take_session (PjmProject *self, Opening *found)
{
  g_object_freeze_notify (G_OBJECT (self));
  pjm_store_unref (self->store);
  self->read_only = pj_session_is_read_only (found->session);
  self->store = pjm_store_new (g_steal_pointer (&found->session), self->files);
  self->criterion = found->criterion;
  self->scoring = NULL;
  self->loading = FALSE;
  self->load_serial++;
  replace_jobs (self, found);
  replace_comparisons (self, found);
  pjm_project_set_history (self, found->steps, found->current);
  set_data (self, found->dataset, found->where);
  g_ptr_array_set_size (self->recent, 0);
  pjm_project_remember_place (self, found->place);
  pjm_project_notify (self, PJM_PROP_PATH);
  pjm_project_notify (self, PJM_PROP_READ_ONLY);
  pjm_project_notify (self, PJM_PROP_CRITERION);
  pjm_project_install (self, found->place);
  g_object_thaw_notify (G_OBJECT (self));
  if (found->data_error != NULL)
    pjm_project_fail (self, _("The pictures of this session are not there"), found->data_error);
}

static void
take_data (PjmProject *self, const Opening *found)
{
  set_data (self, found->dataset, found->where);
  pjm_project_write_meta (self, PJ_META_DATA, found->where);
  pjm_project_reset_preview (self);
  pjm_project_preview (self);
}

static void
opening_news (PjTask *queued, const PjTaskNews *news, gpointer user_data)
{
  Opening *found = pj_task_get_data (queued);
  GTask *task = user_data;
  g_autoptr (PjmProject) self = g_object_ref (found->project);
  if (news->state < PJ_TASK_DONE)
    return;
  if (found->handler != 0)
    g_cancellable_disconnect (found->cancellable, found->handler);
  self->opening = FALSE;
  if (news->state == PJ_TASK_DONE && !self->closed) {
    if (found->is_data)
      take_data (self, found);
    else if (!found->is_same)
      take_session (self, found);
  }
  pjm_project_notify (self, PJM_PROP_OPENING);
  if (news->state == PJ_TASK_DONE)
    g_task_return_boolean (task, TRUE);
  else if (news->state == PJ_TASK_CANCELLED)
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "%s", news->error->message);
  else
    g_task_return_error (task, g_error_copy (news->error));
  g_object_unref (task);
}

static void
cancelled_cb (GCancellable *cancellable, gpointer queued)
{
  pj_task_cancel (queued);
}

void
pjm_project_open_async (PjmProject *self, const char *path, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, pjm_project_open_async);
  /* Our own answer, so that a cancel that came too late is no error. */
  g_task_set_check_cancellable (task, FALSE);
  if (self->closed || self->opening || g_cancellable_is_cancelled (cancellable)) {
    g_task_return_new_error (task, G_IO_ERROR, self->opening ? G_IO_ERROR_BUSY : G_IO_ERROR_CANCELLED, "%s",
                             self->opening ? _("Something else is just being opened") : _("Cancelled"));
    g_object_unref (task);
    return;
  }
  Opening *data = g_new0 (Opening, 1);
  data->project = self;
  data->path = g_strdup (path);
  data->state_dir = g_strdup (self->state_dir);
  data->open_path = self->store != NULL ? g_strdup (pj_session_path (self->store->session)) : NULL;
  data->network = self->place != NULL ? pjm_network_ref (self->place->network) : NULL;
  self->opening = TRUE;
  pjm_project_notify (self, PJM_PROP_OPENING);
  PjTask *queued = pj_job_queue_push (self->files, opening_run, data, opening_free, opening_news, task);
  if (cancellable != NULL) {
    data->cancellable = g_object_ref (cancellable);
    data->handler = g_cancellable_connect (cancellable, G_CALLBACK (cancelled_cb), queued, NULL);
  }
}

gboolean
pjm_project_open_finish (PjmProject *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- closing --- */

/* Engine first: what its jobs leave to write goes to the files thread, which then closes the session. */
void
pjm_project_stop (PjmProject *self)
{
  if (self->closed)
    return;
  self->closed = TRUE;
  pj_job_queue_stop (self->queue);
  g_clear_pointer (&self->queue, pj_job_queue_free);
  g_clear_pointer (&self->engine, pjm_engine_free);
  g_list_store_remove_all (self->layers);
  pjm_edits_free (self->edits, self->place != NULL ? pj_groups_n (self->place->network->groups) : 0);
  self->edits = NULL;
  g_clear_pointer (&self->place, pjm_place_unref);
  g_ptr_array_set_size (self->recent, 0);
  g_clear_pointer (&self->dataset, pj_dataset_unref);
  g_clear_pointer (&self->data, g_free);
  self->current = NULL;
  g_clear_pointer (&self->store, pjm_store_unref);
  pj_job_queue_stop (self->files);
  g_clear_pointer (&self->files, pj_job_queue_free);
}

static gboolean
close_later (gpointer data)
{
  pjm_project_stop (data);
  return G_SOURCE_REMOVE;
}

void
pjm_project_close (PjmProject *self)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  if (self->closed)
    return;
  if (!pj_job_queue_is_draining (self->queue) && !pj_job_queue_is_draining (self->files)) {
    pjm_project_stop (self);
    return;
  }
  /* A listener closes: the news that it is just told must first reach everybody. */
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_callback (source, close_later, g_object_ref (self), g_object_unref);
  g_source_attach (source, context);
}
