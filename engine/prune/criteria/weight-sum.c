/* SPDX-License-Identifier: MIT */
/* s_o = Σ|W[o,·]| over the rows that make the channel. */
#include <math.h>

#include "prune/criteria/criteria.h"

static void
add_rows (const PjGraph *graph, const PjMember *member, double *sum)
{
  const PjValue *weight = pj_graph_value (graph, member->value);
  const float *w = pj_blob_data (weight->data);
  size_t row = pj_shape_n_elems (&weight->shape) / (size_t) member->n;

  for (int k = 0; k < member->n; k++)
    for (size_t i = 0; member->map[k] >= 0 && i < row; i++)
      sum[member->map[k]] += fabs (w[k * row + i]);
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  g_autofree double *parts = g_new0 (double, MAX (1, (gsize) group->n_members * (gsize) group->n_channels));
  unsigned n = 0;

  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (member->is_param && member->role == PJ_ROLE_PRODUCER)
      add_rows (scoring->graph, member, parts + (size_t) n++ * group->n_channels);
  }
  pj_tied_combine (scoring->tied, PJ_TIED_SUM, parts, n, group->n_channels, TRUE, out);
  return TRUE;
}

const PjCriterion pj_criterion_weight_sum = {
  .name = "weight-sum", .title = "Weight sum",
  .about = "Sums the absolute weights of the filter that makes a channel; small filters go first. "
           "Needs no pictures, and looks at the weights alone, not at what they do.",
  .source = "Li, Kadav, Durdanovic, Samet, Graf: Pruning Filters for Efficient ConvNets, ICLR 2017",
  .joins = TRUE, .score = score,
};
