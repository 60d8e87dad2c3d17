/* SPDX-License-Identifier: MIT */
/* s_c = Var_n ‖I(n,c)‖₂, over pictures, population variance. */
#include "prune/scores/calibration.h"
#include "prune/criteria/criteria.h"

static double
of_channel (const PjActivity *a, int c)
{
  return a->var_l2[c] / (double) a->n_images;
}

static gboolean
fit (const PjScoring *scoring, const PjGroup *group, GError **error)
{
  if (scoring->dataset == NULL || pj_calibration_count (scoring, PJ_DEFAULT_IMAGES) >= 2)
    return TRUE;
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
               "“%s”: a variance over pictures needs at least 2 of them", group->name);
  return FALSE;
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  pj_score_activities (scoring, statistics, group, of_channel, out);
  return TRUE;
}

const PjCriterion pj_criterion_var_l2 = {
  .name = "var-l2", .title = "Variance of L2 norms",
  .about = "Takes how much the length of a channel’s activation changes from picture to picture; steady channels go first. "
           "A channel that responds alike to every picture scores 0.",
  .source = "Luo, Zhang, Zhou, Xie, Wu, Lin: ThiNet: Pruning CNN Filters for a Thinner Net, TPAMI 2018",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_STATS,
  .joins = TRUE, .fit = fit, .score = score,
};
