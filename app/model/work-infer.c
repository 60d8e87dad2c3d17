/* SPDX-License-Identifier: MIT */
/* Running a network on given inputs: see work-infer.h. */
#include "model/work-infer.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "compute/plan.h"
#include "graph/cut.h"
#include "ops/op.h"
#include "train/masks.h"

/* Inputs for the check of groups: two, lest all that one sees of a channel is behind a ReLU. */
#define CHECK_BATCH 2

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

/* One network on the device, @plan, serves all groups: a reordering is written into its parameters and the old values
 * after it.  @current: whose parameters are there. */
typedef struct {
  PjDevice *device;
  PjGraph *graph, *current;
  const PjGroups *groups;
  PjParams *params;
  PjPlan *plan;
  float *inputs, *before, *after;
  size_t n_out;
} Check;

static void
check_clear (Check *self)
{
  g_clear_pointer (&self->plan, pj_plan_free);
  g_clear_pointer (&self->params, pj_params_free);
  g_clear_pointer (&self->current, pj_graph_unref);
  g_clear_pointer (&self->inputs, pj_free);
  g_clear_pointer (&self->before, pj_free);
  g_clear_pointer (&self->after, pj_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Check, check_clear)

static gboolean
check_init (Check *self, uint64_t seed, GError **error)
{
  size_t n_in = CHECK_BATCH * pj_work_input_elems (self->graph);
  int output = pj_graph_get_output (self->graph);
  PjPlanOptions options = { .batch = CHECK_BATCH, .mode = PJ_PLAN_INFER, .observed = &output, .n_observed = 1 };
  PjRng rng;
  self->n_out = CHECK_BATCH * pj_work_output_elems (self->graph);
  self->inputs = pj_alloc (n_in * sizeof (float), "inputs of the check", error);
  self->before = self->inputs != NULL ? pj_alloc (self->n_out * sizeof (float), "outputs of the check", error) : NULL;
  self->after = self->before != NULL ? pj_alloc (self->n_out * sizeof (float), "outputs of the check", error) : NULL;
  self->params = self->after != NULL ? pj_params_new (self->device, self->graph, FALSE, error) : NULL;
  self->plan = self->params != NULL ? pj_plan_new (self->graph, self->params, &options, error) : NULL;
  if (self->plan == NULL)
    return FALSE;
  self->current = pj_graph_ref (self->graph);
  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_SUBSET, 0, 2));
  for (size_t i = 0; i < n_in; i++)
    self->inputs[i] = (float) pj_rng_normal (&rng);
  return pj_plan_set_images (self->plan, self->inputs, error) && pj_plan_forward (self->plan, NULL, error)
         && pj_plan_read_value (self->plan, output, self->before, error);
}

/* TRUE if @mixed differs from the network in parameters on the device only.  Where channels are picked by number, the
 * numbers are a part of the operator. */
static gboolean
fits_plan (const Check *self, const PjGraph *mixed)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (mixed); n++) {
    const PjNode *a = pj_graph_node (self->graph, (int) n), *b = pj_graph_node (mixed, (int) n);
    if (a->op->params_size > 0 && memcmp (a->params, b->params, a->op->params_size) != 0)
      return FALSE;
  }
  for (unsigned v = 0; v < pj_graph_n_values (mixed); v++)
    if (pj_graph_value (mixed, (int) v)->data != pj_graph_value (self->graph, (int) v)->data
        && pj_params_offset (self->params, (int) v) < 0)
      return FALSE;
  return TRUE;
}

/* Writes what @next has in other places than the parameters on the device. */
static gboolean
put_params (Check *self, PjGraph *next, GError **error)
{
  for (unsigned v = 0; v < pj_graph_n_values (next); v++) {
    const PjBlob *now = pj_graph_value (self->current, (int) v)->data, *data = pj_graph_value (next, (int) v)->data;
    if (data != now && !pj_params_write (self->params, (int) v, pj_blob_data (data), error))
      return FALSE;
  }
  pj_graph_ref (next);
  pj_graph_unref (self->current);
  self->current = next;
  return TRUE;
}

static gboolean
run_mixed (Check *self, PjGraph *mixed, GError **error)
{
  if (!fits_plan (self, mixed))
    return pj_work_infer (self->device, mixed, CHECK_BATCH, self->inputs, CHECK_BATCH, self->after, NULL, error);
  return put_params (self, mixed, error) && pj_plan_forward (self->plan, NULL, error)
         && pj_plan_read_value (self->plan, pj_graph_get_output (self->graph), self->after, error);
}

/* The channels of a group in a seeded order, each within its block. (transfer full) */
static int *
shuffle_group (const PjGroup *group, uint64_t seed)
{
  PjRng rng;
  g_autofree uint32_t *order = g_new (uint32_t, group->n_channels);
  int *places = g_new (int, group->n_channels);
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
  return places;
}

gboolean
pj_work_check_groups (PjDevice *device, PjGraph *graph, const PjGroups *groups, uint64_t seed, double *differences,
                      const PjHooks *hooks, GError **error)
{
  g_auto (Check) self = { .device = device, .graph = graph, .groups = groups };
  if (!check_init (&self, seed, error))
    return FALSE;
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    differences[group->id] = -1.0;
    pj_hooks_progress (hooks, (double) i / pj_groups_n (groups), "group %u of %u", i + 1, pj_groups_n (groups));
    if (!pj_hooks_go_on (hooks, error))
      return FALSE;
    if (group->lock_reason != NULL)
      continue;
    g_autofree int *places = shuffle_group (group, seed);
    g_autoptr (PjGraph) mixed = pj_cut_permute (graph, groups, group->id, places, error);
    if (mixed == NULL || !run_mixed (&self, mixed, error))
      return FALSE;
    differences[group->id] = pj_work_difference (self.before, self.after, self.n_out);
  }
  return TRUE;
}
