/* SPDX-License-Identifier: MIT */
/* Importance 1 − APoZ, the share of positions that are not zero after the ReLU. */
#include "prune/criteria/criteria.h"

static gboolean
fit (const PjScoring *scoring, const PjGroup *group, GError **error)
{
  g_autoptr (GArray) relus = pj_group_relu_outputs (scoring->graph, group);
  if (relus->len > 0)
    return TRUE;
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
               "“%s” has no ReLU, so no activation is ever zero and all its channels would look alike", group->name);
  return FALSE;
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  g_autoptr (GArray) relus = pj_group_relu_outputs (scoring->graph, group);
  g_autofree double *parts = g_new (double, MAX (1, (gsize) relus->len * (gsize) group->n_channels));

  for (guint i = 0; i < relus->len; i++) {
    const PjActivity *a = pj_statistics_get (statistics, g_array_index (relus, int, i));
    for (int c = 0; c < group->n_channels; c++)
      parts[(size_t) i * group->n_channels + c] = 1 - a->zeros[c] / (a->n_positions * (double) a->n_images);
  }
  /* Shares of positions are on one scale already. */
  pj_tied_combine (scoring->tied, PJ_TIED_MEAN, parts, relus->len, group->n_channels, FALSE, out);
  return TRUE;
}

const PjCriterion pj_criterion_apoz = {
  .name = "apoz", .title = "APoZ",
  .about = "Counts how often a channel is zero after its ReLU; channels that are mostly zero go first. "
           "A channel that is always on looks vital to it, even if it carries no information.",
  .source = "Hu, Peng, Tai, Tang: Network Trimming, 2016",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_STATS,
  .joins = TRUE, .comparable = TRUE, .fit = fit, .score = score,
};
