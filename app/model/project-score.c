/* SPDX-License-Identifier: MIT */
/* Criteria: which one the sliders use, and how its scores come here.  A criterion that needs no data is
 * scored on the files thread in milliseconds; another one is a job. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/project-private.h"
#include "model/tasks-private.h"
#include "prune/criterion.h"
#include "session/model.h"

/* What layers get: all criteria that were measured on the network, in the order of the registry. */
static guint
collect (PjmProject *self, int group, PjmLayerScores *all)
{
  guint n = 0;
  for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++) {
    const PjScores *scores = pjm_place_get_scores (self->place, (*c)->name);
    const PjGroupScores *own = scores != NULL ? pj_scores_get (scores, group) : NULL;
    if (own != NULL)
      all[n++] = (PjmLayerScores) { g_intern_string ((*c)->name), own->score };
  }
  return n;
}

static guint
count_criteria (void)
{
  guint n = 0;
  while (pj_criteria ()[n] != NULL)
    n++;
  return n;
}

void
pjm_project_show_scores (PjmProject *self)
{
  g_autofree PjmLayerScores *all = g_new (PjmLayerScores, count_criteria () + 1);
  const PjScores *scores = pjm_place_get_scores (self->place, self->criterion);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->layers)); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (G_LIST_MODEL (self->layers), i);
    int group = pjm_layer_get_group (layer);
    if (group < 0)
      continue;
    const PjGroupScores *own = scores != NULL ? pj_scores_get (scores, group) : NULL;
    guint n = collect (self, group, all);
    pjm_layer_set_scores (layer, own != NULL ? own->score : NULL, own != NULL ? own->refusal : NULL, all, n);
  }
}

/* --- without data --- */

typedef struct {
  PjmProject *project;
  PjmPlace *place;
  PjmStore *store;
  const char *criterion;
  PjScores *scores;
} ScoreData;

static void
score_data_free (gpointer data)
{
  ScoreData *self = data;
  pjm_place_unref (self->place);
  pjm_store_unref (self->store);
  pj_scores_free (self->scores);
  g_free (self);
}

static gboolean
score_run (gpointer data, const PjHooks *hooks, GError **error)
{
  ScoreData *self = data;
  PjmNetwork *network = self->place->network;
  self->scores = pjm_score_without_data (network, self->criterion, error);
  if (self->scores == NULL)
    return FALSE;
  return pj_session_is_read_only (self->store->session)
         || pj_session_put_graph_scores (self->store->session, network->model, network->groups, self->scores, error);
}

/* Scores have come in: they choose wherever a ratio was waiting for them. */
void
pjm_project_take_scores (PjmProject *self, PjmPlace *place, PjScores *scores)
{
  gboolean is_shown = place == self->place, is_wanted = g_strcmp0 (scores->criterion, self->criterion) == 0;
  pjm_place_take_scores (place, scores);
  if (!is_shown)
    return;
  pjm_project_show_scores (self);
  if (!is_wanted || !pjm_project_is_ready (self))
    return;
  pjm_project_apply_waiting (self);
  pjm_project_commit (self, &(PjmMark) { PJM_MARK_CHOOSE, { self->criterion } });
}

static void
score_written (gpointer data, const GError *error, gpointer user_data)
{
  ScoreData *self = data;
  g_autoptr (PjmProject) project = g_object_ref (self->project);
  if (project->closed)
    return;
  if (self->scores != NULL)
    pjm_project_take_scores (project, self->place, g_steal_pointer (&self->scores));
  if (error != NULL)
    pjm_project_fail (project, _("The layers could not be scored"), error->message);
}

void
pjm_project_need_scores (PjmProject *self)
{
  const PjCriterion *criterion = pj_criterion_find (self->criterion);
  if (criterion == NULL || self->scoring != NULL || self->scoring_failed
      || pjm_place_get_scores (self->place, self->criterion) != NULL)
    return;
  if (criterion->needs != PJ_NEEDS_NOTHING) {
    self->scoring = pjm_project_score (self, self->criterion);
    self->scoring_failed = self->scoring == NULL;
    return;
  }
  ScoreData *data = g_new0 (ScoreData, 1);
  data->project = self;
  data->place = pjm_place_ref (self->place);
  data->store = pjm_store_ref (self->store);
  data->criterion = self->criterion;
  pjm_write (self->files, score_run, data, score_data_free, score_written, NULL);
}

void
pjm_project_set_criterion (PjmProject *self, const char *name)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  const PjCriterion *criterion = pj_criterion_find (name);
  g_return_if_fail (criterion != NULL);
  gboolean is_same = strcmp (name, self->criterion) == 0;
  if (is_same && (self->place == NULL || pjm_place_get_scores (self->place, name) != NULL))
    return;
  if (self->place != NULL && (!pjm_project_is_ready (self) || pjm_project_refuse_read_only (self)))
    return;
  self->criterion = g_intern_string (name);
  self->scoring = is_same ? self->scoring : NULL;
  self->scoring_failed = FALSE;
  pjm_project_notify (self, PJM_PROP_CRITERION);
  if (self->place == NULL)
    return;
  pjm_project_write_meta (self, "criterion", name);
  pjm_project_show_scores (self);
  pjm_project_choose_again (self);
  if (pjm_place_get_scores (self->place, name) == NULL) {
    pjm_project_need_scores (self);
    return;
  }
  pjm_project_apply_waiting (self);
  pjm_project_commit (self, &(PjmMark) { PJM_MARK_CHOOSE, { name } });
}
