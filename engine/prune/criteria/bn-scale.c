/* SPDX-License-Identifier: MIT */
/* |γ| of the norms on the group. */
#include <math.h>

#include "ops/op.h"
#include "prune/criteria/criteria.h"

/* Input 1 of a norm is γ. */
static gboolean
is_scale (const PjGraph *graph, const PjMember *member)
{
  if (!member->is_param || member->role != PJ_ROLE_PER_CHANNEL)
    return FALSE;
  const PjNode *node = pj_graph_node (graph, member->node);
  return node->op == &pj_op_norm && node->inputs[1] == member->value;
}

static unsigned
count_norms (const PjGraph *graph, const PjGroup *group)
{
  unsigned n = 0;
  for (unsigned m = 0; m < group->n_members; m++)
    n += is_scale (graph, &group->members[m]);
  return n;
}

static gboolean
fit (const PjScoring *scoring, const PjGroup *group, GError **error)
{
  if (count_norms (scoring->graph, group) > 0)
    return TRUE;
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
               "“%s” has no batch norm, so there is no scale to compare; use the weight sum", group->name);
  return FALSE;
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  g_autofree double *parts = g_new0 (double, (gsize) count_norms (scoring->graph, group) * (gsize) group->n_channels);
  unsigned n = 0;

  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (!is_scale (scoring->graph, member))
      continue;
    const float *gamma = pj_blob_data (pj_graph_value (scoring->graph, member->value)->data);
    double *part = parts + (size_t) n++ * group->n_channels;
    for (int k = 0; k < member->n; k++)
      if (member->map[k] >= 0)
        part[member->map[k]] += fabs (gamma[k]);
  }
  pj_tied_combine (scoring->tied, PJ_TIED_SUM, parts, n, group->n_channels, TRUE, out);
  return TRUE;
}

const PjCriterion pj_criterion_bn_scale = {
  .name = "bn-scale", .title = "Norm scale",
  .about = "Takes the size of the batch norm's scale as the importance of its channel. "
           "It says most about networks that were trained with a penalty on these scales.",
  .source = "Liu, Li, Shen, Huang, Yan, Zhang: Learning Efficient Convolutional Networks through Network Slimming, ICCV 2017",
  .joins = TRUE, .comparable = TRUE, .fit = fit, .score = score,
};
