/* SPDX-License-Identifier: MIT */
#include "train/meter.h"

#include "base/alloc.h"
#include "base/error.h"
#include "compute/plan.h"
#include "train/tally.h"

#define MAX_BATCH 128
#define MAX_ACTIVATION_BYTES ((uint64_t) 512 << 20)
#define LOADER_THREADS 2

struct _PjMeter {
  PjPlan *plan;
  PjLoader *loader;
  PjSplit split;
  unsigned n, n_classes;
  float *logits;
};

unsigned
pj_meter_batch (const PjGraph *graph, unsigned n)
{
  PjCost cost = { 0 };
  pj_graph_cost (graph, &cost);
  uint64_t fits = MAX_ACTIVATION_BYTES / MAX (cost.activation_bytes, 1);
  unsigned most = (unsigned) CLAMP (fits, 1, MAX_BATCH);
  unsigned n_batches = (MAX (n, 1) + most - 1) / most;
  return (MAX (n, 1) + n_batches - 1) / n_batches;
}

gboolean
pj_meter_check (const PjGraph *graph, PjDataset *dataset, const PjFormat *format, GError **error)
{
  const PjShape *input = &pj_graph_value (graph, pj_graph_get_input (graph))->shape;
  PjShape pictures = PJ_SHAPE (1, format->c, format->h, format->w);

  if (!pj_shape_equal (input, &pictures)) {
    g_autofree char *a = pj_shape_to_string (input), *b = pj_shape_to_string (&pictures);
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH, "“%s” takes %s but the pictures are prepared as %s",
                 pj_graph_get_name (graph), a, b);
    return FALSE;
  }
  return pj_dataset_check_classes (dataset, graph, error);
}

PjMeter *
pj_meter_new (PjGraph *graph, PjParams *params, const GArray *gated, PjDataset *dataset, PjSplit split,
              const PjFormat *format, unsigned n_max, GError **error)
{
  unsigned n = pj_dataset_n (dataset, split);

  if (!pj_meter_check (graph, dataset, format, error))
    return NULL;
  g_autoptr (PjMeter) self = g_new0 (PjMeter, 1);
  self->split = split;
  self->n = n_max > 0 ? MIN (n, n_max) : n;
  self->n_classes = pj_graph_n_classes (graph);
  PjPlanOptions options = { .batch = pj_meter_batch (graph, self->n), .mode = PJ_PLAN_INFER };
  if (gated != NULL) {
    options.gated = (const int *) gated->data;
    options.n_gated = gated->len;
  }
  PjLoaderOptions loading = { .split = split, .format = *format, .batch = options.batch, .n_threads = LOADER_THREADS };
  self->loader = pj_loader_new (dataset, &loading, error);
  if (self->loader == NULL)
    return NULL;
  self->plan = pj_plan_new (graph, params, &options, error);
  self->logits = pj_alloc ((size_t) options.batch * self->n_classes * sizeof (float), "class scores", error);
  return self->plan != NULL && self->logits != NULL ? g_steal_pointer (&self) : NULL;
}

void
pj_meter_free (PjMeter *self)
{
  if (self == NULL)
    return;
  pj_plan_free (self->plan);
  pj_loader_free (self->loader);
  pj_free (self->logits);
  g_free (self);
}

PjPlan *
pj_meter_plan (PjMeter *self)
{
  return self->plan;
}

/* @tally takes what it has room for: a limit may fall inside a batch. */
static gboolean
run_batches (PjMeter *self, const PjHooks *hooks, PjTally *tally, double *seconds, GError **error)
{
  GError *reason = NULL;
  const PjBatch *batch;

  pj_loader_start (self->loader, 0, 0);
  while (tally->n < self->n && (batch = pj_loader_next (self->loader, &reason)) != NULL) {
    if (!pj_hooks_go_on (hooks, error))
      return FALSE;
    gint64 before = g_get_monotonic_time ();
    if (!pj_plan_set_images (self->plan, batch->images, error) || !pj_plan_forward (self->plan, NULL, error)
        || !pj_plan_read_logits (self->plan, self->logits, error))
      return FALSE;
    *seconds += (double) (g_get_monotonic_time () - before) / G_USEC_PER_SEC;
    pj_tally_add (tally, self->logits, batch->labels, batch->n);
    pj_hooks_progress (hooks, (double) tally->n / self->n, "measuring %u of %u pictures", tally->n, self->n);
  }
  if (reason != NULL)
    g_propagate_error (error, reason);
  return reason == NULL;
}

gboolean
pj_meter_run (PjMeter *self, const PjHooks *hooks, PjAccuracy *accuracy, GError **error)
{
  PjTally tally;
  double seconds = 0;

  pj_tally_init (&tally, self->n_classes, self->n);
  gboolean ok = run_batches (self, hooks, &tally, &seconds, error);
  if (ok)
    pj_tally_finish (&tally, seconds, accuracy);
  else
    pj_tally_clear (&tally);
  return ok;
}
