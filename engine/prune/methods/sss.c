/* SPDX-License-Identifier: MIT */
/* SSS: a scaling factor on every channel is trained with the weights, under a price on the factors' sum that drives those
 * of dispensable channels to exactly 0. */
#include "prune/methods/gated-run.h"
#include "prune/methods/methods.h"
#include "prune/gates/proximal.h"

#define MOMENTUM 0.9

/* γ rises in a line over the first epochs, if a person wants it to: at full strength it can empty a layer at once. */
static double
gamma_now (const PjGatedRun *run)
{
  double gamma = pj_method_value (run->method, run->settings, "gamma");
  double warm = pj_method_value (run->method, run->settings, "gamma-warmup") * run->per_epoch;
  return run->step < warm ? gamma * (run->step + 1) / warm : gamma;
}

static gboolean
step (PjGatedRun *run, GError **error)
{
  double gamma = gamma_now (run);
  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    PjGate *gate = &run->gates->gates[g];
    if (!gate->frozen)
      pj_sss_step (gate->gate, gate->extra, gate->grad, gate->n, run->lr, gamma, MOMENTUM);
  }
  return TRUE;
}

/* The authors train from scratch, ×0.1 after 30, 60 and 90 of 100 epochs; here a trained network goes on. */
static const PjGatedRule rule = {
  .n_extra = 1, .decay = 1e-4, .nesterov = TRUE, .drops = { 0.7, 0.9 }, .step = step, .absorbs = TRUE,
};

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  return pj_gated_choose (self, &rule, NULL, scoring, settings, scores, error);
}

static const PjMethodOption options[] = {
  PJ_GATED_OPTIONS (6, 0.01), PJ_GATED_FADE,
  { "gamma", "price of the sum of the factors: more of it closes more channels", 0.01, 0, 10, FALSE, NULL },
  { "gamma-warmup", "epochs over which the price rises to that", 0, 0, 1000, FALSE, NULL },
  { NULL }
};

const PjMethod pj_method_sss = {
  .name = "sss", .title = "Sparse structure selection",
  .about = "Trains a scaling factor for every channel together with the network, at a price that drives dispensable factors to "
           "exactly zero. "
           "The smallest factors go until the budget is met, and all that are zero; the others become part of the weights.",
  .source = "Huang, Wang: Data-Driven Sparse Structure Selection for Deep Neural Networks, ECCV 2018",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS, .allocates = TRUE,
  .fit = pj_gated_fit, .options = options, .check = pj_gated_check, .work = pj_gated_work, .choose = choose,
};
