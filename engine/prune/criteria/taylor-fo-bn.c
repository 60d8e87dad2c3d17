/* SPDX-License-Identifier: MIT */
/* (∂L/∂gate)² per mini-batch, averaged; the one gate of a residual stage sums over its blocks, so its score is
 * divided by their number. */
#include "prune/criteria/criteria.h"

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  const PjSensitivity *s = pj_statistics_get_sensitivity (statistics, group->id);

  for (int c = 0; c < group->n_channels; c++)
    out[c] = s->sum_squares[c] / s->n_batches / MAX (s->n_gates, 1);
  return TRUE;
}

const PjCriterion pj_criterion_taylor_fo_bn = {
  .name = "taylor-fo-bn", .title = "Taylor FO at norms",
  .about = "Squares the gradient of a factor of 1 placed behind each channel’s norm, averaged over mini-batches. "
           "Its scores can be compared between layers, so it suits a budget for the whole network.",
  .source = "Molchanov, Mallya, Tyree, Frosio, Kautz: Importance Estimation for Neural Network Pruning, CVPR 2019",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS | PJ_NEEDS_GRADIENTS,
  .comparable = TRUE, .score = score,
};
