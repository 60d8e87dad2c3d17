/* SPDX-License-Identifier: MIT */
/* A plan for inference and what goes through it, for measuring a network again and again.  Private to this
 * folder; pj_evaluate(), the evaluator and the trainer are made of it. */
#pragma once

#include "compute/plan.h"
#include "train/evaluate.h"

G_BEGIN_DECLS

/* Largest batch for @n pictures that keeps the working set of @graph small, with little waste at the end. */
unsigned pj_meter_batch (const PjGraph *graph, unsigned n);

/* PJ_DATA_ERROR_MISMATCH unless @graph can be measured on @dataset prepared as @format says. */
gboolean pj_meter_check (const PjGraph *graph, PjDataset *dataset, const PjFormat *format, GError **error);

typedef struct _PjMeter PjMeter;

/* @params: of @graph, borrowed; they may change between runs. @gated (nullable): see pj_masks_gated(). */
PjMeter *pj_meter_new (PjGraph *graph, PjParams *params, const GArray *gated, PjDataset *dataset, PjSplit split,
                       const PjFormat *format, unsigned n_max, GError **error);
void pj_meter_free (PjMeter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjMeter, pj_meter_free)
PjPlan *pj_meter_plan (PjMeter *self);
/* Streams the pictures from the data set. */
gboolean pj_meter_run (PjMeter *self, const PjHooks *hooks, PjAccuracy *accuracy, GError **error);

G_END_DECLS
