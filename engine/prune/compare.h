/* SPDX-License-Identifier: MIT */
/* The comparison: methods x ratios on one network, one data set, one seed, one fine-tuning budget. */
#pragma once

#include "prune/method.h"
#include "train/evaluate.h"
#include "train/trainer.h"

G_BEGIN_DECLS

/**
 * PjCompareRow: one method at one ratio.
 * @cut, @recalibrated, @tuned: top-1 right after cutting, after re-estimating norms, after fine-tuning;
 *   negative where it was not measured
 */
typedef struct {
  char *method;
  double ratio;
  PjCost cost;
  double cut, recalibrated, tuned;
  double images_per_second;
  PjCutPlan *plan;
  PjScores *scores;          /* (nullable) */
  char *refusal;             /* (nullable): why this method could not be used */
} PjCompareRow;

/* NULL is allowed. */
void pj_compare_row_free (PjCompareRow *self);

typedef struct {
  PjCost base_cost;
  double base_accuracy, base_images_per_second;
  unsigned n_test;
  GPtrArray *rows;           /* (element-type PjCompareRow) */
} PjComparison;

typedef struct {
  const char *const *methods;      /* NULL-terminated names */
  const double *ratios;
  unsigned n_ratios;
  gboolean recalibrate;
  PjTrainOptions tune;             /* tune.epochs 0 and max_steps 0: no fine-tuning */
  unsigned n_test;                 /* test pictures, 0 for all */
  /* (nullable): what an interrupted run with the same options had: its base figures are taken over, and
   * rows with the same method and ratio are left out of the work and of the result. */
  const PjComparison *before;
} PjCompareOptions;

/* Called after each finished row, for live tables and for storing it. */
typedef void (*PjCompareFunc) (const PjComparison *comparison, unsigned row, gpointer data);

PjComparison *pj_compare (const PjScoring *scoring, const PjCompareOptions *options, PjCompareFunc func,
                          gpointer data, GError **error);
void pj_comparison_free (PjComparison *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjComparison, pj_comparison_free)

/* Share of the channels kept by both among those kept by either, over all cut groups. */
double pj_cut_plan_overlap (const PjGroups *groups, const PjCutPlan *a, const PjCutPlan *b);
/* Spearman's rank correlation of two score lists of one group. */
double pj_rank_correlation (const double *a, const double *b, int n);

G_END_DECLS
