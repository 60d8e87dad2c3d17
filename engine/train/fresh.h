/* SPDX-License-Identifier: MIT */
/* Training from scratch: a network's shape with initial weights, and how long to train it
 * (Liu et al.: Rethinking the Value of Network Pruning, ICLR 2019). */
#pragma once

#include "graph/graph.h"
#include "train/trainer.h"

G_BEGIN_DECLS

/**
 * pj_graph_fresh:
 * @graph: any network; its notes stay
 * @seed: each parameter has a random stream of its own
 *
 * The same structure with initial weights: convolutions normal with variance 2/fan-out (He), matrices normal with
 * deviation 0.01, biases and β 0, γ 1, running means 0 and variances 1, slopes of PReLU 0.25.  Constants that a network
 * reads as indices or adds as tables start at their old values.
 *
 * Returns: (transfer full): the network, or NULL with PJ_ERROR_NO_MEMORY
 */
PjGraph *pj_graph_fresh (const PjGraph *graph, uint64_t seed, GError **error);

/**
 * PjFresh: how a network that starts anew is trained.
 * @PJ_FRESH_NO: it does not start anew
 * @PJ_FRESH_EPOCHS: for as many epochs as others ("scratch-E")
 * @PJ_FRESH_BUDGET: for as much computing as the unpruned network would take, at most twice the epochs ("scratch-B")
 */
typedef enum { PJ_FRESH_NO, PJ_FRESH_EPOCHS, PJ_FRESH_BUDGET } PjFresh;

/* ⌊epochs · full/pruned⌋, at least @epochs and at most twice as many. */
unsigned pj_fresh_epochs (unsigned epochs, uint64_t full_macs, uint64_t pruned_macs);

/* The lowest learning rate of training from initial weights. */
#define PJ_FRESH_LR 0.05f

/**
 * pj_fresh_options:
 * @options: (inout): of fine-tuning; epochs, steps, warm-up and milestones of the learning rate are stretched for
 *   PJ_FRESH_BUDGET, and the learning rate is raised to PJ_FRESH_LR
 */
void pj_fresh_options (PjTrainOptions *options, PjFresh how, uint64_t full_macs, uint64_t pruned_macs);

G_END_DECLS
