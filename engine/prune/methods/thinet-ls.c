/* SPDX-License-Identifier: MIT */
/* ThiNet with the least-squares residual as the criterion: each step counts what is left after all factors are fitted
 * again, so it keeps channels that can stand in for others. */
#include "prune/methods/layerwise.h"
#include "prune/methods/methods.h"

static void
by_order (const PjGram *gram, int k, double *score)
{
  pj_layerwise_by_order (gram, PJ_GRAM_RESIDUAL, score);
}

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  return pj_layerwise_choose (self, scoring, settings, by_order, PJ_LAYERWISE_FACTORS, scores, error);
}

static const PjMethodOption options[] = { PJ_LAYERWISE_OPTIONS, { NULL } };

const PjMethod pj_method_thinet_ls = {
  .name = "thinet-ls", .title = "ThiNet, least squares",
  .about = "Removes the channel that the others can replace best once their factors are fitted again, layer by layer. "
           "The factors are part of the method; it keeps the most accuracy before fine-tuning.",
  .source = "Luo, Zhang, Zhou, Xie, Wu, Lin: ThiNet: Pruning CNN Filters for a Thinner Net, TPAMI 2018",
  .needs = PJ_NEEDS_IMAGES,
  .fit = pj_layerwise_fit, .options = options, .check = pj_layerwise_check, .work = pj_layerwise_work, .choose = choose,
};
