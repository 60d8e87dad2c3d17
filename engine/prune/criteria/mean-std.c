/* SPDX-License-Identifier: MIT */
/* s_c = (1/N) Σ_n std (I(n,c)), population deviation. */
#include "prune/criteria/criteria.h"
#include "prune/scores/statistics.h"

static double
of_channel (const PjActivity *a, int c)
{
  return a->sum_std[c] / (double) a->n_images;
}

static gboolean
fit (const PjScoring *scoring, const PjGroup *group, GError **error)
{
  g_autoptr (GArray) values = pj_group_activities (scoring->graph, group);

  for (guint i = 0; i < values->len; i++) {
    const PjShape *shape = &pj_graph_value (scoring->graph, g_array_index (values, int, i))->shape;
    if (pj_shape_n_elems (shape) > (size_t) shape->dim[1])
      return TRUE;
  }
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
               "“%s” has a single position per channel, so the deviation over positions is 0 for all", group->name);
  return FALSE;
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  pj_score_activities (scoring, statistics, group, of_channel, out);
  return TRUE;
}

const PjCriterion pj_criterion_mean_std = {
  .name = "mean-std", .title = "Mean of deviations",
  .about = "Averages how much a channel varies over the positions of one picture; flat channels go first. "
           "A channel that is strongly but evenly active scores 0.",
  .source = "Luo, Zhang, Zhou, Xie, Wu, Lin: ThiNet: Pruning CNN Filters for a Thinner Net, TPAMI 2018",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_STATS,
  .joins = TRUE, .fit = fit, .score = score,
};
