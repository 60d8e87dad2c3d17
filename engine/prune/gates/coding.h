/* SPDX-License-Identifier: MIT */
/* AutoPruner's controllers, free of networks and devices (Luo, Wu: AutoPruner, 2018): how α grows,
 * when it grows faster, how hard the rate is pulled, and when a gate counts as open. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The three published schedules. */
typedef enum { PJ_CODING_VGG, PJ_CODING_RESNET, PJ_CODING_MOBILENET } PjCodingNet;

/**
 * PjCodingPlan: of one run.  Start from pj_coding_plan_init().
 * @net: see PjCodingNet
 * @start, @end: α of the first entry of the linear schedule, and where it would be after the last one
 * @step: what the controller adds to the rest of the schedule
 * @every: iterations that share one entry
 * @n_steps: iterations in all
 * @settled: iterations before which gates in the middle are no reason for the controller
 * @last_epoch: first iteration of the last epoch
 * @window: iterations between two looks of the controller; the code is their majority vote
 * @lambda: weight of the rate's term at the start
 * @lambda_least: it never falls below this; 0 as published
 */
typedef struct {
  PjCodingNet net;
  double start, end, step;
  unsigned every, n_steps, settled, last_epoch, window;
  double lambda, lambda_least;
} PjCodingPlan;

/* The published schedule for @epochs epochs of @per_epoch iterations.  Short runs get entries and windows of fewer
 * iterations, so that there are at least 20 of each. */
void pj_coding_plan_init (PjCodingPlan *self, PjCodingNet net, unsigned epochs, unsigned per_epoch);

/**
 * PjCodingState: of one layer with @n channels.
 * @offset: what the controller added to α
 * @threshold: removed share at which α is raised next
 * @lambda: weight of the rate's term now
 * @n_votes, @votes, @sum: iterations of the window so far, in how many of them each gate was above ½, and the sum of its
 *   values
 * @gate: values of the last iteration; @code: vote of the last whole window, 1 open; @mean: mean values in that window
 */
typedef struct {
  int n;
  double offset, threshold, lambda;
  unsigned n_votes, *votes;
  double *sum;
  float *gate, *mean;
  guint8 *code;
} PjCodingState;

void pj_coding_state_init (PjCodingState *self, const PjCodingPlan *plan, int n);
void pj_coding_state_clear (PjCodingState *self);
/* Appends the state to @bytes; takes it from *@data, which moves on; FALSE if that ends too early. */
void pj_coding_state_write (const PjCodingState *self, GByteArray *bytes);
gboolean pj_coding_state_read (PjCodingState *self, const guint8 **data, const guint8 *end);

/* α in iteration @i, 0 … n_steps − 1. */
double pj_coding_alpha (const PjCodingPlan *plan, const PjCodingState *state, unsigned i);

/* One iteration's gates.  TRUE at the end of a window: @code and @mean are new then. */
gboolean pj_coding_vote (PjCodingState *state, const PjCodingPlan *plan, const float *v);
/* Exactly half of the votes is a removed channel. */
gboolean pj_coding_is_open (unsigned votes, unsigned n_votes);

/* Share of gates that are at most ½ in the code; share of values above 1 − @margin or below @margin. */
double pj_coding_removed (const PjCodingState *state);
double pj_coding_two_sided (const float *v, int n, double margin);

/**
 * pj_coding_control: a look of the controller at the end of a window.
 * @r: share to keep
 * @removed: share that the code removes
 * @two_sided: share of the gates above 0.8 or below 0.2
 * @settled: gates in the middle raise α, too
 */
void pj_coding_control (const PjCodingPlan *plan, PjCodingState *state, double r, double removed, double two_sided,
                        gboolean settled);

/* λ·(mean v − r)². */
double pj_coding_rate_loss (const PjCodingState *state, double r);

G_END_DECLS
