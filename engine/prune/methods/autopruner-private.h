/* SPDX-License-Identifier: MIT */
/* What AutoPruner's parts share: settings, the stages, one stage while it runs. */
#pragma once

#include "compute/plan.h"
#include "data/loader.h"
#include "prune/gates/coding.h"
#include "prune/method.h"
#include "prune/methods/coded-net.h"

G_BEGIN_DECLS

/* Which groups are coded at the same time. */
typedef enum { PJ_AUTOPRUNER_TOGETHER, PJ_AUTOPRUNER_STAGES, PJ_AUTOPRUNER_ONE_BY_ONE } PjAutoprunerOrder;

/* The settings of one run with the presets filled in; see the method's table. */
typedef struct {
  PjCodingNet net;
  PjAutoprunerOrder order;
  unsigned epochs, batch, edge;
  double lr, decay, spread;
} PjAutoprunerOptions;

/**
 * PjAutopruner: a run.
 * @base: the plain network with what was learnt so far
 * @plan: masks of the stages that are over
 * @stages: (element-type GPtrArray of const PjGroup): what is coded together
 * @stage: the one that runs; @step: iterations of it that are done; @x: iterations of all
 * @finish: a person wants it to end now
 */
typedef struct {
  const PjMethod *method;
  const PjScoring *scoring;
  const PjPruneSettings *settings;
  PjAutoprunerOptions options;
  PjDataset *pictures;
  PjLoader *loader;
  PjGraph *base;
  PjCutPlan *plan;
  GPtrArray *stages;
  unsigned stage, step, per_epoch;
  uint64_t x;
  gboolean finish;
  /* The stage that runs. */
  PjCodingPlan coding;
  PjCodedNet *net;
  PjParams *params;
  PjPlan *exec;
  PjCodingState *states;      /* one per site */
  gboolean *frozen;
  float *gates, *loss;
  float *written_alpha, *written_lambda;   /* as the device has them, NaN at first */
  gboolean loader_started;
  PjKeeper keeper;
} PjAutopruner;

/* --- autopruner-stages.c --- */

/* Fills in what the settings leave to the kind of network. */
void pj_autopruner_read_options (PjAutoprunerOptions *options, const PjMethod *method, const PjScoring *scoring,
                                 const PjPruneSettings *settings);
/* The schedule of α and λ with what the settings say otherwise. */
void pj_autopruner_coding (PjCodingPlan *coding, const PjAutoprunerOptions *options, const PjMethod *method,
                           const PjPruneSettings *settings, unsigned per_epoch);
/* (transfer full) (element-type GPtrArray) */
GPtrArray *pj_autopruner_stages (const PjScoring *scoring, const double *ratios, PjAutoprunerOrder order);
/* Builds the coded network of the present stage and its plan. */
gboolean pj_autopruner_open (PjAutopruner *self, GError **error);
/* Takes what the stage learnt into @base and @plan. */
gboolean pj_autopruner_close (PjAutopruner *self, GError **error);
void pj_autopruner_drop (PjAutopruner *self);
/* The masks of the present stage as its codes stand, on top of those of the stages before. (transfer full) */
PjCutPlan *pj_autopruner_masks (const PjAutopruner *self);

/* --- autopruner-state.c --- */

GBytes *pj_autopruner_save (const PjAutopruner *self, GError **error);
/* Opens the stage that @state was saved in. */
gboolean pj_autopruner_restore (PjAutopruner *self, GBytes *state, GError **error);

G_END_DECLS
