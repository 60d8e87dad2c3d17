/* SPDX-License-Identifier: MIT */
/* The statistics pass: one forward pass in inference mode gives, per picture and channel, what every activation
 * criterion needs. */
#include <math.h>

#include "compute/plan.h"
#include "prune/scores/calibration.h"
#include "prune/scores/statistics.h"

#define BATCH 64

PjActivity *
pj_activity_new (int value, int n_channels, double n_positions)
{
  PjActivity *self = g_new0 (PjActivity, 1);
  double **arrays[] = { &self->zeros, &self->sum_mean, &self->sum_std, &self->sum_l1, &self->sum_l2, &self->var_l2 };

  self->value = value;
  self->n_channels = n_channels;
  self->n_positions = n_positions;
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    *arrays[i] = g_new0 (double, n_channels);
  return self;
}

void
pj_activity_free (PjActivity *self)
{
  if (self == NULL)
    return;
  double *arrays[] = { self->zeros, self->sum_mean, self->sum_std, self->sum_l1, self->sum_l2, self->var_l2 };
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    g_free (arrays[i]);
  g_free (self);
}

void
pj_activity_add (PjActivity *self, const float *stats)
{
  double n_before = (double) self->n_images;

  self->n_images++;
  for (int c = 0; c < self->n_channels; c++) {
    const float *s = stats + (size_t) c * PJ_N_STATS;
    double l2 = sqrt (s[PJ_STAT_SQUARES]);
    double mean_before = n_before > 0 ? self->sum_l2[c] / n_before : 0;
    self->zeros[c] += s[PJ_STAT_ZEROS];
    self->sum_mean[c] += s[PJ_STAT_SUM] / self->n_positions;
    self->sum_std[c] += sqrt (MAX (s[PJ_STAT_M2], 0.0f) / self->n_positions);
    self->sum_l1[c] += s[PJ_STAT_ABS];
    self->sum_l2[c] += l2;
    self->var_l2[c] += (l2 - mean_before) * (l2 - self->sum_l2[c] / (n_before + 1));
  }
}

GArray *
pj_group_activities (const PjGraph *graph, const PjGroup *group)
{
  GArray *values = pj_group_relu_outputs (graph, group);
  int value = pj_group_activation (graph, group);
  if (values->len == 0 && value >= 0)
    g_array_append_val (values, value);
  return values;
}

static int
compare_int (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

/* Distinct values to measure, ascending; @into gets their empty sums. */
static GArray *
find_values (const PjScoring *scoring, PjStatistics *into)
{
  GArray *values = g_array_new (FALSE, FALSE, sizeof (int));

  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    if (group->lock_reason != NULL)
      continue;
    g_autoptr (GArray) of_group = pj_group_activities (scoring->graph, group);
    for (guint k = 0; k < of_group->len; k++) {
      int value = g_array_index (of_group, int, k);
      if (pj_statistics_get (into, value) != NULL)
        continue;
      const PjShape *shape = &pj_graph_value (scoring->graph, value)->shape;
      int c = (int) shape->dim[1];
      pj_statistics_take (into, pj_activity_new (value, c, (double) pj_shape_n_elems (shape) / c), NULL);
      g_array_append_val (values, value);
    }
  }
  g_array_sort (values, compare_int);
  return values;
}

static gboolean
add_batch (PjPlan *plan, const PjBatch *batch, PjStatistics *into, GArray *values, float *stats, GError **error)
{
  if (!pj_plan_set_images (plan, batch->images, error) || !pj_plan_forward (plan, NULL, error))
    return FALSE;
  for (guint i = 0; i < values->len; i++) {
    int value = g_array_index (values, int, i);
    PjActivity *activity = (PjActivity *) pj_statistics_get (into, value);
    if (!pj_plan_read_stats (plan, value, stats, error))
      return FALSE;
    for (unsigned n = 0; n < batch->n; n++)
      pj_activity_add (activity, stats + (size_t) n * activity->n_channels * PJ_N_STATS);
  }
  return TRUE;
}

gboolean
pj_measure_activities (const PjScoring *scoring, PjStatistics *into, unsigned *n_images, GError **error)
{
  g_autoptr (PjCalibration) pictures = pj_calibration_new (scoring, PJ_DEFAULT_IMAGES, BATCH, error);
  if (pictures == NULL)
    return FALSE;
  g_autoptr (PjParams) params = pj_params_new (scoring->device, scoring->graph, FALSE, error);
  if (params == NULL)
    return FALSE;
  g_autoptr (GArray) values = find_values (scoring, into);
  PjPlanOptions options = {
    .batch = pictures->batch, .mode = PJ_PLAN_INFER, .stats = (const int *) values->data, .n_stats = values->len,
  };
  g_autoptr (PjPlan) plan = pj_plan_new (scoring->graph, params, &options, error);
  if (plan == NULL)
    return FALSE;
  size_t widest = 1;
  for (guint i = 0; i < values->len; i++)
    widest = MAX (widest, (size_t) pj_graph_value (scoring->graph, g_array_index (values, int, i))->shape.dim[1]);
  g_autofree float *stats = g_new (float, pictures->batch * widest * PJ_N_STATS);

  GError *reason = NULL;
  const PjBatch *batch;
  *n_images = 0;
  while ((batch = pj_calibration_next (pictures, scoring->hooks, "activations", *n_images, &reason)) != NULL) {
    if (!add_batch (plan, batch, into, values, stats, error))
      return FALSE;
    *n_images += batch->n;
  }
  if (reason != NULL) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  return TRUE;
}
