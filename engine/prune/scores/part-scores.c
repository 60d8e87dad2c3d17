/* SPDX-License-Identifier: MIT */
#include "prune/scores/part-scores.h"

#include <math.h>

#include "base/alloc.h"
#include "compute/plan.h"
#include "prune/scores/calibration.h"
#include "prune/scores/divergence.h"

#define BATCH 64

typedef struct {
  const PjScoring *scoring;
  PjCalibration *pictures;
  unsigned n_classes;
  float *reference;       /* answers of the whole network: pictures x classes */
  float *answers;         /* of one batch */
} Judge;

/* Runs @graph over all pictures.  Fills the reference if @divergence is NULL, else compares with it. */
static gboolean
run (Judge *self, PjGraph *graph, const char *what, const PjHooks *hooks, double *divergence, GError **error)
{
  PjPlanOptions options = { .batch = self->pictures->batch, .mode = PJ_PLAN_INFER };
  g_autoptr (PjParams) params = pj_params_new (self->scoring->device, graph, FALSE, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;
  GError *reason = NULL;
  const PjBatch *batch;
  unsigned n = 0;
  double sum = 0;

  if (plan == NULL)
    return FALSE;
  pj_calibration_rewind (self->pictures);
  while ((batch = pj_calibration_next (self->pictures, hooks, what, n, &reason)) != NULL) {
    float *reference = self->reference + (size_t) n * self->n_classes;
    if (!pj_plan_set_images (plan, batch->images, error) || !pj_plan_forward (plan, NULL, error)
        || !pj_plan_read_logits (plan, self->answers, error))
      return FALSE;
    if (divergence != NULL)
      sum += batch->n * pj_kl_divergence (reference, self->answers, batch->n, self->n_classes, PJ_DIVERGENCE_FORWARD);
    else
      for (size_t i = 0; i < (size_t) batch->n * self->n_classes; i++)
        reference[i] = self->answers[i];
    n += batch->n;
  }
  if (reason != NULL) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  if (divergence != NULL)
    *divergence = sum / MAX (n, 1);
  return TRUE;
}

static gboolean
judge_part (Judge *self, const PjParts *parts, const PjPart *part, const PjHooks *hooks, double *score, GError **error)
{
  g_autofree guint8 *removed = g_malloc0 (pj_parts_n (parts));
  removed[part->id] = 1;
  g_autoptr (PjGraph) without = pj_parts_remove (self->scoring->graph, parts, removed, error);
  if (without == NULL || !run (self, without, part->name, hooks, score, error))
    return FALSE;
  if (isfinite (*score))
    return TRUE;
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_NUMERIC, "without “%s” the answers of the network are no numbers", part->name);
  return FALSE;
}

static gboolean
judge_all (Judge *self, const PjParts *parts, PjPartKind kind, double *scores, GError **error)
{
  unsigned n = 0, n_done = 1;
  PjHooksSpan span;

  for (unsigned i = 0; i < pj_parts_n (parts); i++) {
    const PjPart *part = pj_parts_get (parts, i);
    scores[i] = -1;
    n += part->kind == kind && part->lock_reason == NULL;
  }
  pj_hooks_span_init (&span, self->scoring->hooks, 0, 1.0 / (n + 1), NULL);
  if (!run (self, self->scoring->graph, "whole network", &span.hooks, NULL, error))
    return FALSE;
  for (unsigned i = 0; i < pj_parts_n (parts); i++) {
    const PjPart *part = pj_parts_get (parts, i);
    if (part->kind != kind || part->lock_reason != NULL)
      continue;
    pj_hooks_span_init (&span, self->scoring->hooks, (double) n_done / (n + 1), (n_done + 1.0) / (n + 1), NULL);
    if (!judge_part (self, parts, part, &span.hooks, &scores[i], error))
      return FALSE;
    n_done++;
  }
  return TRUE;
}

gboolean
pj_parts_score (const PjScoring *scoring, const PjParts *parts, PjPartKind kind, double *scores, unsigned *n_images,
                GError **error)
{
  g_autoptr (PjCalibration) pictures = pj_calibration_new (scoring, PJ_DEFAULT_KL_IMAGES, BATCH, error);
  if (pictures == NULL)
    return FALSE;
  Judge self = { scoring, pictures, pj_graph_n_classes (scoring->graph), NULL, NULL };
  self.reference = pj_alloc ((size_t) pictures->n_images * self.n_classes * sizeof (float), "answers of the network", error);
  self.answers = self.reference != NULL
                   ? pj_alloc ((size_t) pictures->batch * self.n_classes * sizeof (float), "answers of a batch", error) : NULL;
  gboolean ok = self.answers != NULL && judge_all (&self, parts, kind, scores, error);
  if (n_images != NULL)
    *n_images = pictures->n_images;
  pj_free (self.reference);
  pj_free (self.answers);
  return ok;
}
