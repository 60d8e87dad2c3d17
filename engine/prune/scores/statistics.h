/* SPDX-License-Identifier: MIT */
/* The sums behind PjStatistics, apart from devices, and the two passes that fill them. Private to this folder. */
#pragma once

#include "prune/criterion.h"

G_BEGIN_DECLS

PjActivity *pj_activity_new (int value, int n_channels, double n_positions);
void pj_activity_free (PjActivity *self);
/* Adds one picture. @stats: n_channels x PJ_N_STATS, what CHANNEL_STATS gives. */
void pj_activity_add (PjActivity *self, const float *stats);

PjSensitivity *pj_sensitivity_new (int group, int n_channels, unsigned n_gates);
void pj_sensitivity_free (PjSensitivity *self);
/* Adds what gate number @gate says for one picture. @g: @n gradients; @map: (nullable): their group channels, -1 for
 * none; @batch: n_channels sums of the mini-batch. */
void pj_sensitivity_add (PjSensitivity *self, unsigned gate, const float *g, int n, const int *map, double n_positions,
                         double *batch);
/* Ends a mini-batch of @n pictures; @batch becomes zero. */
void pj_sensitivity_end_batch (PjSensitivity *self, double *batch, unsigned n);

PjStatistics *pj_statistics_new (PjNeeds has);
/* Take @activity and @sensitivity, either of which may be NULL. */
void pj_statistics_take (PjStatistics *self, PjActivity *activity, PjSensitivity *sensitivity);

/* Values whose channels stand for the group's activity: its ReLU outputs, else pj_group_activation().
 * (transfer full) (element-type int) */
GArray *pj_group_activities (const PjGraph *graph, const PjGroup *group);

/* The passes. */
gboolean pj_measure_activities (const PjScoring *scoring, PjStatistics *into, unsigned *n_images, GError **error);
gboolean pj_measure_sensitivities (const PjScoring *scoring, PjStatistics *into, unsigned *n_images, GError **error);

G_END_DECLS
