/* SPDX-License-Identifier: MIT */
/* What is said of the small-data experiment before it starts: why it cannot, and how long it takes. */
#include "model/work-small-data.h"

#include "model/work-prune.h"
#include "train/head.h"

gboolean
pj_work_small_data_takes (const PjMethod *method)
{
  return method->gives_scores && method->fresh == PJ_FRESH_NO;
}

static gboolean
check (const PjWork *work, PjDataset *large, const PjWorkSmallData *o, PjFormat *format, GError **error)
{
  const PjMethod *method = pj_method_find (o->method);
  unsigned n = pj_dataset_n (work->dataset, PJ_SPLIT_TRAIN);
  PjFormat of_large;
  if (method == NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "there is no method “%s”", o->method);
    return FALSE;
  }
  if (!(o->macs > 0.0 && o->macs <= 1.0)) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "the share of the MACs to keep must be above 0 and at most 1, not %g", o->macs);
    return FALSE;
  }
  if (o->epochs < PJ_SMALL_DATA_LEAST_EPOCHS) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "%u epochs on the small set are too few: an epoch of label refinement counts as six; use at least %d", o->epochs,
                 PJ_SMALL_DATA_LEAST_EPOCHS);
    return FALSE;
  }
  if (!pj_work_small_data_takes (method)) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "%s does not choose under a budget of multiply-adds, which this experiment keeps equal; use curl or a criterion",
                 method->title);
    return FALSE;
  }
  if (n < 32) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "“%s” has %u training pictures; label refinement needs a batch of 32",
                 pj_dataset_name (work->dataset), n);
    return FALSE;
  }
  return pj_dataset_format_for (work->dataset, work->graph, FALSE, format, error)
         && (large == NULL || pj_dataset_format_for (large, work->graph, TRUE, &of_large, error));
}

/* What the two ways choose with; @settings: borrows the method. */
static PjWorkChoose
choice_of (const PjWorkSmallData *o)
{
  return (PjWorkChoose) {
    .method = o->method, .macs = o->macs, .multiple = 1, .scale = TRUE, .n_images = o->n_images, .seed = o->seed,
  };
}

typedef gboolean (*ChoiceFunc) (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, gpointer result, GError **error);

/* Asks about the choice on the network with classes of the small set and, if there is a large one, on @work->graph. */
static gboolean
ask_choices (const PjWork *work, PjDataset *large, const PjWorkSmallData *o, ChoiceFunc func, gpointer result, GError **error)
{
  const PjWorkChoose choice = choice_of (o);
  g_autoptr (PjGraph) with_head = pj_graph_with_head (work->graph, pj_dataset_n_classes (work->dataset), o->seed, error);
  g_autoptr (PjGroups) of_head = with_head != NULL ? pj_groups_new (with_head) : NULL, of_graph = pj_groups_new (work->graph);
  PjWork small = *work, on_large = *work;
  small.graph = with_head;
  on_large.dataset = large;
  return with_head != NULL && func (&small, of_head, &choice, result, error)
         && (large == NULL || func (&on_large, of_graph, &choice, result, error));
}

static gboolean
check_choice (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, gpointer result, GError **error)
{
  PjCost after;
  return pj_work_choose_check (work, groups, settings, &after, error);
}

static gboolean
add_estimate (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, gpointer result, GError **error)
{
  double *sum = result, seconds;
  if (!pj_work_choose_estimate (work, groups, settings, &seconds, error))
    return FALSE;
  *sum += MAX (0.0, seconds);
  return TRUE;
}

gboolean
pj_work_small_data_check (const PjWork *work, PjDataset *large, const PjWorkSmallData *settings, GError **error)
{
  PjFormat format;
  return check (work, large, settings, &format, error) && ask_choices (work, large, settings, check_choice, NULL, error);
}

/* Trainings take as long as their MACs; label refinement and mixup also run the teacher. */
gboolean
pj_work_small_data_estimate (const PjWork *work, PjDataset *large, const PjWorkSmallData *o, double *seconds, GError **error)
{
  PjFormat format;
  double choosing = 0, n = pj_dataset_n (work->dataset, PJ_SPLIT_TRAIN) * (double) o->epochs;
  double on_large = large != NULL ? pj_dataset_n (large, PJ_SPLIT_TRAIN) * (double) o->large_epochs : 0;
  if (!pj_work_small_data_check (work, large, o, error) || !check (work, large, o, &format, error)
      || !ask_choices (work, large, o, add_estimate, &choosing, error))
    return FALSE;
  g_autoptr (PjGraph) with_head = pj_graph_with_head (work->graph, pj_dataset_n_classes (work->dataset), o->seed, error);
  g_autoptr (PjGroups) groups = with_head != NULL ? pj_groups_new (with_head) : NULL;
  PjScoring scoring = {
    .device = work->device, .graph = with_head, .groups = groups, .dataset = work->dataset, .format = &format, .seed = o->seed,
    .hooks = work->hooks,
  };
  double cut = n * (large != NULL ? 3 : 2) + on_large;
  if (with_head == NULL || !pj_estimate_pictures (&scoring, n, n + o->macs * cut, seconds, error))
    return FALSE;
  *seconds += choosing;
  return TRUE;
}
