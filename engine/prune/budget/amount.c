/* SPDX-License-Identifier: MIT */
#include "prune/budget/amount.h"

const char *
pj_budget_kind_title (PjBudgetKind kind)
{
  static const char *const titles[] = { "channels", "multiply-adds", "parameters", "memory", "predicted milliseconds" };
  G_STATIC_ASSERT (G_N_ELEMENTS (titles) == PJ_N_BUDGETS);
  return titles[kind];
}

size_t
pj_graph_peak_bytes (const PjGraph *graph)
{
  unsigned n_nodes = pj_graph_n_nodes (graph), n_values = pj_graph_n_values (graph);
  g_autofree int *last = g_new0 (int, n_values);
  size_t alive = 0, peak = 0;

  for (unsigned n = 0; n < n_nodes; n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    for (unsigned i = 0; i < node->n_inputs; i++)
      if (node->inputs[i] >= 0)
        last[node->inputs[i]] = (int) n;
  }
  last[pj_graph_get_output (graph)] = (int) n_nodes;
  alive = 4 * pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_input (graph))->shape);
  for (unsigned n = 0; n < n_nodes; n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    for (unsigned i = 0; i < node->n_outputs; i++)
      alive += 4 * pj_shape_n_elems (&pj_graph_value (graph, node->outputs[i])->shape);
    peak = MAX (peak, alive);
    /* What nobody reads dies at once; a node may read a value twice. */
    for (unsigned v = 0; v < n_values; v++) {
      const PjValue *value = pj_graph_value (graph, (int) v);
      gboolean exists = value->kind == PJ_VALUE_INPUT || (value->kind == PJ_VALUE_ACTIVATION && value->producer <= (int) n);
      if (exists && (last[v] == (int) n || (value->producer == (int) n && last[v] < (int) n)))
        alive -= 4 * pj_shape_n_elems (&value->shape);
    }
  }
  return peak;
}

static double
count_channels (const PjGroups *groups, const PjCutPlan *plan)
{
  double n = 0;
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    if (group->lock_reason == NULL)
      n += plan != NULL ? pj_cut_plan_n_kept (plan, group) : group->n_channels;
  }
  return n;
}

gboolean
pj_budget_amount (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, PjBudgetKind kind,
                  const PjLatency *latency, double *amount, GError **error)
{
  g_autoptr (PjCutPlan) whole = plan == NULL ? pj_cut_plan_new () : NULL;
  PjCost cost;

  if (plan == NULL)
    plan = whole;
  if (kind == PJ_BUDGET_CHANNELS) {
    *amount = count_channels (groups, plan);
    return TRUE;
  }
  if (kind == PJ_BUDGET_MACS || kind == PJ_BUDGET_PARAMS) {
    if (!pj_cut_predict_cost (graph, groups, plan, &cost, error))
      return FALSE;
    *amount = (double) (kind == PJ_BUDGET_MACS ? cost.macs : cost.learnable);
    return TRUE;
  }
  g_return_val_if_fail (kind != PJ_BUDGET_MS || latency != NULL, FALSE);
  g_autoptr (PjGraph) outline = pj_cut_outline (graph, groups, plan, error);
  if (outline == NULL)
    return FALSE;
  pj_graph_cost (outline, &cost);
  *amount = kind == PJ_BUDGET_MS ? pj_latency_predict (latency, outline)
                                 : 4.0 * (double) cost.learnable + (double) pj_graph_peak_bytes (outline);
  return TRUE;
}
