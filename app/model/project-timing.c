/* SPDX-License-Identifier: MIT */
/* Milliseconds of each layer, measured once per network and device, and what the present marks would make of
 * them.  The prediction scales each layer by its multiply-accumulates, and layers without any by the size of
 * their output: good enough for a slider, and labelled as a prediction wherever it is shown. */
#include <string.h>

#include "base/alloc.h"
#include "compute/plan.h"
#include "model/project-private.h"

/* Runs until there are enough of them or enough time went by; the fastest one of each call counts. */
#define MAX_RUNS 9
#define MAX_MS 400

typedef struct {
  PjmProject *project;
  PjmEngine *engine;
  char *device;
  PjmNetwork *network;
  double *ms;                   /* by row */
} Timing;

static void
timing_free (gpointer data)
{
  Timing *self = data;
  g_free (self->device);
  pjm_network_unref (self->network);
  g_free (self->ms);
  g_free (self);
}

/* Adds up the calls of each row. */
static void
share_out (Timing *self, const PjProgram *program, const double *ms)
{
  const PjmNetwork *network = self->network;
  g_autofree int *row_of = g_new0 (int, MAX (1u, pj_graph_n_nodes (network->graph)));
  for (guint r = 0; r < network->rows->len; r++) {
    const PjmRow *row = network->rows->pdata[r];
    for (guint i = 0; i < row->nodes->len; i++)
      row_of[g_array_index (row->nodes, int, i)] = (int) r;
  }
  for (guint i = 0; i < program->calls->len; i++) {
    const PjCall *call = pj_program_call (program, i);
    if (call->segment == PJ_SEGMENT_FORWARD && call->node >= 0)
      self->ms[row_of[call->node]] += ms[i];
  }
}

static gboolean
time_plan (Timing *self, PjPlan *plan, const PjHooks *hooks, GError **error)
{
  const PjProgram *program = pj_plan_program (plan);
  size_t n_in = pj_shape_n_elems (&pj_graph_value (self->network->graph, pj_graph_get_input (self->network->graph))->shape);
  g_autofree double *best = g_new (double, program->calls->len + 1), *run = g_new (double, program->calls->len + 1);
  float *image = pj_alloc (n_in * sizeof (float), "a picture for timing", error);
  if (image == NULL)
    return FALSE;
  memset (image, 0, n_in * sizeof (float));
  gboolean ok = pj_plan_set_images (plan, image, error) && pj_plan_forward (plan, NULL, error);
  gint64 start = g_get_monotonic_time ();
  for (int k = 0; ok && k < MAX_RUNS && g_get_monotonic_time () - start < MAX_MS * 1000; k++) {
    ok = pj_hooks_go_on (hooks, error) && pj_plan_profile (plan, run, error);
    for (guint i = 0; ok && i < program->calls->len; i++)
      best[i] = k == 0 ? run[i] : MIN (best[i], run[i]);
  }
  if (ok)
    share_out (self, program, best);
  pj_free (image);
  return ok;
}

static gboolean
timing_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Timing *self = data;
  PjDevice *device = pjm_engine_open (self->engine, self->device, error);
  PjPlanOptions options = { .batch = 1, .mode = PJ_PLAN_INFER };
  g_autoptr (PjParams) params = device != NULL ? pj_params_new (device, self->network->graph, FALSE, error) : NULL;
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (self->network->graph, params, &options, error) : NULL;
  self->ms = g_new0 (double, self->network->rows->len);
  return plan != NULL && time_plan (self, plan, hooks, error);
}

static void
show_times (PjmProject *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->layers)); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (G_LIST_MODEL (self->layers), i);
    pjm_layer_set_milliseconds (layer, self->row_ms != NULL ? self->row_ms[i] : -1.0);
  }
}

static void
timing_news (PjTask *task, const PjTaskNews *news, gpointer user_data)
{
  Timing *timing = pj_task_get_data (task);
  g_autoptr (PjmProject) self = g_object_ref (timing->project);
  /* A device that cannot time single calls has no times; nothing else depends on them. */
  if (news->state != PJ_TASK_DONE || self->closed || self->place == NULL || self->place->network != timing->network
      || g_strcmp0 (self->device, timing->device) != 0)
    return;
  g_free (self->row_ms);
  self->row_ms = g_steal_pointer (&timing->ms);
  show_times (self);
  pjm_project_predict_time (self, NULL);
}

void
pjm_project_measure_time (PjmProject *self)
{
  g_clear_pointer (&self->row_ms, g_free);
  self->time = self->time_after = -1.0;
  show_times (self);
  pjm_project_notify (self, PJM_PROP_TIME);
  pjm_project_notify (self, PJM_PROP_TIME_AFTER);
  if (self->closed || self->place == NULL || g_strcmp0 (self->device, "auto") == 0)
    return;
  Timing *data = g_new0 (Timing, 1);
  data->project = self;
  data->engine = self->engine;
  data->device = g_strdup (self->device);
  data->network = pjm_network_ref (self->place->network);
  pj_job_queue_push (self->queue, timing_run, data, timing_free, timing_news, NULL);
}

/* What a row costs in @outline against the whole network, 0 … 1. */
static double
row_share (const PjmRow *row, const PjGraph *graph, const PjGraph *outline)
{
  if (row->macs > 0) {
    PjCost cost = { 0 };
    for (guint k = 0; k < row->nodes->len; k++)
      pj_graph_node_cost (outline, g_array_index (row->nodes, int, k), &cost);
    return (double) cost.macs / (double) row->macs;
  }
  size_t before = pj_shape_n_elems (&pj_graph_value (graph, row->value)->shape);
  return before > 0 ? (double) pj_shape_n_elems (&pj_graph_value (outline, row->value)->shape) / (double) before : 1.0;
}

void
pjm_project_predict_time (PjmProject *self, const PjGraph *given)
{
  if (self->row_ms == NULL || self->place == NULL)
    return;
  const PjmNetwork *network = self->place->network;
  g_autoptr (PjCutPlan) masks = given == NULL ? pjm_project_get_masks (self) : NULL;
  g_autoptr (PjGraph) own = masks != NULL ? pj_cut_outline (network->graph, network->groups, masks, NULL) : NULL;
  const PjGraph *outline = given != NULL ? given : own != NULL ? own : network->graph;
  self->time = self->time_after = 0.0;
  for (guint i = 0; i < network->rows->len; i++) {
    self->time += self->row_ms[i];
    self->time_after += self->row_ms[i] * row_share (network->rows->pdata[i], network->graph, outline);
  }
  pjm_project_notify (self, PJM_PROP_TIME);
  pjm_project_notify (self, PJM_PROP_TIME_AFTER);
}
