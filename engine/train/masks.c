/* SPDX-License-Identifier: MIT */
#include "train/masks.h"

#include <string.h>

static int
compare_ints (gconstpointer a, gconstpointer b)
{
  int x = *(const int *) a, y = *(const int *) b;
  return (x > y) - (x < y);
}

GArray *
pj_masks_gated (const PjGroups *groups, const PjCutPlan *masks)
{
  GArray *gated = g_array_new (FALSE, FALSE, sizeof (int));
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    if (group->lock_reason != NULL || (masks != NULL && pj_cut_plan_get (masks, group->id) == NULL))
      continue;
    for (unsigned m = 0; m < group->n_mask_points; m++)
      g_array_append_val (gated, group->mask_points[m].value);
  }
  g_array_sort (gated, compare_ints);
  /* Several groups may share a value (concat): one gate serves them. */
  for (guint i = gated->len; i > 1; i--)
    if (g_array_index (gated, int, i - 1) == g_array_index (gated, int, i - 2))
      g_array_remove_index (gated, i - 1);
  return gated;
}

/* Closes the channels of @value that @cut removes. */
static void
close_channels (float *gate, int value, const PjGroup *group, const PjGroupCut *cut)
{
  for (unsigned m = 0; m < group->n_mask_points; m++) {
    const PjMaskPoint *point = &group->mask_points[m];
    for (int c = 0; point->value == value && c < point->n; c++)
      if (point->map[c] >= 0 && !cut->keep[point->map[c]])
        gate[c] = 0;
  }
}

gboolean
pj_masks_apply (PjPlan *plan, const PjGraph *graph, const PjGroups *groups, const GArray *gated, const PjCutPlan *masks,
                GError **error)
{
  for (guint i = 0; i < gated->len; i++) {
    int value = g_array_index (gated, int, i);
    size_t n = (size_t) pj_graph_value (graph, value)->shape.dim[1];
    g_autofree float *gate = g_new (float, n);
    for (size_t c = 0; c < n; c++)
      gate[c] = 1;
    for (unsigned k = 0; masks != NULL && k < masks->n_cuts; k++)
      close_channels (gate, value, pj_groups_get (groups, (unsigned) masks->cuts[k].group), &masks->cuts[k]);
    if (!pj_plan_set_gate (plan, value, gate, error))
      return FALSE;
  }
  return TRUE;
}

PjGraph *
pj_masks_scaled (PjGraph *graph, const PjGroups *groups, const PjCutPlan *masks, GError **error)
{
  g_autoptr (PjCutPlan) whole = pj_cut_plan_new ();

  for (unsigned k = 0; k < masks->n_cuts; k++) {
    const PjGroupCut *cut = &masks->cuts[k];
    if (cut->scale == NULL)
      continue;
    g_autofree guint8 *all = g_malloc ((gsize) cut->n_channels);
    memset (all, 1, (size_t) cut->n_channels);
    /* The factors of removed channels meet zeros; they need not even be numbers. */
    g_autofree float *scale = g_memdup2 (cut->scale, (gsize) cut->n_channels * sizeof (float));
    for (int c = 0; c < cut->n_channels; c++)
      scale[c] = cut->keep[c] ? scale[c] : 1;
    pj_cut_plan_set (whole, pj_groups_get (groups, (unsigned) cut->group), all, scale);
  }
  pj_cut_plan_set_weights (whole, masks->weights);
  return whole->n_cuts > 0 || whole->weights != NULL ? pj_cut (graph, groups, whole, error) : pj_graph_ref (graph);
}
