/* SPDX-License-Identifier: MIT */
#include "prune/criterion.h"

#include <string.h>

#define MEASURED (PJ_NEEDS_STATS | PJ_NEEDS_GRADIENTS)

const PjCriterion *
pj_criterion_find (const char *name)
{
  for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++)
    if (g_str_equal ((*c)->name, name))
      return *c;
  return NULL;
}

gboolean
pj_criterion_check_tied (const PjCriterion *self, const char *title, PjTied tied, GError **error)
{
  if (tied == PJ_TIED_USUAL || (self != NULL && self->joins))
    return TRUE;
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
               "%s judges layers that are cut together as one, so “%s” would change nothing; leave it at usual", title,
               pj_tied_rows[tied].name);
  return FALSE;
}

/* An entry for each unlocked group, with the refusals that are known from its structure. */
static PjScores *
make_entries (const PjCriterion *criterion, const PjScoring *scoring, unsigned *n_fit)
{
  PjScores *scores = g_new0 (PjScores, 1);

  *n_fit = 0;
  scores->criterion = pj_tied_key (criterion->name, scoring->tied);
  scores->seed = scoring->seed;
  scores->groups = g_new0 (PjGroupScores, pj_groups_n (scoring->groups));
  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    g_autoptr (GError) reason = NULL;
    if (group->lock_reason != NULL)
      continue;
    PjGroupScores *entry = &scores->groups[scores->n_groups++];
    entry->group = group->id;
    entry->n_channels = group->n_channels;
    if (criterion->fit != NULL && !criterion->fit (scoring, group, &reason))
      entry->refusal = g_strdup (reason->message);
    else
      (*n_fit)++;
  }
  return scores;
}

static gboolean
score_entry (const PjCriterion *criterion, const PjScoring *scoring, const PjStatistics *statistics,
             PjGroupScores *entry, GError **error)
{
  const PjGroup *group = pj_groups_get (scoring->groups, (unsigned) entry->group);
  GError *reason = NULL;

  entry->score = g_new0 (double, entry->n_channels);
  if (criterion->score (scoring, statistics, group, entry->score, &reason))
    return TRUE;
  g_clear_pointer (&entry->score, g_free);
  if (g_error_matches (reason, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT)) {
    entry->refusal = g_strdup (reason->message);
    g_error_free (reason);
    return TRUE;
  }
  g_propagate_error (error, reason);
  return FALSE;
}

static gboolean
score_entries (const PjCriterion *criterion, const PjScoring *scoring, const PjStatistics *statistics, PjScores *scores,
               GError **error)
{
  for (unsigned i = 0; i < scores->n_groups; i++) {
    PjGroupScores *entry = &scores->groups[i];
    if (entry->refusal != NULL)
      continue;
    if (criterion->score_all != NULL)
      entry->score = g_new0 (double, entry->n_channels);
    else if (!score_entry (criterion, scoring, statistics, entry, error))
      return FALSE;
  }
  return criterion->score_all == NULL || criterion->score_all (scoring, scores, error);
}

PjScores *
pj_criterion_score_with (const PjCriterion *criterion, const PjScoring *scoring, const PjStatistics *statistics,
                         GError **error)
{
  g_autoptr (PjStatistics) own = NULL;
  PjNeeds needs = criterion->needs & MEASURED;
  unsigned n_fit;

  if (!pj_criterion_check_tied (criterion, criterion->title, scoring->tied, error))
    return NULL;
  g_autoptr (PjScores) scores = make_entries (criterion, scoring, &n_fit);
  if (n_fit > 0 && (needs & ~(statistics != NULL ? pj_statistics_has (statistics) : 0)) != 0) {
    statistics = own = pj_statistics_measure_for (scoring, needs, error);
    if (own == NULL)
      return NULL;
  }
  scores->n_images = needs != 0 && statistics != NULL ? pj_statistics_n_images (statistics, needs) : 0;
  if (!score_entries (criterion, scoring, needs != 0 ? statistics : NULL, scores, error))
    return NULL;
  if (!pj_scores_check (scores, scoring->groups, error))
    return NULL;
  return g_steal_pointer (&scores);
}

PjScores *
pj_criterion_score (const PjCriterion *criterion, const PjScoring *scoring, GError **error)
{
  return pj_criterion_score_with (criterion, scoring, NULL, error);
}
