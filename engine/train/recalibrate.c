/* SPDX-License-Identifier: MIT */
/* Norm statistics after a cut.  In batch k = 0, 1, … the running value moves by 1/(k + 1)
 * of its distance to the batch's: after n batches it is their plain average, and what was there before
 * is forgotten with the first. */
#include "base/error.h"
#include "compute/plan.h"
#include "ops/op.h"
#include "train/evaluate.h"
#include "train/meter.h"

#define BATCH 64
#define DEFAULT_BATCHES 20

static gboolean
has_norms (const PjGraph *graph)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++)
    for (unsigned i = 0; i < PJ_OP_MAX_INPUTS; i++)
      if (pj_graph_node (graph, (int) n)->op->uses[i] == PJ_USE_STATE)
        return TRUE;
  return FALSE;
}

static gboolean
run_batches (PjPlan *plan, PjLoader *loader, unsigned n_batches, const PjHooks *hooks, GError **error)
{
  unsigned per_epoch = pj_loader_n_batches (loader);
  GError *reason = NULL;

  for (unsigned k = 0; k < n_batches; k++) {
    PjStep step = { .norm_momentum = 1.0f / (float) (k + 1) };
    if (!pj_hooks_go_on (hooks, error))
      return FALSE;
    if (k % per_epoch == 0)
      pj_loader_start (loader, k / per_epoch, 0);
    const PjBatch *batch = pj_loader_next (loader, &reason);
    if (batch == NULL) {
      g_propagate_error (error, reason);
      return FALSE;
    }
    if (!pj_plan_set_images (plan, batch->images, error) || !pj_plan_forward (plan, &step, error))
      return FALSE;
    pj_hooks_progress (hooks, (k + 1.0) / n_batches, "norm statistics, batch %u of %u", k + 1, n_batches);
  }
  return TRUE;
}

PjGraph *
pj_recalibrate_from (PjDevice *device, PjGraph *graph, PjLoader *loader, unsigned batch, unsigned n_batches,
                     const PjHooks *hooks, GError **error)
{
  PjPlanOptions options = { .batch = batch, .mode = PJ_PLAN_RECALIBRATE };
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, error);
  g_autoptr (PjPlan) plan = params ? pj_plan_new (graph, params, &options, error) : NULL;
  if (plan == NULL || !run_batches (plan, loader, n_batches, hooks, error))
    return NULL;
  return pj_params_download (params, graph, error);
}

PjGraph *
pj_recalibrate (PjDevice *device, PjGraph *graph, PjDataset *dataset, const PjFormat *format, unsigned n_batches,
                uint64_t seed, const PjHooks *hooks, GError **error)
{
  unsigned batch = MIN (BATCH, pj_dataset_n (dataset, PJ_SPLIT_TRAIN));

  if (!has_norms (graph))
    return pj_graph_ref (graph);
  if (!pj_meter_check (graph, dataset, format, error))
    return NULL;
  PjLoaderOptions options = {
    .split = PJ_SPLIT_TRAIN, .format = *format, .batch = batch, .shuffle = TRUE, .seed = seed, .n_threads = 2,
  };
  g_autoptr (PjLoader) loader = pj_loader_new (dataset, &options, error);
  if (loader == NULL)
    return NULL;
  return pj_recalibrate_from (device, graph, loader, batch, n_batches > 0 ? n_batches : DEFAULT_BATCHES, hooks, error);
}
