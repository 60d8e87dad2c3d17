/* SPDX-License-Identifier: MIT */
/* Channel-Pruning: LASSO chooses, least squares mends.  Samples, targets and the walk over the
 * layers are ThiNet's: a row is one output place of one filter, z_c what channel c adds there.  Then all weights of the
 * next layer are solved for again on the channels that stay. */
#include "prune/reconstruct/lasso.h"
#include "prune/methods/layerwise.h"
#include "prune/methods/methods.h"

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  return pj_layerwise_choose (self, scoring, settings, pj_lasso_score, settings->scale ? PJ_LAYERWISE_WEIGHTS : PJ_LAYERWISE_NONE, scores, error);
}

static const PjMethodOption options[] = { PJ_LAYERWISE_OPTIONS, { NULL } };

const PjMethod pj_method_channel_pruning = {
  .name = "channel-pruning", .title = "Channel-Pruning",
  .about = "Keeps the channels that a LASSO regression chooses to rebuild what the next layer computed before, layer by layer. "
           "The next layer then gets new weights by least squares, which make up for the channels that went.",
  .source = "He, Zhang, Sun: Channel Pruning for Accelerating Very Deep Neural Networks, ICCV 2017",
  .needs = PJ_NEEDS_IMAGES, .mends = TRUE,
  .fit = pj_layerwise_fit, .options = options, .check = pj_layerwise_check, .work = pj_layerwise_work, .choose = choose,
};
