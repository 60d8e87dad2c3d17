/* SPDX-License-Identifier: MIT */
/* Residual stages: which groups are the stream that a stage's blocks add to, and which are
 * widths inside its blocks. */
#pragma once

#include "graph/groups.h"

G_BEGIN_DECLS

/**
 * PjStageRole:
 * @stage: number of the stage, -1 for a group that no residual block touches
 * @stream: the group is what the blocks of the stage add to; else it lies inside one of them
 */
typedef struct {
  int stage;
  gboolean stream;
} PjStageRole;

/* By group id, pj_groups_n() entries.  Groups that meet in a block are of one stage: the streams of a network whose
 * shortcuts add channels of zeros are all of one. (transfer full) */
PjStageRole *pj_stage_roles_new (const PjGraph *graph, const PjGroups *groups);

G_END_DECLS
