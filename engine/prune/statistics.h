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

/* Values whose channels stand for the group's activity: its ReLU outputs, else pj_group_activation().
 * (transfer full) (element-type int) */
GArray *pj_group_activities (const PjGraph *graph, const PjGroup *group);

/* Fill @into (value -> PjActivity, group -> PjSensitivity, both owned). */
gboolean pj_measure_activities (const PjScoring *scoring, GHashTable *into, unsigned *n_images, GError **error);
gboolean pj_measure_sensitivities (const PjScoring *scoring, GHashTable *into, unsigned *n_images, GError **error);

G_END_DECLS
