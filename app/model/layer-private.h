/* SPDX-License-Identifier: MIT */
/* How the project fills its layers. */
#pragma once

#include "model/layer.h"
#include "model/network-private.h"

G_BEGIN_DECLS

/* @network is referenced; @row is an index in its rows. */
PjmLayer *pjm_layer_new (PjmNetwork *network, guint row);

/* What edits change. @keep: (nullable): copied; NULL keeps all. Notifies what differs. */
void pjm_layer_set_masks (PjmLayer *self, double keep_ratio, const guint8 *keep);
void pjm_layer_set_cost_after (PjmLayer *self, guint64 params, guint64 macs);
/* -1: not measured. */
void pjm_layer_set_sensitivity (PjmLayer *self, double sensitivity);
void pjm_layer_set_milliseconds (PjmLayer *self, double milliseconds);

/**
 * PjmLayerScores: scores of one layer by one criterion.
 * @criterion: interned
 * @score: (nullable): borrowed; NULL if refused
 */
typedef struct {
  const char *criterion;
  const double *score;
} PjmLayerScores;

/* @scores: (nullable): of the present criterion, borrowed; @refusal: copied; @all: every criterion measured.
 * Emits "scores-changed". */
void pjm_layer_set_scores (PjmLayer *self, const double *scores, const char *refusal, const PjmLayerScores *all, guint n_all);

G_END_DECLS
