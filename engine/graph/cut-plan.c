/* SPDX-License-Identifier: MIT */
/* What stays of each group: one entry per group that is cut, in the order of the groups. */
#include "graph/cut.h"

#include <string.h>

PjCutPlan *
pj_cut_plan_new (void)
{
  PjCutPlan *self = g_new0 (PjCutPlan, 1);
  g_atomic_ref_count_init (&self->ref);
  return self;
}

PjCutPlan *
pj_cut_plan_ref (PjCutPlan *self)
{
  g_atomic_ref_count_inc (&self->ref);
  return self;
}

static void
group_cut_clear (PjGroupCut *cut)
{
  g_free (cut->keep);
  g_free (cut->scale);
}

void
pj_cut_plan_unref (PjCutPlan *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref))
    return;
  for (unsigned i = 0; i < self->n_cuts; i++)
    group_cut_clear (&self->cuts[i]);
  g_clear_pointer (&self->weights, pj_graph_unref);
  g_free (self->cuts);
  g_free (self);
}

static PjGroupCut
group_cut_make (int group, int n_channels, const guint8 *keep, const float *scale)
{
  return (PjGroupCut) {
    group, n_channels, g_memdup2 (keep, n_channels), scale ? g_memdup2 (scale, n_channels * sizeof (float)) : NULL,
  };
}

PjCutPlan *
pj_cut_plan_copy (const PjCutPlan *self)
{
  PjCutPlan *copy = pj_cut_plan_new ();
  pj_cut_plan_set_weights (copy, self->weights);
  copy->n_cuts = self->n_cuts;
  copy->cuts = g_new (PjGroupCut, self->n_cuts);
  for (unsigned i = 0; i < self->n_cuts; i++) {
    const PjGroupCut *cut = &self->cuts[i];
    copy->cuts[i] = group_cut_make (cut->group, cut->n_channels, cut->keep, cut->scale);
  }
  return copy;
}

void
pj_cut_plan_set_weights (PjCutPlan *self, PjGraph *weights)
{
  if (weights != NULL)
    pj_graph_ref (weights);
  g_clear_pointer (&self->weights, pj_graph_unref);
  self->weights = weights;
}

const PjGraph *
pj_cut_plan_source (const PjCutPlan *self, const PjGraph *graph)
{
  return self->weights != NULL ? self->weights : graph;
}

/* Position of the first cut whose group is >= @group. */
static unsigned
find_place (const PjCutPlan *self, int group)
{
  unsigned i = 0;
  while (i < self->n_cuts && self->cuts[i].group < group)
    i++;
  return i;
}

void
pj_cut_plan_unset (PjCutPlan *self, int group)
{
  unsigned i = find_place (self, group);
  if (i == self->n_cuts || self->cuts[i].group != group)
    return;
  group_cut_clear (&self->cuts[i]);
  memmove (&self->cuts[i], &self->cuts[i + 1], (self->n_cuts - i - 1) * sizeof (PjGroupCut));
  self->n_cuts--;
}

void
pj_cut_plan_set (PjCutPlan *self, const PjGroup *group, const guint8 *keep, const float *scale)
{
  PjGroupCut cut = group_cut_make (group->id, group->n_channels, keep, scale);

  pj_cut_plan_unset (self, group->id);
  unsigned i = find_place (self, group->id);
  self->cuts = g_renew (PjGroupCut, self->cuts, self->n_cuts + 1);
  memmove (&self->cuts[i + 1], &self->cuts[i], (self->n_cuts - i) * sizeof (PjGroupCut));
  self->cuts[i] = cut;
  self->n_cuts++;
}

const PjGroupCut *
pj_cut_plan_get (const PjCutPlan *self, int group)
{
  unsigned i = find_place (self, group);
  return i < self->n_cuts && self->cuts[i].group == group ? &self->cuts[i] : NULL;
}

static int
count_kept (const PjGroupCut *cut)
{
  int n = 0;
  for (int c = 0; c < cut->n_channels; c++)
    n += cut->keep[c] != 0;
  return n;
}

int
pj_cut_plan_n_kept (const PjCutPlan *self, const PjGroup *group)
{
  const PjGroupCut *cut = pj_cut_plan_get (self, group->id);
  return cut ? count_kept (cut) : group->n_channels;
}
