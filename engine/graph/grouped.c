/* SPDX-License-Identifier: MIT */
#include "graph/grouped.h"

#include <string.h>

#include "ops/op.h"
#include "ops/params.h"

/* Its parameters if @node is a convolution with groups of several channels. */
static const PjConvParams *
grouped (const PjNode *node)
{
  const PjConvParams *p = node->op == &pj_op_conv ? node->params : NULL;
  return p != NULL && p->groups > 1 && !p->depthwise ? p : NULL;
}

/* Adds to @kept how many positions of axis 1 of @value stay in each of @n_runs equal runs. */
static void
count_runs (const PjGroups *groups, const PjCutPlan *plan, int value, int n_runs, int *kept)
{
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    const PjGroupCut *cut = pj_cut_plan_get (plan, group->id);
    for (unsigned m = 0; m < group->n_members; m++) {
      const PjMember *member = &group->members[m];
      if (member->value != value || member->axis != 1 || member->is_param)
        continue;
      for (int k = 0; k < member->n; k++)
        if (member->map[k] >= 0)
          kept[k / (member->n / n_runs)] += cut == NULL || cut->keep[member->map[k]];
    }
  }
}

/* Every group keeps as many inputs, or none; as many outputs, or none; and either both or nothing. */
static gboolean
check_runs (const PjNode *node, const int *inputs, const int *outputs, int n, GError **error)
{
  int first = 0;

  while (first < n - 1 && inputs[first] == 0)
    first++;
  for (int r = 0; r < n; r++) {
    gboolean even = inputs[r] == 0 ? outputs[r] == 0 : inputs[r] == inputs[first] && outputs[r] == outputs[first] && outputs[r] > 0;
    if (even)
      continue;
    g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID,
                 "the grouped convolution “%s” would read %d channels and make %d in its group %d, but %d and %d in group %d; its "
                 "groups keep as many each, or go whole with inputs and outputs", node->name, inputs[r], outputs[r], r,
                 inputs[first], outputs[first], first);
    return FALSE;
  }
  return TRUE;
}

gboolean
pj_grouped_check (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, GError **error)
{
  for (unsigned i = 0; i < pj_graph_n_nodes (graph); i++) {
    const PjNode *node = pj_graph_node (graph, (int) i);
    const PjConvParams *p = grouped (node);
    if (p == NULL)
      continue;
    g_autofree int *inputs = g_new0 (int, p->groups), *outputs = g_new0 (int, p->groups);
    count_runs (groups, plan, node->inputs[0], p->groups, inputs);
    count_runs (groups, plan, node->outputs[0], p->groups, outputs);
    if (!check_runs (node, inputs, outputs, p->groups, error))
      return FALSE;
  }
  return TRUE;
}

/* --- dropping --- */

/* Removes from @plan what run @run of axis 1 of @value holds; FALSE if nothing changed. */
static gboolean
drop_run (const PjGroups *groups, int value, int n_runs, int run, PjCutPlan *plan)
{
  gboolean changed = FALSE;

  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    const PjGroupCut *cut = pj_cut_plan_get (plan, group->id);
    g_autofree guint8 *keep = g_malloc ((gsize) group->n_channels);
    gboolean touched = FALSE;
    memset (keep, 1, (gsize) group->n_channels);
    if (cut != NULL)
      memcpy (keep, cut->keep, (gsize) group->n_channels);
    for (unsigned m = 0; m < group->n_members; m++) {
      const PjMember *member = &group->members[m];
      if (member->value != value || member->axis != 1 || member->is_param)
        continue;
      for (int k = 0; k < member->n; k++)
        if (member->map[k] >= 0 && k / (member->n / n_runs) == run && keep[member->map[k]]) {
          keep[member->map[k]] = 0;
          touched = TRUE;
        }
    }
    if (touched)
      pj_cut_plan_set (plan, group, keep, cut != NULL ? cut->scale : NULL);
    changed = changed || touched;
  }
  return changed;
}

/* Groups that lost one side lose the other; TRUE if that changed anything. */
static gboolean
follow (const PjGraph *graph, const PjGroups *groups, PjCutPlan *plan)
{
  gboolean changed = FALSE;

  for (unsigned i = 0; i < pj_graph_n_nodes (graph); i++) {
    const PjNode *node = pj_graph_node (graph, (int) i);
    const PjConvParams *p = grouped (node);
    if (p == NULL)
      continue;
    g_autofree int *inputs = g_new0 (int, p->groups), *outputs = g_new0 (int, p->groups);
    count_runs (groups, plan, node->inputs[0], p->groups, inputs);
    count_runs (groups, plan, node->outputs[0], p->groups, outputs);
    for (int r = 0; r < p->groups; r++)
      if ((inputs[r] == 0) != (outputs[r] == 0))
        changed = drop_run (groups, inputs[r] == 0 ? node->outputs[0] : node->inputs[0], p->groups, r, plan) || changed;
  }
  return changed;
}

gboolean
pj_grouped_drop (const PjGraph *graph, const PjGroups *groups, const char *name, const int *drop, unsigned n, PjCutPlan *plan,
                 GError **error)
{
  int index = pj_graph_find_node (graph, name);
  const PjNode *node = index >= 0 ? pj_graph_node (graph, index) : NULL;
  const PjConvParams *p = node != NULL ? grouped (node) : NULL;

  if (p == NULL) {
    g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID, "“%s” is no convolution with groups of several channels", name);
    return FALSE;
  }
  for (unsigned i = 0; i < n; i++) {
    if (drop[i] < 0 || drop[i] >= p->groups) {
      g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID, "“%s” has groups 0 to %d, and none is called %d", name,
                   p->groups - 1, drop[i]);
      return FALSE;
    }
    drop_run (groups, node->inputs[0], p->groups, drop[i], plan);
    drop_run (groups, node->outputs[0], p->groups, drop[i], plan);
  }
  while (follow (graph, groups, plan))
    ;
  /* Says what is locked, what would be left with nothing, and what would be uneven. */
  g_autoptr (PjGraph) outline = pj_cut_outline (graph, groups, plan, error);
  return outline != NULL;
}
