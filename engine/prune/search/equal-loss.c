/* SPDX-License-Identifier: MIT */
#include "prune/search/equal-loss.h"

/* Halvings of the tolerated loss: to the last bit of a double. */
#define N_HALVINGS 60

static double
loss_of (const PjSweep *sweep, const PjSweepPoint *point, PjLossKind kind)
{
  return kind == PJ_LOSS_KL ? point->kl : MAX (0.0, sweep->base_top1 - point->top1);
}

/* What the group loses at the narrowest point with at least @n_kept channels or at any wider one; its width. */
static double
worst_from (const PjSweep *sweep, const PjGroupSweep *group, PjLossKind kind, int n_kept, int *width)
{
  double worst = 0;

  *width = group->n_channels;
  for (unsigned i = 0; i < group->n_points; i++) {
    const PjSweepPoint *point = &group->points[i];
    if (point->n_kept < n_kept)
      continue;
    worst = MAX (worst, loss_of (sweep, point, kind));
    *width = MIN (*width, point->n_kept);
  }
  return worst;
}

double
pj_equal_loss_at (const PjSweep *sweep, const PjGroupSweep *group, PjLossKind kind, int n_kept)
{
  int above, below = 0;
  double worst = worst_from (sweep, group, kind, n_kept, &above);

  for (unsigned i = 0; i < group->n_points; i++)
    if (group->points[i].n_kept < n_kept)
      below = MAX (below, group->points[i].n_kept);
  if (above <= n_kept || below == 0)
    return worst;
  double next = worst_from (sweep, group, kind, below, &(int) { 0 });
  return worst + (next - worst) * (above - n_kept) / (above - below);
}

/* The fewest channels that lose no more than @tolerated. */
static int
width_for (const PjSweep *sweep, const PjGroupSweep *part, const PjGroup *group, PjLossKind kind, const PjBudget *budget, double tolerated)
{
  int least = group->n_channels;

  for (unsigned i = 0; i < part->n_points; i++)
    least = MIN (least, part->points[i].n_kept);
  least = MAX (least, pj_budget_floor (budget, group->n_channels));
  while (least < group->n_channels && pj_equal_loss_at (sweep, part, kind, least) > tolerated)
    least++;
  int k = pj_group_keep_count (group, (double) least / group->n_channels, budget->multiple);
  /* Whole rows of blocks only, and never fewer than were found. */
  while (k < least)
    k = pj_group_keep_count (group, (double) ++least / group->n_channels, budget->multiple);
  return k;
}

static PjCutPlan *
plan_for (const PjGroups *groups, const PjScores *scores, const PjSweep *sweep, PjLossKind kind, const PjBudget *budget, double tolerated)
{
  PjCutPlan *plan = pj_cut_plan_new ();

  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    const PjGroupSweep *part = pj_sweep_get (sweep, group->id);
    const PjGroupScores *s = pj_scores_get (scores, group->id);
    if (group->lock_reason != NULL || part == NULL || part->n_points == 0 || s == NULL || s->score == NULL)
      continue;
    int k = width_for (sweep, part, group, kind, budget, tolerated);
    if (k == group->n_channels)
      continue;
    g_autofree guint8 *keep = g_malloc ((gsize) group->n_channels);
    pj_group_keep_top (group, s->score, k, keep);
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  return plan;
}

PjCutPlan *
pj_equal_loss_spend (const PjGraph *graph, const PjGroups *groups, const PjScores *scores, const PjSweep *sweep, PjLossKind kind,
                     const PjBudget *budget, double *loss, GError **error)
{
  double low = 0, high = 0, base, amount;

  for (guint g = 0; g < sweep->groups->len; g++) {
    const PjGroupSweep *part = sweep->groups->pdata[g];
    for (unsigned i = 0; i < part->n_points; i++)
      high = MAX (high, loss_of (sweep, &part->points[i], kind));
  }
  g_autoptr (PjCutPlan) best = plan_for (groups, scores, sweep, kind, budget, high);
  if (!pj_budget_amount (graph, groups, NULL, budget->kind, budget->latency, &base, error)
      || !pj_budget_amount (graph, groups, best, budget->kind, budget->latency, &amount, error))
    return NULL;
  if (amount > budget->target * base) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "keeping %.1f %% of the %s is not possible: locked groups, floors and the narrowest width that was measured leave "
                 "at least %.1f %%", 100 * budget->target, pj_budget_kind_title (budget->kind), 100 * amount / base);
    return NULL;
  }
  for (int i = 0; i < N_HALVINGS; i++) {
    double middle = low + (high - low) / 2;
    g_autoptr (PjCutPlan) plan = plan_for (groups, scores, sweep, kind, budget, middle);
    if (!pj_budget_amount (graph, groups, plan, budget->kind, budget->latency, &amount, error))
      return NULL;
    if (amount > budget->target * base) {
      low = middle;
      continue;
    }
    high = middle;
    pj_cut_plan_unref (best);
    best = g_steal_pointer (&plan);
  }
  if (loss != NULL)
    *loss = high;
  return g_steal_pointer (&best);
}
