/* SPDX-License-Identifier: MIT */
/* ThiNet as published: the greedy removal of ICCV 2017, or the forward choice of TPAMI 2018, with optional least-squares
 * factors. */
#include "prune/methods/layerwise.h"
#include "prune/methods/methods.h"

static void
by_order (const PjGram *gram, int k, double *score)
{
  pj_layerwise_by_order (gram, PJ_GRAM_REMOVE, score);
}

static void
by_forward (const PjGram *gram, int k, double *score)
{
  pj_layerwise_by_order (gram, PJ_GRAM_FORWARD, score);
}

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  gboolean forward = pj_method_value (self, settings, "greedy") > 0;
  return pj_layerwise_choose (self, scoring, settings, forward ? by_forward : by_order, settings->scale ? PJ_LAYERWISE_FACTORS : PJ_LAYERWISE_NONE, scores, error);
}

static const char *const greedy[] = { "remove", "forward", NULL };

static const PjMethodOption options[] = {
  { "greedy", "the form of 2017 that removes channels (remove) or of 2018 that adds them with factors (forward)", 0, 0, 1, TRUE,
    greedy },
  PJ_LAYERWISE_OPTIONS, { NULL }
};

const PjMethod pj_method_thinet = {
  .name = "thinet", .title = "ThiNet",
  .about = "Keeps the channels whose sum comes closest to what the next layer computed before, layer by layer. "
           "With scaling, least-squares factors on the next layer's weights make up for the channels that went.",
  .source = "Luo, Wu, Lin: ThiNet: A Filter Level Pruning Method for Deep Neural Network Compression, ICCV 2017",
  .needs = PJ_NEEDS_IMAGES, .mends = TRUE,
  .fit = pj_layerwise_fit, .options = options, .check = pj_layerwise_check, .work = pj_layerwise_work, .choose = choose,
};
