/* SPDX-License-Identifier: MIT */
/* The job "compare": methods x ratios x seeds on one network, with the same data and fine-tuning. */
#pragma once

#include "graph/groups.h"
#include "model/work.h"
#include "prune/compare/compare.h"

G_BEGIN_DECLS

/**
 * PjWorkCompare:
 * @methods: names; @ratios: keep ratios, written as numbers
 * @seeds: (nullable): written as numbers; NULL for @seed alone
 * @n_drawn: seeds that random gets at least
 * @starts: a set of PjCompareStart, 0 for what serves each method best
 * @n_layer_test: test pictures on which each layer's cut is judged alone, 0 for not at all
 * @tune: fine-tuning of each row; epochs 0 and max_steps 0 for none
 * @n_images: calibration pictures, 0 for each method's default
 * @n_test: test pictures, 0 for all
 */
typedef struct {
  char **methods, **ratios, **seeds;
  unsigned n_drawn, starts, n_layer_test;
  gboolean recalibrate;
  PjTrainOptions tune;
  unsigned n_images, n_test;
  uint64_t seed;
} PjWorkCompare;

/* Recalibrated, no fine-tuning, which would begin with what serves each method best, seed 1, three draws, no methods. */
void pj_work_compare_init (PjWorkCompare *self);
void pj_work_compare_clear (PjWorkCompare *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjWorkCompare, pj_work_compare_clear)
char *pj_work_compare_write (const PjWorkCompare *self);
gboolean pj_work_compare_read (PjWorkCompare *self, const char *text, GError **error);

/**
 * pj_work_compare:
 * @func: (nullable): called on this thread after each row, once it is stored
 *
 * With a session: a comparison record from the beginning (its @job is the job's), each row as it finishes,
 * and a metric "rows" (x: rows so far, y: accuracy of the row, as measured last) after it.  A resumed job measures only
 * the rows that are missing; func gets those alone, the result has all.
 *
 * Returns: (transfer full): rows in the order in which they were measured
 */
PjComparison *pj_work_compare (const PjWork *work, const PjGroups *groups, const PjWorkCompare *settings,
                               PjCompareFunc func, gpointer data, PjWorkDone *done, GError **error);

/* A stored comparison as the engine has it, for @groups of its step's network. (transfer full) */
PjComparison *pj_work_comparison (const PjGroups *groups, const PjComparisonRecord *record, GError **error);

G_END_DECLS
