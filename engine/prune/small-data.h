/* SPDX-License-Identifier: MIT */
/* The small-data question (spec/algorithms.md 18): prune where there is much data and transfer the small network (T1), or
 * transfer the large network and prune where there is little (T2)? */
#pragma once

#include "prune/method.h"
#include "train/trainer.h"

G_BEGIN_DECLS

/**
 * PjSmallDataOptions:
 * @method, @values: how channels are chosen, under a budget of multiply-adds; as in PjPruneSettings
 * @target: share of the multiply-adds that stays
 * @n_images, @seed: of choosing, of new heads and of all trainings
 * @tune: plain fine-tuning: of the pruned network on the large set, and of every network on the small set
 * @epochs: on the small set, the same for every row
 * @large_epochs: on the large set after pruning there
 * @n_test: test pictures of the small set, 0 for all
 */
typedef struct {
  const PjMethod *method;
  const double *values;
  double target;
  unsigned n_images;
  uint64_t seed;
  PjTrainOptions tune;
  unsigned epochs, large_epochs, n_test;
} PjSmallDataOptions;

/* Each epoch of label refinement sees six pictures of each original; so it counts as six. */
#define PJ_SMALL_DATA_LEAST_EPOCHS 8

/**
 * PjSmallDataRow:
 * @name: "transferred": the uncut network with a new head, which is the teacher below; "t1"; "t2": cut on the small set and
 *   fine-tuned plainly; "t2-curl": the same cut, mixup with distillation and then label refinement
 * @top1: on the small set's test part; @n: pictures
 */
typedef struct {
  const char *name, *title;
  PjCost cost;
  double top1;
  unsigned n;
  PjGraph *graph;
} PjSmallDataRow;

void pj_small_data_row_free (PjSmallDataRow *self);

typedef void (*PjSmallDataFunc) (const PjSmallDataRow *row, gpointer data);

/**
 * pj_small_data:
 * @scoring: of the network as it was trained on the large set; its @dataset is that set or NULL, where there is none to use:
 *   T1 is then left out
 * @small: the small set
 * @func: (nullable): called after each row
 * @error: PJ_PRUNE_ERROR_SETTING …, and what choosing and training raise
 *
 * Returns: (transfer full) (element-type PjSmallDataRow)
 */
GPtrArray *pj_small_data (const PjScoring *scoring, PjDataset *small, const PjSmallDataOptions *options, PjSmallDataFunc func,
                          gpointer data, GError **error);

G_END_DECLS
