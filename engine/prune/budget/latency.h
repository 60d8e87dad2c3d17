/* SPDX-License-Identifier: MIT */
/* Predicted milliseconds: a table of what every node of a network took on a device at several widths, and what a cut of
 * it is going to take by that table (never by multiply-adds). */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "graph/cut.h"

G_BEGIN_DECLS

typedef struct _PjLatency PjLatency;

/**
 * pj_latency_measure:
 * @hooks: (nullable): polled for cancel before each width
 * @error: PJ_ERROR_CANCELLED and what cutting, compiling and timing raise
 *
 * Thins the network uniformly to several widths down to an eighth, compiles each for one picture and times every kernel
 * call, the best of many runs.  Takes a second or so for small networks.  Engine thread.
 *
 * Returns: (transfer full)
 */
PjLatency *pj_latency_measure (PjDevice *device, PjGraph *graph, const PjGroups *groups, const PjHooks *hooks, GError **error);
void pj_latency_free (PjLatency *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjLatency, pj_latency_free)

/* Milliseconds of one picture through @graph: the measured network or a cut of it, also an outline (pj_cut_outline()).
 * Between measured widths a node's time follows its work in a straight line; it never falls as the work grows, and is
 * never less than at the smallest width. */
double pj_latency_predict (const PjLatency *self, const PjGraph *graph);
/* Of node @node alone. */
double pj_latency_predict_node (const PjLatency *self, const PjGraph *graph, int node);

G_END_DECLS
