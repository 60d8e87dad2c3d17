/* SPDX-License-Identifier: MIT */
/* Cuts, scores and comparison rows as records of a session, and back. */
#include "session/model.h"

#include <string.h>

static gboolean
all_kept (const PjGroupCut *cut)
{
  for (int i = 0; i < cut->n_channels; i++) {
    if (!cut->keep[i])
      return FALSE;
  }
  return cut->scale == NULL;
}

GPtrArray *
pj_stored_cuts_new (const PjGroups *groups, const PjCutPlan *plan, const double *ratios)
{
  GPtrArray *cuts = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_stored_cut_free);
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    const PjGroupCut *cut = plan != NULL ? pj_cut_plan_get (plan, group->id) : NULL;
    int n_kept = cut != NULL ? pj_cut_plan_n_kept (plan, group) : group->n_channels;
    double ratio = ratios != NULL ? ratios[group->id] : (double) n_kept / group->n_channels;
    if ((cut == NULL || all_kept (cut)) && ratio >= 1.0)
      continue;
    g_autofree guint8 *whole = g_malloc ((gsize) group->n_channels);
    memset (whole, 1, (size_t) group->n_channels);
    g_ptr_array_add (cuts, pj_stored_cut_new (group->name, (unsigned) group->n_channels, ratio,
                                              cut != NULL ? cut->keep : whole, cut != NULL ? cut->scale : NULL));
  }
  return cuts;
}

/* The group that a record means, or NULL with @error set. */
static const PjGroup *
find_group (const PjGroups *groups, const char *name, unsigned n_channels, GError **error)
{
  const PjGroup *group = pj_groups_find (groups, name);
  if (group != NULL && (unsigned) group->n_channels == n_channels)
    return group;
  g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED,
               "the session speaks of a group “%s” with %u channels, which its network does not have", name,
               n_channels);
  return NULL;
}

PjCutPlan *
pj_stored_cuts_to_plan (const PjGroups *groups, const GPtrArray *cuts, double *ratios, GError **error)
{
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  for (unsigned i = 0; ratios != NULL && i < pj_groups_n (groups); i++)
    ratios[i] = 1.0;
  for (guint i = 0; i < cuts->len; i++) {
    const PjStoredCut *cut = cuts->pdata[i];
    const PjGroup *group = find_group (groups, cut->group, cut->n_channels, error);
    if (group == NULL)
      return NULL;
    if (ratios != NULL)
      ratios[group->id] = cut->ratio;
    if (cut->scale != NULL || memchr (cut->keep, 0, cut->n_channels) != NULL)
      pj_cut_plan_set (plan, group, cut->keep, cut->scale);
  }
  return g_steal_pointer (&plan);
}

GPtrArray *
pj_stored_scores_new (const PjGroups *groups, const PjScores *scores)
{
  GPtrArray *stored = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_stored_score_free);
  for (unsigned i = 0; scores != NULL && i < scores->n_groups; i++) {
    const PjGroupScores *group = &scores->groups[i];
    g_ptr_array_add (stored, pj_stored_score_new (pj_groups_get (groups, (unsigned) group->group)->name,
                                                  (unsigned) group->n_channels, group->score, group->refusal));
  }
  return stored;
}

static int
compare_groups (const void *a, const void *b)
{
  return ((const PjGroupScores *) a)->group - ((const PjGroupScores *) b)->group;
}

PjScores *
pj_stored_scores_to_scores (const PjGroups *groups, const GPtrArray *stored, const char *criterion,
                            uint64_t seed, unsigned n_images, GError **error)
{
  for (guint i = 0; i < stored->len; i++) {
    const PjStoredScore *score = stored->pdata[i];
    if (find_group (groups, score->group, score->n_channels, error) == NULL)
      return NULL;
  }
  PjScores *scores = g_new0 (PjScores, 1);
  scores->criterion = g_strdup (criterion);
  scores->seed = seed;
  scores->n_images = n_images;
  scores->n_groups = stored->len;
  scores->groups = g_new0 (PjGroupScores, stored->len);
  for (guint i = 0; i < stored->len; i++) {
    const PjStoredScore *score = stored->pdata[i];
    scores->groups[i].group = pj_groups_find (groups, score->group)->id;
    scores->groups[i].n_channels = (int) score->n_channels;
    scores->groups[i].score = g_memdup2 (score->score, score->n_channels * sizeof (double));
    scores->groups[i].refusal = g_strdup (score->refusal);
  }
  qsort (scores->groups, scores->n_groups, sizeof (PjGroupScores), compare_groups);
  return scores;
}

gboolean
pj_session_put_graph_scores (PjSession *self, int64_t model, const PjGroups *groups, const PjScores *scores,
                             GError **error)
{
  g_autoptr (GPtrArray) stored = pj_stored_scores_new (groups, scores);
  return pj_session_put_scores (self, model, scores->criterion, scores->seed, scores->n_images, stored, error);
}

PjScores *
pj_session_get_graph_scores (PjSession *self, int64_t model, const PjGroups *groups, const char *criterion,
                             GError **error)
{
  uint64_t seed = 0;
  unsigned n_images = 0;
  g_autoptr (GPtrArray) stored = pj_session_get_scores (self, model, criterion, &seed, &n_images, error);
  return stored != NULL ? pj_stored_scores_to_scores (groups, stored, criterion, seed, n_images, error) : NULL;
}

PjComparisonRowRecord *
pj_compare_row_to_record (const PjGroups *groups, const PjCompareRow *row, unsigned n_test)
{
  PjComparisonRowRecord *record = pj_comparison_row_record_new (row->method, row->ratio);
  record->seed = row->seed;
  record->start = row->start;
  record->answers = g_memdup2 (row->answers, row->answers != NULL ? n_test * sizeof *row->answers : 0);
  record->n_answers = record->answers != NULL ? n_test : 0;
  for (unsigned g = 0; row->layer_kl != NULL && g < row->n_groups; g++)
    if (row->layer_kl[g] >= 0)
      pj_comparison_row_record_add_layer (record, pj_groups_get (groups, g)->name, row->layer_kl[g]);
  record->macs = row->cost.macs;
  record->params = row->cost.learnable;
  record->cut = row->cut;
  record->recalibrated = row->recalibrated;
  record->tuned = row->tuned;
  record->images_per_second = row->images_per_second;
  record->refusal = g_strdup (row->refusal);
  g_ptr_array_unref (record->cuts);
  record->cuts = pj_stored_cuts_new (groups, row->plan, NULL);
  g_ptr_array_unref (record->scores);
  record->scores = pj_stored_scores_new (groups, row->scores);
  return record;
}

/* By group id; a group that is not there any more is passed over. */
static void
read_layers (PjCompareRow *row, const PjGroups *groups, const GPtrArray *layers)
{
  if (layers->len == 0)
    return;
  row->n_groups = pj_groups_n (groups);
  row->layer_kl = g_new (double, row->n_groups);
  for (unsigned g = 0; g < row->n_groups; g++)
    row->layer_kl[g] = -1;
  for (guint i = 0; i < layers->len; i++) {
    const PjStoredLayer *layer = layers->pdata[i];
    const PjGroup *group = pj_groups_find (groups, layer->group);
    if (group != NULL)
      row->layer_kl[group->id] = layer->kl;
  }
}

PjCompareRow *
pj_compare_row_from_record (const PjGroups *groups, const PjComparisonRowRecord *record, GError **error)
{
  PjCutPlan *plan = pj_stored_cuts_to_plan (groups, record->cuts, NULL, error);
  PjScores *scores = NULL;
  if (plan != NULL && record->scores->len > 0)
    scores = pj_stored_scores_to_scores (groups, record->scores, record->method, 0, 0, error);
  if (plan == NULL || (record->scores->len > 0 && scores == NULL)) {
    g_clear_pointer (&plan, pj_cut_plan_unref);
    return NULL;
  }
  PjCompareRow *row = g_new0 (PjCompareRow, 1);
  row->method = g_strdup (record->method);
  row->ratio = record->ratio;
  row->seed = record->seed;
  row->start = record->start == PJ_COMPARE_RECALIBRATED ? PJ_COMPARE_RECALIBRATED : PJ_COMPARE_OWN;
  row->answers = g_memdup2 (record->answers, record->n_answers * sizeof *record->answers);
  read_layers (row, groups, record->layers);
  row->cost.macs = record->macs;
  row->cost.learnable = record->params;
  row->cut = record->cut;
  row->recalibrated = record->recalibrated;
  row->tuned = record->tuned;
  row->images_per_second = record->images_per_second;
  row->plan = plan;
  row->scores = scores;
  row->refusal = g_strdup (record->refusal);
  return row;
}
