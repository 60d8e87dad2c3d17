/* SPDX-License-Identifier: MIT */
/* Where the steps of a history stand as a tree: each branch in a lane of its own. */
#pragma once

#include "palette.h"
#include "studio.h"

G_BEGIN_DECLS

typedef struct _PjuStepLanes PjuStepLanes;

/* @steps: (element-type PjmStep): oldest first, each after its parent. Parents that are not among them are roots. */
PjuStepLanes *pju_step_lanes_new (const GPtrArray *steps);
void pju_step_lanes_free (PjuStepLanes *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjuStepLanes, pju_step_lanes_free)

guint pju_step_lanes_n (PjuStepLanes *self);
guint pju_step_lanes_get (PjuStepLanes *self, guint step);
/* Draws the part of row @step when the newest row stands on top. */
void pju_step_lanes_paint (PjuStepLanes *self, guint step, gboolean current, cairo_t *cr, double height, const PjuPalette *palette);
#define PJU_LANE_WIDTH 18

G_END_DECLS
