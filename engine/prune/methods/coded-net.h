/* SPDX-License-Identifier: MIT */
/* A network with AutoPruner layers in it: behind the activation of every coded group
 * stands a coding layer, and its gates multiply the activation.
 *
 *   conv ─ norm ─ ReLU ──┬─────────── × ── next conv
 *                        └─ code ─ v ─┘
 *
 * A group with several activations in a row, as around a depthwise convolution, has one code, made from the first of them
 * and applied to all: the shift of a later norm would open a closed channel again. */
#pragma once

#include "compute/params.h"
#include "graph/cut.h"
#include "graph/groups.h"

G_BEGIN_DECLS

/**
 * PjCodedSite: one coded group, values of the coded network.
 * @code: the gates, N x C x 1 x 1, all pictures alike
 * @alpha, @target, @pull, @on: parameters of one number; @fixed: of C numbers; see ops/code.c
 */
typedef struct {
  const PjGroup *group;
  int code, alpha, target, pull, on, fixed;
} PjCodedSite;

/**
 * PjCodedNet:
 * @graph: the coded network
 * @value_of: value of @graph for each value of the plain network, before any gate
 * @sites: one per coded group, in the order given
 */
typedef struct {
  PjGraph *graph;
  int *value_of;
  unsigned n_sites;
  PjCodedSite *sites;
} PjCodedNet;

/* PJ_PRUNE_ERROR_UNFIT if @group cannot be coded: a residual stream, or channels that lie apart. */
gboolean pj_coded_net_fit (const PjGraph *graph, const PjGroup *group, GError **error);

/* Edge and step of the max pooling before the code of @group: 2, none for maps of 7 × 7 and less, and with @edge > 0 as
 * much as brings the map to at most @edge × @edge. */
int pj_coded_net_pool (const PjGraph *graph, const PjGroup *group, unsigned edge);
/* Weights of the coding layer of @group. */
double pj_coded_net_n_weights (const PjGraph *graph, const PjGroup *group, unsigned edge);

/**
 * pj_coded_net_new:
 * @coded: groups of @graph, each fit
 * @spread: standard deviation of the initial code weights, as a multiple of He's √(2/inputs)
 *
 * (transfer full)
 */
PjCodedNet *pj_coded_net_new (const PjGraph *graph, const PjGroup *const *coded, unsigned n_coded, unsigned edge,
                              double spread, uint64_t seed, GError **error);
void pj_coded_net_free (PjCodedNet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjCodedNet, pj_coded_net_free)

/* @graph with the parameters that the coded network, whose are @params, has learnt. (transfer full) */
PjGraph *pj_coded_net_plain (const PjCodedNet *self, const PjGraph *graph, PjParams *params, GError **error);

G_END_DECLS
