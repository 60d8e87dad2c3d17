/* SPDX-License-Identifier: MIT */
/* Masks that are drawn again and again while a network trains (GDP and Taylor in steps). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PjDynamicLayer:
 * @n: filters; @score: saliency of each, Θ = |Σ w·∂loss/∂w|
 * @mask: (out): @n flags, 1 stays
 */
typedef struct {
  int n;
  const double *score;
  guint8 *mask;
} PjDynamicLayer;

/**
 * pj_dynamic_masks: the highest scores of all layers together stay, whatever layer they are in.
 * @share: of all filters, above 0 and at most 1: max (1, ⌊share·Σn + 1e-9⌋) of them stay
 *
 * A layer that would lose everything gets its best filter back, which then is one more.  Equal scores: earlier layers and
 * lower indices go first.
 */
void pj_dynamic_masks (const PjDynamicLayer *layers, unsigned n_layers, double share);

/* The end of a round of @n_batches: @state becomes @momentum·@state + (1 − @momentum)·@sum / @n_batches, and @sum 0. */
void pj_dynamic_mix (double *state, double *sum, int n, double n_batches, double momentum);

/* Takes @lambda times what each channel costs, as a share of the dearest, off its score. */
void pj_dynamic_charge (double *score, const double *share, int n, double lambda);

/* Divides @score by its Euclidean norm, if it is not 0: late layers have larger gradients. */
void pj_dynamic_normalise (double *score, int n);

G_END_DECLS
