/* SPDX-License-Identifier: MIT */
/* Budgets.  Every choice sorts by (score, group, channel), so equal scores never depend on a sort
 * algorithm. */
#include "prune/budget/budget.h"

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

/* @k rounded up to a multiple of @n and of @multiple, at most @n_channels.  AMC's rule would rather go down to a multiple
 * than keep all. */
static int
round_up (int k, int n, int multiple, int n_channels)
{
  int least = MAX (multiple == PJ_ROUND_AMC ? 8 : multiple, 1), step = least * n;
  for (int s = MAX (least, n); s < step; s++)
    if (s % least == 0 && s % n == 0)
      step = s;
  k = (k + step - 1) / step * step;
  if (k > n_channels && multiple == PJ_ROUND_AMC)
    k = n_channels / step * step;
  return k > 0 ? MIN (k, n_channels) : n_channels;
}

/* Before any multiple. */
static int
count (int n_channels, double ratio, int multiple)
{
  if (multiple == PJ_ROUND_AMC)
    return ratio >= 1 ? n_channels : MAX (1, (int) rint (n_channels * ratio));
  /* The small number undoes what binary floating point takes from products such as 100 · 0.29. */
  return MAX (1, (int) floor (n_channels * ratio + 1e-9));
}

int
pj_keep_count (int n_channels, double ratio, int multiple)
{
  int k = count (n_channels, ratio, multiple);
  return k >= n_channels ? n_channels : round_up (k, 1, multiple, n_channels);
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

int
pj_group_keep_count (const PjGroup *group, double ratio, int multiple)
{
  int n = group->n_blocks, k = n * count (group->n_channels / n, ratio, multiple);
  return k >= group->n_channels ? group->n_channels : round_up (k, n, multiple, group->n_channels);
}

/* Channels by block and score: entry j · n_blocks + b is the (j+1)-th least important of block b.
 * Removing whole rows from the front keeps all blocks even. */
static int *
rank_in_blocks (const PjGroup *group, const double *score)
{
  int n = group->n_channels, n_blocks = group->n_blocks;
  g_autofree Item *items = g_new (Item, n);
  int *order = g_new (int, n);

  for (int c = 0; c < n; c++)
    items[c] = (Item) { score[c], pj_group_block (group, c), c };
  qsort (items, (size_t) n, sizeof (Item), compare_items);
  g_autofree int *filled = g_new0 (int, n_blocks);
  for (int i = 0; i < n; i++)
    order[filled[items[i].group]++ * n_blocks + items[i].group] = items[i].channel;
  return order;
}

void
pj_group_keep_top (const PjGroup *group, const double *score, int k, guint8 *keep)
{
  g_autofree int *order = rank_in_blocks (group, score);
  for (int i = 0; i < group->n_channels; i++)
    keep[order[i]] = i >= group->n_channels - k;
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
    int k = ratios[i] == 1 ? group->n_channels : pj_group_keep_count (group, ratios[i], multiple);
    if (k == group->n_channels)
      continue;
    g_autofree guint8 *keep = g_malloc0 ((gsize) group->n_channels);
    pj_group_keep_top (group, s->score, k, keep);
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  return g_steal_pointer (&plan);
}

/* --- one list of all channels --- */

/* What can be removed next in a group: one channel, or one of each block.  In the list, Item.channel is the
 * place of such a row in the group's order. */
typedef struct {
  GArray *items;          /* Item, the least important row first */
  int **order;            /* by group: rank_in_blocks(), or NULL */
  unsigned n_groups;
  int multiple;           /* of kept counts */
} List;

static void
list_clear (List *list)
{
  g_clear_pointer (&list->items, g_array_unref);
  for (unsigned i = 0; list->order != NULL && i < list->n_groups; i++)
    g_free (list->order[i]);
  g_clear_pointer (&list->order, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (List, list_clear)

static void
list_group (List *list, const PjGroup *group, const PjGroupScores *scores, gboolean normalise)
{
  int n = scores->n_channels, n_blocks = group->n_blocks;
  int *order = list->order[group->id] = rank_in_blocks (group, scores->score);
  double mean = 0;

  for (int c = 0; c < n; c++)
    mean += scores->score[c] / n;
  for (int row = 0; row < n / n_blocks; row++) {
    double score = 0;
    for (int b = 0; b < n_blocks; b++)
      score += scores->score[order[row * n_blocks + b]];
    /* One block: the score itself, so that equal scores of different groups stay equal. */
    score = n_blocks > 1 ? score / n_blocks : score;
    Item item = { normalise && mean > 0 ? score / mean : score, group->id, row };
    g_array_append_val (list->items, item);
  }
}

/* All channels of judged groups, the least important first. */
static void
list_channels (List *list, const PjGroups *groups, const PjScores *scores, gboolean normalise)
{
  list->items = g_array_new (FALSE, FALSE, sizeof (Item));
  list->n_groups = pj_groups_n (groups);
  list->order = g_new0 (int *, list->n_groups);
  for (unsigned i = 0; i < scores->n_groups; i++)
    if (scores->groups[i].score != NULL)
      list_group (list, pj_groups_get (groups, (unsigned) scores->groups[i].group), &scores->groups[i], normalise);
  qsort (list->items->data, list->items->len, sizeof (Item), compare_items);
}

int
pj_budget_floor (const PjBudget *budget, int n_channels)
{
  int least = (int) ceil (n_channels * budget->floor - 1e-9);
  return CLAMP (budget->floor_is_passed ? least - 1 : least, 1, n_channels);
}

/* Drops what would take a group below its floor: what is left can be removed front to back. */
static void
respect_floors (GArray *items, const PjGroups *groups, const PjBudget *budget)
{
  g_autofree int *left = g_new (int, pj_groups_n (groups));
  guint n = 0;

  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    int n_rows = group->n_channels / group->n_blocks;
    left[i] = group->lock_reason == NULL ? n_rows - pj_budget_floor (budget, n_rows) : 0;
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

/* Leaves out the @n_rows least important rows of a group, or fewer so that a multiple is left. */
static void
remove_rows (PjCutPlan *plan, const List *list, const PjGroup *group, int n_rows)
{
  int n = group->n_channels, n_blocks = group->n_blocks;
  int kept = round_up (n - n_rows * n_blocks, n_blocks, list->multiple, n);
  g_autofree guint8 *keep = g_malloc ((gsize) n);

  if (kept == n)
    return;
  for (int i = 0; i < n; i++)
    keep[list->order[group->id][i]] = i >= n - kept;
  pj_cut_plan_set (plan, group, keep, NULL);
}

static PjCutPlan *
remove_front (const PjGroups *groups, const List *list, guint n)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  g_autofree int *n_rows = g_new0 (int, MAX (1, pj_groups_n (groups)));

  /* The list holds the rows of a group in its own order. */
  for (guint i = 0; i < n; i++)
    n_rows[g_array_index (list->items, Item, i).group]++;
  for (unsigned g = 0; g < pj_groups_n (groups); g++)
    if (n_rows[g] > 0)
      remove_rows (plan, list, pj_groups_get (groups, g), n_rows[g]);
  return plan;
}

/* What the budget counts, with the first @n items removed. */
static gboolean
measure (const PjGraph *graph, const PjGroups *groups, const List *list, guint n, const PjBudget *budget,
         double *amount, GError **error)
{
  g_autoptr (PjCutPlan) plan = remove_front (groups, list, n);
  return pj_budget_amount (graph, groups, plan, budget->kind, budget->latency, amount, error);
}

static gboolean
check_budget (const PjBudget *budget, GError **error)
{
  if (!(budget->target > 0) || budget->target > 1) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "a target of %g is not possible; use the share to keep, more than 0 and at most 1", budget->target);
    return FALSE;
  }
  if (!(budget->floor >= 0) || budget->floor > 1) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "a floor of %g is not possible; use the smallest share of a group that stays, 0 to 1", budget->floor);
    return FALSE;
  }
  return TRUE;
}

static gboolean
make_list (List *list, const PjGroups *groups, const PjScores *scores, const PjBudget *budget, GError **error)
{
  if (!check_budget (budget, error) || !pj_scores_check (scores, groups, error))
    return FALSE;
  list_channels (list, groups, scores, budget->normalise);
  respect_floors (list->items, groups, budget);
  return TRUE;
}

PjCutPlan *
pj_budget_visit (const PjGroups *groups, const PjScores *scores, const PjBudget *budget, unsigned n, GError **error)
{
  g_auto (List) list = { .multiple = budget->multiple };

  if (!check_budget (budget, error) || !pj_scores_check (scores, groups, error))
    return NULL;
  list_channels (&list, groups, scores, budget->normalise);
  g_array_set_size (list.items, MIN (n, list.items->len));
  respect_floors (list.items, groups, budget);
  return remove_front (groups, &list, list.items->len);
}

PjCutPlan *
pj_budget_spend (const PjGraph *graph, const PjGroups *groups, const PjScores *scores, const PjBudget *budget, GError **error)
{
  double base, amount;
  g_auto (List) list = { .multiple = budget->multiple };

  if (!make_list (&list, groups, scores, budget, error) || !measure (graph, groups, &list, 0, budget, &base, error)
      || !measure (graph, groups, &list, list.items->len, budget, &amount, error))
    return NULL;
  if (amount > budget->target * base) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "keeping %.1f %% of the %s is not possible: locked groups, groups that cannot be judged and the floors "
                 "leave at least %.1f %%", 100 * budget->target, pj_budget_kind_title (budget->kind), 100 * amount / base);
    return NULL;
  }
  /* Costs never rise along the list, so the shortest sufficient prefix is found by halving. */
  guint low = 0, high = list.items->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (!measure (graph, groups, &list, middle, budget, &amount, error))
      return NULL;
    if (amount <= budget->target * base)
      high = middle;
    else
      low = middle + 1;
  }
  return remove_front (groups, &list, low);
}

PjCutPlan *
pj_budget_global (const PjGraph *graph, const PjGroups *groups, const PjScores *scores, PjBudgetKind kind, double target,
                  double floor_share, gboolean normalise, GError **error)
{
  const PjBudget budget = { .kind = kind, .target = target, .floor = floor_share, .normalise = normalise };
  return pj_budget_spend (graph, groups, scores, &budget, error);
}
