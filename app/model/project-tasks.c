/* SPDX-License-Identifier: MIT */
/* Jobs, from a click to the engine thread and back.
 *
 *   main            pjm_task_new: a snapshot     pjm_task_start: its place in the queue, held
 *   files thread    the number of the step, known once what came before is written
 *   main            released
 *   engine thread   the work: stores its record, curve, checkpoints and steps itself
 *   main            the steps, the masks, the scores; then the job is shown as ended
 */
#include <glib/gi18n-lib.h>

#include "base/error.h"
#include "model/comparison-private.h"
#include "model/tasks-private.h"

static void
made_step_free (gpointer data)
{
  PjmMadeStep *made = data;
  pj_step_record_free (made->record);
  pjm_place_unref (made->place);
  g_free (made);
}

static void
task_free (gpointer data)
{
  PjmTask *self = data;
  g_clear_object (&self->job);
  g_clear_object (&self->comparison);
  g_clear_error (&self->no_step);
  g_free (self->device);
  g_free (self->device_id);
  pjm_step_id_unref (self->from_id);
  pjm_place_unref (self->place);
  pj_dataset_unref (self->dataset);
  g_free (self->data);
  pj_cut_plan_unref (self->masks);
  g_free (self->name);
  g_free (self->path);
  pj_work_train_clear (&self->train);
  pj_work_choose_clear (&self->choose);
  pj_work_compare_clear (&self->compare);
  pj_work_small_data_clear (&self->transfer);
  pj_work_done_clear (&self->cut);
  pj_work_done_clear (&self->done);
  pj_scores_free (self->scores);
  pjm_step_id_unref (self->teacher_id);
  pjm_follow_free_all (self->follow);
  g_free (self->chain);
  g_ptr_array_unref (self->made);
  pjm_store_unref (self->store);
  g_free (self);
}

void
pjm_task_free (PjmTask *self)
{
  task_free (self);
}

/* The step that stands there says it: a method may have marked channels while another criterion is shown. */
static const char *
who_marked (PjmProject *project)
{
  const PjStepRecord *record = pjm_step_record (project->current);
  return record->kind == PJ_STEP_MASKED && record->criterion != NULL ? g_intern_string (record->criterion)
                                                                     : project->criterion;
}

PjmTask *
pjm_task_new (PjmProject *project, const char *kind, const char *title, PjmTaskRun run, gboolean needs_data,
              gboolean makes_steps)
{
  if (!pjm_project_is_ready (project)) {
    pjm_project_fail (project, _("There is no network to work on"), _("Open one, or wait until it is read."));
    return NULL;
  }
  if (makes_steps && pjm_project_refuse_read_only (project))
    return NULL;
  if (needs_data && project->dataset == NULL) {
    pjm_project_fail (project, _("This needs pictures"), _("Drop a folder of pictures on the window first."));
    return NULL;
  }
  PjmTask *self = g_new0 (PjmTask, 1);
  self->project = project;
  self->job = pjm_job_new (kind, title);
  self->run = run;
  self->device = g_strdup (project->device);
  self->engine = project->engine;
  self->store = pjm_store_ref (project->store);
  self->from_id = pjm_step_id_ref (pjm_step_id (project->current));
  self->place = pjm_place_ref (project->place);
  self->dataset = project->dataset != NULL ? pj_dataset_ref (project->dataset) : NULL;
  self->data = g_strdup (project->data);
  self->criterion = project->criterion;
  self->chosen_by = who_marked (project);
  self->masks = pjm_project_get_masks (project);
  pjm_job_set_model (self->job, project->place->network->model);
  self->made = g_ptr_array_new_with_free_func (made_step_free);
  pj_work_train_init (&self->train);
  pj_work_choose_init (&self->choose);
  pj_work_compare_init (&self->compare);
  pj_work_small_data_init (&self->transfer);
  return self;
}

/* --- engine thread --- */

gboolean
pjm_task_note_step (PjmTask *self, gint64 id, PjGraph *graph, GError **error)
{
  PjmNetwork *network = self->place->network;
  PjSession *session = self->store->session;
  g_autoptr (PjGraph) owned = graph;
  g_autoptr (PjStepRecord) record = pj_session_get_step (session, id, error);
  if (record == NULL)
    return FALSE;
  g_autoptr (PjmPlace) place = NULL;
  if (record->model != network->model) {
    place = pjm_place_new (session, record->model, g_steal_pointer (&owned), self->criterion, error);
    if (place == NULL)
      return FALSE;
  }
  PjmMadeStep *made = g_new (PjmMadeStep, 1);
  *made = (PjmMadeStep) { g_steal_pointer (&record), g_steal_pointer (&place) };
  g_ptr_array_add (self->made, made);
  return TRUE;
}

gint64
pjm_task_newest_step (PjmTask *self)
{
  g_autoptr (GPtrArray) steps = pj_session_list_steps (self->store->session, NULL);
  gint64 newest = 0;
  for (guint i = 0; steps != NULL && i < steps->len; i++)
    newest = MAX (newest, ((PjStepRecord *) steps->pdata[i])->id);
  return newest;
}

gboolean
pjm_task_note_parts (PjmTask *self, gint64 newest, gint64 last, GError **error)
{
  g_autoptr (GPtrArray) steps = pj_session_list_steps (self->store->session, error);
  for (guint i = 0; steps != NULL && i < steps->len;) {
    const PjStepRecord *step = steps->pdata[i];
    if (step->id <= newest || step->id == last) {
      i++;
      continue;
    }
    /* Their networks are read when somebody goes there. */
    PjmMadeStep *made = g_new (PjmMadeStep, 1);
    *made = (PjmMadeStep) { g_ptr_array_steal_index (steps, i), NULL };
    g_ptr_array_add (self->made, made);
  }
  return steps != NULL;
}

/* Removes what is marked and goes on with the smaller network. */
static gboolean
cut_first (PjmTask *self, PjWork *work, PjGraph **cut, GError **error)
{
  *cut = pj_work_cut (work, self->place->network->groups, self->masks, self->chosen_by, PJM_SEED, NULL, &self->cut, error);
  if (*cut == NULL || !pjm_task_note_step (self, self->cut.step, pj_graph_ref (*cut), error))
    return FALSE;
  work->graph = *cut;
  work->step = self->cut.step;
  return TRUE;
}

typedef struct {
  PjmTask *task;
  const PjHooks *hooks;
} HooksData;

/* Sends a finished row of a comparison ahead: the table of this job, which is the last one if it is new. */
static void
post_comparison (const HooksData *self)
{
  g_autoptr (GPtrArray) all = pj_session_list_comparisons (self->task->store->session, NULL);
  guint i = all != NULL ? all->len : 0;
  while (i > 0 && self->task->resumes != 0 && ((PjComparisonRecord *) all->pdata[i - 1])->job != self->task->resumes)
    i--;
  if (i > 0)
    pj_task_post (self->hooks, g_ptr_array_steal_index (all, i - 1), (GDestroyNotify) pj_comparison_record_free);
}

static void
metric_cb (gpointer data, const char *series, double x, double y)
{
  HooksData *self = data;
  pj_hooks_metric (self->hooks, series, x, y);
  if (g_strcmp0 (series, "rows") == 0)
    post_comparison (self);
}

static void
progress_cb (gpointer data, const char *stage, double fraction)
{
  HooksData *self = data;
  self->hooks->progress (self->hooks->data, stage, fraction);
}

static gboolean
is_cancelled_cb (gpointer data)
{
  HooksData *self = data;
  return self->hooks->is_cancelled (self->hooks->data);
}

static gboolean
command_cb (PjCommand *command, gpointer data)
{
  PjmTask *self = data;
  PjmAsked *asked = pjm_job_take_asked (self->job);
  if (asked == NULL)
    return FALSE;
  const PjGroup *group = asked->group != NULL ? pj_groups_find (self->place->network->groups, asked->group) : NULL;
  command->kind = asked->group == NULL ? PJ_COMMAND_FINISH : asked->frozen ? PJ_COMMAND_FREEZE : PJ_COMMAND_THAW;
  command->group = group != NULL ? group->id : -1;
  pjm_asked_free (asked);
  return TRUE;
}

static gboolean
task_work (PjmTask *self, const PjHooks *hooks, GError **error)
{
  PjSession *session = self->store->session;
  PjWork work = {
    .device = pjm_engine_open (self->engine, self->device, error),
    .session = pj_session_is_read_only (session) ? NULL : session,
    .step = pj_session_is_read_only (session) ? 0 : self->step,
    .job = self->resumes,
    .graph = self->place->network->graph,
    .dataset = self->dataset,
    .data = self->data,
    .hooks = hooks,
    .command = command_cb,
    .command_data = self,
  };
  if (work.device == NULL)
    return FALSE;
  pjm_engine_set_hooks (self->engine, hooks);
  g_autoptr (PjGraph) cut = NULL;
  /* The record that others follow is that of the work, or of the cut if there is no more to do. */
  PjWork plain = work;
  work.follow = self->chain;
  work.after = self->after;
  if (self->cuts_first && !cut_first (self, self->only_cuts ? &work : &plain, &cut, error))
    return FALSE;
  if (self->cuts_first && !self->only_cuts) {
    work.graph = plain.graph;
    work.step = plain.step;
  }
  return self->run (self, &work, error);
}

static gboolean
task_run (gpointer data, const PjHooks *hooks, GError **error)
{
  PjmTask *self = data;
  g_autoptr (GError) reason = NULL;
  HooksData hooks_data = { self, hooks };
  if (self->no_step != NULL) {
    g_propagate_error (error, g_steal_pointer (&self->no_step));
    return FALSE;
  }
  PjHooks inner = { &hooks_data, progress_cb, metric_cb, is_cancelled_cb };
  gboolean ok = task_work (self, &inner, &reason);
  pjm_engine_set_hooks (self->engine, NULL);
  if (ok && self->done.step != 0)
    ok = pjm_task_note_step (self, self->done.step, NULL, &reason);
  if (!ok)
    self->lost = pjm_engine_check_lost (self->engine, reason);
  if (reason != NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  return ok;
}

/* --- back on the main thread --- */

static void
set_active (PjmProject *self, int change)
{
  gboolean was_busy = self->n_active > 0;
  self->n_active = (guint) ((int) self->n_active + change);
  if (was_busy != (self->n_active > 0))
    pjm_project_notify (self, PJM_PROP_BUSY);
}

/* What the job made, as the present state.  What a person marked meanwhile on the network that the job
 * began with is marked on the new one too. */
static void
show_made (PjmTask *self)
{
  PjmProject *project = self->project;
  g_autoptr (GPtrArray) meanwhile = NULL;
  if ((self->keeps_marks || pjm_step_id (project->current) != self->from_id) && project->place == self->place
      && pjm_project_has_masks (project))
    meanwhile = pjm_project_get_cuts (project);
  for (guint i = 0; i < self->made->len; i++) {
    PjmMadeStep *made = self->made->pdata[i];
    if (made->place != NULL)
      pjm_project_remember_place (project, made->place);
    pjm_project_add_stored_step (project, g_steal_pointer (&made->record));
  }
  if (self->made->len == 0)
    return;
  pjm_project_show_current (project);
  if (meanwhile != NULL && !project->loading && !pjm_project_has_masks (project)) {
    pjm_project_set_cuts (project, meanwhile);
    pjm_project_show_edits (project);
    pjm_project_commit (project, &(PjmMark) { PJM_MARK_AGAIN });
  }
}

static void
end_task (PjmTask *self, PjmJobState state, const char *error)
{
  PjmProject *project = self->project;
  gboolean here = !project->closed && self->store == project->store;
  if (project->scoring == self->job) {
    project->scoring = NULL;
    project->scoring_failed = state != PJM_JOB_DONE;
  }
  const PjWorkDone *done = self->done.job != 0 ? &self->done : &self->cut;
  if (done->job != 0)
    pjm_job_set_id (self->job, done->job);
  if (here)
    show_made (self);
  if (here && self->scores != NULL)
    pjm_project_take_scores (project, self->place, g_steal_pointer (&self->scores));
  gboolean can_resume = state != PJM_JOB_DONE && (self->done.job != 0 || self->resumes != 0)
                        && pjm_task_kind_can_resume (pjm_job_get_kind (self->job));
  /* What would have followed goes on with it. */
  if (can_resume && self->follow != NULL)
    pjm_job_set_follow (self->job, g_steal_pointer (&self->follow));
  pjm_job_end (self->job, state, error, done->text, can_resume);
  if (here && state == PJM_JOB_DONE)
    pjm_follow_start (project, g_steal_pointer (&self->follow), done->job);
  /* It was stopped, or failed: nobody waits for it any more. */
  if (here && state != PJM_JOB_DONE && !can_resume && self->after != 0)
    pjm_chain_drop (project, self->after);
  set_active (project, -1);
  if (state != PJM_JOB_FAILED || project->closed)
    return;
  if (self->lost) {
    pjm_project_device_failed (project, error);
  } else {
    g_autofree char *title = NULL;
    g_object_get (self->job, "title", &title, NULL);
    g_autofree char *headline = g_strdup_printf (_("“%s” failed"), title);
    pjm_project_fail (project, headline, error);
  }
}

static void
task_news (PjTask *queued, const PjTaskNews *news, gpointer user_data)
{
  PjmTask *self = pj_task_get_data (queued);
  g_autoptr (PjmProject) alive = g_object_ref (self->project);
  pjm_job_show_news (self->job, news);
  if (news->n_points > 0 && !alive->closed && g_str_equal (pjm_job_get_kind (self->job), "sensitivity"))
    pjm_project_sensitivity_changed (alive);
  for (size_t i = 0; i < news->n_items && self->comparison != NULL; i++)
    pjm_comparison_update (self->comparison, news->items[i], self->place->network->groups);
  if (news->state == PJ_TASK_DONE)
    end_task (self, PJM_JOB_DONE, NULL);
  else if (news->state == PJ_TASK_FAILED)
    end_task (self, PJM_JOB_FAILED, news->error->message);
  else if (news->state == PJ_TASK_CANCELLED)
    end_task (self, PJM_JOB_CANCELLED, NULL);
}

/* --- starting --- */

static gboolean
number_run (gpointer data, const PjHooks *hooks, GError **error)
{
  PjmTask *self = data;
  self->step = self->from_id->id;
  self->train.teacher_step = self->teacher_id != NULL ? (uint64_t) self->teacher_id->id : 0;
  if (self->step != 0)
    return TRUE;
  g_set_error_literal (error, PJ_ERROR, PJ_ERROR_IO, "the step that it starts from could not be stored");
  return FALSE;
}

/* Without the step it ends where all others do, in the line.  A closed project has no queue any more, and all of its
 * jobs have ended. */
static void
number_done (gpointer data, const GError *error, gpointer user_data)
{
  PjmTask *self = data;
  PjTask *queued = user_data;
  if (!self->project->closed) {
    /* Here, for a cancel may just have taken the list away. */
    g_free (self->chain);
    self->chain = pjm_follow_write (self->follow);
    self->no_step = error != NULL ? g_error_copy (error) : NULL;
    pj_task_release (queued);
  }
  pj_task_unref (queued);
}

PjmJob *
pjm_task_start (PjmTask *self)
{
  PjmProject *project = self->project;
  PjmJob *job = self->job;
  guint position;
  PjTask *queued = pj_job_queue_push_held (project->queue, task_run, self, task_free, task_news, NULL);
  pjm_job_set_task (job, queued);
  if (!g_list_store_find (project->jobs, job, &position))
    g_list_store_append (project->jobs, job);
  set_active (project, 1);
  pjm_write (project->files, number_run, self, NULL, number_done, pj_task_ref (queued));
  return job;
}
