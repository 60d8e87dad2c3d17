/* SPDX-License-Identifier: MIT */
/* The outlet of a group: the one convolution or fully connected layer through which alone the rest of the network sees the
 * group's channels, as the second layer of a residual block sees the first.
 *
 *   mask points ── what works channel by channel ──▶ outlet ──▶ all the rest
 *
 * Without one channel the outlet's result is its result with all of them less that channel's share, so the layer needs not
 * be run again for each of them (first-layer delta). */
#pragma once

#include "compute/plan.h"
#include "graph/groups.h"

G_BEGIN_DECLS

/**
 * PjOutlet:
 * @layer: the outlet as a plan wants it
 * @input: the value that it reads, in which a masked channel is zero
 * @column: by channel of the group: the channel of @input
 */
typedef struct {
  PjPlanWithout layer;
  int input;
  int *column;
} PjOutlet;

/* FALSE if the group has none: several readers, or something that mixes channels before it.  Otherwise @outlet is for
 * pj_outlet_clear(). */
gboolean pj_outlet_find (const PjGraph *graph, const PjGroup *group, PjOutlet *outlet);
void pj_outlet_clear (PjOutlet *outlet);

G_END_DECLS
