/* SPDX-License-Identifier: MIT */
/* Bringing folded norms back, measured on a person's own pictures; see graph/norms.h. */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "data/loader.h"
#include "graph/norms.h"

G_BEGIN_DECLS

/**
 * PjNormsBack: what was done.
 * @n_norms: norms that were put in
 * @n_images: pictures that they were measured on
 * @difference: largest change of an output on the first of these pictures, as a share of the largest output
 */
typedef struct {
  unsigned n_norms, n_images;
  double difference;
} PjNormsBack;

/**
 * pj_bring_norms_back:
 * @n_images: training pictures to measure on, in whole batches of up to 64; 0 for 512
 * @result: (out): filled on success
 * @error: PJ_DATA_ERROR_MISMATCH; those of pj_plan_new(); PJ_ERROR_CANCELLED; PJ_ERROR_INVALID if the outputs would
 *   change by more than PJ_NORMS_TOLERANCE
 *
 * Puts a norm behind every convolution that has none, with the statistics of what it makes of the pictures.
 *
 * Returns: (transfer full): the new network, @graph itself if no norm is missing, or NULL
 */
PjGraph *pj_bring_norms_back (PjDevice *device, PjGraph *graph, PjDataset *dataset, const PjFormat *format,
                              unsigned n_images, uint64_t seed, const PjHooks *hooks, PjNormsBack *result, GError **error);

#define PJ_NORMS_TOLERANCE 1e-4

G_END_DECLS
