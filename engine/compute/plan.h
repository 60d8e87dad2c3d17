/* SPDX-License-Identifier: MIT */
/* A plan: a network compiled once for a device, a batch size and a purpose, and replayed.
 * Engine thread only. */
#pragma once

#include "compute/device.h"
#include "compute/params.h"
#include "graph/graph.h"

G_BEGIN_DECLS

/**
 * PjPlanMode:
 * @PJ_PLAN_INFER: stored norm statistics, norms folded into convolutions
 * @PJ_PLAN_TRAIN: batch statistics, backward pass and optimiser
 * @PJ_PLAN_SCORE: stored norm statistics and a backward pass, no optimiser: gradients for criteria
 * @PJ_PLAN_RECALIBRATE: forward pass with batch statistics that updates the running ones
 */
typedef enum { PJ_PLAN_INFER, PJ_PLAN_TRAIN, PJ_PLAN_SCORE, PJ_PLAN_RECALIBRATE } PjPlanMode;

/**
 * PjRecompute: what a plan with a backward pass does not keep but computes again; results are the same to the bit.
 * @PJ_RECOMPUTE_NORMS: what norms write and every other residual sum: a third to a half less memory, a few percent more time
 * @PJ_RECOMPUTE_BLOCKS: all but a few places on the way: several times less memory for about a third more time
 * @PJ_RECOMPUTE_NOTHING: everything is kept
 */
typedef enum { PJ_RECOMPUTE_NORMS, PJ_RECOMPUTE_BLOCKS, PJ_RECOMPUTE_NOTHING } PjRecompute;

/**
 * PjPlanWithout: a convolution or fully connected layer whose result the host has, and to which one input channel's share
 * is missing in each run.
 * @node: the layer; one group
 * @norm: the norm right behind it that @whole lies behind, too, or -1
 * @whole: its result with all channels: what the layer makes, or the norm, or an addition right behind these.  The plan
 *   computes what lies behind from it less the share of the channel of pj_plan_set_without()
 */
typedef struct {
  int node, norm, whole;
} PjPlanWithout;

/**
 * PjPlanOptions: zero-initialise, then set.
 * @batch: images per run, >= 1
 * @mode: see PjPlanMode
 * @cross_entropy: weight of the cross-entropy against labels, 0 for none
 * @soft_labels: labels are shares of all classes, set by pj_plan_set_soft_labels(), instead of one class
 * @distill: weight of the KL divergence from teacher logits, 0 for none
 * @distill_temperature: T; 0 is taken as 1
 * @distill_reverse: swap the two directions
 * @logit_grads: the host hands in ∂loss/∂logits between pj_plan_forward() and pj_plan_finish(), besides the losses asked
 *   for (mode TRAIN)
 * @gated, @n_gated: values that get a gate (mask points), ascending; gates start at 1
 * @gate_grads: also compute ∂L/∂gate (modes TRAIN and SCORE)
 * @gate_through: the backward pass does as if all gates were 1: what stands before a closed gate goes on learning, and
 *   ∂L/∂gate = Σ x·∂L/∂(x·gate) of closed gates is the same quantity as that of open ones (straight-through)
 * @observed, @n_observed: values to be readable after a run (they are then not fused away)
 * @stats, @n_stats: values for which the per-channel statistics are computed
 * @given, @n_given: values that the host sets with pj_plan_set_value() instead of the plan computing them: it starts in
 *   the middle, and what only they need is left out (mode INFER).  A gate on one of them multiplies what was set.
 * @without: (nullable): see PjPlanWithout; the layer's input and @whole are in @given
 * @recompute: see PjRecompute
 * @keep_zeros: weights that are 0 in the graph get no gradient, so that they stay 0 (mode TRAIN)
 * @prefix: compute no more than @observed and @stats need; there are no logits and no losses then (mode INFER)
 */
typedef struct {
  unsigned batch;
  PjPlanMode mode;
  float cross_entropy, distill, distill_temperature;
  gboolean soft_labels, distill_reverse, logit_grads;
  const int *gated;
  unsigned n_gated;
  gboolean gate_grads, gate_through;
  const int *observed;
  unsigned n_observed;
  const int *stats;
  unsigned n_stats;
  const int *given;
  unsigned n_given;
  const PjPlanWithout *without;
  gboolean keep_zeros;
  gboolean prefix;
  PjRecompute recompute;
} PjPlanOptions;

/* Optimiser settings of one step. */
typedef struct {
  float lr, momentum, weight_decay;
  gboolean nesterov;
  float norm_momentum;      /* weight of the batch in the running statistics; 0.1 is usual */
} PjStep;

typedef struct _PjPlan PjPlan;

/**
 * pj_plan_new:
 * @graph: the network; referenced
 * @params: its parameters on a device; must outlive the plan; trainable for mode TRAIN and SCORE
 * @error: PJ_ERROR_UNSUPPORTED naming the node, PJ_ERROR_NO_MEMORY or PJ_GPU_ERROR_MEMORY naming what
 *   is needed, what there is, the largest batch that fits, and whether PJ_RECOMPUTE_BLOCKS would do
 */
PjPlan *pj_plan_new (PjGraph *graph, PjParams *params, const PjPlanOptions *options, GError **error);
void pj_plan_free (PjPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjPlan, pj_plan_free)

unsigned pj_plan_batch (const PjPlan *self);
size_t pj_plan_memory_bytes (const PjPlan *self);

/* @images: batch x C x H x W f32, already normalised. */
gboolean pj_plan_set_images (PjPlan *self, const float *images, GError **error);
/* @data: the elements of @value, which must be in options->given, batch times. It stays until it is set again. */
gboolean pj_plan_set_value (PjPlan *self, int value, const float *data, GError **error);
/* @labels: batch class indices, 0 … classes-1. */
gboolean pj_plan_set_labels (PjPlan *self, const int32_t *labels, GError **error);
/* @shares: batch x classes, of each picture 0 … 1 and 1 in all. */
gboolean pj_plan_set_soft_labels (PjPlan *self, const float *shares, GError **error);
/* @logits: batch x classes teacher logits. */
gboolean pj_plan_set_teacher (PjPlan *self, const float *logits, GError **error);
/* @grads: batch x classes ∂loss/∂logits, with options->logit_grads. */
gboolean pj_plan_set_logit_grads (PjPlan *self, const float *grads, GError **error);
/* @gate: one factor per channel of @value, which must be in options->gated. */
gboolean pj_plan_set_gate (PjPlan *self, int value, const float *gate, GError **error);
/* @channel: of the input of options->without, that is missing from now on; -1, as at first: none. */
gboolean pj_plan_set_without (PjPlan *self, int channel, GError **error);

/* Forward pass (with the prologue if parameters or gates changed). */
gboolean pj_plan_forward (PjPlan *self, const PjStep *step, GError **error);
/* Backward pass after pj_plan_forward(). */
gboolean pj_plan_backward (PjPlan *self, GError **error);
/* Backward pass and optimiser after pj_plan_forward() (mode TRAIN). */
gboolean pj_plan_finish (PjPlan *self, GError **error);
/* Forward, backward and optimiser in one submission (mode TRAIN). */
gboolean pj_plan_train (PjPlan *self, const PjStep *step, GError **error);

/* Results of the last run. @out sizes: batch x classes; batch; the value's elements x batch. */
gboolean pj_plan_read_logits (PjPlan *self, float *out, GError **error);
/* Per-image loss: the weighted sum of the losses asked for. */
gboolean pj_plan_read_loss (PjPlan *self, float *out, GError **error);
gboolean pj_plan_read_value (PjPlan *self, int value, float *out, GError **error);
/* batch x C x PJ_N_STATS */
gboolean pj_plan_read_stats (PjPlan *self, int value, float *out, GError **error);
/* One per channel of @value. */
gboolean pj_plan_read_gate_grad (PjPlan *self, int value, float *out, GError **error);

/* For `bench plan`: the program and the milliseconds of each call in one run. */
const PjProgram *pj_plan_program (const PjPlan *self);
gboolean pj_plan_profile (PjPlan *self, double *ms_per_call, GError **error);

G_END_DECLS
