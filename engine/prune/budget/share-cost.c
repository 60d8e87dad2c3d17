/* SPDX-License-Identifier: MIT */
#include "prune/budget/share-cost.h"

#include "ops/op.h"

/* @fraction: of the axis that belongs to @group */
typedef struct { int term, axis, group; double fraction; } Part;

/* A node costs @amount · (rest₀ + Σ fraction·share) · (rest₁ + Σ fraction·share). */
struct _PjShareCost {
  unsigned n_terms;
  double *amount, *rest[2], *factor[2];
  GArray *parts;
};

static void
add_parts (PjShareCost *self, const PjGroups *groups, const int *term_of)
{
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    for (unsigned m = 0; m < group->n_members; m++) {
      const PjMember *member = &group->members[m];
      int n = 0, term = member->is_param ? term_of[member->value] : -1;
      if (term < 0)
        continue;
      for (int k = 0; k < member->n; k++)
        n += member->map[k] >= 0;
      Part part = { term, member->role == PJ_ROLE_CONSUMER, group->id, (double) n / member->n };
      self->rest[part.axis][term] -= part.fraction;
      g_array_append_val (self->parts, part);
    }
  }
}

PjShareCost *
pj_share_cost_new (const PjGraph *graph, const PjGroups *groups, PjBudgetKind kind)
{
  PjShareCost *self = g_new0 (PjShareCost, 1);
  unsigned n = pj_graph_n_nodes (graph);
  g_autofree int *term_of = g_new (int, pj_graph_n_values (graph));

  self->amount = g_new0 (double, n);
  self->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++)
    term_of[v] = -1;
  for (int a = 0; a < 2; a++) {
    self->rest[a] = g_new (double, n);
    self->factor[a] = g_new (double, n);
  }
  for (unsigned i = 0; i < n; i++) {
    const PjNode *node = pj_graph_node (graph, (int) i);
    PjCost cost = { 0 };
    pj_graph_node_cost (graph, (int) i, &cost);
    double amount = kind == PJ_BUDGET_MACS ? (double) cost.macs : (double) cost.weights;
    if (amount <= 0 || node->n_inputs < 2)
      continue;
    self->rest[0][self->n_terms] = self->rest[1][self->n_terms] = 1;
    self->amount[self->n_terms] = amount;
    term_of[node->inputs[1]] = (int) self->n_terms++;
  }
  add_parts (self, groups, term_of);
  return self;
}

void
pj_share_cost_free (PjShareCost *self)
{
  if (self == NULL)
    return;
  for (int a = 0; a < 2; a++) {
    g_free (self->rest[a]);
    g_free (self->factor[a]);
  }
  g_free (self->amount);
  g_array_unref (self->parts);
  g_free (self);
}

double
pj_share_cost (const PjShareCost *self, const double *share)
{
  double sum = 0;

  for (unsigned t = 0; t < self->n_terms; t++)
    for (int a = 0; a < 2; a++)
      self->factor[a][t] = self->rest[a][t];
  for (guint p = 0; p < self->parts->len; p++) {
    const Part *part = &g_array_index (self->parts, Part, p);
    self->factor[part->axis][part->term] += part->fraction * share[part->group];
  }
  for (unsigned t = 0; t < self->n_terms; t++)
    sum += self->amount[t] * self->factor[0][t] * self->factor[1][t];
  return sum;
}
