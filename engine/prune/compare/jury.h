/* SPDX-License-Identifier: MIT */
/* What a comparison says: the rows of all seeds taken together, who agrees with whom, who wins which layer. */
#pragma once

#include "prune/compare/compare.h"

G_BEGIN_DECLS

/* @n: values; 0: not measured, then @mean is -1.  @spread: sample standard deviation; 0 for one value. */
typedef struct {
  double mean, spread;
  unsigned n;
} PjSpread;

/**
 * PjVerdict: one method at one ratio from one start, over its seeds.
 * @cut, @recalibrated, @tuned: top-1; @last: of these the one that was measured last
 * @cost, @images_per_second: of the first seed with a figure (all seeds cost the same, save where a method allocates)
 * @rows: (element-type PjCompareRow): borrowed from the comparison, in its order; at least one
 * @refusal: (nullable): of the first row, borrowed
 */
typedef struct {
  const char *method;
  double ratio;
  PjCompareStart start;
  PjCost cost;
  double images_per_second;
  PjSpread cut, recalibrated, tuned, last;
  GPtrArray *rows;
  const char *refusal;
} PjVerdict;

/* In the order of their first rows. @self must outlive it. (transfer full) (element-type PjVerdict) */
GPtrArray *pj_verdicts_new (const PjComparison *self);

/* Those of one ratio whose choice of channels says something: not the refused, not the controls that start anew, and of
 * the starts of a method, which cut alike, the first. (transfer container) */
GPtrArray *pj_verdicts_choices (const GPtrArray *verdicts, double ratio);

/* Overlap of the kept sets, pj_cut_plan_overlap(), averaged over the seeds that both have, else of their first rows.
 * NaN if one of them was refused. */
double pj_verdict_overlap (const PjGroups *groups, const PjVerdict *a, const PjVerdict *b);

/* pj_rank_correlation() of the scores, the mean over the groups that both score, weighted by their channels, and over
 * the seeds as above.  NaN if they share no scored group. */
double pj_verdict_correlation (const PjGroups *groups, const PjVerdict *a, const PjVerdict *b);

/* Mean over the seeds of the divergence that this layer's cut alone causes; negative if it was not measured. */
double pj_verdict_layer_kl (const PjVerdict *self, int group);
/* The verdict of this ratio that disturbs the output least by cutting @group alone, or -1.  Of the starts of one method,
 * which cut alike, the first.  @kl: (out) (optional) */
int pj_verdicts_layer_winner (const GPtrArray *verdicts, double ratio, int group, double *kl);

/* Marks the verdicts that no other beats: none has as much accuracy for fewer MACs, or more for as many.
 * @on_front: one flag each. */
void pj_verdicts_front (const GPtrArray *verdicts, gboolean *on_front);

/**
 * PjClassChange: how one class fares.
 * @n: its test pictures; @base, @changed: share of them that is right in the uncut network and in the other
 */
typedef struct {
  unsigned label, n;
  double base, changed;
} PjClassChange;

/* Of two lists of answers, see PjAccuracy, classes without a picture left out. (transfer full) (element-type PjClassChange) */
GArray *pj_class_changes_new (const uint16_t *labels, const uint16_t *base, const uint16_t *changed, unsigned n,
                              unsigned n_classes);

G_END_DECLS
