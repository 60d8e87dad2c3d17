/* SPDX-License-Identifier: MIT */
/* Methods that are made from criteria, and the checks that all methods share. */
#include "prune/method.h"

#include "prune/methods/methods.h"

/* --- criteria as methods --- */

gboolean
pj_method_budget (const PjScoring *scoring, const PjPruneSettings *settings, PjBudget *budget, PjLatency **latency, GError **error)
{
  *budget = (PjBudget) { .kind = settings->kind, .target = settings->target, .floor = settings->floor, .multiple = settings->multiple };
  *latency = NULL;
  if (settings->kind != PJ_BUDGET_MS)
    return TRUE;
  if (scoring->device == NULL) {
    g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "milliseconds are predicted for a device; choose one");
    return FALSE;
  }
  budget->latency = *latency = pj_latency_measure (scoring->device, scoring->graph, scoring->groups, scoring->hooks, error);
  return *latency != NULL;
}

PjCutPlan *
pj_method_spend (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings,
                 const PjScores *scores, GError **error)
{
  g_autoptr (PjLatency) latency = NULL;
  PjBudget budget;

  if (!settings->global)
    return pj_budget_local (scoring->groups, scores, settings->ratios, settings->multiple, error);
  if (!pj_method_budget (scoring, settings, &budget, &latency, error))
    return NULL;
  budget.normalise = self->criterion != NULL && !self->criterion->comparable;
  g_autoptr (PjScores) own = pj_scores_copy (scores);
  pj_widths_scores (settings->widths, scoring->graph, scoring->groups, budget.normalise, own);
  return pj_budget_spend (scoring->graph, scoring->groups, own, &budget, error);
}

static PjCutPlan *
choose_by_criterion (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings,
                     PjScores **scores, GError **error)
{
  PjScoring alive = *scoring;
  alive.life = settings->life;
  g_autoptr (PjScores) measured = pj_criterion_score (self->criterion, &alive, error);
  if (measured == NULL)
    return NULL;
  PjCutPlan *plan = pj_method_spend (self, scoring, settings, measured, error);
  if (plan != NULL && scores != NULL)
    *scores = g_steal_pointer (&measured);
  return plan;
}

static gboolean
fit_by_criterion (const PjMethod *self, const PjScoring *scoring, const PjGroup *group, GError **error)
{
  return self->criterion->fit == NULL || self->criterion->fit (scoring, group, error);
}

/* --- the list --- */

static const PjMethod **
make_list (void)
{
  GPtrArray *list = g_ptr_array_new ();

  for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++) {
    PjMethod *method = g_new (PjMethod, 1);
    *method = (PjMethod) {
      .name = (*c)->name, .title = (*c)->title, .about = (*c)->about, .source = (*c)->source, .needs = (*c)->needs,
      .gives_scores = TRUE, .fit = fit_by_criterion, .choose = choose_by_criterion, .criterion = *c,
    };
    g_ptr_array_add (list, method);
  }
  for (const PjMethod *const *m = pj_other_methods (); *m != NULL; m++)
    g_ptr_array_add (list, (gpointer) *m);
  g_ptr_array_add (list, NULL);
  return (const PjMethod **) g_ptr_array_free (list, FALSE);
}

const PjMethod *const *
pj_methods (void)
{
  /* Made once and kept: the rows of criteria are written by their members alone. */
  static const PjMethod **list;
  if (g_once_init_enter (&list))
    g_once_init_leave (&list, make_list ());
  return list;
}

const PjMethod *
pj_method_find (const char *name)
{
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++)
    if (g_str_equal ((*m)->name, name))
      return *m;
  return NULL;
}

/* --- checks --- */

static gboolean
check_data (const PjMethod *method, const PjScoring *scoring, GError **error)
{
  const PjShape *input = &pj_graph_value (scoring->graph, pj_graph_get_input (scoring->graph))->shape;
  const PjFormat *f = scoring->format;

  if (!(method->needs & (PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS)))
    return TRUE;
  if (scoring->dataset == NULL || f == NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "%s measures on pictures; choose a data folder", method->title);
    return FALSE;
  }
  if (input->rank != 4 || input->dim[1] != f->c || input->dim[2] != f->h || input->dim[3] != f->w) {
    g_autofree char *shape = pj_shape_to_string (input);
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH, "the network reads %s, the pictures are prepared as %d×%d×%d",
                 shape, f->c, f->h, f->w);
    return FALSE;
  }
  unsigned classes = pj_dataset_n_classes (scoring->dataset), outputs = pj_graph_n_classes (scoring->graph);
  if ((method->needs & PJ_NEEDS_LABELS) && classes != outputs) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH,
                 "%s needs labels, and the network tells %u classes apart while “%s” has %u", method->title, outputs,
                 pj_dataset_name (scoring->dataset), classes);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_ratio (const PjGroup *group, double ratio, GError **error)
{
  if (!(ratio > 0) || ratio > 1) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "“%s”: a keep ratio of %g is not possible; use more than 0 and at most 1", group->name, ratio);
    return FALSE;
  }
  if (ratio < 1 && group->lock_reason != NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_LOCKED, "“%s” cannot be cut: %s", group->name, group->lock_reason);
    return FALSE;
  }
  return TRUE;
}

/* All groups that would be cut but that the method cannot judge, in one message. */
static gboolean
check_fit (const PjMethod *method, const PjScoring *scoring, const double *ratios, GError **error)
{
  g_autoptr (GString) others = g_string_new (NULL);
  GError *first = NULL;
  unsigned n_fit = 0;

  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    g_autoptr (GError) reason = NULL;
    if (group->lock_reason != NULL || (ratios != NULL && ratios[i] == 1))
      continue;
    if (method->fit == NULL || method->fit (method, scoring, group, &reason))
      n_fit++;
    else if (first == NULL)
      first = g_steal_pointer (&reason);
    else
      g_string_append_printf (others, "%s“%s”", others->len > 0 ? ", " : "", group->name);
  }
  /* A global budget goes on without the groups that it cannot judge. */
  if (first == NULL || (ratios == NULL && n_fit > 0)) {
    g_clear_error (&first);
    return TRUE;
  }
  if (others->len > 0)
    g_set_error (error, first->domain, first->code, "%s (the same holds for %s)", first->message, others->str);
  else
    g_propagate_error (error, g_error_copy (first));
  g_error_free (first);
  return FALSE;
}

static gboolean
check_global (const PjMethod *method, const PjPruneSettings *settings, GError **error)
{
  if (!method->gives_scores && !method->allocates) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "%s decides layer by layer and cannot share one budget among layers; give keep ratios instead", method->title);
    return FALSE;
  }
  if (!(settings->target > 0) || settings->target > 1 || !(settings->floor >= 0) || settings->floor > 1) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "a target of %g with a floor of %g is not possible; the target is the share to keep, more than 0 and at "
                 "most 1, the floor 0 to 1", settings->target, settings->floor);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_tied (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  const PjCriterion *judge = method->judge != NULL ? method->judge (method, settings) : method->criterion;
  return pj_criterion_check_tied (judge, method->title, scoring->tied, error);
}

gboolean
pj_prune_settings_check (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  if (!check_data (method, scoring, error) || !check_tied (method, scoring, settings, error))
    return FALSE;
  if (settings->global)
    return check_global (method, settings, error) && check_fit (method, scoring, NULL, error)
           && (method->check == NULL || method->check (method, scoring, settings, error));
  if (settings->ratios == NULL) {
    g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "there are no keep ratios; say how much of each group to keep");
    return FALSE;
  }
  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++)
    if (!check_ratio (pj_groups_get (scoring->groups, i), settings->ratios[i], error))
      return FALSE;
  return check_fit (method, scoring, settings->ratios, error)
         && (method->check == NULL || method->check (method, scoring, settings, error));
}
