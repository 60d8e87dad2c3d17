/* SPDX-License-Identifier: MIT */
/* What a person does with steps as a whole: naming, deleting, comparing; and what is on the screen, which is stored
 * with them.  A deleted step is only marked: whatever was stored can be brought back. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/project-private.h"
#include "model/work-open.h"
#include "model/work-train.h"
#include "prune/compare/jury.h"
#include "session/model.h"

/* --- names and deleting --- */

typedef struct {
  PjmStore *store;
  PjmStepId *id;
  const char *prefix;
  char *text;                   /* NULL removes */
} NoteWrite;

static void
note_write_free (gpointer data)
{
  NoteWrite *self = data;
  pjm_store_unref (self->store);
  pjm_step_id_unref (self->id);
  g_free (self->text);
  g_free (self);
}

static gboolean
note_write_run (gpointer data, const PjHooks *hooks, GError **error)
{
  NoteWrite *self = data;
  g_autofree char *key = g_strdup_printf ("%s %" G_GINT64_FORMAT, self->prefix, self->id->id);
  /* A step that could not be stored has no number and no notes either. */
  return self->id->id == 0 || pj_session_set_meta (self->store->session, key, self->text, error);
}

static void
note_written (gpointer data, const GError *error, gpointer user_data)
{
  g_autoptr (PjmProject) self = g_object_ref (user_data);
  if (error != NULL)
    pjm_project_fail (self, _("A change could not be stored"), error->message);
}

static void
write_note (PjmProject *self, PjmStep *step, const char *prefix, const char *text)
{
  NoteWrite *data = g_new0 (NoteWrite, 1);
  *data = (NoteWrite) { pjm_store_ref (self->store), pjm_step_id_ref (pjm_step_id (step)), prefix, g_strdup (text) };
  pjm_write (self->files, note_write_run, data, note_write_free, note_written, self);
}

void
pjm_project_name_step (PjmProject *self, PjmStep *step, const char *name)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && PJM_IS_STEP (step));
  if (self->closed || self->store == NULL || pjm_project_refuse_read_only (self))
    return;
  g_autofree char *stripped = g_strstrip (g_strdup (name != NULL ? name : ""));
  const char *text = *stripped != '\0' ? stripped : NULL;
  pjm_step_set_notes (step, text, pjm_step_is_deleted (step));
  write_note (self, step, PJM_META_STEP_NAME, text);
}

static gboolean
leads_to (PjmStep *ancestor, PjmStep *step)
{
  while (step != NULL && step != ancestor)
    step = pjm_step_parent (step);
  return step == ancestor;
}

static void
mark (PjmProject *self, PjmStep *step, gboolean deleted, guint *n)
{
  g_autofree char *name = NULL;
  if (pjm_step_is_deleted (step) == deleted)
    return;
  g_object_get (step, "name", &name, NULL);
  pjm_step_set_notes (step, name, deleted);
  write_note (self, step, PJM_META_STEP_DELETED, deleted ? "yes" : NULL);
  (*n)++;
}

guint
pjm_project_delete_step (PjmProject *self, PjmStep *step, gboolean deleted)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && PJM_IS_STEP (step), 0);
  PjmStep *parent = pjm_step_parent (step);
  guint count = 0, n = g_list_model_get_n_items (G_LIST_MODEL (self->steps));
  if (self->closed || self->store == NULL || pjm_project_refuse_read_only (self))
    return 0;
  if (deleted && parent == NULL) {
    pjm_project_fail (self, _("The first step cannot be deleted"), _("It is the network that everything else starts from."));
    return 0;
  }
  if (deleted && leads_to (step, self->current))
    pjm_project_go_to_step (self, parent);
  for (guint i = 0; i < n; i++) {
    g_autoptr (PjmStep) other = g_list_model_get_item (G_LIST_MODEL (self->steps), i);
    if (leads_to (step, other) || (!deleted && leads_to (other, step)))
      mark (self, other, deleted, &count);
  }
  if (deleted && pjm_step_way (parent) == step)
    pjm_step_set_way (parent, NULL);
  pjm_project_notify (self, PJM_PROP_CAN_REDO);
  pjm_project_notify (self, PJM_PROP_REDO_TITLE);
  return count;
}

/* --- comparing --- */

void
pjm_step_diff_free (PjmStepDiff *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->groups);
  g_clear_pointer (&self->classes, g_array_unref);
  g_strfreev (self->names);
  g_free (self);
}

static void
group_diff_free (gpointer data)
{
  PjmGroupDiff *self = data;
  g_free (self->name);
  g_free (self);
}

typedef struct {
  PjmStore *store;
  char *data;
  PjmStepId *ids[2];
  PjmStepDiff *diff;
  GTask *task;
} Comparing;

static void
comparing_free (gpointer data)
{
  Comparing *self = data;
  pjm_store_unref (self->store);
  g_free (self->data);
  pjm_step_id_unref (self->ids[0]);
  pjm_step_id_unref (self->ids[1]);
  pjm_step_diff_free (self->diff);
  g_object_unref (self->task);
  g_free (self);
}

static const PjStoredCut *
find_cut (const GPtrArray *cuts, const char *group)
{
  for (guint i = 0; i < cuts->len; i++)
    if (strcmp (((const PjStoredCut *) cuts->pdata[i])->group, group) == 0)
      return cuts->pdata[i];
  return NULL;
}

static PjmGroupDiff *
find_diff (PjmStepDiff *diff, const char *name)
{
  for (guint i = 0; i < diff->groups->len; i++)
    if (strcmp (((PjmGroupDiff *) diff->groups->pdata[i])->name, name) == 0)
      return diff->groups->pdata[i];
  PjmGroupDiff *fresh = g_new0 (PjmGroupDiff, 1);
  fresh->name = g_strdup (name);
  g_ptr_array_add (diff->groups, fresh);
  return fresh;
}

static void
count_group (PjmStepDiff *diff, int side, const PjGroup *group, const PjStoredCut *cut)
{
  PjmGroupDiff *entry = find_diff (diff, group->name);
  gboolean fits = cut != NULL && cut->n_channels == (unsigned) group->n_channels;
  entry->channels[side] = (guint) group->n_channels;
  for (int c = 0; c < group->n_channels; c++)
    entry->kept[side] += !fits || cut->keep[c];
}

/* Both were evaluated on the same pictures. */
static gboolean
same_pictures (const PjAnswersRecord *a, const PjAnswersRecord *b)
{
  return a != NULL && b != NULL && a->n == b->n && g_strcmp0 (a->data, b->data) == 0
         && g_strcmp0 (a->classes, b->classes) == 0 && memcmp (a->labels, b->labels, a->n * sizeof *a->labels) == 0;
}

static void
compare_answers (PjmStepDiff *diff, PjAnswersRecord *const answers[2])
{
  if (!same_pictures (answers[0], answers[1]))
    return;
  const uint16_t *labels = answers[0]->labels, *a = answers[0]->answers, *b = answers[1]->answers;
  diff->names = g_strsplit (answers[0]->classes, "\n", -1);
  guint n_names = g_strv_length (diff->names);
  diff->n_test = answers[0]->n;
  for (guint i = 0; i < diff->n_test; i++) {
    diff->n_changed += a[i] != b[i];
    diff->n_lost += a[i] != b[i] && a[i] == labels[i];
    diff->n_won += a[i] != b[i] && b[i] == labels[i];
  }
  g_autoptr (GArray) changes = pj_class_changes_new (labels, a, b, diff->n_test, n_names);
  diff->classes = g_array_new (FALSE, FALSE, sizeof (PjmClassChange));
  for (guint i = 0; i < changes->len; i++) {
    const PjClassChange *from = &g_array_index (changes, PjClassChange, i);
    PjmClassChange change = { diff->names[from->label], from->n, from->base, from->changed };
    g_array_append_val (diff->classes, change);
  }
}

/* -1 without answers. */
static double
share_right (const PjAnswersRecord *answers)
{
  guint n = 0;
  if (answers == NULL || answers->n == 0)
    return -1.0;
  for (guint i = 0; i < answers->n; i++)
    n += answers->answers[i] == answers->labels[i];
  return (double) n / answers->n;
}

/* Masks of one step, the channels of each group and what it costs. */
static gboolean
read_side (Comparing *self, int side, GPtrArray *cuts_of[2], PjAnswersRecord *answers[2], GError **error)
{
  PjSession *session = self->store->session;
  g_autoptr (PjStepRecord) record = pj_session_get_step (session, self->ids[side]->id, error);
  g_autoptr (PjGraph) graph = record != NULL ? pj_session_get_graph (session, record->model, error) : NULL;
  if (graph == NULL)
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = pj_stored_cuts_to_plan (groups, record->cuts, NULL, error);
  if (plan == NULL)
    return FALSE;
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    count_group (self->diff, side, group, find_cut (record->cuts, group->name));
  }
  gboolean marked = pj_work_has_marks (groups, plan);
  g_autoptr (PjGraph) outline = marked ? pj_cut_outline (graph, groups, plan, error) : pj_graph_ref (graph);
  if (outline == NULL)
    return FALSE;
  PjCost cost = { 0 };
  pj_graph_cost (outline, &cost);
  self->diff->macs[side] = cost.macs;
  self->diff->params[side] = cost.learnable;
  self->diff->size[side] = pjm_cost_size_bytes (&cost);
  /* What was measured belongs to the network; with marks it is another one. */
  g_autofree char *known = marked ? NULL : pj_work_known_accuracy (session, record->model);
  cuts_of[side] = g_ptr_array_ref (record->cuts);
  answers[side] = marked ? pj_session_get_step_answers (session, record->id, NULL)
                         : pj_session_get_answers (session, record->model, NULL);
  self->diff->accuracy[side] = known != NULL ? g_ascii_strtod (known, NULL) : share_right (answers[side]);
  self->diff->evaluated[side] = answers[side] != NULL && g_strcmp0 (answers[side]->data, self->data) == 0;
  return TRUE;
}

static void
count_common (PjmStepDiff *diff, GPtrArray *const cuts_of[2])
{
  for (guint i = 0; i < diff->groups->len; i++) {
    PjmGroupDiff *entry = diff->groups->pdata[i];
    const PjStoredCut *a = find_cut (cuts_of[0], entry->name), *b = find_cut (cuts_of[1], entry->name);
    if (entry->channels[0] != entry->channels[1])
      continue;
    for (guint c = 0; c < entry->channels[0]; c++)
      entry->n_common += (a == NULL || a->n_channels != entry->channels[0] || a->keep[c])
                         && (b == NULL || b->n_channels != entry->channels[0] || b->keep[c]);
  }
}

static gboolean
comparing_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Comparing *self = data;
  GPtrArray *cuts_of[2] = { NULL, NULL };
  PjAnswersRecord *answers[2] = { NULL, NULL };
  self->diff = g_new0 (PjmStepDiff, 1);
  self->diff->groups = g_ptr_array_new_with_free_func (group_diff_free);
  gboolean ok = read_side (self, 0, cuts_of, answers, error) && read_side (self, 1, cuts_of, answers, error);
  if (ok) {
    count_common (self->diff, cuts_of);
    compare_answers (self->diff, answers);
  }
  for (int side = 0; side < 2; side++)
    g_clear_pointer (&answers[side], pj_answers_record_free);
  g_clear_pointer (&cuts_of[0], g_ptr_array_unref);
  g_clear_pointer (&cuts_of[1], g_ptr_array_unref);
  return ok;
}

static void
comparing_done (gpointer data, const GError *error, gpointer user_data)
{
  Comparing *self = data;
  if (error != NULL)
    g_task_return_error (self->task, g_error_copy (error));
  else
    g_task_return_pointer (self->task, g_steal_pointer (&self->diff), (GDestroyNotify) pjm_step_diff_free);
}

void
pjm_project_compare_steps_async (PjmProject *self, PjmStep *a, PjmStep *b, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && PJM_IS_STEP (a) && PJM_IS_STEP (b) && self->store != NULL);
  Comparing *data = g_new0 (Comparing, 1);
  data->store = pjm_store_ref (self->store);
  data->data = g_strdup (self->data != NULL ? self->data : "");
  data->ids[0] = pjm_step_id_ref (pjm_step_id (a));
  data->ids[1] = pjm_step_id_ref (pjm_step_id (b));
  data->task = g_task_new (self, NULL, callback, user_data);
  pjm_write (self->files, comparing_run, data, comparing_free, comparing_done, NULL);
}

PjmStepDiff *
pjm_project_compare_steps_finish (PjmProject *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- the view --- */

#define VIEW_GROUP "view"

void
pjm_project_load_view (PjmProject *self, const char *text)
{
  g_clear_pointer (&self->view, g_key_file_unref);
  self->view = g_key_file_new ();
  if (text != NULL && !g_key_file_load_from_data (self->view, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    g_debug ("the stored view cannot be read");
}

char *
pjm_project_get_view (PjmProject *self, const char *key)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), NULL);
  return g_key_file_get_string (self->view, VIEW_GROUP, key, NULL);
}

void
pjm_project_set_view (PjmProject *self, const char *key, const char *text)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  g_autofree char *before = pjm_project_get_view (self, key);
  if (self->closed || self->store == NULL || g_strcmp0 (before, text) == 0)
    return;
  g_key_file_set_string (self->view, VIEW_GROUP, key, text);
  g_autofree char *all = g_key_file_to_data (self->view, NULL, NULL);
  pjm_project_write_meta (self, PJM_META_VIEW, all);
}
