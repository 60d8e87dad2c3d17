/* SPDX-License-Identifier: MIT */
#include "prune/methods/gates.h"

#include "ops/op.h"

/* --- where they stand --- */

static gboolean
passes_factors (const PjOp *op)
{
  const PjOp *const ops[] = {
    &pj_op_relu, &pj_op_leaky_relu, &pj_op_prelu, &pj_op_add, &pj_op_max_pool, &pj_op_avg_pool, &pj_op_global_avg_pool,
    &pj_op_reduce_mean, &pj_op_flatten, &pj_op_reshape, &pj_op_transpose, &pj_op_concat, &pj_op_slice, &pj_op_gather,
    &pj_op_depth_to_space, &pj_op_identity,
  };
  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    if (op == ops[i])
      return TRUE;
  return FALSE;
}

static gboolean
has_weights (const PjOp *op)
{
  return op == &pj_op_conv || op == &pj_op_conv_transpose || op == &pj_op_gemm;
}

/* What the non-linearity behind @point makes, if only that reads the point. */
static int
behind_activation (const PjGraph *graph, int point)
{
  g_autoptr (GArray) readers = pj_graph_consumers (graph, point);
  if (readers->len != 1)
    return point;
  const PjNode *node = pj_graph_node (graph, g_array_index (readers, int, 0));
  return node->op->is_activation && node->op->zero == PJ_ZERO_KEEPS && node->inputs[0] == point ? node->outputs[0] : point;
}

static gboolean
is_of_group (const PjGroup *group, int value)
{
  for (unsigned m = 0; m < group->n_members; m++)
    if (!group->members[m].is_param && group->members[m].value == value)
      return TRUE;
  return FALSE;
}

/* TRUE if all that reads @value are depthwise convolutions, whose outputs have places of their own. */
static gboolean
is_gated_later (const PjGraph *graph, const PjGroup *group, int value)
{
  g_autoptr (GArray) readers = pj_graph_consumers (graph, value);
  for (guint i = 0; i < readers->len; i++) {
    const PjNode *node = pj_graph_node (graph, g_array_index (readers, int, i));
    if (!has_weights (node->op) || !is_of_group (group, node->outputs[0]))
      return FALSE;
  }
  return readers->len > 0;
}

/* The node through which no factor passes on the way from @value to the readers of the group, or -1. */
static int
find_barrier (const PjGraph *graph, const PjGroup *group, int value)
{
  g_autoptr (GArray) readers = pj_graph_consumers (graph, value);
  for (guint i = 0; i < readers->len; i++) {
    int index = g_array_index (readers, int, i);
    const PjNode *node = pj_graph_node (graph, index);
    if (has_weights (node->op)) {
      if (is_of_group (group, node->outputs[0]))
        return index;
      continue;
    }
    if (!passes_factors (node->op))
      return index;
    int barrier = find_barrier (graph, group, node->outputs[0]);
    if (barrier >= 0)
      return barrier;
  }
  return -1;
}

static GArray *
find_places (const PjGraph *graph, const PjGroup *group)
{
  GArray *places = g_array_new (FALSE, FALSE, sizeof (PjGatePlace));
  for (unsigned m = 0; m < group->n_mask_points; m++) {
    const PjMaskPoint *point = &group->mask_points[m];
    PjGatePlace place = { behind_activation (graph, point->value), point->n, point->map };
    if (!is_gated_later (graph, group, place.value))
      g_array_append_val (places, place);
  }
  return places;
}

gboolean
pj_gates_fit (const PjGraph *graph, const PjGroup *group, GError **error)
{
  g_autoptr (GArray) places = find_places (graph, group);
  int barrier = -1;

  for (guint i = 0; i < places->len && barrier < 0; i++)
    barrier = find_barrier (graph, group, g_array_index (places, PjGatePlace, i).value);
  if (barrier >= 0) {
    const PjNode *node = pj_graph_node (graph, barrier);
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
                 "“%s”: a trained gate cannot pass “%s” (%s) on its way to the next layers; set its keep ratio to 1 or use a "
                 "criterion", group->name, node->name, node->op->title);
    return FALSE;
  }
  if (places->len > 0)
    return TRUE;
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT, "“%s” has no place for a gate; use a criterion", group->name);
  return FALSE;
}

/* --- life --- */

static void
add_gate (PjGates *self, const PjGraph *graph, const PjGroup *group, unsigned n_extra)
{
  PjGate *gate = &self->gates[self->n_gates++];

  *gate = (PjGate) {
    .group = group, .n = group->n_channels, .gate = g_new (double, group->n_channels),
    .grad = g_new0 (double, group->n_channels), .extra = g_new0 (double, (gsize) group->n_channels * n_extra),
    .fading = g_new (double, group->n_channels), .places = find_places (graph, group),
  };
  for (int c = 0; c < gate->n; c++) {
    gate->gate[c] = 1;
    gate->fading[c] = -1;
  }
  for (guint i = 0; i < gate->places->len; i++) {
    const PjGatePlace *place = &g_array_index (gate->places, PjGatePlace, i);
    g_array_append_val (self->gated, place->value);
    self->widest = MAX (self->widest, place->n);
  }
}

static int
compare_ints (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

PjGates *
pj_gates_new (const PjGraph *graph, const PjGroups *groups, const double *ratios, unsigned n_extra)
{
  PjGates *self = g_new0 (PjGates, 1);

  self->gates = g_new0 (PjGate, pj_groups_n (groups));
  self->gated = g_array_new (FALSE, FALSE, sizeof (int));
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    if (group->lock_reason == NULL && (ratios == NULL || ratios[g] < 1) && pj_gates_fit (graph, group, NULL))
      add_gate (self, graph, group, n_extra);
  }
  g_array_sort (self->gated, compare_ints);
  /* Several groups may share a value (concat): one gate serves them. */
  for (guint i = self->gated->len; i > 1; i--)
    if (g_array_index (self->gated, int, i - 1) == g_array_index (self->gated, int, i - 2))
      g_array_remove_index (self->gated, i - 1);
  return self;
}

void
pj_gates_free (PjGates *self)
{
  if (self == NULL)
    return;
  for (unsigned g = 0; g < self->n_gates; g++) {
    g_free (self->gates[g].gate);
    g_free (self->gates[g].grad);
    g_free (self->gates[g].extra);
    g_free (self->gates[g].fading);
    g_array_unref (self->gates[g].places);
  }
  g_free (self->gates);
  g_array_unref (self->gated);
  g_free (self);
}

/* --- in a plan --- */

gboolean
pj_gates_apply (const PjGates *self, PjPlan *plan, GError **error)
{
  g_autofree float *factor = g_new (float, self->widest);

  for (guint i = 0; i < self->gated->len; i++) {
    int value = g_array_index (self->gated, int, i);
    for (int c = 0; c < self->widest; c++)
      factor[c] = 1;
    for (unsigned g = 0; g < self->n_gates; g++)
      for (guint p = 0; p < self->gates[g].places->len; p++) {
        const PjGatePlace *place = &g_array_index (self->gates[g].places, PjGatePlace, p);
        for (int c = 0; place->value == value && c < place->n; c++)
          if (place->map[c] >= 0)
            factor[c] = (float) self->gates[g].gate[place->map[c]];
      }
    if (!pj_plan_set_gate (plan, value, factor, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
pj_gates_read (PjGates *self, PjPlan *plan, GError **error)
{
  g_autofree float *felt = g_new (float, self->widest);

  for (unsigned g = 0; g < self->n_gates; g++) {
    PjGate *gate = &self->gates[g];
    for (int c = 0; c < gate->n; c++)
      gate->grad[c] = 0;
    for (guint p = 0; p < gate->places->len; p++) {
      const PjGatePlace *place = &g_array_index (gate->places, PjGatePlace, p);
      if (!pj_plan_read_gate_grad (plan, place->value, felt, error))
        return FALSE;
      for (int c = 0; c < place->n; c++)
        if (place->map[c] >= 0)
          gate->grad[place->map[c]] += felt[c];
    }
  }
  return TRUE;
}

PjScores *
pj_gates_scores (const PjGates *self, const PjGroups *groups, const char *method, double *const *of)
{
  PjScores *scores = g_new0 (PjScores, 1);
  unsigned next = 0;

  scores->criterion = g_strdup (method);
  scores->groups = g_new0 (PjGroupScores, pj_groups_n (groups));
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    if (group->lock_reason != NULL)
      continue;
    PjGroupScores *entry = &scores->groups[scores->n_groups++];
    entry->group = group->id;
    entry->n_channels = group->n_channels;
    if (next < self->n_gates && self->gates[next].group == group) {
      entry->score = g_memdup2 (of != NULL ? of[next] : self->gates[next].gate, (gsize) group->n_channels * sizeof (double));
      next++;
    } else {
      entry->refusal = g_strdup ("stays whole: it has no gate");
    }
  }
  return scores;
}
