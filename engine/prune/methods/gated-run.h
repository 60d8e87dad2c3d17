/* SPDX-License-Identifier: MIT */
/* A network and its gates trained together, the gates by a rule of the method's own:
 *
 *   step: gates into the plan ─ train weights ─ read ∂loss/∂gate ─ rule ─▶ … epoch: measure ──▶ budget, factors
 *
 * Seeded, resumable bit for bit, cancellable at batch borders.  The members are made of it: SSS, GDP, GAL. */
#pragma once

#include "compute/plan.h"
#include "data/loader.h"
#include "prune/methods/gates.h"

G_BEGIN_DECLS

typedef struct _PjGatedRun PjGatedRun;

/**
 * PjGatedRule:
 * @n_extra: numbers per channel that the rule keeps beside the gate
 * @n_state: numbers of the whole run that it keeps
 * @through: see PjPlanOptions.gate_through
 * @decay: of the weights; @nesterov: see PjStep
 * @drops: shares of the run after which the learning rate falls to a tenth of what it was; 0 ends the list
 * @begin: (nullable): first numbers, before the first step
 * @train: (nullable): a step of the weights, instead of one on the cross-entropy against the labels: hands in ∂loss/∂logits
 *   and writes the mean loss
 * @step: new gates, but for frozen ones, from the gradients of one step
 * @score: (nullable): what decides who stays; NULL: the gates (transfer full)
 * @spend: (nullable): who stays by these scores; NULL: pj_gated_spend() (transfer full)
 * @absorbs: the gates are factors, which go into the weights, and a channel whose gate is 0 goes in any case; else they
 *   are masks.  The method then has PJ_GATED_FADE among its options
 */
typedef struct {
  unsigned n_extra, n_state;
  gboolean through;
  double decay;
  gboolean nesterov;
  double drops[4];
  gboolean (*begin) (PjGatedRun *self, GError **error);
  gboolean (*train) (PjGatedRun *self, const PjBatch *batch, const PjStep *step, double *loss, GError **error);
  gboolean (*step) (PjGatedRun *self, GError **error);
  PjScores *(*score) (const PjGatedRun *self);
  PjCutPlan *(*spend) (const PjGatedRun *self, const PjScores *scores, GError **error);
  gboolean absorbs;
} PjGatedRule;

/**
 * PjGatedRun:
 * @state: n_state numbers of the rule, 0 at first
 * @lr: of the present step; @dropped: it is lower than that of the step before
 * @step: steps done; @n_steps: in all; @per_epoch: of one epoch
 * @data: the rule's own, not stored
 */
struct _PjGatedRun {
  const PjMethod *method;
  const PjGatedRule *rule;
  const PjScoring *scoring;
  const PjPruneSettings *settings;
  gpointer data;
  unsigned batch, epochs, step, n_steps, per_epoch;
  double base_lr, lr, fade;
  gboolean dropped, finish, fading;
  double *state;
  PjGates *gates;
  PjBudget budget;
  PjLatency *latency;         /* (nullable) */
  PjDataset *pictures;
  PjLoader *loader;
  PjParams *params;
  PjPlan *exec;
  float *loss;
  gboolean loader_started;
  PjKeeper keeper;
};

/* The whole of a method's choose(): checks, trains, spends the budget, gives back the network as learnt. */
PjCutPlan *pj_gated_choose (const PjMethod *method, const PjGatedRule *rule, gpointer data, const PjScoring *scoring,
                            const PjPruneSettings *settings, PjScores **scores, GError **error);

/* Who stays by @scores: ratios of each group, or the budget of all.  (transfer full) */
PjCutPlan *pj_gated_spend (const PjGatedRun *self, const PjScores *scores, GError **error);

/* --- gated-draw.c: for rules whose gates are masks --- */

/**
 * pj_gated_draw:
 * @of: one score per channel of each gate
 * @part: share of what is to go in the end that goes now, above 0 and at most 1
 *
 * New masks: with keep ratios as many channels of all gates together as they ask for, with a budget what meets it.  Frozen
 * gates stay.
 */
gboolean pj_gated_draw (PjGatedRun *run, double *const *of, double part, GError **error);
/* Who stays by the masks as they are. (transfer full) */
PjCutPlan *pj_gated_masks (const PjGatedRun *run);

/* Slots of a method of this kind.  Its options must begin with PJ_GATED_OPTIONS. */
gboolean pj_gated_fit (const PjMethod *method, const PjScoring *scoring, const PjGroup *group, GError **error);
gboolean pj_gated_check (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, GError **error);
void pj_gated_work (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, double *forward,
                    double *trained);

#define PJ_GATED_OPTIONS(epochs, lr) \
  { "gate-epochs", "epochs of training network and gates together", epochs, 1, 1000, TRUE, NULL }, \
  { "gate-lr", "learning rate of network and gates", lr, 1e-7, 10, FALSE, NULL }, \
  { "gate-batch", "pictures per step", 64, 1, 4096, TRUE, NULL }

/* A budget asks for more than the rule may have closed: what is not going to stay fades out while the network still learns. */
#define PJ_GATED_FADE \
  { "fade", "last share of the training in which what does not stay fades out, for the first half of it; 0: cut off at the end", \
    0.5, 0, 0.9, FALSE, NULL }

/* --- gated-state.c --- */

GBytes *pj_gated_save (const PjGatedRun *self, GError **error);
gboolean pj_gated_restore (PjGatedRun *self, GBytes *state, GError **error);

G_END_DECLS
