/* SPDX-License-Identifier: MIT */
/* The job "small-data": prune where there is much data and transfer the small network (T1), or
 * transfer the large network and prune where there is little (T2)? */
#pragma once

#include "graph/graph.h"
#include "model/work.h"

G_BEGIN_DECLS

/* Each epoch of label refinement sees six pictures of each original; so it counts as six. */
#define PJ_SMALL_DATA_LEAST_EPOCHS 8

/**
 * PjWorkSmallData:
 * @method: name of the method that chooses channels under a budget of multiply-adds
 * @macs: share of the multiply-adds that stays
 * @n_images: pictures that channels are chosen on, 0 for the method's default
 * @seed: of choosing, of new heads and of all trainings
 * @epochs: on the small set, the same for every row
 * @large_epochs: on the large set after pruning there
 * @batch, @lr: of plain fine-tuning
 * @n_test: test pictures of the small set, 0 for all
 * @large: (nullable): where the large set is, as pj_work_open_data() takes it; stored for whoever resumes
 */
typedef struct {
  char *method;
  double macs, lr;
  unsigned n_images, epochs, large_epochs, batch, n_test;
  uint64_t seed;
  char *large;
} PjWorkSmallData;

/* CURL at 0.3 of the MACs, 20 epochs, 2 on the large set, batches of 64 at 0.01, seed 1. */
void pj_work_small_data_init (PjWorkSmallData *self);
void pj_work_small_data_clear (PjWorkSmallData *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjWorkSmallData, pj_work_small_data_clear)
char *pj_work_small_data_write (const PjWorkSmallData *self);
gboolean pj_work_small_data_read (PjWorkSmallData *self, const char *text, GError **error);

/**
 * PjSmallDataRow:
 * @name: "transferred": the uncut network with a new head, which is the teacher below; "t1"; "t2": cut on the small set and
 *   fine-tuned plainly; "t2-curl": the same cut, mixup with distillation and then label refinement
 * @top1: on the small set's test part; @n: pictures
 * @step: of the session; 0 without one
 */
typedef struct {
  const char *name, *title;
  PjCost cost;
  double top1;
  unsigned n;
  PjGraph *graph;
  int64_t step;
} PjSmallDataRow;

void pj_small_data_row_free (PjSmallDataRow *self);

/* The best of the small networks. */
const PjSmallDataRow *pj_small_data_best (const GPtrArray *rows);

typedef void (*PjSmallDataFunc) (const PjSmallDataRow *row, gpointer data);

/**
 * pj_work_small_data:
 * @work: @graph as it was trained on the large set; @dataset is the small one
 * @large: (nullable): what @graph was trained on, of the same classes; without it T1 is left out
 * @func: (nullable): called after each row
 * @error: PJ_PRUNE_ERROR_SETTING …, and what choosing and training raise
 *
 * With a session every choice, cut and training is a job of its own and a part of this one, on branches of the history that
 * begin at @work->step; the best of the small networks becomes the current step.  Started again with @work->job, or by
 * pj_work_resume(), parts that are done are taken from the session, one that was stopped goes on from its checkpoint, and
 * all networks end with the same bits.
 *
 * Returns: (transfer full) (element-type PjSmallDataRow)
 */
GPtrArray *pj_work_small_data (const PjWork *work, PjDataset *large, const PjWorkSmallData *settings, PjSmallDataFunc func,
                               gpointer data, PjWorkDone *done, GError **error);

/* TRUE for methods that share a budget of multiply-adds and keep the weights. */
gboolean pj_work_small_data_takes (const PjMethod *method);
/* Refuses what the job would refuse before it trains anything: the device may be NULL.  Opens nothing, takes milliseconds. */
gboolean pj_work_small_data_check (const PjWork *work, PjDataset *large, const PjWorkSmallData *settings, GError **error);
/* Seconds that it is going to take, from single batches timed on the device; refuses the same. */
gboolean pj_work_small_data_estimate (const PjWork *work, PjDataset *large, const PjWorkSmallData *settings, double *seconds,
                                      GError **error);

G_END_DECLS
