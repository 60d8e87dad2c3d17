/* SPDX-License-Identifier: MIT */
/* The comparison: methods x ratios x seeds on one network, one data set, one fine-tuning budget. */
#pragma once

#include "prune/method.h"
#include "train/evaluate.h"
#include "train/trainer.h"

G_BEGIN_DECLS

/**
 * PjCompareStart: what fine-tuning begins with.  A set of these asks for a row of each; the empty set for what serves
 * each method best, see pj_compare_starts().
 * @PJ_COMPARE_OWN: the network as the method leaves it, which is how the papers fine-tune
 * @PJ_COMPARE_RECALIBRATED: the same weights after the norms were measured again
 */
typedef enum { PJ_COMPARE_OWN = 1 << 0, PJ_COMPARE_RECALIBRATED = 1 << 1 } PjCompareStart;

/**
 * pj_compare_starts:
 * @starts: what was asked for
 * @recalibrate: whether norms may be measured again
 *
 * The beginnings of a method's rows.  A criterion leaves norms that do not fit any more, and short fine-tuning ends before
 * they do: it begins with norms measured again.  A method that rebuilds or trains what it cuts fitted it to the norms that
 * are there: it begins with its own network.  Weights that start anew have but one beginning.
 */
unsigned pj_compare_starts (const PjMethod *method, unsigned starts, gboolean recalibrate);

/* "as cut", "norms again"; "initial" for a method whose weights start anew. */
const char *pj_compare_start_title (const char *method, PjCompareStart start);

/**
 * PjCompareRow: one method at one ratio by one seed.
 * @start: what @tuned began with; PJ_COMPARE_OWN if there was no fine-tuning
 * @cut, @recalibrated, @tuned: top-1 right after cutting, after re-estimating norms, after fine-tuning;
 *   negative where it was not measured
 * @answers: (nullable): what the last of these networks took each test picture for, n_test values; see PjAccuracy
 * @layer_kl: (nullable): by group id: KL divergence of the output when this group alone is cut as the row cuts it;
 *   negative where that was not measured
 */
typedef struct {
  char *method;
  double ratio;
  uint64_t seed;
  PjCompareStart start;
  PjCost cost;
  double cut, recalibrated, tuned;
  double images_per_second;
  PjCutPlan *plan;
  PjScores *scores;          /* (nullable) */
  uint16_t *answers;
  double *layer_kl;
  unsigned n_groups;         /* of @layer_kl */
  char *refusal;             /* (nullable): why this method could not be used */
} PjCompareRow;

/* NULL is allowed. */
void pj_compare_row_free (PjCompareRow *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjCompareRow, pj_compare_row_free)

/* The answer of the last network of a row that was measured: its stage's accuracy; negative if there is none. */
double pj_compare_row_last (const PjCompareRow *self);

/* @answers, @labels: (nullable): n_test values: what the uncut network says, and what is right
 * @classes: (nullable): names of the n_classes classes, one a line */
typedef struct {
  PjCost base_cost;
  double base_accuracy, base_images_per_second;
  unsigned n_test, n_classes;
  uint16_t *answers, *labels;
  char *classes;
  GPtrArray *rows;           /* (element-type PjCompareRow) */
} PjComparison;

/* Test pictures on which each layer's cut is judged alone. */
#define PJ_COMPARE_LAYER_TEST 256

/**
 * PjCompareOptions:
 * @seeds: (nullable): each method runs once by each; NULL takes the scoring's
 * @n_drawn: criteria that draw (PjCriterion.drawn) run by so many seeds even if there are fewer in @seeds; the further
 *   ones count on from the largest
 * @starts: a set of PjCompareStart, 0 for what serves each method best
 * @n_layer_test: pictures for layer_kl, which is measured for the first seed; 0 leaves it out
 */
typedef struct {
  const char *const *methods;      /* NULL-terminated names */
  const uint64_t *seeds;
  unsigned n_seeds, n_drawn;
  unsigned starts, n_layer_test;
  const double *ratios;
  unsigned n_ratios;
  gboolean recalibrate;
  PjTrainOptions tune;             /* tune.epochs 0 and max_steps 0: no fine-tuning */
  unsigned n_test;                 /* test pictures, 0 for all */
  /* (nullable): what an interrupted run with the same options had: its base figures are taken over, and
   * rows with the same method, ratio, seed and start are left out of the work and of the result. */
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
 * Criteria share one statistics pass per seed.  Rows come seed by seed, so that a first picture of all methods is there
 * early.  A seed decides the pictures that scores are measured on, the lots, and the order of fine-tuning, whose budget
 * is the same for all rows.
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
