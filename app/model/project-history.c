/* SPDX-License-Identifier: MIT */
/* The history in memory, which is ahead of the one in the session by what the files thread still has to
 * write.  A step is shown at once; its network may have to be read first. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/tasks-private.h"

/* Places that are kept beside the shown one. */
#define N_RECENT 4

static void
notify_history (PjmProject *self)
{
  pjm_project_notify (self, PJM_PROP_CAN_UNDO);
  pjm_project_notify (self, PJM_PROP_CAN_REDO);
  pjm_project_notify (self, PJM_PROP_UNDO_TITLE);
  pjm_project_notify (self, PJM_PROP_REDO_TITLE);
}

static void
set_current (PjmProject *self, PjmStep *step)
{
  if (self->current != NULL) {
    pjm_step_mark_way (self->current);
    pjm_step_set_current (self->current, FALSE);
  }
  self->current = step;
  if (step != NULL) {
    pjm_step_mark_way (step);
    pjm_step_set_current (step, TRUE);
  }
  notify_history (self);
}

static PjmStep *
find_step (GPtrArray *steps, gint64 id)
{
  for (guint i = 0; i < steps->len; i++)
    if (pjm_step_record (steps->pdata[i])->id == id)
      return steps->pdata[i];
  return NULL;
}

static PjmStep *
find_listed_step (PjmProject *self, gint64 id)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->steps)); i++) {
    g_autoptr (PjmStep) step = g_list_model_get_item (G_LIST_MODEL (self->steps), i);
    if (pjm_step_record (step)->id == id)
      return step;
  }
  return NULL;
}

void
pjm_project_set_history (PjmProject *self, GPtrArray *records, gint64 current, const GPtrArray *names, const GArray *deleted)
{
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func (g_object_unref);
  self->current = NULL;
  /* Parents are older than their children. */
  for (guint i = 0; i < records->len; i++)
    g_ptr_array_add (steps, pjm_step_new (records->pdata[i], find_step (steps, ((PjStepRecord *) records->pdata[i])->parent)));
  for (guint i = 0; i < steps->len; i++) {
    PjmStep *way = find_step (steps, pjm_step_record (steps->pdata[i])->way);
    pjm_step_set_notes (steps->pdata[i], names != NULL ? names->pdata[i] : NULL, deleted != NULL && g_array_index (deleted, gboolean, i));
    pjm_step_set_way (steps->pdata[i], way);
  }
  /* Redo does not lead to what was deleted. */
  for (guint i = 0; i < steps->len; i++)
    if (pjm_step_way (steps->pdata[i]) != NULL && pjm_step_is_deleted (pjm_step_way (steps->pdata[i])))
      pjm_step_set_way (steps->pdata[i], NULL);
  g_ptr_array_set_free_func (records, NULL);
  g_list_store_splice (self->steps, 0, g_list_model_get_n_items (G_LIST_MODEL (self->steps)), steps->pdata, steps->len);
  self->current = find_step (steps, current);
  if (self->current != NULL)
    pjm_step_set_current (self->current, TRUE);
  notify_history (self);
}

/* --- writing --- */

static void
report_written (gpointer data, const GError *error, gpointer user_data)
{
  g_autoptr (PjmProject) self = g_object_ref (user_data);
  if (error != NULL)
    pjm_project_fail (self, _("A change could not be stored"), error->message);
}

typedef struct {
  PjmStore *store;
  PjStepRecord *record;         /* NULL only goes to @id */
  PjmStepId *parent, *id;
  PjmStep *step;                /* main thread */
} StepWrite;

static void
step_write_free (gpointer data)
{
  StepWrite *self = data;
  pjm_store_unref (self->store);
  pj_step_record_free (self->record);
  pjm_step_id_unref (self->parent);
  pjm_step_id_unref (self->id);
  g_object_unref (self->step);
  g_free (self);
}

static void
step_written (gpointer data, const GError *error, gpointer user_data)
{
  StepWrite *self = data;
  if (error == NULL && self->record != NULL)
    pjm_step_set_number (self->step, self->record->id);
  report_written (data, error, user_data);
}

static gboolean
step_write_run (gpointer data, const PjHooks *hooks, GError **error)
{
  StepWrite *self = data;
  PjSession *session = self->store->session;
  gint64 place = self->record != NULL ? self->parent->id : self->id->id;
  /* A job may have ended meanwhile and moved on.  After a step that could not be stored, the next one follows
   * what is there. */
  if ((place != 0 || self->record == NULL) && pj_session_current_step (session) != place
      && !pj_session_go_to (session, place, error))
    return FALSE;
  if (self->record == NULL)
    return TRUE;
  if (!pj_session_add_step (session, self->record, error))
    return FALSE;
  self->id->id = self->record->id;
  return TRUE;
}

static void
write_step (PjmProject *self, PjStepRecord *record, PjmStep *parent, PjmStep *step)
{
  StepWrite *data = g_new0 (StepWrite, 1);
  data->store = pjm_store_ref (self->store);
  data->record = record;
  data->parent = parent != NULL ? pjm_step_id_ref (pjm_step_id (parent)) : NULL;
  data->id = pjm_step_id_ref (pjm_step_id (step));
  data->step = g_object_ref (step);
  pjm_write (self->files, step_write_run, data, step_write_free, step_written, self);
}

typedef struct {
  PjmStore *store;
  char *key, *text;
} MetaWrite;

static void
meta_write_free (gpointer data)
{
  MetaWrite *self = data;
  pjm_store_unref (self->store);
  g_free (self->key);
  g_free (self->text);
  g_free (self);
}

static gboolean
meta_write_run (gpointer data, const PjHooks *hooks, GError **error)
{
  MetaWrite *self = data;
  return pj_session_set_meta (self->store->session, self->key, self->text, error);
}

void
pjm_project_write_meta (PjmProject *self, const char *key, const char *text)
{
  if (self->store == NULL || self->read_only)
    return;
  MetaWrite *data = g_new0 (MetaWrite, 1);
  *data = (MetaWrite) { pjm_store_ref (self->store), g_strdup (key), g_strdup (text) };
  pjm_write (self->files, meta_write_run, data, meta_write_free, report_written, self);
}

gboolean
pjm_project_refuse_read_only (PjmProject *self)
{
  if (self->read_only)
    pjm_project_fail (self, _("This session cannot be changed"),
                      _("It is open in another window, or its file cannot be written. Copy the file to work on it."));
  return self->read_only;
}

/* --- new steps --- */

static gboolean
same_cuts (const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++) {
    const PjStoredCut *x = a->pdata[i], *y = NULL;
    for (guint k = 0; k < b->len && y == NULL; k++)
      if (strcmp (((PjStoredCut *) b->pdata[k])->group, x->group) == 0)
        y = b->pdata[k];
    if (y == NULL || x->ratio != y->ratio || x->n_channels != y->n_channels || memcmp (x->keep, y->keep, x->n_channels) != 0
        || (x->scale == NULL) != (y->scale == NULL)
        || (x->scale != NULL && memcmp (x->scale, y->scale, x->n_channels * sizeof (float)) != 0))
      return FALSE;
  }
  return TRUE;
}

static PjStepRecord *
make_record (PjmProject *self, const PjmMark *mark)
{
  PjmNetwork *network = self->place->network;
  PjStepRecord *record = pj_step_record_new (PJ_STEP_MASKED, network->model, "");
  pjm_mark_write (mark, record);
  record->time = g_get_real_time () / G_USEC_PER_SEC;
  record->detail = pjm_macs_text (network->cost.macs, self->cost_after.macs);
  record->criterion = g_strdup (self->criterion);
  g_ptr_array_unref (record->cuts);
  record->cuts = pjm_project_get_cuts (self);
  return record;
}

static PjmStep *
append_step (PjmProject *self, PjStepRecord *record, PjmStep *parent)
{
  g_autoptr (PjmStep) step = pjm_step_new (record, parent);
  g_list_store_append (self->steps, step);
  set_current (self, step);
  return step;
}

void
pjm_project_commit (PjmProject *self, const PjmMark *mark)
{
  PjStepRecord *record = make_record (self, mark);
  PjmStep *parent = self->current;
  if (same_cuts (record->cuts, pjm_step_record (parent)->cuts)) {
    pj_step_record_free (record);
    return;
  }
  PjmStep *step = append_step (self, record, parent);
  write_step (self, make_record (self, mark), parent, step);
}

void
pjm_project_commit_place (PjmProject *self, PjmPlace *place)
{
  PjStepRecord *records[2];
  PjmStep *parent = self->current;
  for (guint i = 0; i < 2; i++) {
    records[i] = make_record (self, &(PjmMark) { PJM_MARK_PREPARE });
    records[i]->model = place->network->model;
  }
  pjm_project_remember_place (self, place);
  PjmStep *step = append_step (self, records[0], parent);
  write_step (self, records[1], parent, step);
  pjm_project_show_current (self);
}

void
pjm_project_add_stored_step (PjmProject *self, PjStepRecord *record)
{
  PjmStep *step = append_step (self, record, find_listed_step (self, record->parent));
  /* Edits that were made while the job ran may be written after its step. */
  write_step (self, NULL, NULL, step);
}

/* --- showing a step --- */

void
pjm_project_remember_place (PjmProject *self, PjmPlace *place)
{
  g_ptr_array_remove (self->recent, place);
  g_ptr_array_add (self->recent, pjm_place_ref (place));
  if (self->recent->len > N_RECENT)
    g_ptr_array_remove_index (self->recent, 0);
}

static PjmPlace *
find_place (PjmProject *self, gint64 model)
{
  for (guint i = 0; i < self->recent->len; i++) {
    PjmPlace *place = self->recent->pdata[i];
    if (place->network->model == model)
      return place;
  }
  return NULL;
}

typedef struct {
  PjmProject *project;
  PjmStore *store;
  gint64 model;
  const char *criterion;
  guint serial;
  PjmPlace *place;
} LoadData;

static void
load_data_free (gpointer data)
{
  LoadData *self = data;
  pjm_store_unref (self->store);
  pjm_place_unref (self->place);
  g_free (self);
}

static gboolean
load_run (gpointer data, const PjHooks *hooks, GError **error)
{
  LoadData *self = data;
  self->place = pjm_place_new (self->store->session, self->model, NULL, self->criterion, error);
  return self->place != NULL;
}

static void
load_done (gpointer data, const GError *error, gpointer user_data)
{
  LoadData *self = data;
  g_autoptr (PjmProject) project = g_object_ref (self->project);
  /* Only the step that was asked for last is shown. */
  if (project->closed || self->serial != project->load_serial || self->store != project->store)
    return;
  /* Without its network there is nothing to edit here; the way to other steps is open. */
  if (error != NULL) {
    g_clear_object (&project->going_on);
    pjm_project_fail (project, _("This step cannot be shown; go to another one"), error->message);
    return;
  }
  project->loading = FALSE;
  pjm_project_remember_place (project, self->place);
  pjm_project_install (project, self->place);
  pjm_chain_loaded (project);
}

static void
load_network (PjmProject *self, gint64 model)
{
  LoadData *data = g_new0 (LoadData, 1);
  data->project = self;
  data->store = pjm_store_ref (self->store);
  data->model = model;
  data->criterion = self->criterion;
  data->serial = ++self->load_serial;
  self->loading = TRUE;
  pjm_write (self->files, load_run, data, load_data_free, load_done, NULL);
}

/* Brings what is shown in line with the current step. */
void
pjm_project_show_current (PjmProject *self)
{
  gint64 model = pjm_step_record (self->current)->model;
  if (self->place->network->model == model) {
    self->load_serial++;
    self->loading = FALSE;
    pjm_project_set_cuts (self, pjm_step_record (self->current)->cuts);
    pjm_project_show_edits (self);
    return;
  }
  PjmPlace *place = find_place (self, model);
  if (place == NULL) {
    load_network (self, model);
    return;
  }
  self->load_serial++;
  self->loading = FALSE;
  pjm_project_install (self, place);
}

static void
go_to_step (PjmProject *self, PjmStep *step)
{
  if (step == NULL || step == self->current || self->closed || self->place == NULL || pjm_project_refuse_read_only (self))
    return;
  g_clear_object (&self->going_on);
  set_current (self, step);
  write_step (self, NULL, NULL, step);
  pjm_project_show_current (self);
}

void
pjm_project_go_to_step (PjmProject *self, PjmStep *step)
{
  go_to_step (self, step);
}

void
pjm_project_undo (PjmProject *self)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  if (self->current != NULL)
    go_to_step (self, pjm_step_parent (self->current));
}

void
pjm_project_redo (PjmProject *self)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  if (self->current != NULL)
    go_to_step (self, pjm_step_way (self->current));
}

void
pjm_project_go_to (PjmProject *self, guint index)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  g_autoptr (PjmStep) step = g_list_model_get_item (G_LIST_MODEL (self->steps), index);
  go_to_step (self, step);
}
