/* SPDX-License-Identifier: MIT */
/* s_c = (1/N) Σ_n √(Σ_p I(n,c,p)²). */
#include "prune/criteria/criteria.h"

static double
of_channel (const PjActivity *a, int c)
{
  return a->sum_l2[c] / (double) a->n_images;
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  pj_score_activities (scoring, statistics, group, of_channel, out);
  return TRUE;
}

const PjCriterion pj_criterion_mean_l2 = {
  .name = "mean-l2", .title = "Mean of L2 norms",
  .about = "Averages the length of a channel’s activation seen as one vector; short ones go first. "
           "Against the L1 norm it favours channels with few strong responses.",
  .source = "Luo, Zhang, Zhou, Xie, Wu, Lin: ThiNet: Pruning CNN Filters for a Thinner Net, TPAMI 2018",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_STATS,
  .joins = TRUE, .score = score,
};
