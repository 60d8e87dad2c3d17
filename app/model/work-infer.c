/* SPDX-License-Identifier: MIT */
/* Running a network on given inputs: see work-infer.h. */
#include "model/work-infer.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "compute/plan.h"
#include "graph/cut.h"
#include "train/masks.h"

/* Inputs for the check of groups. */
#define CHECK_BATCH 4

size_t
pj_work_input_elems (const PjGraph *graph)
{
  return pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_input (graph))->shape);
}

size_t
pj_work_output_elems (const PjGraph *graph)
{
  return pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_output (graph))->shape);
}

/* One run of @n <= batch images; the rest of the batch repeats the last one. */
static gboolean
run_batch (PjPlan *plan, PjGraph *graph, const float *inputs, size_t n, float *images, float *results, float *outputs,
           GError **error)
{
  size_t n_in = pj_work_input_elems (graph), n_out = pj_work_output_elems (graph);
  for (size_t i = 0; i < pj_plan_batch (plan); i++)
    memcpy (images + i * n_in, inputs + MIN (i, n - 1) * n_in, n_in * sizeof (float));
  if (!pj_plan_set_images (plan, images, error) || !pj_plan_forward (plan, NULL, error)
      || !pj_plan_read_value (plan, pj_graph_get_output (graph), results, error))
    return FALSE;
  memcpy (outputs, results, n * n_out * sizeof (float));
  return TRUE;
}

/* All images through a plan that is ready. */
static gboolean
run_all (PjPlan *plan, PjGraph *graph, unsigned batch, const float *inputs, size_t n, float *outputs,
         const PjHooks *hooks, GError **error)
{
  size_t n_in = pj_work_input_elems (graph), n_out = pj_work_output_elems (graph);
  float *images = pj_alloc (batch * n_in * sizeof (float), "inputs of a batch", error);
  float *results = images != NULL ? pj_alloc (batch * n_out * sizeof (float), "outputs of a batch", error) : NULL;
  gboolean ok = results != NULL;
  for (size_t at = 0; ok && at < n; at += batch) {
    pj_hooks_progress (hooks, (double) at / (double) n, "image %zu of %zu", at, n);
    ok = pj_hooks_go_on (hooks, error)
         && run_batch (plan, graph, inputs + at * n_in, MIN (batch, n - at), images, results, outputs + at * n_out,
                       error);
  }
  pj_free (images);
  pj_free (results);
  return ok;
}

gboolean
pj_work_infer (PjDevice *device, PjGraph *graph, unsigned batch, const float *inputs, size_t n, float *outputs,
               const PjHooks *hooks, GError **error)
{
  int output = pj_graph_get_output (graph);
  PjPlanOptions options = { .batch = batch, .mode = PJ_PLAN_INFER, .observed = &output, .n_observed = 1 };
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;
  return plan != NULL && run_all (plan, graph, batch, inputs, n, outputs, hooks, error);
}

gboolean
pj_work_infer_masked (PjDevice *device, PjGraph *graph, const PjGroups *groups, const PjCutPlan *cut, unsigned batch,
                      const float *inputs, size_t n, float *outputs, const PjHooks *hooks, GError **error)
{
  int output = pj_graph_get_output (graph);
  g_autoptr (PjGraph) scaled = pj_masks_scaled (graph, groups, cut, error);
  if (scaled == NULL)
    return FALSE;
  g_autoptr (GArray) gated = pj_masks_gated (groups, cut);
  PjPlanOptions options = {
    .batch = batch, .mode = PJ_PLAN_INFER, .observed = &output, .n_observed = 1,
    .gated = (const int *) gated->data, .n_gated = gated->len,
  };
  g_autoptr (PjParams) params = pj_params_new (device, scaled, FALSE, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (scaled, params, &options, error) : NULL;
  return plan != NULL && pj_masks_apply (plan, graph, groups, gated, cut, error)
         && run_all (plan, scaled, batch, inputs, n, outputs, hooks, error);
}

float *
pj_work_probe_inputs (PjGraph *graph, PjDataset *dataset, unsigned n, gboolean *are_pictures, GError **error)
{
  size_t size = pj_work_input_elems (graph);
  float *inputs = pj_alloc (n * size * sizeof (float), "inputs to compare", error);
  if (inputs == NULL)
    return NULL;
  PjFormat format;
  *are_pictures = dataset != NULL && pj_dataset_n (dataset, PJ_SPLIT_TEST) >= n
                  && pj_dataset_format_for (dataset, graph, FALSE, &format, NULL);
  for (unsigned i = 0; i < n && *are_pictures; i++)
    *are_pictures = pj_dataset_image (dataset, PJ_SPLIT_TEST, i, &format, inputs + i * size, NULL);
  PjRng rng;
  pj_rng_init (&rng, 1, PJ_STREAM (PJ_STREAM_SUBSET, 0, 0));
  for (size_t i = 0; !*are_pictures && i < n * size; i++)
    inputs[i] = (float) pj_rng_normal (&rng);
  return inputs;
}

double
pj_work_difference (const float *a, const float *b, size_t n)
{
  double largest = 0.0, worst = 0.0;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite (a[i]) || !isfinite (b[i]))
      return 1.0;
    largest = fmax (largest, fabs ((double) a[i]));
    worst = fmax (worst, fabs ((double) a[i] - (double) b[i]));
  }
  return largest > 0.0 ? worst / largest : worst;
}

/* --- groups --- */

typedef struct {
  PjDevice *device;
  PjGraph *graph;
  const PjGroups *groups;
  float *inputs, *before, *after;
  size_t n_out;
} Check;

static gboolean
check_group (Check *self, const PjGroup *group, uint64_t seed, double *result, GError **error)
{
  PjRng rng;
  g_autofree uint32_t *order = g_new (uint32_t, group->n_channels);
  g_autofree int *places = g_new (int, group->n_channels);
  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_SUBSET, group->id, 1));
  for (int b = 0; b < group->n_blocks; b++) {
    size_t n = 0;
    for (int i = 0; i < group->n_channels; i++)
      if (pj_group_block (group, i) == b)
        order[n++] = (uint32_t) i;
    pj_rng_shuffle (&rng, order, n);
    for (int i = group->n_channels - 1; i >= 0; i--)
      if (pj_group_block (group, i) == b)
        places[i] = (int) order[--n];
  }
  g_autoptr (PjGraph) mixed = pj_cut_permute (self->graph, self->groups, group->id, places, error);
  if (mixed == NULL || !pj_work_infer (self->device, mixed, CHECK_BATCH, self->inputs, CHECK_BATCH, self->after, NULL,
                                       error))
    return FALSE;
  *result = pj_work_difference (self->before, self->after, CHECK_BATCH * self->n_out);
  return TRUE;
}

gboolean
pj_work_check_groups (PjDevice *device, PjGraph *graph, const PjGroups *groups, uint64_t seed, double *differences,
                      const PjHooks *hooks, GError **error)
{
  size_t n_in = pj_work_input_elems (graph), n_out = pj_work_output_elems (graph);
  Check self = { device, graph, groups, NULL, NULL, NULL, n_out };
  PjRng rng;
  self.inputs = pj_alloc (CHECK_BATCH * n_in * sizeof (float), "inputs of the check", error);
  self.before = self.inputs != NULL ? pj_alloc (CHECK_BATCH * n_out * sizeof (float), "outputs of the check", error)
                : NULL;
  self.after = self.before != NULL ? pj_alloc (CHECK_BATCH * n_out * sizeof (float), "outputs of the check", error)
               : NULL;
  gboolean ok = self.after != NULL;
  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_SUBSET, 0, 2));
  for (size_t i = 0; ok && i < CHECK_BATCH * n_in; i++)
    self.inputs[i] = (float) pj_rng_normal (&rng);
  ok = ok && pj_work_infer (device, graph, CHECK_BATCH, self.inputs, CHECK_BATCH, self.before, NULL, error);
  for (unsigned i = 0; ok && i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    differences[group->id] = -1.0;
    pj_hooks_progress (hooks, (double) i / pj_groups_n (groups), "group %u of %u", i + 1, pj_groups_n (groups));
    ok = pj_hooks_go_on (hooks, error)
         && (group->lock_reason != NULL || check_group (&self, group, seed, &differences[group->id], error));
  }
  pj_free (self.inputs);
  pj_free (self.before);
  pj_free (self.after);
  return ok;
}
