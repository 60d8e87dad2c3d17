/* SPDX-License-Identifier: MIT */
/* Masks over the channels of all gates together, for methods that draw them while the network trains. */
#include "prune/gates/dynamic.h"
#include "prune/methods/gated-run.h"

/* Keep ratios: together they say how many channels stay, and the scores alone in which layers. */
static PjCutPlan *
draw_by_count (const PjGatedRun *run, double *const *of, double part)
{
  g_autofree PjDynamicLayer *layers = g_new (PjDynamicLayer, run->gates->n_gates);
  PjCutPlan *plan = pj_cut_plan_new ();
  double kept = 0, all = 0;

  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    const PjGate *gate = &run->gates->gates[g];
    layers[g] = (PjDynamicLayer) { gate->n, of[g], g_malloc ((gsize) gate->n) };
    kept += run->settings->ratios[gate->group->id] * gate->n;
    all += gate->n;
  }
  pj_dynamic_masks (layers, run->gates->n_gates, 1 - part * (1 - kept / all));
  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    const PjGroup *group = run->gates->gates[g].group;
    int n = 0;
    for (int c = 0; c < group->n_channels; c++)
      n += layers[g].mask[c];
    double share = (double) n / group->n_channels;
    if (group->n_blocks > 1 || run->settings->multiple > 1)
      pj_group_keep_top (group, layers[g].score, pj_group_keep_count (group, share, run->settings->multiple), layers[g].mask);
    if (n < group->n_channels)
      pj_cut_plan_set (plan, group, layers[g].mask, NULL);
    g_free (layers[g].mask);
  }
  return plan;
}

/* A budget that is not as tight yet. */
static PjCutPlan *
draw_by_budget (PjGatedRun *run, double *const *of, double part, GError **error)
{
  g_autoptr (PjScores) scores = pj_gates_scores (run->gates, run->scoring->groups, run->method->name, of);
  const double target = run->budget.target;
  run->budget.target = 1 - part * (1 - target);
  PjCutPlan *plan = pj_gated_spend (run, scores, error);
  run->budget.target = target;
  return plan;
}

gboolean
pj_gated_draw (PjGatedRun *run, double *const *of, double part, GError **error)
{
  g_autoptr (PjCutPlan) plan = run->settings->global ? draw_by_budget (run, of, part, error) : draw_by_count (run, of, part);
  if (plan == NULL)
    return FALSE;
  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    PjGate *gate = &run->gates->gates[g];
    const PjGroupCut *cut = pj_cut_plan_get (plan, gate->group->id);
    for (int c = 0; !gate->frozen && c < gate->n; c++)
      gate->gate[c] = cut == NULL || cut->keep[c];
  }
  return TRUE;
}

PjCutPlan *
pj_gated_masks (const PjGatedRun *run)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    const PjGate *gate = &run->gates->gates[g];
    g_autofree guint8 *keep = g_malloc ((gsize) gate->n);
    int n = 0;
    for (int c = 0; c < gate->n; c++)
      n += keep[c] = gate->gate[c] > 0;
    if (n < gate->n)
      pj_cut_plan_set (plan, gate->group, keep, NULL);
  }
  return plan;
}
