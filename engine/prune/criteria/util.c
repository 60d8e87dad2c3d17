/* SPDX-License-Identifier: MIT */
#include "prune/criteria/criteria.h"
#include "prune/statistics.h"

void
pj_add_equal_voice (double *out, const double *part, int n_channels)
{
  double mean = 0;

  for (int c = 0; c < n_channels; c++)
    mean += part[c] / n_channels;
  for (int c = 0; mean != 0 && c < n_channels; c++)
    out[c] += part[c] / mean;
}

void
pj_score_activities (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group,
                     PjActivityScore score, double *out)
{
  g_autoptr (GArray) values = pj_group_activities (scoring->graph, group);
  g_autofree double *part = g_new (double, group->n_channels);

  for (guint i = 0; i < values->len; i++) {
    const PjActivity *activity = pj_statistics_get (statistics, g_array_index (values, int, i));
    for (int c = 0; c < group->n_channels; c++)
      part[c] = score (activity, c);
    if (values->len > 1)
      pj_add_equal_voice (out, part, group->n_channels);
    else
      for (int c = 0; c < group->n_channels; c++)
        out[c] = part[c];
  }
  for (int c = 0; values->len > 1 && c < group->n_channels; c++)
    out[c] /= values->len;
}
