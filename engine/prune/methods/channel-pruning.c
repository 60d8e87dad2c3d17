/* SPDX-License-Identifier: MIT */
/* Channel-Pruning: LASSO chooses, least squares mends (spec/algorithms.md 8).  Samples, targets and the walk over the
 * layers are ThiNet's: a row is one output place of one filter, z_c what channel c adds there.  Where the original solves
 * for all weights of the next layer again, each kept channel gets one factor, which is what a cut can carry. */
#include "prune/lasso.h"
#include "prune/methods/layerwise.h"
#include "prune/methods/methods.h"

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  return pj_layerwise_choose (self, scoring, settings, pj_lasso_score, settings->scale, scores, error);
}

const PjMethod pj_method_channel_pruning = {
  .name = "channel-pruning", .title = "Channel-Pruning",
  .about = "Keeps the channels that a LASSO regression chooses to rebuild what the next layer computed before, layer by layer. "
           "Least-squares factors on the next layer's weights then make up for the channels that went.",
  .source = "He, Zhang, Sun: Channel Pruning for Accelerating Very Deep Neural Networks, ICCV 2017",
  .needs = PJ_NEEDS_IMAGES,
  .fit = pj_layerwise_fit, .choose = choose,
};
