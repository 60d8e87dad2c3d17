/* SPDX-License-Identifier: MIT */
#include "model/opening-private.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "io/onnx.h"
#include "model/project-private.h"
#include "model/work-open.h"
#include "prune/criterion.h"
#include "session/model.h"

#define SAMPLE_NAME "sample"

static void
found_comparison_free (gpointer data)
{
  PjmFoundComparison *self = data;
  pj_comparison_record_free (self->record);
  pj_groups_unref (self->groups);
  g_free (self);
}

void
pjm_opening_free (gpointer data)
{
  PjmOpening *self = data;
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
  g_clear_pointer (&self->step_names, g_ptr_array_unref);
  g_clear_pointer (&self->step_deleted, g_array_unref);
  g_free (self->view);
  g_free (self->remarks);
  g_clear_pointer (&self->dismissed, g_hash_table_unref);
  g_clear_pointer (&self->jobs, g_ptr_array_unref);
  g_clear_pointer (&self->points, g_ptr_array_unref);
  g_clear_pointer (&self->comparisons, g_ptr_array_unref);
  g_free (self);
}

/* --- files thread: reading a session --- */

static gboolean
read_steps (PjmOpening *self, GError **error)
{
  self->current = pj_session_current_step (self->session);
  if (self->current == 0) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "session “%s” holds no network yet",
                 pj_session_path (self->session));
    return FALSE;
  }
  g_autoptr (GPtrArray) all = pj_session_list_steps (self->session, error);
  self->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_step_record_free);
  self->step_names = g_ptr_array_new_with_free_func (g_free);
  self->step_deleted = g_array_new (FALSE, FALSE, sizeof (gboolean));
  for (guint i = 0; all != NULL && i < all->len; i++) {
    PjStepRecord *step = pj_session_get_step (self->session, ((PjStepRecord *) all->pdata[i])->id, error);
    if (step == NULL)
      return FALSE;
    g_ptr_array_add (self->steps, step);
    g_autofree char *name_key = g_strdup_printf (PJM_META_STEP_NAME " %" G_GINT64_FORMAT, step->id);
    g_autofree char *deleted_key = g_strdup_printf (PJM_META_STEP_DELETED " %" G_GINT64_FORMAT, step->id);
    g_autofree char *deleted = pj_session_get_meta (self->session, deleted_key);
    gboolean is_deleted = deleted != NULL;
    g_ptr_array_add (self->step_names, pj_session_get_meta (self->session, name_key));
    g_array_append_val (self->step_deleted, is_deleted);
  }
  return all != NULL;
}

static gboolean
read_jobs (PjmOpening *self, GError **error)
{
  self->jobs = pj_session_list_jobs (self->session, error);
  self->points = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  self->dismissed = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint i = 0; self->jobs != NULL && i < self->jobs->len; i++) {
    GArray *points = pj_session_get_points (self->session, ((PjJobRecord *) self->jobs->pdata[i])->id, error);
    if (points == NULL)
      return FALSE;
    g_ptr_array_add (self->points, points);
    const PjJobRecord *job = self->jobs->pdata[i];
    g_autofree char *key = g_strdup_printf (PJM_META_JOB_DISMISSED " %" G_GINT64_FORMAT, job->id);
    g_autofree char *dismissed = job->state == PJ_JOB_FAILED || job->state == PJ_JOB_DONE ? pj_session_get_meta (self->session, key) : NULL;
    if (dismissed != NULL)
      g_hash_table_add (self->dismissed, g_memdup2 (&job->id, sizeof job->id));
  }
  return self->jobs != NULL;
}

static gint64
model_of_step (PjmOpening *self, gint64 step)
{
  for (guint i = 0; i < self->steps->len; i++)
    if (((PjStepRecord *) self->steps->pdata[i])->id == step)
      return ((PjStepRecord *) self->steps->pdata[i])->model;
  return 0;
}

/* The groups of a model of the session; a few comparisons share one. (transfer full) */
static PjGroups *
groups_of_model (PjmOpening *self, GHashTable *known, gint64 model, GError **error)
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
read_comparisons (PjmOpening *self, GError **error)
{
  g_autoptr (GPtrArray) records = pj_session_list_comparisons (self->session, error);
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) pj_groups_unref);
  self->comparisons = g_ptr_array_new_with_free_func (found_comparison_free);
  while (records != NULL && records->len > 0) {
    PjmFoundComparison *found = g_new0 (PjmFoundComparison, 1);
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
read_data (PjmOpening *self)
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
read_session (PjmOpening *self, const PjHooks *hooks, GError **error)
{
  g_autofree char *criterion = pj_session_get_meta (self->session, "criterion");
  self->criterion = g_intern_string (criterion != NULL && pj_criterion_find (criterion) != NULL ? criterion
                                                                                                : PJM_DEFAULT_CRITERION);
  self->view = pj_session_get_meta (self->session, PJM_META_VIEW);
  self->remarks = pj_session_get_meta (self->session, PJM_META_REMARKS);
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
make_session (PjmOpening *self, PjGraph *graph, const char *name, const char *origin, GError **error)
{
  g_autoptr (PjGraph) owned = graph;
  int64_t step;
  if (g_mkdir_with_parents (self->state_dir, 0700) < 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "the folder “%s” for sessions cannot be made: %s", self->state_dir,
                 g_strerror (errno));
    return FALSE;
  }
  self->made = free_path (self->state_dir, name);
  self->session = pj_session_open (self->made, PJ_SESSION_CREATE, error);
  return self->session != NULL && pj_work_import (self->session, graph, origin, &step, error);
}

static gboolean
open_onnx (PjmOpening *self, GError **error)
{
  g_autofree char *base = g_path_get_basename (self->path);
  char *dot = g_strrstr (base, ".");
  if (dot != NULL && dot > base)
    *dot = '\0';
  g_auto (PjOnnxReport) report = { 0 };
  PjGraph *graph = pj_onnx_import (self->path, &report, error);
  if (graph == NULL || !make_session (self, graph, base, self->path, error))
    return FALSE;
  g_autoptr (GString) remarks = g_string_new (NULL);
  for (guint i = 0; report.remarks != NULL && i < report.remarks->len; i++)
    g_string_append_printf (remarks, "%s%s", i > 0 ? "\n" : "", (const char *) report.remarks->pdata[i]);
  return pj_session_set_meta (self->session, PJM_META_REMARKS, remarks->str, error);
}

/* The sample session of an earlier time, or a new one. */
static gboolean
open_sample (PjmOpening *self, GError **error)
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
open_data (PjmOpening *self, GError **error)
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
is_open_already (const PjmOpening *self)
{
  g_autofree char *real = realpath (self->path, NULL);
  return real != NULL && g_strcmp0 (real, self->open_path) == 0;
}

static gboolean
open_any (PjmOpening *self, const PjHooks *hooks, GError **error)
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

gboolean
pjm_opening_run (gpointer data, const PjHooks *hooks, GError **error)
{
  PjmOpening *self = data;
  if (open_any (self, hooks, error))
    return TRUE;
  /* A session that holds nothing is not left behind. */
  g_clear_pointer (&self->session, pj_session_close);
  if (self->made != NULL)
    unlink (self->made);
  return FALSE;
}
