/* SPDX-License-Identifier: MIT */
/* s_c = (1/N) Σ_n Σ_p |I(n,c,p)|. */
#include "prune/criteria/criteria.h"

static double
of_channel (const PjActivity *a, int c)
{
  return a->sum_l1[c] / (double) a->n_images;
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  pj_score_activities (scoring, statistics, group, of_channel, out);
  return TRUE;
}

const PjCriterion pj_criterion_mean_l1 = {
  .name = "mean-l1", .title = "Mean of L1 norms",
  .about = "Averages the sum of absolute activations of a channel; weak channels go first. "
           "After a ReLU this gives the same order as the mean of means.",
  .source = "Luo, Zhang, Zhou, Xie, Wu, Lin: ThiNet: Pruning CNN Filters for a Thinner Net, TPAMI 2018",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_STATS,
  .joins = TRUE, .score = score,
};
