/* SPDX-License-Identifier: MIT */
/* How far the output of a network is from what it was: the Kullback-Leibler divergence of its class
 * distributions. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PjDivergence: p is the reference's distribution, q the changed network's.
 * @PJ_DIVERGENCE_FORWARD: Σ p·ln (p/q), as the paper writes it; the default everywhere
 * @PJ_DIVERGENCE_REVERSE: Σ q·ln (q/p), as the authors' program computes it
 */
typedef enum { PJ_DIVERGENCE_FORWARD, PJ_DIVERGENCE_REVERSE } PjDivergence;

/**
 * pj_kl_divergence:
 * @reference: n x n_classes logits of the reference; @changed: those of the changed network
 *
 * Mean over @n pictures, in nats and in double.  Computed from log-softmax; what rounding leaves below 0 is 0.  Not a
 * number if a logit is not one.
 */
double pj_kl_divergence (const float *reference, const float *changed, unsigned n, unsigned n_classes, PjDivergence direction);

G_END_DECLS
