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

/**
 * pj_compare:
 * @func: (nullable): called after each finished row
 * @error: PJ_PRUNE_ERROR_SETTING, PJ_ERROR_CANCELLED and what measuring and training raise
 *
 * All methods cut the same groups, those that every method can judge, each by the row's ratio; so rows of one ratio
 * have the same shape and cost.  ThiNet uses its factors.  A method that cannot be used gives rows with a refusal.
 * A method that allocates channels itself gets the cost of the ratio as its budget, so its rows cost as much but have
 * a shape of their own.  Controls that start anew have no figures before training, and are trained as PjFresh says.
 * Criteria share one statistics pass.  Fine-tuning starts from the re-estimated norms if these are asked for.
 *
 * Returns: (transfer full): NULL on failure; rows that @func has seen are finished all the same
 */
PjComparison *pj_compare (const PjScoring *scoring, const PjCompareOptions *options, PjCompareFunc func,
                          gpointer data, GError **error);
void pj_comparison_free (PjComparison *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjComparison, pj_comparison_free)

/* Share of the channels kept by both among those kept by either, over all groups that one of them cuts; 1 if none. */
double pj_cut_plan_overlap (const PjGroups *groups, const PjCutPlan *a, const PjCutPlan *b);
/* Spearman's rank correlation of two score lists of one group, -1 … 1; 0 if one of them is constant. */
double pj_rank_correlation (const double *a, const double *b, int n);

G_END_DECLS
