/* SPDX-License-Identifier: MIT */
/* Sensitivity of each group: accuracy and KL divergence of the output against the share of its channels that stays,
 * all other groups whole.  Channels are masked by gates, so one plan serves every point. */
#pragma once

#include "prune/criterion.h"
#include "prune/scores/divergence.h"

G_BEGIN_DECLS

/* @ratio: share to keep as asked for; @n_kept: channels that stay; @top1: 0 … 1; @kl: pj_kl_divergence() forward. */
typedef struct {
  double ratio;
  int n_kept;
  double top1, kl;
} PjSweepPoint;

/* @points: in the order of the ratios; @refusal: (nullable): why the criterion cannot say what goes first; no points. */
typedef struct {
  int group, n_channels;
  unsigned n_points;
  PjSweepPoint *points;
  char *refusal;
} PjGroupSweep;

PjGroupSweep *pj_group_sweep_new (const PjGroup *group, unsigned n_points);
void pj_group_sweep_free (PjGroupSweep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjGroupSweep, pj_group_sweep_free)

/* @base_top1: of the whole network; @n_pictures: measured on; @groups: (element-type PjGroupSweep), in network order. */
typedef struct {
  double base_top1;
  unsigned n_pictures;
  GPtrArray *groups;
} PjSweep;

PjSweep *pj_sweep_new (void);
void pj_sweep_free (PjSweep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjSweep, pj_sweep_free)
/* The group's part, or NULL. */
const PjGroupSweep *pj_sweep_get (const PjSweep *self, int group);

/**
 * PjSweepOptions:
 * @criterion: says in which order the channels of a group go
 * @ratios: shares to keep, each above 0 and at most 1
 * @on_training_part: measure there, where the result decides what is cut, and not on the test part
 * @n_test: pictures to measure on, the first of the part; 0 for all
 * @before: (nullable): what an interrupted sweep with the same options had; its groups are taken over, not measured
 */
typedef struct {
  const PjCriterion *criterion;
  const double *ratios;
  gboolean on_training_part;
  unsigned n_ratios, n_test;
  const PjSweep *before;
} PjSweepOptions;

/* Called after each group that was measured.  FALSE with @error set ends the sweep. */
typedef gboolean (*PjSweepFunc) (const PjSweep *sweep, const PjGroupSweep *group, gpointer data, GError **error);

/**
 * pj_sweep:
 * @func: (nullable)
 * @error: PJ_PRUNE_ERROR_SETTING, PJ_ERROR_CANCELLED and what scoring and measuring raise
 *
 * Ratios that keep the same channels are measured once, and a group left whole is the network itself.  Cost: for each group
 * one pass over the pictures up to it, and for each distinct point one from it on (PjSuffix).  Cancel is polled once per
 * batch and point.
 *
 * Returns: (transfer full): all unlocked groups
 */
PjSweep *pj_sweep (const PjScoring *scoring, const PjSweepOptions *options, PjSweepFunc func, gpointer data, GError **error);

/* Accuracy that a reading gives away: one percentage point. */
#define PJ_SWEEP_TOLERANCE 0.01

/* The point with the fewest channels such that neither it nor one that keeps more loses more than @tolerance; NULL if
 * there is none. */
const PjSweepPoint *pj_sweep_limit (const PjSweep *self, const PjGroupSweep *group, double tolerance);

/* One line: "can lose 40 % of its channels for 0.3 points". (transfer full) */
char *pj_sweep_reading (const PjSweep *self, const PjGroupSweep *group, double tolerance);

G_END_DECLS
