/* SPDX-License-Identifier: MIT */
/* What it costs to run the network once for each channel, with that channel masked. */
#pragma once

#include "prune/criterion.h"

G_BEGIN_DECLS

/**
 * PjKlCost: multiply-accumulates for one picture, all channels.
 * @n_masks: channels that are masked, one at a time
 * @full: of the network, once
 * @naive: the whole network for each channel
 * @suffix: only what lies behind the first mask points
 * @delta: the same, and of the layers that read the masked channel before it mixes with others only its own input slice;
 *   pj_suffix_run() computes that where one layer is all that reads the channel, and else @suffix
 */
typedef struct {
  unsigned n_masks;
  uint64_t full, naive, suffix, delta;
} PjKlCost;

/* @left_out: (nullable): by group id, 1 for groups that get no scores; locked ones never do. */
void pj_kl_cost (const PjGraph *graph, const PjGroups *groups, const guint8 *left_out, PjKlCost *cost);

/* Passes of one picture through the whole network that take as long as scoring all groups: what pj_suffix_run() does for
 * each channel, and the way up to each group. */
double pj_kl_cost_passes (const PjScoring *scoring);

G_END_DECLS
