/* SPDX-License-Identifier: MIT */
/* s_c = (1/N) Σ_n mean (I(n,c)). */
#include "prune/criteria/criteria.h"

static double
of_channel (const PjActivity *a, int c)
{
  return a->sum_mean[c] / (double) a->n_images;
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  pj_score_activities (scoring, statistics, group, of_channel, out);
  return TRUE;
}

const PjCriterion pj_criterion_mean_mean = {
  .name = "mean-mean", .title = "Mean of means",
  .about = "Averages the activation of a channel over its positions and over the pictures; weak channels go first. "
           "A channel with a large constant value ranks high although it tells pictures apart no better.",
  .source = "Luo, Zhang, Zhou, Xie, Wu, Lin: ThiNet: Pruning CNN Filters for a Thinner Net, TPAMI 2018",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_STATS,
  .joins = TRUE, .score = score,
};
