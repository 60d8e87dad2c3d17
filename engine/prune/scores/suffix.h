/* SPDX-License-Identifier: MIT */
/* The rest of a network behind one group, run again and again with other channels of the group masked.
 *
 * What comes before the group's mask points does not change, so it is computed once per batch and kept:
 *
 *   pictures ── prefix ──▶ frontier ── gates of the group ── suffix ──▶ logits
 *               once       kept        set each time         each time
 *
 * The frontier is all that the suffix reads but does not compute: the first mask points, and whatever runs past them,
 * such as a shortcut.  Later mask points of the same group (a residual stream has one per block) lie in the suffix.
 *
 * Where only one channel is masked at a time and the group has an outlet (outlet.h), the suffix begins behind that, with its
 * result less the channel's share. */
#pragma once

#include "compute/plan.h"
#include "graph/groups.h"

G_BEGIN_DECLS

typedef struct _PjSuffix PjSuffix;

/* What pj_suffix_run() is going to be asked for: any masks, or at most one masked channel at a time, which is cheaper. */
typedef enum { PJ_SUFFIX_ANY, PJ_SUFFIX_ONE_CHANNEL } PjSuffixMasks;

/* @params: of @graph, must outlive it. Errors of pj_plan_new(). */
PjSuffix *pj_suffix_new (PjGraph *graph, PjParams *params, const PjGroup *group, PjSuffixMasks masks, unsigned batch, GError **error);
void pj_suffix_free (PjSuffix *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjSuffix, pj_suffix_free)

/* Runs the prefix on a batch of pictures. */
gboolean pj_suffix_start (PjSuffix *self, const float *images, GError **error);
/* Runs the suffix. @keep: (nullable): one flag per channel of the group, NULL keeps all; @logits: (out): batch x classes. */
gboolean pj_suffix_run (PjSuffix *self, const guint8 *keep, float *logits, GError **error);

/* The plan of the part behind, for counting what it costs. */
const PjPlan *pj_suffix_plan (const PjSuffix *self);

G_END_DECLS
