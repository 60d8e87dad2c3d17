/* SPDX-License-Identifier: MIT */
/* Sensitivity: the job that measures it, and its curves at the layers.  The points are those of the job, so they
 * are there while it still runs, and again when the session is opened. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "model/engine-text.h"
#include "model/tasks-private.h"
#include "model/work-sensitivity.h"

static gboolean
run_sensitivity (PjmTask *self, PjWork *work, GError **error)
{
  g_auto (PjWorkSensitivity) settings;
  pj_work_sensitivity_init (&settings);
  g_free (settings.criterion);
  settings.criterion = g_strdup (self->name);
  settings.seed = PJM_SEED;
  g_autoptr (PjSweep) sweep = pj_work_sensitivity (work, self->place->network->groups, &settings, NULL, NULL, &self->done,
                                                   error);
  return sweep != NULL;
}

PjmJob *
pjm_project_measure_sensitivity (PjmProject *self)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), NULL);
  PjmTask *task = pjm_task_new (self, "sensitivity", _("Measure sensitivity"), run_sensitivity, TRUE, TRUE);
  if (task == NULL)
    return NULL;
  task->name = g_strdup (self->criterion);
  return pjm_task_start (task);
}

/* The newest job that measured the network on screen and has points. */
static PjmJob *
find_job (PjmProject *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->jobs));
  for (guint i = n; i-- > 0 && self->place != NULL;) {
    g_autoptr (PjmJob) job = g_list_model_get_item (G_LIST_MODEL (self->jobs), i);
    if (strcmp (pjm_job_get_kind (job), "sensitivity") == 0 && pjm_job_get_model (job) == self->place->network->model
        && pjm_job_n_series (job) > 0)
      return job;
  }
  return NULL;
}

static const double *
find_series (PjmJob *job, const char *prefix, const char *group, guint *n)
{
  g_autofree char *name = group != NULL ? g_strdup_printf ("%s %s", prefix, group) : g_strdup (prefix);
  for (guint i = 0; i < pjm_job_n_series (job); i++)
    if (g_str_equal (pjm_job_series_name (job, i), name))
      return pjm_job_series_points (job, i, n);
  *n = 0;
  return NULL;
}

static double
last_value (PjmJob *job, const char *series)
{
  guint n;
  const double *points = find_series (job, series, NULL, &n);
  return n > 0 ? points[2 * (n - 1) + 1] : -1.0;
}

/* The group's points as the engine's reading takes them. */
static PjGroupSweep *
make_sweep (const PjGroup *group, const double *top1, guint n)
{
  PjGroupSweep *sweep = pj_group_sweep_new (group, n);
  for (guint i = 0; i < n; i++) {
    PjSweepPoint *point = &sweep->points[i];
    point->ratio = top1[2 * i];
    point->top1 = top1[2 * i + 1];
    point->n_kept = point->ratio >= 1 ? group->n_channels : pj_group_keep_count (group, point->ratio, 1);
  }
  return sweep;
}

const double *
pjm_project_get_sensitivity (PjmProject *self, PjmLayer *layer, guint *n, double *base, guint *n_pictures, char **reading)
{
  PjmJob *job = find_job (self);
  int id = pjm_layer_get_group (layer);
  *n = 0;
  if (job == NULL || id < 0 || (unsigned) id >= pj_groups_n (self->place->network->groups))
    return NULL;
  const PjGroup *group = pj_groups_get (self->place->network->groups, (unsigned) id);
  const double *points = find_series (job, "top1", group->name, n);
  double whole = last_value (job, "top1");
  if (points == NULL || whole < 0.0)
    return NULL;
  if (base != NULL)
    *base = whole;
  if (n_pictures != NULL)
    *n_pictures = (guint) MAX (0.0, last_value (job, "pictures"));
  if (reading != NULL) {
    g_autoptr (PjSweep) all = pj_sweep_new ();
    g_autoptr (PjGroupSweep) sweep = make_sweep (group, points, *n);
    all->base_top1 = whole;
    g_autofree char *english = pj_sweep_reading (all, sweep, PJ_SWEEP_TOLERANCE), *text = pjm_engine_text (english);
    /* Translators: %s is such as "can lose 40 % of its channels for nothing" */
    *reading = last_value (job, "rest") > 0 ? g_strdup_printf (_("%s, counted without those that are marked"), text)
                                            : g_strdup (text);
  }
  return points;
}

/* Accuracy lost at half the channels, between the two points around it. */
static double
loss_at_half (const double *points, guint n, double base)
{
  double below_x = -1, below_y = 0, above_x = 2, above_y = base;
  for (guint i = 0; i < n; i++) {
    double x = points[2 * i], y = points[2 * i + 1];
    if (x <= 0.5 && x > below_x) {
      below_x = x;
      below_y = y;
    }
    if (x >= 0.5 && x < above_x) {
      above_x = x;
      above_y = y;
    }
  }
  if (below_x < 0 || above_x > 1)
    return -1.0;
  double t = above_x > below_x ? (0.5 - below_x) / (above_x - below_x) : 0.0;
  return CLAMP (base - (below_y + t * (above_y - below_y)), 0.0, 1.0);
}

void
pjm_project_show_sensitivity (PjmProject *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->layers)); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (G_LIST_MODEL (self->layers), i);
    guint n;
    double base;
    const double *points = pjm_project_get_sensitivity (self, layer, &n, &base, NULL, NULL);
    pjm_layer_set_sensitivity (layer, points != NULL ? loss_at_half (points, n, base) : -1.0);
  }
}
