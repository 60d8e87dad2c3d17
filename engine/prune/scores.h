/* SPDX-License-Identifier: MIT */
/* Scores: one number per group channel, higher = more important (spec/algorithms.md 0.1). */
#pragma once

#include "graph/cut.h"
#include "graph/groups.h"

G_BEGIN_DECLS

#define PJ_PRUNE_ERROR (pj_prune_error_quark ())

/**
 * PjPruneError:
 * @PJ_PRUNE_ERROR_SETTING: ratio out of range, unknown group or criterion: what to change is said
 * @PJ_PRUNE_ERROR_LOCKED: the group is locked; the reason is given
 * @PJ_PRUNE_ERROR_UNFIT: the method cannot judge this group (no ReLU for APoZ, too few samples …)
 * @PJ_PRUNE_ERROR_NUMERIC: a score is not finite; the layer is named
 */
typedef enum {
  PJ_PRUNE_ERROR_SETTING, PJ_PRUNE_ERROR_LOCKED, PJ_PRUNE_ERROR_UNFIT, PJ_PRUNE_ERROR_NUMERIC
} PjPruneError;

GQuark pj_prune_error_quark (void);

typedef struct {
  int group;
  int n_channels;
  double *score;
  char *refusal;      /* (nullable): why the criterion cannot judge this group; @score is then NULL */
} PjGroupScores;

typedef struct {
  char *criterion;
  uint64_t seed;
  unsigned n_images;  /* calibration pictures used, 0 for data-free criteria */
  unsigned n_groups;
  PjGroupScores *groups;   /* one per unlocked group, ascending by group id */
} PjScores;

void pj_scores_free (PjScores *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjScores, pj_scores_free)
PjScores *pj_scores_copy (const PjScores *self);
const PjGroupScores *pj_scores_get (const PjScores *self, int group);
/* PJ_PRUNE_ERROR_NUMERIC if any score is NaN or infinite. */
gboolean pj_scores_check (const PjScores *self, const PjGroups *groups, GError **error);

G_END_DECLS
