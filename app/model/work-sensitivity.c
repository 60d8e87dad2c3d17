/* SPDX-License-Identifier: MIT */
/* Sensitivity as a job: a group is stored as soon as it is measured. */
#include "model/work-sensitivity.h"

#include <string.h>

#include "base/error.h"
#include "model/work-private.h"
#include "model/work-prune.h"
#include "model/work-settings.h"
#include "prune/budget/budget.h"
#include "session/model.h"

/* --- settings --- */

static const PjField fields[] = {
  { "criterion", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWorkSensitivity, criterion) },
  { "ratio", PJ_FIELD_LIST, G_STRUCT_OFFSET (PjWorkSensitivity, ratios) },
  { "images", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkSensitivity, n_images) },
  { "test", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkSensitivity, n_test) },
  { "seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (PjWorkSensitivity, seed) },
  { NULL }
};

void
pj_work_sensitivity_init (PjWorkSensitivity *self)
{
  memset (self, 0, sizeof *self);
  self->criterion = g_strdup ("weight-sum");
  self->ratios = g_strsplit ("0.9 0.8 0.7 0.6 0.5 0.4 0.3 0.2 0.1", " ", -1);
  self->n_test = 1000;
  self->seed = 1;
}

void
pj_work_sensitivity_clear (PjWorkSensitivity *self)
{
  pj_fields_clear (fields, self);
}

char *
pj_work_sensitivity_write (const PjWorkSensitivity *self)
{
  return pj_fields_write (fields, self);
}

gboolean
pj_work_sensitivity_read (PjWorkSensitivity *self, const char *text, GError **error)
{
  return pj_fields_read (fields, self, text, error);
}

/* --- stored points --- */

/* The newest point of @series at @x; FALSE if there is none. */
static gboolean
find_point (const GArray *points, const char *series, double x, double *y)
{
  for (guint i = points->len; i-- > 0;) {
    const PjPoint *point = &g_array_index (points, PjPoint, i);
    if (point->x == x && g_str_equal (point->series, series)) {
      *y = point->y;
      return TRUE;
    }
  }
  return FALSE;
}

/* All points of @group, or NULL if one is missing: it was stopped while its points were being stored. */
static PjGroupSweep *
find_group (const GArray *points, const PjGroup *group, const GArray *ratios)
{
  g_autofree char *top1 = g_strdup_printf ("top1 %s", group->name), *kl = g_strdup_printf ("kl %s", group->name);
  g_autoptr (PjGroupSweep) found = pj_group_sweep_new (group, ratios->len);

  for (guint i = 0; i < ratios->len; i++) {
    PjSweepPoint *point = &found->points[i];
    point->ratio = g_array_index (ratios, double, i);
    point->n_kept = point->ratio == 1 ? group->n_channels : pj_group_keep_count (group, point->ratio, 1);
    if (!find_point (points, top1, point->ratio, &point->top1) || !find_point (points, kl, point->ratio, &point->kl))
      return NULL;
  }
  return g_steal_pointer (&found);
}

PjSweep *
pj_work_sensitivity_stored (PjSession *session, int64_t job, const PjGroups *groups, GError **error)
{
  g_autoptr (PjJobRecord) record = pj_session_get_job (session, job, error);
  g_auto (PjWorkSensitivity) settings;
  pj_work_sensitivity_init (&settings);
  if (record == NULL || !pj_work_sensitivity_read (&settings, record->settings, error))
    return NULL;
  g_autoptr (GArray) ratios = pj_work_ratio_list (settings.ratios, error);
  g_autoptr (GArray) points = ratios != NULL ? pj_session_get_points (session, job, error) : NULL;
  if (points == NULL)
    return NULL;
  g_autoptr (PjSweep) sweep = pj_sweep_new ();
  double n = 0;
  find_point (points, "top1", 1, &sweep->base_top1);
  find_point (points, "pictures", 1, &n);
  sweep->n_pictures = (unsigned) n;
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    PjGroupSweep *found = group->lock_reason == NULL ? find_group (points, group, ratios) : NULL;
    if (found != NULL)
      g_ptr_array_add (sweep->groups, found);
  }
  return g_steal_pointer (&sweep);
}

/* --- weights that were trained under gates --- */

/* The step that made the network of step @id. */
static PjStepRecord *
find_origin (PjSession *session, int64_t id, GError **error)
{
  PjStepRecord *origin = pj_session_get_step (session, id, error);
  while (origin != NULL && origin->parent != 0) {
    PjStepRecord *parent = pj_session_get_step (session, origin->parent, error);
    if (parent == NULL || parent->model != origin->model) {
      if (parent == NULL)
        g_clear_pointer (&origin, pj_step_record_free);
      g_clear_pointer (&parent, pj_step_record_free);
      break;
    }
    pj_step_record_free (origin);
    origin = parent;
  }
  return origin;
}

/* A method that trains gates leaves weights that hold with their channels closed: opened, they are another network, which
 * answers no better than chance.  What stays is measured then.  The network itself, referenced, in all other cases. */
static PjGraph *
without_gates (const PjWork *work, const PjGroups *groups, GError **error)
{
  if (work->session == NULL || work->step == 0)
    return pj_graph_ref (work->graph);
  g_autoptr (PjStepRecord) step = pj_session_get_step (work->session, work->step, error);
  g_autoptr (PjStepRecord) origin = step != NULL ? find_origin (work->session, work->step, error) : NULL;
  if (origin == NULL)
    return NULL;
  if (origin->kind != PJ_STEP_MASKED || origin->parent == 0 || step->cuts->len == 0)
    return pj_graph_ref (work->graph);
  g_autoptr (PjCutPlan) plan = pj_stored_cuts_to_plan (groups, step->cuts, NULL, error);
  return plan != NULL ? pj_cut (work->graph, groups, plan, error) : NULL;
}

/* --- running --- */

/* @whole: of the network that was asked about; @groups: of the one that is measured */
typedef struct {
  const PjGroups *whole, *groups;
  PjWorkRun *run;
  PjSweepFunc func;
  gpointer data;
  gboolean is_base_stored, is_rest;
} Sensitivity;

/* Which group of the whole network @group is; -1 if it has no such group: what is left of it goes by another name. */
static int
find_whole (const Sensitivity *self, int group)
{
  const char *name = pj_groups_get (self->groups, (unsigned) group)->name;
  for (unsigned i = 0; i < pj_groups_n (self->whole); i++)
    if (g_str_equal (pj_groups_get (self->whole, i)->name, name))
      return (int) i;
  return -1;
}

static void
keep_point (Sensitivity *self, const char *series, const char *group, double x, double y)
{
  g_autofree char *name = group != NULL ? g_strdup_printf ("%s %s", series, group) : g_strdup (series);
  pj_hooks_metric (pj_work_run_hooks (self->run), name, x, y);
}

static gboolean
group_cb (const PjSweep *sweep, const PjGroupSweep *group, gpointer data, GError **error)
{
  Sensitivity *self = data;
  const char *name = pj_groups_get (self->groups, (unsigned) group->group)->name;

  if (!self->is_base_stored) {
    keep_point (self, "top1", NULL, 1, sweep->base_top1);
    keep_point (self, "pictures", NULL, 1, sweep->n_pictures);
    if (self->is_rest)
      keep_point (self, "rest", NULL, 1, 1);
    self->is_base_stored = TRUE;
  }
  for (unsigned i = 0; i < group->n_points; i++) {
    keep_point (self, "top1", name, group->points[i].ratio, group->points[i].top1);
    keep_point (self, "kl", name, group->points[i].ratio, group->points[i].kl);
  }
  PjGroupSweep told = *group;
  told.group = find_whole (self, group->group);
  return pj_work_run_flush (self->run, error)
         && (self->func == NULL || told.group < 0 || self->func (sweep, &told, self->data, error));
}

/* Whoever asked knows the groups of the whole network. */
static void
name_whole (const Sensitivity *self, PjSweep *sweep)
{
  for (guint i = sweep->groups->len; i > 0; i--) {
    PjGroupSweep *part = sweep->groups->pdata[i - 1];
    part->group = find_whole (self, part->group);
    if (part->group < 0)
      g_ptr_array_remove_index (sweep->groups, i - 1);
  }
}

static PjSweep *
sweep_all (Sensitivity *self, const PjWork *work, const PjWorkSensitivity *settings, const PjCriterion *criterion,
           GError **error)
{
  PjFormat format;
  g_autoptr (PjGraph) graph = without_gates (work, self->groups, error);
  g_autoptr (PjGroups) rest = graph != NULL && graph != work->graph ? pj_groups_new (graph) : NULL;
  if (graph == NULL)
    return NULL;
  self->is_rest = rest != NULL;
  if (rest != NULL)
    self->groups = rest;
  if (!pj_dataset_format_for (work->dataset, graph, TRUE, &format, error))
    return NULL;
  g_autoptr (GArray) ratios = pj_work_ratio_list (settings->ratios, error);
  if (ratios == NULL)
    return NULL;
  g_autoptr (PjSweep) before = NULL;
  if (work->session != NULL) {
    before = pj_work_sensitivity_stored (work->session, pj_work_run_job (self->run), self->groups, error);
    if (before == NULL)
      return NULL;
    self->is_base_stored = before->n_pictures > 0;
  }
  PjScoring scoring = { work->device, graph, self->groups, work->dataset, &format, settings->n_images, settings->seed,
                        pj_work_run_hooks (self->run) };
  PjSweepOptions options = {
    .criterion = criterion, .ratios = (const double *) ratios->data, .n_ratios = ratios->len, .n_test = settings->n_test,
    .before = before,
  };
  PjSweep *sweep = pj_sweep (&scoring, &options, group_cb, self, error);
  if (sweep != NULL)
    name_whole (self, sweep);
  return sweep;
}

PjSweep *
pj_work_sensitivity (const PjWork *work, const PjGroups *groups, const PjWorkSensitivity *settings, PjSweepFunc func,
                     gpointer data, PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  const PjCriterion *criterion = pj_criterion_find (settings->criterion);
  if (criterion == NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "there is no criterion “%s”", settings->criterion);
    return NULL;
  }
  if (work->dataset == NULL) {
    g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                         "sensitivity is measured on pictures; choose a data folder");
    return NULL;
  }
  g_autofree char *text = pj_work_sensitivity_write (settings);
  g_autofree char *title = g_strdup_printf ("Sensitivity by %s", criterion->title);
  Sensitivity self = { .whole = groups, .groups = groups, .func = func, .data = data };
  self.run = pj_work_begin (work, "sensitivity", title, text, settings->seed, error);
  if (self.run == NULL)
    return NULL;
  g_autoptr (PjSweep) sweep = sweep_all (&self, work, settings, criterion, error);
  char *line = sweep != NULL ? g_strdup_printf ("%u groups, %u test pictures", sweep->groups->len, sweep->n_pictures) : NULL;
  return pj_work_end (self.run, sweep != NULL, line, done, error) ? g_steal_pointer (&sweep) : NULL;
}

gboolean
pj_work_sensitivity_resume (const PjWork *work, const char *text, PjWorkDone *done, GError **error)
{
  g_auto (PjWorkSensitivity) settings;
  pj_work_sensitivity_init (&settings);
  if (!pj_work_sensitivity_read (&settings, text, error))
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (work->graph);
  g_autoptr (PjSweep) sweep = pj_work_sensitivity (work, groups, &settings, NULL, NULL, done, error);
  return sweep != NULL;
}
