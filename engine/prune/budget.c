/* SPDX-License-Identifier: MIT */
/* Budgets.  Every choice sorts by (score, group, channel), so equal scores never depend on a sort
 * algorithm. */
#include "prune/budget.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  double score;
  int group, channel;
} Item;

static int
compare_items (gconstpointer a, gconstpointer b)
{
  const Item *x = a, *y = b;
  if (x->score != y->score)
    return x->score < y->score ? -1 : 1;
  if (x->group != y->group)
    return x->group < y->group ? -1 : 1;
  return (x->channel > y->channel) - (x->channel < y->channel);
}

int
pj_keep_count (int n_channels, double ratio, int multiple)
{
  /* The small number undoes what binary floating point takes from products such as 100 · 0.29. */
  int k = MAX (1, (int) floor (n_channels * ratio + 1e-9));
  if (multiple > 1)
    k = (k + multiple - 1) / multiple * multiple;
  return MIN (k, n_channels);
}

void
pj_keep_top (const double *score, int n, int k, guint8 *keep)
{
  g_autofree Item *items = g_new (Item, n);

  for (int c = 0; c < n; c++)
    items[c] = (Item) { score[c], 0, c };
  qsort (items, (size_t) n, sizeof (Item), compare_items);
  for (int i = 0; i < n; i++)
    keep[items[i].channel] = i >= n - k;
}

/* --- each group its own share --- */

static gboolean
check_local (const PjGroup *group, const PjGroupScores *scores, double ratio, GError **error)
{
  if (!(ratio > 0) || ratio > 1) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "“%s”: a keep ratio of %g is not possible; use more than 0 and at most 1", group->name, ratio);
    return FALSE;
  }
  if (ratio == 1)
    return TRUE;
  if (group->lock_reason != NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_LOCKED, "“%s” cannot be cut: %s", group->name, group->lock_reason);
    return FALSE;
  }
  if (scores == NULL || scores->score == NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT, "“%s” cannot be judged: %s", group->name,
                 scores != NULL && scores->refusal != NULL ? scores->refusal : "it has no scores");
    return FALSE;
  }
  return TRUE;
}

PjCutPlan *
pj_budget_local (const PjGroups *groups, const PjScores *scores, const double *ratios, int multiple, GError **error)
{
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();

  if (!pj_scores_check (scores, groups, error))
    return NULL;
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    const PjGroupScores *s = pj_scores_get (scores, group->id);
    if (!check_local (group, s, ratios[i], error))
      return NULL;
    int k = ratios[i] == 1 ? group->n_channels : pj_keep_count (group->n_channels, ratios[i], multiple);
    if (k == group->n_channels)
      continue;
    g_autofree guint8 *keep = g_malloc0 ((gsize) group->n_channels);
    pj_keep_top (s->score, group->n_channels, k, keep);
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  return g_steal_pointer (&plan);
}

/* --- one list of all channels --- */

/* All channels of judged groups, the least important first. */
static GArray *
list_channels (const PjScores *scores, gboolean normalise)
{
  GArray *items = g_array_new (FALSE, FALSE, sizeof (Item));

  for (unsigned i = 0; i < scores->n_groups; i++) {
    const PjGroupScores *g = &scores->groups[i];
    double mean = 0;
    if (g->score == NULL)
      continue;
    for (int c = 0; c < g->n_channels; c++)
      mean += g->score[c] / g->n_channels;
    for (int c = 0; c < g->n_channels; c++) {
      Item item = { normalise && mean > 0 ? g->score[c] / mean : g->score[c], g->group, c };
      g_array_append_val (items, item);
    }
  }
  qsort (items->data, items->len, sizeof (Item), compare_items);
  return items;
}

/* Drops what would take a group below its floor: what is left can be removed front to back. */
static void
respect_floors (GArray *items, const PjGroups *groups, double floor_share)
{
  g_autofree int *left = g_new (int, pj_groups_n (groups));
  guint n = 0;

  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    int n_channels = pj_groups_get (groups, i)->n_channels;
    left[i] = n_channels - MAX (1, (int) ceil (n_channels * floor_share - 1e-9));
  }
  for (guint i = 0; i < items->len; i++) {
    Item item = g_array_index (items, Item, i);
    if (left[item.group] > 0) {
      left[item.group]--;
      g_array_index (items, Item, n++) = item;
    }
  }
  g_array_set_size (items, n);
}

static PjCutPlan *
remove_front (const PjGroups *groups, const GArray *items, guint n)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  g_autoptr (GPtrArray) keeps = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_set_size (keeps, (gint) pj_groups_n (groups));
  for (guint i = 0; i < n; i++) {
    const Item *item = &g_array_index (items, Item, i);
    guint8 *keep = keeps->pdata[item->group];
    if (keep == NULL) {
      int n_channels = pj_groups_get (groups, (unsigned) item->group)->n_channels;
      keep = keeps->pdata[item->group] = g_malloc ((gsize) n_channels);
      memset (keep, 1, (gsize) n_channels);
    }
    keep[item->channel] = 0;
  }
  for (guint g = 0; g < keeps->len; g++)
    if (keeps->pdata[g] != NULL)
      pj_cut_plan_set (plan, pj_groups_get (groups, g), keeps->pdata[g], NULL);
  return plan;
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

/* What the budget counts, with the first @n items removed. */
static gboolean
measure (const PjGraph *graph, const PjGroups *groups, const GArray *items, guint n, PjBudgetKind kind,
         double *amount, GError **error)
{
  g_autoptr (PjCutPlan) plan = remove_front (groups, items, n);
  PjCost cost;

  if (kind == PJ_BUDGET_CHANNELS) {
    *amount = count_channels (groups, plan);
    return TRUE;
  }
  if (!pj_cut_predict_cost (graph, groups, plan, &cost, error))
    return FALSE;
  *amount = (double) (kind == PJ_BUDGET_MACS ? cost.macs : cost.learnable);
  return TRUE;
}

static gboolean
check_global (double target, double floor_share, GError **error)
{
  if (!(target > 0) || target > 1) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "a target of %g is not possible; use the share to keep, more than 0 and at most 1", target);
    return FALSE;
  }
  if (!(floor_share >= 0) || floor_share > 1) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "a floor of %g is not possible; use the smallest share of a group that stays, 0 to 1", floor_share);
    return FALSE;
  }
  return TRUE;
}

PjCutPlan *
pj_budget_global (const PjGraph *graph, const PjGroups *groups, const PjScores *scores, PjBudgetKind kind,
                  double target, double floor_share, gboolean normalise, GError **error)
{
  static const char *const names[] = { "channels", "multiply-adds", "parameters" };
  double base, amount;

  if (!check_global (target, floor_share, error) || !pj_scores_check (scores, groups, error))
    return NULL;
  g_autoptr (GArray) items = list_channels (scores, normalise);
  respect_floors (items, groups, floor_share);
  if (!measure (graph, groups, items, 0, kind, &base, error) || !measure (graph, groups, items, items->len, kind, &amount, error))
    return NULL;
  if (amount > target * base) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "keeping %.1f %% of the %s is not possible: locked groups, groups that cannot be judged and the floors "
                 "leave at least %.1f %%", 100 * target, names[kind], 100 * amount / base);
    return NULL;
  }
  /* Costs never rise along the list, so the shortest sufficient prefix is found by halving. */
  guint low = 0, high = items->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (!measure (graph, groups, items, middle, kind, &amount, error))
      return NULL;
    if (amount <= target * base)
      high = middle;
    else
      low = middle + 1;
  }
  return remove_front (groups, items, low);
}
