/* SPDX-License-Identifier: MIT */
#include "prune/scores/kl-cost.h"

#include "ops/op.h"
#include "prune/scores/calibration.h"

/* How a value differs from the unmasked one: not at all, in the masked channel only, or everywhere. */
typedef enum { SAME, ONE, ALL } Change;

static gboolean
mixes (const PjNode *node)
{
  return node->op == &pj_op_conv || node->op == &pj_op_conv_transpose || node->op == &pj_op_gemm;
}

/* Channels of which one is masked: a vector that was maps counts in channels, not in columns. */
static int
channels_of (const PjGraph *graph, const PjNode *node, const int *channels)
{
  int first = channels[node->inputs[0]];
  const PjShape *y = &pj_graph_value (graph, node->outputs[0])->shape;
  return node->op == &pj_op_flatten && first > 0 ? first : y->rank > 1 ? (int) y->dim[1] : 1;
}

static gboolean
is_depthwise (const PjGraph *graph, const PjNode *node)
{
  return node->op == &pj_op_conv && pj_graph_value (graph, node->inputs[1])->shape.dim[1] == 1
         && pj_graph_value (graph, node->inputs[0])->shape.dim[1] == pj_graph_value (graph, node->outputs[0])->shape.dim[1];
}

static Change
change_of (const PjNode *node, const Change *changes)
{
  Change worst = SAME;
  for (unsigned i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] >= 0)
      worst = MAX (worst, changes[node->inputs[i]]);
  return worst;
}

/* One group: what a mask makes run again. */
static void
add_group (const PjGraph *graph, const PjGroup *group, PjKlCost *cost)
{
  g_autofree Change *changes = g_new0 (Change, pj_graph_n_values (graph));
  g_autofree int *channels = g_new0 (int, pj_graph_n_values (graph));
  uint64_t suffix = 0, delta = 0;

  for (unsigned i = 0; i < group->n_mask_points; i++)
    changes[group->mask_points[i].value] = ONE;
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    Change change = change_of (node, changes);
    PjCost one = { 0 };
    for (unsigned i = 0; i < node->n_outputs; i++)
      channels[node->outputs[i]] = channels_of (graph, node, channels);
    if (change == SAME)
      continue;
    pj_graph_node_cost (graph, (int) n, &one);
    suffix += one.macs;
    delta += change == ONE ? one.macs / (uint64_t) MAX (1, channels[node->inputs[0]]) : one.macs;
    if (mixes (node) && !is_depthwise (graph, node))
      change = ALL;
    for (unsigned i = 0; i < node->n_outputs; i++)
      changes[node->outputs[i]] = MAX (changes[node->outputs[i]], change);
  }
  cost->n_masks += (unsigned) group->n_channels;
  cost->suffix += (uint64_t) group->n_channels * suffix;
  cost->delta += (uint64_t) group->n_channels * delta;
}

void
pj_kl_cost (const PjGraph *graph, const PjGroups *groups, const guint8 *left_out, PjKlCost *cost)
{
  PjCost whole;
  *cost = (PjKlCost) { 0 };
  pj_graph_cost (graph, &whole);
  cost->full = whole.macs;
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    if (group->lock_reason == NULL && (left_out == NULL || !left_out[i]))
      add_group (graph, group, cost);
  }
  cost->naive = cost->n_masks * cost->full;
}

double
pj_kl_cost_passes (const PjScoring *scoring)
{
  PjKlCost cost;
  unsigned n_judged = 0;
  pj_kl_cost (scoring->graph, scoring->groups, NULL, &cost);
  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++)
    n_judged += pj_groups_get (scoring->groups, i)->lock_reason == NULL;
  return pj_calibration_count (scoring, PJ_DEFAULT_KL_IMAGES) * (n_judged + (double) cost.delta / (double) MAX (cost.full, 1));
}
