/* SPDX-License-Identifier: MIT */
#include "model/place-private.h"

#include "prune/criterion.h"
#include "session/model.h"

/* The seed of everything that the studio measures; what is measured again comes out the same. */
#define SEED 1

PjScores *
pjm_score_without_data (PjmNetwork *network, const char *name, GError **error)
{
  const PjCriterion *criterion = pj_criterion_find (name);
  if (criterion == NULL || criterion->needs != PJ_NEEDS_NOTHING)
    return NULL;
  PjScoring scoring = { .graph = network->graph, .groups = network->groups, .seed = SEED };
  return pj_criterion_score (criterion, &scoring, error);
}

static gboolean
read_scores (PjmPlace *self, PjSession *session, GError **error)
{
  for (const PjCriterion *const *c = pj_criteria (); session != NULL && self->network->model != 0 && *c != NULL; c++) {
    g_autoptr (GError) reason = NULL;
    PjScores *scores = pj_session_get_graph_scores (session, self->network->model, self->network->groups, (*c)->name, &reason);
    if (reason != NULL) {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
    if (scores != NULL)
      pjm_place_take_scores (self, scores);
  }
  return TRUE;
}

PjmPlace *
pjm_place_new (PjSession *session, gint64 model, PjGraph *graph, const char *criterion, GError **error)
{
  if (graph == NULL && (graph = pj_session_get_graph (session, model, error)) == NULL)
    return NULL;
  PjmNetwork *network = pjm_network_new (graph, model, error);
  if (network == NULL)
    return NULL;
  g_autoptr (PjmPlace) self = g_new0 (PjmPlace, 1);
  self->ref = 1;
  self->network = network;
  self->scores = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) pj_scores_free);
  if (!read_scores (self, session, error))
    return NULL;
  /* A score that cannot be had now is a matter of the criterion, not of opening the network. */
  PjScores *scores = criterion != NULL && pjm_place_get_scores (self, criterion) == NULL
                     ? pjm_score_without_data (network, criterion, NULL) : NULL;
  if (scores != NULL)
    pjm_place_take_scores (self, scores);
  return g_steal_pointer (&self);
}

PjmPlace *
pjm_place_ref (PjmPlace *self)
{
  self->ref++;
  return self;
}

void
pjm_place_unref (PjmPlace *self)
{
  if (self == NULL || --self->ref > 0)
    return;
  g_clear_pointer (&self->scores, g_hash_table_unref);
  pjm_network_unref (self->network);
  g_free (self);
}

void
pjm_place_take_scores (PjmPlace *self, PjScores *scores)
{
  g_hash_table_replace (self->scores, (gpointer) g_intern_string (scores->criterion), scores);
}

const PjScores *
pjm_place_get_scores (PjmPlace *self, const char *criterion)
{
  return g_hash_table_lookup (self->scores, g_intern_string (criterion));
}
