/* SPDX-License-Identifier: MIT */
#include "prune/scores/calibration.h"

unsigned
pj_calibration_count (const PjScoring *scoring, unsigned n_default)
{
  unsigned n = pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN);
  return MIN (n, scoring->n_images > 0 ? scoring->n_images : n_default);
}

PjCalibration *
pj_calibration_new (const PjScoring *scoring, unsigned n_default, unsigned batch, GError **error)
{
  if (scoring->dataset == NULL || scoring->format == NULL || pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN) == 0) {
    g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                         "there are no training pictures to measure on; choose a data folder");
    return NULL;
  }
  g_autoptr (PjCalibration) self = g_new0 (PjCalibration, 1);
  self->n_images = pj_calibration_count (scoring, n_default);
  self->batch = MIN (batch, self->n_images);
  self->subset = self->n_images < pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN)
                   ? pj_dataset_subset (scoring->dataset, self->n_images, 0, scoring->seed)
                   : pj_dataset_ref (scoring->dataset);
  PjLoaderOptions options = {
    .split = PJ_SPLIT_TRAIN, .format = *scoring->format, .batch = self->batch, .seed = scoring->seed,
  };
  self->loader = pj_loader_new (self->subset, &options, error);
  if (self->loader == NULL)
    return NULL;
  pj_calibration_rewind (self);
  return g_steal_pointer (&self);
}

void
pj_calibration_free (PjCalibration *self)
{
  if (self == NULL)
    return;
  pj_loader_free (self->loader);
  pj_dataset_unref (self->subset);
  g_free (self);
}

void
pj_calibration_rewind (PjCalibration *self)
{
  pj_loader_start (self->loader, 0, 0);
}

const PjBatch *
pj_calibration_next (PjCalibration *self, const PjHooks *hooks, const char *what, unsigned done, GError **error)
{
  if (!pj_hooks_go_on (hooks, error))
    return NULL;
  pj_hooks_progress (hooks, (double) done / self->n_images, "%s: %u of %u pictures", what, done, self->n_images);
  return pj_loader_next (self->loader, error);
}
