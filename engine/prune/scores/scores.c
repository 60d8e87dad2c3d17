/* SPDX-License-Identifier: MIT */
#include "prune/scores/scores.h"

#include <math.h>

G_DEFINE_QUARK (pj-prune-error-quark, pj_prune_error)

const PjTiedRow pj_tied_rows[PJ_N_TIED] = {
  [PJ_TIED_USUAL] = { "usual", "As the criterion’s source", "Tied layers are joined the way the criterion’s authors did it." },
  [PJ_TIED_SUM] = { "sum", "Sum of the layers", "Tied layers have an equal voice, and their scores are added." },
  [PJ_TIED_MEAN] = { "mean", "Mean of the layers", "Tied layers have an equal voice, and their scores are averaged." },
  [PJ_TIED_MAX] = { "max", "Highest of the layers", "A channel is as important as in the layer that needs it most." },
  [PJ_TIED_FRAGILE] = { "fragile", "Most fragile layer", "The layer decides whose weaker half carries most: it can spare least." },
  [PJ_TIED_FIRST] = { "first", "First layer only", "The first of the tied layers decides." },
};

gboolean
pj_tied_find (const char *name, PjTied *tied, GError **error)
{
  for (int t = 0; t < PJ_N_TIED; t++)
    if (g_strcmp0 (name, pj_tied_rows[t].name) == 0) {
      *tied = (PjTied) t;
      return TRUE;
    }
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
               "tied layers cannot be judged by “%s”; use usual, sum, mean, max, fragile or first", name);
  return FALSE;
}

char *
pj_tied_key (const char *criterion, PjTied tied)
{
  return tied == PJ_TIED_USUAL ? g_strdup (criterion) : g_strdup_printf ("%s:%s", criterion, pj_tied_rows[tied].name);
}

void
pj_scores_free (PjScores *self)
{
  if (self == NULL)
    return;
  for (unsigned i = 0; i < self->n_groups; i++) {
    g_free (self->groups[i].score);
    g_free (self->groups[i].refusal);
  }
  g_free (self->groups);
  g_free (self->criterion);
  g_free (self);
}

PjScores *
pj_scores_copy (const PjScores *self)
{
  PjScores *copy = g_memdup2 (self, sizeof *self);

  copy->criterion = g_strdup (self->criterion);
  copy->groups = g_memdup2 (self->groups, self->n_groups * sizeof (PjGroupScores));
  for (unsigned i = 0; i < self->n_groups; i++) {
    const PjGroupScores *from = &self->groups[i];
    copy->groups[i].score = g_memdup2 (from->score, (gsize) from->n_channels * sizeof (double));
    copy->groups[i].refusal = g_strdup (from->refusal);
  }
  return copy;
}

const PjGroupScores *
pj_scores_get (const PjScores *self, int group)
{
  for (unsigned i = 0; i < self->n_groups; i++)
    if (self->groups[i].group == group)
      return &self->groups[i];
  return NULL;
}

gboolean
pj_scores_check (const PjScores *self, const PjGroups *groups, GError **error)
{
  for (unsigned i = 0; i < self->n_groups; i++) {
    const PjGroupScores *g = &self->groups[i];
    for (int c = 0; g->score != NULL && c < g->n_channels; c++) {
      if (isfinite (g->score[c]))
        continue;
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_NUMERIC,
                   "“%s”: the %s score of channel %d is %g, expected a finite number; the weights or the activations of "
                   "this layer have overflowed", pj_groups_get (groups, (unsigned) g->group)->name, self->criterion, c, g->score[c]);
      return FALSE;
    }
  }
  return TRUE;
}
