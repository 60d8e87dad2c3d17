/* SPDX-License-Identifier: MIT */
/* Choosing layer by layer by reconstruction: the frame of ThiNet and of Channel-Pruning.
 *
 *   reference pass    original network: targets y of all sampled places of all readers
 *   for each group in network order
 *     layer pass      network as cut and scaled so far: contributions X at the same places
 *     choose          from G = XᵀX and b = Xᵀy; keep flags and factors go into the plan
 *
 * The target is what the ORIGINAL network computes at the place, without the bias, while X comes from the network that
 * is already cut: what earlier cuts spoil can be mended by later factors, so errors do not pile up.  In the first layer
 * both agree and y = Σ_c x_c.  A group with several readers adds their sums, each divided by its yᵀy, and gets one
 * factor per channel for all of them. */
#pragma once

#include "prune/reconstruct/gram.h"
#include "prune/method.h"

G_BEGIN_DECLS

/* Sampled places of each picture in each reader, and pictures where the scoring does not say.  The paper takes 10
 * places of many more pictures; a row costs a thousandth of a forward pass, so more of them is the cheap way to the same
 * accuracy. */
#define PJ_LAYERWISE_PLACES 40
#define PJ_LAYERWISE_IMAGES 2048

/* Refuses residual streams, groups that no layer sums over, and too few pictures for the group's width. */
gboolean pj_layerwise_fit (const PjMethod *self, const PjScoring *scoring, const PjGroup *group, GError **error);

/* Scores channels from the sums of one group, of which @k are going to stay: @score: (out): n numbers, the highest stay;
 * not comparable between groups. */
typedef void (*PjLayerwiseSelect) (const PjGram *gram, int k, double *score);
/* Scores are places in the order of removal, (1 … n)/n. */
void pj_layerwise_by_order (const PjGram *gram, PjGramOrder how, double *score);

/**
 * PjLayerwiseMend: how the layers that read a group make up for the channels that went.
 * @PJ_LAYERWISE_NONE: not at all
 * @PJ_LAYERWISE_FACTORS: one least-squares factor per channel, which the cut carries
 * @PJ_LAYERWISE_WEIGHTS: new least-squares weights; factors where the layer cannot have them, see pj_channel_refit_fits()
 */
typedef enum { PJ_LAYERWISE_NONE, PJ_LAYERWISE_FACTORS, PJ_LAYERWISE_WEIGHTS } PjLayerwiseMend;

/* Rows of PjMethod.options for the training between layers, which all methods of this frame have. */
#define PJ_LAYERWISE_OPTIONS \
  { "between-epochs", "epochs of training after each layer is cut", 0, 0, 100, TRUE, NULL, "none" }, \
  { "between-steps", "the same in batches: so many at most", 0, 0, 1e6, TRUE, NULL, "no limit" }, \
  { "between-lr", "learning rate between the layers", 0.001, 1e-6, 10, FALSE, NULL }

/**
 * pj_layerwise_choose:
 * @select: decides what stays
 * @scores: (out) (optional): what @select gave
 *
 * Cancel is polled once per batch.  1 + n passes for n groups, each no further than it must; new weights take two more.
 * With training between the layers each layer is judged in the network as trained so far,
 * and the plan carries its weights.  A checkpoint is offered after each group.
 */
PjCutPlan *pj_layerwise_choose (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings,
                                PjLayerwiseSelect select, PjLayerwiseMend mend, PjScores **scores, GError **error);
/* PjMethod.check and PjMethod.work of all methods of this frame. */
gboolean pj_layerwise_check (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, GError **error);
void pj_layerwise_work (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, double *forward,
                        double *trained);

G_END_DECLS
