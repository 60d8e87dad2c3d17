/* SPDX-License-Identifier: MIT */
/* What a person marks to be cut.  The truth is self->edits, one entry per group; layers show it. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "model/project-private.h"
#include "prune/budget/budget.h"

static unsigned
n_groups (PjmProject *self)
{
  return self->place != NULL ? pj_groups_n (self->place->network->groups) : 0;
}

static const PjGroup *
get_group (PjmProject *self, unsigned g)
{
  return pj_groups_get (self->place->network->groups, g);
}

void
pjm_edits_free (PjmEdit *edits, guint n)
{
  for (guint i = 0; edits != NULL && i < n; i++) {
    g_free (edits[i].keep);
    g_free (edits[i].scale);
  }
  g_free (edits);
}

static void
edit_reset (PjmEdit *edit, double ratio)
{
  g_clear_pointer (&edit->keep, g_free);
  g_clear_pointer (&edit->scale, g_free);
  edit->ratio = ratio;
  edit->waits = FALSE;
}

void
pjm_project_set_cuts (PjmProject *self, const GPtrArray *cuts)
{
  unsigned n = n_groups (self);
  if (self->edits == NULL)
    self->edits = g_new0 (PjmEdit, n);
  for (unsigned g = 0; g < n; g++)
    edit_reset (&self->edits[g], 1.0);
  for (guint i = 0; i < cuts->len; i++) {
    const PjStoredCut *cut = cuts->pdata[i];
    const PjGroup *group = pj_groups_find (self->place->network->groups, cut->group);
    if (group == NULL || (unsigned) group->n_channels != cut->n_channels || group->lock_reason != NULL)
      continue;
    PjmEdit *edit = &self->edits[group->id];
    edit_reset (edit, cut->ratio);
    if (memchr (cut->keep, 0, cut->n_channels) != NULL || cut->scale != NULL)
      edit->keep = g_memdup2 (cut->keep, cut->n_channels);
    if (cut->scale != NULL)
      edit->scale = g_memdup2 (cut->scale, cut->n_channels * sizeof (float));
    edit->waits = edit->keep == NULL && pj_group_keep_count (group, cut->ratio, 1) < group->n_channels;
  }
}

GPtrArray *
pjm_project_get_cuts (PjmProject *self)
{
  GPtrArray *cuts = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_stored_cut_free);
  for (unsigned g = 0; g < n_groups (self); g++) {
    const PjGroup *group = get_group (self, g);
    const PjmEdit *edit = &self->edits[g];
    if (edit->keep == NULL && edit->ratio >= 1.0)
      continue;
    g_autofree guint8 *whole = g_malloc ((gsize) group->n_channels);
    memset (whole, 1, (gsize) group->n_channels);
    g_ptr_array_add (cuts, pj_stored_cut_new (group->name, (unsigned) group->n_channels, edit->ratio,
                                              edit->keep != NULL ? edit->keep : whole, edit->scale));
  }
  return cuts;
}

PjCutPlan *
pjm_project_get_masks (PjmProject *self)
{
  if (!pjm_project_has_masks (self))
    return NULL;
  PjCutPlan *plan = pj_cut_plan_new ();
  for (unsigned g = 0; g < n_groups (self); g++)
    if (self->edits[g].keep != NULL)
      pj_cut_plan_set (plan, get_group (self, g), self->edits[g].keep, self->edits[g].scale);
  return plan;
}

gboolean
pjm_project_has_masks (PjmProject *self)
{
  for (unsigned g = 0; g < n_groups (self); g++)
    if (self->edits[g].keep != NULL)
      return TRUE;
  return FALSE;
}

/* --- showing --- */

static char *
si_text (guint64 number)
{
  static const struct { double unit; const char *letter; } units[] = { { 1e9, " G" }, { 1e6, " M" }, { 1e3, " k" } };
  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if ((double) number >= units[i].unit)
      return g_strdup_printf ("%.1f%s", (double) number / units[i].unit, units[i].letter);
  return g_strdup_printf ("%" G_GUINT64_FORMAT " ", number);
}

char *
pjm_macs_text (guint64 before, guint64 after)
{
  g_autofree char *from = si_text (before), *to = si_text (after);
  /* "29.1 M → 7.3 M MACs": stored, and so in English. */
  return g_strdup_printf ("%s → %s MACs", from, to);
}

/* Costs of the whole and of each layer with the present masks. */
static void
update_costs (PjmProject *self)
{
  PjmNetwork *network = self->place->network;
  g_autoptr (PjCutPlan) masks = pjm_project_get_masks (self);
  g_autoptr (PjGraph) outline = masks != NULL ? pj_cut_outline (network->graph, network->groups, masks, NULL) : NULL;
  const PjGraph *graph = outline != NULL ? outline : network->graph;
  pj_graph_cost (graph, &self->cost_after);
  for (guint i = 0; i < network->rows->len; i++) {
    const PjmRow *row = network->rows->pdata[i];
    PjCost cost = { 0 };
    for (guint k = 0; k < row->nodes->len; k++)
      pj_graph_node_cost (graph, g_array_index (row->nodes, int, k), &cost);
    g_autoptr (PjmLayer) layer = g_list_model_get_item (G_LIST_MODEL (self->layers), i);
    pjm_layer_set_cost_after (layer, cost.learnable, cost.macs);
  }
  pjm_project_predict_time (self, graph);
  pjm_project_notify (self, PJM_PROP_MACS_AFTER);
  pjm_project_notify (self, PJM_PROP_PARAMS_AFTER);
  pjm_project_notify (self, PJM_PROP_SIZE_AFTER);
}

void
pjm_project_show_edits (PjmProject *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->layers));
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 0; i < n; i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (G_LIST_MODEL (self->layers), i);
    int group = pjm_layer_get_group (layer);
    if (group >= 0)
      pjm_layer_set_masks (layer, self->edits[group].ratio, self->edits[group].keep);
  }
  update_costs (self);
  pjm_project_notify (self, PJM_PROP_MODIFIED_MASKS);
  pjm_project_preview (self);
  g_object_thaw_notify (G_OBJECT (self));
}

/* --- choosing by ratio --- */

/* Channels of one group by its ratio.  A group that the criterion cannot judge waits for another one.
 * FALSE if that needs scores that are not there. */
static gboolean
apply_ratio (PjmProject *self, unsigned g)
{
  const PjGroup *group = get_group (self, g);
  PjmEdit *edit = &self->edits[g];
  int k = pj_group_keep_count (group, edit->ratio, 1);
  if (k >= group->n_channels) {
    edit_reset (edit, edit->ratio);
    return TRUE;
  }
  const PjScores *scores = pjm_place_get_scores (self->place, self->criterion);
  const PjGroupScores *own = scores != NULL ? pj_scores_get (scores, (int) g) : NULL;
  edit->waits = own == NULL || own->score == NULL;
  if (edit->waits)
    return scores != NULL;
  edit_reset (edit, edit->ratio);
  edit->keep = g_new (guint8, group->n_channels);
  pj_group_keep_top (group, own->score, k, edit->keep);
  return TRUE;
}

void
pjm_project_apply_waiting (PjmProject *self)
{
  for (unsigned g = 0; g < n_groups (self); g++)
    if (self->edits[g].waits)
      apply_ratio (self, g);
  pjm_project_show_edits (self);
}

void
pjm_project_choose_again (PjmProject *self)
{
  for (unsigned g = 0; g < n_groups (self); g++)
    self->edits[g].waits = self->edits[g].ratio < 1.0;
}

/* Why the present criterion cannot choose in this group, or NULL. */
static const char *
refusal_of (PjmProject *self, int group)
{
  const PjScores *scores = pjm_place_get_scores (self->place, self->criterion);
  const PjGroupScores *own = scores != NULL ? pj_scores_get (scores, group) : NULL;
  return own != NULL ? own->refusal : NULL;
}

/* What was asked for, but at least one channel. */
static void
set_edit_ratio (PjmProject *self, unsigned g, double ratio)
{
  self->edits[g].ratio = CLAMP (ratio, 1.0 / get_group (self, g)->n_channels, 1.0);
}

/* 1 … 100, as a person sees it. */
static char *
percent (double ratio)
{
  return g_strdup_printf ("%d", (int) lround (100.0 * ratio));
}

/* A slider is told once, when it is let go. */
static void
say_refusal (PjmProject *self, int group, gboolean final)
{
  const char *refusal = refusal_of (self, group);
  if (final && refusal != NULL && self->edits[group].ratio < 1.0)
    pjm_project_fail (self, _("This criterion cannot judge the layer; choose another one"), refusal);
}

static gboolean
may_edit (PjmProject *self)
{
  return pjm_project_is_ready (self) && !pjm_project_refuse_read_only (self);
}

void
pjm_project_set_ratio (PjmProject *self, PjmLayer *layer, double ratio, gboolean final)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && PJM_IS_LAYER (layer));
  int group = pjm_layer_get_group (layer);
  if (group < 0 || !may_edit (self) || (unsigned) group >= n_groups (self))
    return;
  if (pjm_layer_get_locked (layer)) {
    g_autofree char *reason = NULL;
    g_object_get (layer, "lock-reason", &reason, NULL);
    if (final && ratio < 1.0)
      pjm_project_fail (self, _("This layer cannot be cut"), reason);
    return;
  }
  set_edit_ratio (self, (unsigned) group, ratio);
  if (!apply_ratio (self, (unsigned) group))
    pjm_project_need_scores (self);
  pjm_project_show_edits (self);
  say_refusal (self, group, final);
  if (final) {
    g_autofree char *share = percent (ratio);
    pjm_project_commit (self, &(PjmMark) { PJM_MARK_KEEP_LAYER, { share, pjm_layer_get_name (layer) } });
  }
}

void
pjm_project_set_ratio_some (PjmProject *self, GPtrArray *layers, double ratio, gboolean final)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  gboolean complete = TRUE;
  guint n = 0;
  if (!may_edit (self))
    return;
  g_autofree gboolean *done = g_new0 (gboolean, MAX (1u, n_groups (self)));
  for (guint i = 0; i < layers->len; i++) {
    int g = pjm_layer_get_group (layers->pdata[i]);
    if (g < 0 || (unsigned) g >= n_groups (self) || done[g] || get_group (self, (unsigned) g)->lock_reason != NULL)
      continue;
    done[g] = TRUE;
    n++;
    set_edit_ratio (self, (unsigned) g, ratio);
    complete = apply_ratio (self, (unsigned) g) && complete;
  }
  if (n == 0)
    return;
  if (!complete)
    pjm_project_need_scores (self);
  pjm_project_show_edits (self);
  if (final) {
    g_autofree char *share = percent (ratio), *count = g_strdup_printf ("%u", n);
    pjm_project_commit (self, &(PjmMark) { PJM_MARK_KEEP_GROUPS, { share, count } });
  }
}

void
pjm_project_set_ratio_all (PjmProject *self, double ratio, gboolean final)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  gboolean complete = TRUE;
  if (!may_edit (self))
    return;
  for (unsigned g = 0; g < n_groups (self); g++) {
    if (get_group (self, g)->lock_reason != NULL)
      continue;
    set_edit_ratio (self, g, ratio);
    complete = apply_ratio (self, g) && complete;
  }
  if (!complete)
    pjm_project_need_scores (self);
  pjm_project_show_edits (self);
  if (final) {
    g_autofree char *share = percent (ratio);
    pjm_project_commit (self, &(PjmMark) { PJM_MARK_KEEP_ALL, { share } });
  }
}

/* Sets @channel, and in every other block of a grouped convolution the channel at the same place or the next
 * one that can change, so that the blocks stay even. */
static void
switch_channel (const PjGroup *group, guint8 *keep, guint channel, gboolean on)
{
  g_autofree int *place = g_new0 (int, (gsize) group->n_blocks);
  g_autofree int *chosen = g_new (int, (gsize) group->n_blocks);
  int own = pj_group_block (group, (int) channel), wanted = 0;

  for (guint c = 0; c < channel; c++)
    wanted += pj_group_block (group, (int) c) == own;
  for (int b = 0; b < group->n_blocks; b++)
    chosen[b] = -1;
  for (int c = 0; c < group->n_channels; c++) {
    int b = pj_group_block (group, c), at = place[b]++;
    if ((keep[c] != 0) != on && (chosen[b] < 0 || at <= wanted))
      chosen[b] = c;
  }
  for (int b = 0; b < group->n_blocks; b++)
    if (chosen[b] >= 0)
      keep[chosen[b]] = on;
}

void
pjm_project_toggle_channel (PjmProject *self, PjmLayer *layer, guint channel)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && PJM_IS_LAYER (layer));
  int group = pjm_layer_get_group (layer);
  guint n = pjm_layer_get_channels (layer);
  if (group < 0 || channel >= n || pjm_layer_get_locked (layer) || !may_edit (self))
    return;
  PjmEdit *edit = &self->edits[group];
  const PjGroup *cut = get_group (self, (unsigned) group);
  guint step = (guint) cut->n_blocks;
  gboolean removes = edit->keep == NULL || edit->keep[channel];
  if (removes && pjm_layer_get_kept (layer) <= step) {
    pjm_project_fail (self, step > 1 ? _("A layer needs at least one channel of each group of its convolution")
                                     : _("A layer needs at least one channel"), NULL);
    return;
  }
  if (edit->keep == NULL) {
    edit->keep = g_new (guint8, n);
    memset (edit->keep, 1, n);
  }
  switch_channel (cut, edit->keep, channel, !removes);
  edit->waits = FALSE;
  /* Factors of a method hold for its own choice only. */
  g_clear_pointer (&edit->scale, g_free);
  guint kept = pjm_layer_get_kept (layer) + (removes ? -step : step);
  edit->ratio = (double) kept / n;
  if (kept == n)
    edit_reset (edit, 1.0);
  pjm_project_show_edits (self);
  PjmMarkKind kind = removes ? PJM_MARK_REMOVE_CHANNEL : PJM_MARK_KEEP_CHANNEL;
  if (step > 1)
    kind = removes ? PJM_MARK_REMOVE_CHANNELS : PJM_MARK_KEEP_CHANNELS;
  g_autofree char *number = g_strdup_printf ("%u", channel);
  pjm_project_commit (self, &(PjmMark) { kind, { number, pjm_layer_get_name (layer) } });
}
