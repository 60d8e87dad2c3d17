/* SPDX-License-Identifier: MIT */
#include "graph/stages.h"

#include "graph/parts.h"

static int
root (int *parent, int i)
{
  while (parent[i] != i)
    i = parent[i] = parent[parent[i]];
  return i;
}

static gboolean
holds (const GArray *nodes, int node)
{
  for (guint i = 0; i < nodes->len; i++)
    if (g_array_index (nodes, int, i) == node)
      return TRUE;
  return FALSE;
}

/* TRUE if all that makes the group's channels lies in the branch. */
static gboolean
lies_inside (const PjGroup *group, const PjPart *branch)
{
  for (guint i = 0; i < group->producers->len; i++)
    if (!holds (branch->nodes, g_array_index (group->producers, int, i)))
      return FALSE;
  return group->ties->len == 0;
}

/* Unites the groups that meet in a branch. */
static void
visit_branch (const PjGroups *groups, const PjPart *branch, PjStageRole *roles, int *parent)
{
  int add = g_array_index (branch->nodes, int, branch->nodes->len - 1), first = -1;

  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    gboolean stream = holds (group->ties, add);
    if (!stream && !lies_inside (group, branch))
      continue;
    roles[g].stage = 0;
    roles[g].stream = roles[g].stream || stream;
    first = first < 0 ? (int) g : first;
    int a = root (parent, first), b = root (parent, (int) g);
    parent[MAX (a, b)] = MIN (a, b);
  }
}

PjStageRole *
pj_stage_roles_new (const PjGraph *graph, const PjGroups *groups)
{
  unsigned n = pj_groups_n (groups);
  PjStageRole *roles = g_new0 (PjStageRole, MAX (1, n));
  g_autofree int *parent = g_new (int, MAX (1, n)), *number = g_new (int, MAX (1, n));
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  int n_stages = 0;

  for (unsigned g = 0; g < n; g++) {
    roles[g].stage = number[g] = -1;
    parent[g] = (int) g;
  }
  for (unsigned i = 0; i < pj_parts_n (parts); i++)
    if (pj_parts_get (parts, i)->kind == PJ_PART_BRANCH)
      visit_branch (groups, pj_parts_get (parts, i), roles, parent);
  for (unsigned g = 0; g < n; g++) {
    int *own = &number[root (parent, (int) g)];
    if (roles[g].stage < 0)
      continue;
    if (*own < 0)
      *own = n_stages++;
    roles[g].stage = *own;
  }
  return roles;
}
