/* SPDX-License-Identifier: MIT */
/* Training and fine-tuning: seeded, resumable bit for bit, cancellable at batch borders. */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "data/expand.h"
#include "data/loader.h"
#include "graph/graph.h"

G_BEGIN_DECLS

typedef enum { PJ_SCHEDULE_COSINE, PJ_SCHEDULE_STEP, PJ_SCHEDULE_CONSTANT } PjSchedule;

/**
 * PjTrainOptions: start from pj_train_options_init().
 * @epochs: whole passes over the training part
 * @max_steps: stop after this many batches in all; 0 for no limit
 * @batch: pictures per step
 * @lr: peak learning rate
 * @schedule: cosine: ½·lr·(1 + cos (π·i/total)) after @warmup_steps linear ones; step: lr·@step_factor
 *   after each @step_epochs epochs
 * @crop, @flip: augmentation
 * @expand: train on several pictures made from each one, see PjExpand
 * @mixup: mix the pictures of a batch with shares from Beta (mixup, mixup); 0 for none
 * @distill: weight of the teacher's KL divergence T²·KL (teacher ‖ student); the cross-entropy gets 1 − @distill
 * @refine: the teacher only gives every picture its first label; from then on labels follow the student, see
 *   train/soft-labels.h, and the divergence is turned round: T²·KL (student ‖ label).  Not together with @mixup.
 * @refine_rate: learning rate of the labels, on the gradient of the batch's mean
 * @own_norms: at the end the norms are measured again on the originals (pj_recalibrate()), where @expand made others of them:
 *   what a network is used on looks like those
 * @recompute: keep few activations and compute the others again (PJ_RECOMPUTE_BLOCKS): the same weights, with less
 *   memory and more time
 * @eval_every_epoch: measure the test part after each epoch (metric "test accuracy")
 */
typedef struct {
  unsigned epochs, max_steps, batch;
  float lr, momentum, weight_decay;
  gboolean nesterov;
  PjSchedule schedule;
  unsigned warmup_steps, step_epochs;
  float step_factor;
  int crop;
  gboolean flip;
  PjExpand expand;
  uint64_t seed;
  float mixup, distill, distill_temperature;
  gboolean refine;
  float refine_rate;
  gboolean own_norms;
  gboolean eval_every_epoch;
  gboolean recompute;
} PjTrainOptions;

/* epochs 1, batch 64, lr 0.05, momentum 0.9, weight decay 5e-4, Nesterov, cosine, flip, crop 0, seed 1;
 * no expansion, mixup, distillation or refinement. */
void pj_train_options_init (PjTrainOptions *options);

/**
 * pj_train_options_curl_a, pj_train_options_curl_b:
 * @epochs: 0 for the published number, for small data
 * @n_train: pictures of the training part, for the warm-up
 *
 * The two stages of CURL's fine-tuning; both need a teacher.  A: mixup and distillation
 * on the original data, 150 epochs, learning rate 0.01 after a warm-up of 5 epochs but at most a tenth of all.  B: label
 * refinement on expanded data, 16 epochs, learning rate 0.0001, and at the end, other than the authors' program, the norms
 * of the originals.  The seed, crop and flip stay as they are.
 */
void pj_train_options_curl_a (PjTrainOptions *options, unsigned epochs, unsigned n_train);
void pj_train_options_curl_b (PjTrainOptions *options, unsigned epochs);

/* PJ_ERROR_INVALID with what to change. */
gboolean pj_train_options_check (const PjTrainOptions *options, GError **error);

/* The note of a network whose weights of 0 are connections that were removed: training leaves them 0. */
#define PJ_SPARSE_NOTE "penjing.sparse"

/* The note of a trained network that says how it was trained last: pj_train_describe(). */
#define PJ_TRAIN_NOTE "penjing.training"
/* "8 epochs, batch 64, learning rate 0.1 cosine after 200 warm-up steps, …, seed 1". (transfer full) */
char *pj_train_describe (const PjTrainOptions *options);

/**
 * PjTrainState: what a checkpoint needs; the job stores it, pj_train() continues from it.
 * @step: steps done
 * @params: packed parameters and momentum (pj_params_save()); with refinement the label logits behind them
 * @loss_sum, @n_seen: running training loss of the current epoch
 */
typedef struct {
  unsigned step;
  GBytes *params;
  double loss_sum;
  uint64_t n_seen;
} PjTrainState;

void pj_train_state_clear (PjTrainState *state);

/* Called at batch borders when a checkpoint is due; @state is borrowed.  FALSE with @error stops training. */
typedef gboolean (*PjCheckpointFunc) (const PjTrainState *state, gpointer data, GError **error);

typedef struct {
  double train_loss;            /* mean over the last epoch */
  double images_per_second;
  double stall_share;           /* share of the time waiting for data */
  unsigned steps;
  struct _PjSoftLabels *labels; /* (transfer full) (nullable): with refinement, as they are at the end */
} PjTrainResult;

void pj_train_result_clear (PjTrainResult *result);

/**
 * pj_train:
 * @graph: network with its initial weights
 * @format: how pictures are prepared
 * @teacher: (nullable): network whose logits are imitated, or that gives the first labels; same classes
 * @resume: (nullable): state of an earlier, interrupted run with the same options
 * @checkpoint: (nullable): called about every @checkpoint_seconds and when cancelled
 * @hooks: (nullable): progress, metrics "loss" (every 10 steps), "lr", "test accuracy" against steps; cancel
 * @result: (out) (optional): measured figures
 *
 * Engine thread.  Same graph, data, options, device kind and thread count -> same weights, bit for bit,
 * whether interrupted and resumed or not.
 *
 * Returns: (transfer full): @graph with trained weights and PJ_TRAIN_NOTE, or NULL with @error (PJ_ERROR_CANCELLED …)
 */
PjGraph *pj_train (PjDevice *device, PjGraph *graph, PjDataset *dataset, const PjFormat *format,
                   const PjTrainOptions *options, PjGraph *teacher, const PjTrainState *resume,
                   PjCheckpointFunc checkpoint, gpointer checkpoint_data, double checkpoint_seconds,
                   const PjHooks *hooks, PjTrainResult *result, GError **error);

G_END_DECLS
