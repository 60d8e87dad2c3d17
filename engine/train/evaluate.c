/* SPDX-License-Identifier: MIT */
/* One-off evaluation, and the evaluator that a slider's live preview runs on. */
#include "train/evaluate.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "compute/plan.h"
#include "train/masks.h"
#include "train/meter.h"
#include "train/tally.h"

/* The same complaints as cutting would give: a foreign plan, a locked group, nothing kept. */
static gboolean
check_masks (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *masks, GError **error)
{
  PjCost cost;
  return pj_cut_predict_cost (graph, groups, masks, &cost, error);
}

gboolean
pj_evaluate (PjDevice *device, PjGraph *graph, PjDataset *dataset, PjSplit split, const PjFormat *format, unsigned n_max,
             const PjGroups *groups, const PjCutPlan *masks, const PjHooks *hooks, PjAccuracy *accuracy, GError **error)
{
  g_return_val_if_fail (masks == NULL || groups != NULL, FALSE);
  g_autoptr (PjGraph) scaled = NULL;
  g_autoptr (GArray) gated = NULL;

  if (masks != NULL) {
    if (!check_masks (graph, groups, masks, error))
      return FALSE;
    scaled = pj_masks_scaled (graph, groups, masks, error);
    if (scaled == NULL)
      return FALSE;
    gated = pj_masks_gated (groups, masks);
  }
  g_autoptr (PjParams) params = pj_params_new (device, scaled ? scaled : graph, FALSE, error);
  if (params == NULL)
    return FALSE;
  g_autoptr (PjMeter) meter = pj_meter_new (graph, params, gated, dataset, split, format, n_max, error);
  return meter != NULL
         && (gated == NULL || pj_masks_apply (pj_meter_plan (meter), graph, groups, gated, masks, error))
         && pj_meter_run (meter, hooks, accuracy, error);
}

/* --- evaluator --- */

struct _PjEvaluator {
  PjGraph *graph;
  PjGroups *groups;
  PjFormat format;
  PjParams *params;
  gboolean is_scaled;       /* the parameters on the device hold factors of the last masks */
  GArray *gated;
  PjPlan *plan;
  unsigned n, batch;
  size_t picture_elems;
  guint8 *pixels;           /* n pictures; a quarter of what floats would take */
  int32_t *labels;
  float *images, *logits;   /* one batch */
};

static gboolean
load_pictures (PjEvaluator *self, PjDataset *dataset, PjSplit split, GError **error)
{
  self->pixels = pj_alloc (self->n * self->picture_elems, "pictures for the preview", error);
  if (self->pixels == NULL)
    return FALSE;
  self->labels = g_new (int32_t, self->n);
  for (unsigned i = 0; i < self->n; i++) {
    self->labels[i] = pj_dataset_label (dataset, split, i);
    if (!pj_dataset_pixels (dataset, split, i, &self->format, self->pixels + i * self->picture_elems, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
make_plan (PjEvaluator *self, PjDevice *device, GError **error)
{
  PjPlanOptions options = {
    .batch = self->batch, .mode = PJ_PLAN_INFER, .gated = (const int *) self->gated->data, .n_gated = self->gated->len,
  };
  self->params = pj_params_new (device, self->graph, FALSE, error);
  if (self->params == NULL)
    return FALSE;
  self->plan = pj_plan_new (self->graph, self->params, &options, error);
  self->images = pj_alloc (self->batch * self->picture_elems * sizeof (float), "a batch of pictures", error);
  self->logits = pj_alloc ((size_t) self->batch * pj_graph_n_classes (self->graph) * sizeof (float), "class scores", error);
  return self->plan != NULL && self->images != NULL && self->logits != NULL;
}

PjEvaluator *
pj_evaluator_new (PjDevice *device, PjGraph *graph, const PjGroups *groups, PjDataset *dataset, PjSplit split,
                  const PjFormat *format, unsigned n_max, GError **error)
{
  unsigned n = pj_dataset_n (dataset, split);

  if (!pj_meter_check (graph, dataset, format, error))
    return NULL;
  if (n == 0) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING, "“%s” has no pictures in this part", pj_dataset_name (dataset));
    return NULL;
  }
  g_autoptr (PjEvaluator) self = g_new0 (PjEvaluator, 1);
  self->graph = pj_graph_ref (graph);
  self->groups = pj_groups_ref ((PjGroups *) groups);
  self->format = *format;
  self->n = n_max > 0 ? MIN (n, n_max) : n;
  self->batch = pj_meter_batch (graph, self->n);
  self->picture_elems = (size_t) format->c * (size_t) format->h * (size_t) format->w;
  self->gated = pj_masks_gated (groups, NULL);
  if (!load_pictures (self, dataset, split, error) || !make_plan (self, device, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
pj_evaluator_free (PjEvaluator *self)
{
  if (self == NULL)
    return;
  pj_plan_free (self->plan);
  pj_params_free (self->params);
  pj_groups_unref (self->groups);
  pj_graph_unref (self->graph);
  g_clear_pointer (&self->gated, g_array_unref);
  pj_free (self->pixels);
  g_free (self->labels);
  pj_free (self->images);
  pj_free (self->logits);
  g_free (self);
}

/* Brings gates and factors on the device in line with @masks. */
static gboolean
set_masks (PjEvaluator *self, const PjCutPlan *masks, GError **error)
{
  if (masks != NULL && !check_masks (self->graph, self->groups, masks, error))
    return FALSE;
  g_autoptr (PjGraph) wanted = masks ? pj_masks_scaled (self->graph, self->groups, masks, error) : pj_graph_ref (self->graph);
  if (wanted == NULL)
    return FALSE;
  if ((wanted != self->graph || self->is_scaled) && !pj_params_upload (self->params, wanted, error))
    return FALSE;
  self->is_scaled = wanted != self->graph;
  return pj_masks_apply (self->plan, self->graph, self->groups, self->gated, masks, error);
}

unsigned
pj_evaluator_images (PjEvaluator *self, unsigned first, const float **images)
{
  unsigned n = MIN (self->batch, self->n - first);

  for (unsigned i = 0; i < self->batch; i++)
    pj_format_normalise (&self->format, self->pixels + (first + (i < n ? i : 0)) * self->picture_elems,
                         self->images + i * self->picture_elems);
  *images = self->images;
  return n;
}

static gboolean
run_batch (PjEvaluator *self, unsigned first, unsigned n, PjTally *tally, GError **error)
{
  const float *images;

  pj_evaluator_images (self, first, &images);
  if (!pj_plan_set_images (self->plan, self->images, error) || !pj_plan_forward (self->plan, NULL, error)
      || !pj_plan_read_logits (self->plan, self->logits, error))
    return FALSE;
  pj_tally_add (tally, self->logits, self->labels + first, n);
  return TRUE;
}

gboolean
pj_evaluator_run_logits (PjEvaluator *self, const PjCutPlan *masks, const PjHooks *hooks, float *logits,
                         PjAccuracy *accuracy, GError **error)
{
  unsigned n_classes = pj_graph_n_classes (self->graph);
  PjTally tally;
  gint64 before = g_get_monotonic_time ();

  if (!set_masks (self, masks, error))
    return FALSE;
  pj_tally_init (&tally, n_classes, self->n);
  for (unsigned first = 0; first < self->n; first += self->batch) {
    unsigned n = MIN (self->batch, self->n - first);
    if (!pj_hooks_go_on (hooks, error) || !run_batch (self, first, n, &tally, error)) {
      pj_tally_clear (&tally);
      return FALSE;
    }
    if (logits != NULL)
      memcpy (logits + (size_t) first * n_classes, self->logits, (size_t) n * n_classes * sizeof (float));
  }
  pj_tally_finish (&tally, (double) (g_get_monotonic_time () - before) / G_USEC_PER_SEC, accuracy);
  return TRUE;
}

gboolean
pj_evaluator_run (PjEvaluator *self, const PjCutPlan *masks, const PjHooks *hooks, PjAccuracy *accuracy, GError **error)
{
  return pj_evaluator_run_logits (self, masks, hooks, NULL, accuracy, error);
}

unsigned
pj_evaluator_n (const PjEvaluator *self)
{
  return self->n;
}

unsigned
pj_evaluator_batch (const PjEvaluator *self)
{
  return self->batch;
}

unsigned
pj_evaluator_count_right (const PjEvaluator *self, unsigned first, unsigned n, const float *logits)
{
  PjTally tally;

  pj_tally_init (&tally, pj_graph_n_classes (self->graph), n);
  pj_tally_add (&tally, logits, self->labels + first, n);
  unsigned right = tally.top1;
  pj_tally_clear (&tally);
  return right;
}

PjParams *
pj_evaluator_params (PjEvaluator *self)
{
  return self->params;
}
