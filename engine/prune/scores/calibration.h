/* SPDX-License-Identifier: MIT */
/* The pictures that a score is measured on: a seeded, class-balanced choice from the training part, in a fixed
 * order, prepared as for evaluation. */
#pragma once

#include "data/loader.h"
#include "prune/criterion.h"

G_BEGIN_DECLS

typedef struct {
  PjDataset *subset;
  PjLoader *loader;
  unsigned n_images, batch;
} PjCalibration;

/* @n_default: pictures where the scoring does not say; @batch: largest batch. PJ_PRUNE_ERROR_SETTING without data. */
PjCalibration *pj_calibration_new (const PjScoring *scoring, unsigned n_default, unsigned batch, GError **error);
void pj_calibration_free (PjCalibration *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjCalibration, pj_calibration_free)

/* Pictures that pj_calibration_new() would take. */
unsigned pj_calibration_count (const PjScoring *scoring, unsigned n_default);

/* Back to the first picture. */
void pj_calibration_rewind (PjCalibration *self);

/* The next batch, or NULL at the end or with @error set. Polls for cancel and shows @what as progress. */
const PjBatch *pj_calibration_next (PjCalibration *self, const PjHooks *hooks, const char *what, unsigned done, GError **error);

G_END_DECLS
