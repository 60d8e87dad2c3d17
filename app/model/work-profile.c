/* SPDX-License-Identifier: MIT */
#include "model/work-profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "model/work-infer.h"

/* Small enough to leave seeded weights where they are, whatever the number of runs. */
static const PjStep step = { .lr = 1e-4f, .momentum = 0.9f, .weight_decay = 5e-4f, .nesterov = TRUE,
                             .norm_momentum = 0.1f };

static void
call_clear (gpointer data)
{
  g_free (((PjWorkCall *) data)->output);
}

void
pj_work_profile_clear (PjWorkProfile *self)
{
  g_clear_pointer (&self->calls, g_array_unref);
}

gboolean
pj_work_fill_noise (PjPlan *plan, const PjGraph *graph, gboolean labels, GError **error)
{
  unsigned n = pj_plan_batch (plan);
  size_t size = n * pj_work_input_elems (graph);
  float *images = pj_alloc (size * sizeof (float), "images to time", error);
  PjRng rng;

  if (images == NULL)
    return FALSE;
  pj_rng_init (&rng, 1, PJ_STREAM (PJ_STREAM_SUBSET, 0, 3));
  for (size_t i = 0; i < size; i++)
    images[i] = (float) pj_rng_uniform (&rng) * 2.0f - 1.0f;
  gboolean ok = pj_plan_set_images (plan, images, error);
  pj_free (images);
  if (ok && labels) {
    g_autofree int32_t *classes = g_new (int32_t, n);
    for (unsigned i = 0; i < n; i++)
      classes[i] = (int32_t) (i % pj_graph_n_classes (graph));
    ok = pj_plan_set_labels (plan, classes, error);
  }
  return ok;
}

static gboolean
run_once (PjPlan *plan, PjPlanMode mode, GError **error)
{
  if (mode == PJ_PLAN_TRAIN)
    return pj_plan_train (plan, &step, error);
  return pj_plan_forward (plan, NULL, error) && (mode != PJ_PLAN_SCORE || pj_plan_backward (plan, error));
}

static int
compare_numbers (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Milliseconds of each call, one row per run. */
static double *
time_calls (PjPlan *plan, guint n_calls, unsigned repeats, const PjHooks *hooks, GError **error)
{
  g_autofree double *all = g_new0 (double, (gsize) n_calls * repeats + 1);
  for (unsigned r = 0; r < repeats; r++) {
    pj_hooks_progress (hooks, (double) r / repeats, "run %u of %u", r + 1, repeats);
    if (!pj_plan_profile (plan, all + (gsize) r * n_calls, error) || !pj_hooks_go_on (hooks, error))
      return NULL;
  }
  return g_steal_pointer (&all);
}

static void
add_call (PjWorkProfile *self, const PjProgram *program, guint index, const double *all, guint n_calls, unsigned repeats)
{
  const PjCall *call = pj_program_call (program, index);
  g_autofree double *series = g_new (double, repeats);
  PjWorkCall result = { .node = call->node, .kernel = pj_kernel_name (call->kernel), .segment = call->segment,
                        .again = call->again };

  for (unsigned r = 0; r < repeats; r++)
    series[r] = all[(gsize) r * n_calls + index];
  qsort (series, repeats, sizeof (double), compare_numbers);
  /* Another call does the work of this one along with its own. */
  if (series[repeats - 1] <= 0.0)
    return;
  result.ms = 0.5 * (series[repeats / 2] + series[(repeats - 1) / 2]);
  result.output = call->out[0] >= 0 ? pj_shape_to_string (&pj_program_slot (program, call->out[0])->shape) : g_strdup ("");
  pj_call_work (program, call, &result.flops, &result.bytes);
  g_array_append_val (self->calls, result);
  self->ms += result.ms;
}

/* Microseconds of the host per run: commands are recorded, so that is a submission and little else. */
static gboolean
time_host (PjPlan *plan, PjDevice *device, PjWorkProfile *self, unsigned repeats, GError **error)
{
  g_autofree double *series = g_new (double, repeats);

  for (unsigned r = 0; r < repeats; r++) {
    double before = device->host_us;
    if (!run_once (plan, self->mode, error))
      return FALSE;
    series[r] = device->host_us - before;
  }
  qsort (series, repeats, sizeof (double), compare_numbers);
  self->host_us = series[repeats / 2];
  return TRUE;
}

static gboolean
measure (PjPlan *plan, PjDevice *device, gint64 start, unsigned repeats, const PjHooks *hooks, PjWorkProfile *self, GError **error)
{
  const PjProgram *program = pj_plan_program (plan);
  guint n_calls = program->calls->len;

  /* The first run compiles kernels and fills caches: its time is another one. */
  if (!run_once (plan, self->mode, error))
    return FALSE;
  self->start_ms = (double) (g_get_monotonic_time () - start) / 1e3;
  self->memory_bytes = pj_plan_memory_bytes (plan);
  if (device->host_us > 0.0 && !time_host (plan, device, self, repeats, error))
    return FALSE;
  g_autofree double *all = time_calls (plan, n_calls, repeats, hooks, error);
  if (all == NULL)
    return FALSE;
  for (guint c = 0; c < n_calls; c++)
    add_call (self, program, c, all, n_calls, repeats);
  self->start_ms = MAX (0.0, self->start_ms - self->ms);
  return TRUE;
}

gboolean
pj_work_profile (PjDevice *device, PjGraph *graph, const PjWorkProfileOptions *o, const PjHooks *hooks, PjWorkProfile *profile,
                 GError **error)
{
  gboolean learns = o->mode != PJ_PLAN_INFER;
  PjPlanOptions options = { .batch = o->batch, .mode = o->mode, .cross_entropy = learns ? 1.0f : 0.0f, .recompute = o->recompute };
  gint64 start = g_get_monotonic_time ();

  *profile = (PjWorkProfile) { .mode = o->mode, .batch = o->batch };
  g_autoptr (PjParams) params = pj_params_new (device, graph, learns, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;
  if (plan == NULL || !pj_work_fill_noise (plan, graph, learns, error))
    return FALSE;
  profile->calls = g_array_new (FALSE, TRUE, sizeof (PjWorkCall));
  g_array_set_clear_func (profile->calls, call_clear);
  if (measure (plan, device, start, MAX (1, o->repeats), hooks, profile, error))
    return TRUE;
  pj_work_profile_clear (profile);
  return FALSE;
}

gboolean
pj_work_profile_judge (PjWorkProfile *self, PjDevice *device, GError **error)
{
  if (!pj_limits_measure (device, &self->limits, error))
    return FALSE;
  for (guint i = 0; i < self->calls->len; i++) {
    PjWorkCall *call = &g_array_index (self->calls, PjWorkCall, i);
    call->share = call->ms > 0.0 ? 1e3 * pj_limits_seconds (&self->limits, call->flops, call->bytes) / call->ms : 0.0;
  }
  return TRUE;
}
