/* SPDX-License-Identifier: MIT */
/* ThiNet as published: the greedy removal of ICCV 2017, with optional least-squares factors (spec/algorithms.md 9). */
#include "prune/methods/layerwise.h"
#include "prune/methods/methods.h"

static void
by_order (const PjGram *gram, int k, double *score)
{
  pj_layerwise_by_order (gram, PJ_GRAM_REMOVE, score);
}

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  return pj_layerwise_choose (self, scoring, settings, by_order, settings->scale, scores, error);
}

const PjMethod pj_method_thinet = {
  .name = "thinet", .title = "ThiNet",
  .about = "Keeps the channels whose sum comes closest to what the next layer computed before, layer by layer. "
           "With scaling, least-squares factors on the next layer's weights make up for the channels that went.",
  .source = "Luo, Wu, Lin: ThiNet: A Filter Level Pruning Method for Deep Neural Network Compression, ICCV 2017",
  .needs = PJ_NEEDS_IMAGES,
  .fit = pj_layerwise_fit, .choose = choose,
};
