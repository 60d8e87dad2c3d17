/* SPDX-License-Identifier: MIT */
#include "prune/scores/statistics.h"

struct _PjStatistics {
  PjNeeds has;
  unsigned n_images, n_gradient_images;
  GHashTable *activities;       /* value -> PjActivity */
  GHashTable *sensitivities;    /* group -> PjSensitivity */
};

PjStatistics *
pj_statistics_new (PjNeeds has)
{
  PjStatistics *self = g_new0 (PjStatistics, 1);

  self->has = has & (PJ_NEEDS_STATS | PJ_NEEDS_GRADIENTS);
  self->activities = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) pj_activity_free);
  self->sensitivities = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) pj_sensitivity_free);
  return self;
}

void
pj_statistics_take (PjStatistics *self, PjActivity *activity, PjSensitivity *sensitivity)
{
  if (activity != NULL)
    g_hash_table_insert (self->activities, GINT_TO_POINTER (activity->value), activity);
  if (sensitivity != NULL)
    g_hash_table_insert (self->sensitivities, GINT_TO_POINTER (sensitivity->group), sensitivity);
}

PjStatistics *
pj_statistics_measure_for (const PjScoring *scoring, PjNeeds needs, GError **error)
{
  g_autoptr (PjStatistics) self = pj_statistics_new (needs);
  gboolean both = (needs & PJ_NEEDS_STATS) && (needs & PJ_NEEDS_GRADIENTS);
  PjScoring part = *scoring;
  PjHooksSpan span;

  part.hooks = &span.hooks;
  pj_hooks_span_init (&span, scoring->hooks, 0, both ? 0.25 : 1, NULL);
  if ((needs & PJ_NEEDS_STATS) && !pj_measure_activities (&part, self, &self->n_images, error))
    return NULL;
  pj_hooks_span_init (&span, scoring->hooks, both ? 0.25 : 0, 1, NULL);
  if ((needs & PJ_NEEDS_GRADIENTS) && !pj_measure_sensitivities (&part, self, &self->n_gradient_images, error))
    return NULL;
  return g_steal_pointer (&self);
}

PjStatistics *
pj_statistics_measure (const PjScoring *scoring, GError **error)
{
  return pj_statistics_measure_for (scoring, PJ_NEEDS_STATS, error);
}

void
pj_statistics_free (PjStatistics *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->activities);
  g_hash_table_unref (self->sensitivities);
  g_free (self);
}

PjNeeds
pj_statistics_has (const PjStatistics *self)
{
  return self->has;
}

unsigned
pj_statistics_n_images (const PjStatistics *self, PjNeeds needs)
{
  return needs & PJ_NEEDS_GRADIENTS ? self->n_gradient_images : self->n_images;
}

const PjActivity *
pj_statistics_get (const PjStatistics *self, int value)
{
  return g_hash_table_lookup (self->activities, GINT_TO_POINTER (value));
}

const PjSensitivity *
pj_statistics_get_sensitivity (const PjStatistics *self, int group)
{
  return g_hash_table_lookup (self->sensitivities, GINT_TO_POINTER (group));
}
