/* SPDX-License-Identifier: MIT */
/* The gradient pass: how the loss answers to each channel's gate.
 *
 * With stored norm statistics pictures do not influence each other, so the gradients of single pictures give the
 * per-picture form of 2017 and, averaged over a mini-batch, that of 2019.  Hence batches of one picture. */
#include <math.h>

#include "compute/plan.h"
#include "prune/scores/calibration.h"
#include "prune/scores/statistics.h"

/* One activation of a group and its share of the sums. */
typedef struct {
  int value, n;
  const int *map;         /* borrowed: group channel of each channel, NULL if they are the same */
  double n_positions;
  unsigned index;         /* among the gates of its group */
  PjSensitivity *sums;
  double *batch;          /* borrowed: Σ g over the pictures of the mini-batch and over the group's gates */
} Gate;

PjSensitivity *
pj_sensitivity_new (int group, int n_channels, unsigned n_gates)
{
  PjSensitivity *self = g_new0 (PjSensitivity, 1);

  self->group = group;
  self->n_channels = n_channels;
  self->n_gates = n_gates;
  self->sum_abs = g_new0 (double, (gsize) n_gates * n_channels);
  self->sum_squares = g_new0 (double, n_channels);
  return self;
}

void
pj_sensitivity_free (PjSensitivity *self)
{
  if (self == NULL)
    return;
  g_free (self->sum_abs);
  g_free (self->sum_squares);
  g_free (self);
}

void
pj_sensitivity_add (PjSensitivity *self, unsigned gate, const float *g, int n, const int *map, double n_positions,
                    double *batch)
{
  double *sum_abs = self->sum_abs + (size_t) gate * self->n_channels;

  for (int k = 0; k < n; k++) {
    int c = map != NULL ? map[k] : k;
    if (c < 0)
      continue;
    sum_abs[c] += fabs (g[k] / n_positions);
    batch[c] += g[k];
  }
  if (gate == 0)
    self->n_images++;
}

void
pj_sensitivity_end_batch (PjSensitivity *self, double *batch, unsigned n)
{
  for (int c = 0; c < self->n_channels; c++) {
    self->sum_squares[c] += (batch[c] / n) * (batch[c] / n);
    batch[c] = 0;
  }
  self->n_batches++;
}

static void
append_gate (GArray *gates, const PjGraph *graph, int value, const int *map, unsigned index)
{
  const PjShape *shape = &pj_graph_value (graph, value)->shape;
  int n = (int) shape->dim[1];
  Gate gate = { .value = value, .n = n, .map = map, .n_positions = (double) pj_shape_n_elems (shape) / n, .index = index };
  g_array_append_val (gates, gate);
}

/* Before or after one ReLU the gradient is the same, and before it the norm's backward pass gives it for nothing. */
static void
append_gates (GArray *gates, const PjGraph *graph, const PjGroup *group)
{
  g_autoptr (GArray) relus = pj_group_relu_outputs (graph, group);

  if (relus->len == 0 || (relus->len == 1 && group->n_mask_points == 1))
    for (unsigned i = 0; i < group->n_mask_points; i++)
      append_gate (gates, graph, group->mask_points[i].value, group->mask_points[i].map, i);
  else
    for (guint i = 0; i < relus->len; i++)
      append_gate (gates, graph, g_array_index (relus, int, i), NULL, i);
}

static GArray *
find_gates (const PjScoring *scoring, PjStatistics *into, GPtrArray *batches)
{
  GArray *gates = g_array_new (FALSE, FALSE, sizeof (Gate));

  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    if (group->lock_reason != NULL)
      continue;
    guint first = gates->len;
    append_gates (gates, scoring->graph, group);
    PjSensitivity *sums = pj_sensitivity_new (group->id, group->n_channels, gates->len - first);
    double *batch = g_new0 (double, group->n_channels);
    pj_statistics_take (into, NULL, sums);
    g_ptr_array_add (batches, batch);
    for (guint k = first; k < gates->len; k++) {
      g_array_index (gates, Gate, k).sums = sums;
      g_array_index (gates, Gate, k).batch = batch;
    }
  }
  return gates;
}

static int
compare_int (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

/* Distinct gated values, ascending: two groups may share one (concatenated channels). */
static GArray *
gated_values (const GArray *gates)
{
  GArray *values = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < gates->len; i++) {
    int value = g_array_index (gates, Gate, i).value;
    if (g_hash_table_add (seen, GINT_TO_POINTER (value)))
      g_array_append_val (values, value);
  }
  g_array_sort (values, compare_int);
  return values;
}

static void
end_batch (const GArray *gates, unsigned n)
{
  for (guint i = 0; i < gates->len; i++) {
    const Gate *gate = &g_array_index (gates, Gate, i);
    if (gate->index == 0)
      pj_sensitivity_end_batch (gate->sums, gate->batch, n);
  }
}

static gboolean
run_picture (PjPlan *plan, const PjBatch *picture, const GArray *gates, float *g, GError **error)
{
  if (!pj_plan_set_images (plan, picture->images, error) || !pj_plan_set_labels (plan, picture->labels, error)
      || !pj_plan_forward (plan, NULL, error) || !pj_plan_backward (plan, error))
    return FALSE;
  for (guint i = 0; i < gates->len; i++) {
    const Gate *gate = &g_array_index (gates, Gate, i);
    if (!pj_plan_read_gate_grad (plan, gate->value, g, error))
      return FALSE;
    pj_sensitivity_add (gate->sums, gate->index, g, gate->n, gate->map, gate->n_positions, gate->batch);
  }
  return TRUE;
}

static gboolean
run_pictures (const PjScoring *scoring, PjCalibration *pictures, PjPlan *plan, const GArray *gates, unsigned *n_images,
              GError **error)
{
  GError *reason = NULL;
  const PjBatch *picture;
  int widest = 1;

  for (guint i = 0; i < gates->len; i++)
    widest = MAX (widest, g_array_index (gates, Gate, i).n);
  g_autofree float *g = g_new (float, widest);
  unsigned n = 0, whole = MIN (PJ_SENSITIVITY_BATCH, pictures->n_images);
  while ((picture = pj_calibration_next (pictures, scoring->hooks, "gradients", n, &reason)) != NULL) {
    if (!run_picture (plan, picture, gates, g, error))
      return FALSE;
    if (++n % whole == 0)
      end_batch (gates, whole);
  }
  *n_images = n;
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

gboolean
pj_measure_sensitivities (const PjScoring *scoring, PjStatistics *into, unsigned *n_images, GError **error)
{
  g_autoptr (PjCalibration) pictures = pj_calibration_new (scoring, PJ_DEFAULT_GRADIENT_IMAGES, 1, error);
  if (pictures == NULL)
    return FALSE;
  g_autoptr (PjParams) params = pj_params_new (scoring->device, scoring->graph, TRUE, error);
  if (params == NULL)
    return FALSE;
  g_autoptr (GPtrArray) batches = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) gates = find_gates (scoring, into, batches);
  g_autoptr (GArray) values = gated_values (gates);
  PjPlanOptions options = {
    .batch = 1, .mode = PJ_PLAN_SCORE, .cross_entropy = 1, .gate_grads = TRUE,
    .gated = (const int *) values->data, .n_gated = values->len,
  };
  g_autoptr (PjPlan) plan = pj_plan_new (scoring->graph, params, &options, error);
  if (plan == NULL)
    return FALSE;
  return run_pictures (scoring, pictures, plan, gates, n_images, error);
}
