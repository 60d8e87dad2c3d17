/* SPDX-License-Identifier: MIT */
/* Opening and closing: what opening.c found takes the place of what was open. */
#include <glib/gi18n-lib.h>

#include "model/engine-text.h"
#include "model/comparison-private.h"
#include "model/opening-private.h"
#include "model/tasks-private.h"

static void
set_data (PjmProject *self, PjDataset *dataset, const char *where)
{
  self->scoring_failed = FALSE;
  g_clear_pointer (&self->dataset, pj_dataset_unref);
  self->dataset = dataset != NULL ? pj_dataset_ref (dataset) : NULL;
  g_free (self->data);
  self->data = g_strdup (where);
  pjm_project_notify (self, PJM_PROP_DATA_NAME);
}

static void
replace_jobs (PjmProject *self, const PjmOpening *found)
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
    gboolean dismissed = g_hash_table_contains (found->dismissed, &record->id);
    gboolean can_resume = !self->read_only && (pj_work_can_resume (record)
                                               || (!dismissed && pjm_chain_is_open (found->jobs, record)));
    PjmJob *job = pjm_job_new_stored (record, title, found->points->pdata[i], can_resume);
    pjm_chain_take_stored (job, record);
    for (guint s = 0; s < found->steps->len; s++) {
      const PjStepRecord *step = found->steps->pdata[s];
      if (step->id == record->step)
        pjm_job_set_model (job, step->model);
    }
    pjm_job_set_dismissed (job, dismissed);
    g_ptr_array_add (jobs, job);
  }
  g_list_store_splice (self->jobs, 0, n_old, jobs->pdata, jobs->len);
}

/* The title of a comparison is that of its job. (transfer full) */
static char *
comparison_title (const PjmOpening *found, const PjComparisonRecord *record)
{
  for (guint i = 0; i < found->jobs->len; i++) {
    const PjJobRecord *job = found->jobs->pdata[i];
    if (job->id == record->job)
      return pjm_job_title (job);
  }
  return g_strdup (record->title);
}

static void
replace_comparisons (PjmProject *self, const PjmOpening *found)
{
  g_list_store_remove_all (self->comparisons);
  for (guint i = 0; i < found->comparisons->len; i++) {
    const PjmFoundComparison *one = found->comparisons->pdata[i];
    g_autofree char *title = comparison_title (found, one->record);
    g_autoptr (PjmComparison) comparison = pjm_comparison_new (title);
    pjm_comparison_update (comparison, one->record, one->groups);
    g_list_store_append (self->comparisons, comparison);
  }
}

/* Puts the session that was found in the place of what was open. */
static void
take_session (PjmProject *self, PjmOpening *found)
{
  g_object_freeze_notify (G_OBJECT (self));
  pjm_store_unref (self->store);
  self->read_only = pj_session_is_read_only (found->session);
  self->store = pjm_store_new (g_steal_pointer (&found->session), self->files);
  self->criterion = found->criterion;
  self->scoring = NULL;
  g_clear_object (&self->going_on);
  self->loading = FALSE;
  self->load_serial++;
  replace_jobs (self, found);
  replace_comparisons (self, found);
  pjm_project_set_history (self, found->steps, found->current, found->step_names, found->step_deleted);
  pjm_project_load_view (self, found->view);
  g_free (self->remarks);
  self->remarks = g_steal_pointer (&found->remarks);
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
take_data (PjmProject *self, const PjmOpening *found)
{
  set_data (self, found->dataset, found->where);
  pjm_project_write_meta (self, PJ_META_DATA, found->where);
  pjm_project_reset_preview (self);
  pjm_project_preview (self);
  pjm_project_forget_look (self);
  pjm_project_emit_looked (self);
  pjm_project_read_data (self);
}

static void
opening_news (PjTask *queued, const PjTaskNews *news, gpointer user_data)
{
  PjmOpening *found = pj_task_get_data (queued);
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
  PjmOpening *data = g_new0 (PjmOpening, 1);
  data->project = self;
  data->path = g_strdup (path);
  data->state_dir = g_strdup (self->state_dir);
  data->open_path = self->store != NULL ? g_strdup (pj_session_path (self->store->session)) : NULL;
  data->network = self->place != NULL ? pjm_network_ref (self->place->network) : NULL;
  self->opening = TRUE;
  pjm_project_notify (self, PJM_PROP_OPENING);
  PjTask *queued = pj_job_queue_push (self->files, pjm_opening_run, data, pjm_opening_free, opening_news, task);
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
  pjm_project_forget_look (self);
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

char **
pjm_project_list_remarks (PjmProject *self)
{
  char **remarks = g_strsplit (self->remarks != NULL ? self->remarks : "", "\n", -1);
  for (char **one = remarks; *one != NULL; one++) {
    char *english = *one;
    *one = pjm_engine_text (english);
    g_free (english);
  }
  return remarks;
}
