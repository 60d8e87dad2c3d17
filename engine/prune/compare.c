/* SPDX-License-Identifier: MIT */
/* One row after the other, each finished row handed out at once: what was measured is never lost. */
#include "prune/compare.h"

#include <string.h>

#include "base/error.h"

#define MEASURED (PJ_NEEDS_STATS | PJ_NEEDS_GRADIENTS)

typedef struct {
  const PjScoring *scoring;
  const PjCompareOptions *options;
  PjComparison *result;
  GPtrArray *methods;         /* PjMethod, in the order asked for */
  gboolean *cuts;             /* by group id: cut by all methods */
  PjStatistics *statistics;   /* shared by the criteria; NULL until one needs it */
  unsigned n_rows, n_done;
} Comparing;

void
pj_compare_row_free (PjCompareRow *self)
{
  if (self == NULL)
    return;
  g_free (self->method);
  pj_cut_plan_unref (self->plan);
  pj_scores_free (self->scores);
  g_free (self->refusal);
  g_free (self);
}

void
pj_comparison_free (PjComparison *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_free (self);
}

static gboolean
tunes (const PjCompareOptions *options)
{
  return options->tune.epochs > 0 || options->tune.max_steps > 0;
}

/* --- what to compare --- */

static gboolean
check (const PjCompareOptions *options, GPtrArray *methods, GError **error)
{
  for (const char *const *name = options->methods; name != NULL && *name != NULL; name++) {
    const PjMethod *method = pj_method_find (*name);
    if (method == NULL) {
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "there is no method “%s”", *name);
      return FALSE;
    }
    g_ptr_array_add (methods, (gpointer) method);
  }
  if (methods->len == 0 || options->n_ratios == 0) {
    g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                         "there is nothing to compare; name at least one method and one keep ratio");
    return FALSE;
  }
  for (unsigned i = 0; i < options->n_ratios; i++)
    if (!(options->ratios[i] > 0) || options->ratios[i] > 1) {
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                   "a keep ratio of %g is not possible; use more than 0 and at most 1", options->ratios[i]);
      return FALSE;
    }
  return !tunes (options) || pj_train_options_check (&options->tune, error);
}

static gboolean
fits (const PjMethod *method, const PjScoring *scoring, const PjGroup *group)
{
  return method->fit == NULL || method->fit (method, scoring, group, NULL);
}

/* A fair comparison cuts the same groups by all methods: those that every method can judge.  A method that can judge
 * none is left out of this; its rows say why. */
static void
find_groups (Comparing *self)
{
  const PjGroups *groups = self->scoring->groups;

  for (unsigned g = 0; g < pj_groups_n (groups); g++)
    self->cuts[g] = pj_groups_get (groups, g)->lock_reason == NULL;
  for (guint m = 0; m < self->methods->len; m++) {
    g_autofree gboolean *fit = g_new0 (gboolean, pj_groups_n (groups));
    gboolean any = FALSE;
    for (unsigned g = 0; g < pj_groups_n (groups); g++) {
      const PjGroup *group = pj_groups_get (groups, g);
      fit[g] = group->lock_reason == NULL && fits (self->methods->pdata[m], self->scoring, group);
      any = any || fit[g];
    }
    for (unsigned g = 0; any && g < pj_groups_n (groups); g++)
      self->cuts[g] = self->cuts[g] && fit[g];
  }
}

static gboolean
check_groups (const Comparing *self, GError **error)
{
  for (unsigned g = 0; g < pj_groups_n (self->scoring->groups); g++)
    if (self->cuts[g])
      return TRUE;
  g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                       "there is no group of channels that all these methods can cut; compare fewer methods");
  return FALSE;
}

static gboolean
is_before (const PjCompareOptions *options, const PjMethod *method, double ratio)
{
  for (guint i = 0; options->before != NULL && i < options->before->rows->len; i++) {
    const PjCompareRow *row = options->before->rows->pdata[i];
    if (g_str_equal (row->method, method->name) && row->ratio == ratio)
      return TRUE;
  }
  return FALSE;
}

/* --- one row --- */

static PjCutPlan *
choose (Comparing *self, const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings,
        PjScores **scores, GError **error)
{
  if (!pj_prune_settings_check (method, scoring, settings, error))
    return NULL;
  if (method->criterion == NULL)
    return method->choose (method, scoring, settings, scores, error);
  /* What the criteria of the whole comparison need is measured once, for all of them. */
  if ((method->needs & MEASURED) != 0 && self->statistics == NULL) {
    PjNeeds needs = PJ_NEEDS_NOTHING;
    for (guint m = 0; m < self->methods->len; m++) {
      const PjMethod *other = self->methods->pdata[m];
      if (other->criterion != NULL && pj_prune_settings_check (other, scoring, settings, NULL))
        needs |= other->needs & MEASURED;
    }
    self->statistics = pj_statistics_measure_for (scoring, needs, error);
    if (self->statistics == NULL)
      return NULL;
  }
  *scores = pj_criterion_score_with (method->criterion, scoring, self->statistics, error);
  return *scores != NULL ? pj_method_spend (method, scoring, settings, *scores, error) : NULL;
}

/* A refusal belongs in the row; all else ends the comparison. */
static gboolean
is_refusal (const GError *error)
{
  return error->domain == PJ_PRUNE_ERROR || g_error_matches (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
}

static gboolean
evaluate (const Comparing *self, PjGraph *graph, const PjHooks *hooks, double *top1, double *images_per_second, GError **error)
{
  const PjScoring *s = self->scoring;
  PjAccuracy accuracy = { 0 };

  if (!pj_evaluate (s->device, graph, s->dataset, PJ_SPLIT_TEST, s->format, self->options->n_test, NULL, NULL, hooks,
                    &accuracy, error))
    return FALSE;
  *top1 = accuracy.top1;
  *images_per_second = accuracy.images_per_second;
  self->result->n_test = accuracy.n;
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

/* A control that starts anew: only its speed and its accuracy after training say something. */
static gboolean
measure_fresh (const Comparing *self, const PjMethod *method, PjGraph *graph, PjCompareRow *row, const PjHooks *hooks,
               GError **error)
{
  const PjScoring *s = self->scoring;
  PjTrainOptions tune = self->options->tune;
  double top1, speed;

  pj_fresh_options (&tune, method->fresh, self->result->base_cost.macs, row->cost.macs);
  g_autoptr (PjGraph) fresh = pj_graph_fresh (graph, s->seed, error);
  if (fresh == NULL || !evaluate (self, fresh, NULL, &top1, &row->images_per_second, error))
    return FALSE;
  g_autoptr (PjGraph) tuned = pj_train (s->device, fresh, s->dataset, s->format, &tune, NULL, NULL, NULL, NULL, 0, hooks, NULL, error);
  return tuned != NULL && evaluate (self, tuned, NULL, &row->tuned, &speed, error);
}

/* Cut, re-estimated and fine-tuned accuracy of @row->plan. */
static gboolean
measure (const Comparing *self, const PjMethod *method, PjCompareRow *row, const PjHooks *hooks, GError **error)
{
  const PjScoring *s = self->scoring;
  const PjCompareOptions *o = self->options;
  double speed;
  PjHooksSpan span;

  g_autoptr (PjGraph) graph = pj_cut (s->graph, s->groups, row->plan, error);
  if (graph == NULL)
    return FALSE;
  pj_graph_cost (graph, &row->cost);
  if (method->fresh != PJ_FRESH_NO)
    return measure_fresh (self, method, graph, row, hooks, error);
  pj_hooks_span_init (&span, hooks, 0, 0.1, NULL);
  if (!evaluate (self, graph, &span.hooks, &row->cut, &row->images_per_second, error))
    return FALSE;
  if (o->recalibrate) {
    pj_hooks_span_init (&span, hooks, 0.1, 0.2, NULL);
    g_autoptr (PjGraph) fresh = pj_recalibrate (s->device, graph, s->dataset, s->format, 0, s->seed, &span.hooks, error);
    if (fresh == NULL || !evaluate (self, fresh, NULL, &row->recalibrated, &speed, error))
      return FALSE;
    pj_graph_unref (graph);
    graph = g_steal_pointer (&fresh);
  }
  if (tunes (o)) {
    pj_hooks_span_init (&span, hooks, 0.2, 1, NULL);
    g_autoptr (PjGraph) tuned = pj_train (s->device, graph, s->dataset, s->format, &o->tune, NULL, NULL, NULL, NULL, 0,
                                          &span.hooks, NULL, error);
    if (tuned == NULL || !evaluate (self, tuned, NULL, &row->tuned, &speed, error))
      return FALSE;
  }
  return TRUE;
}

/* Share of the multiply-adds that is left where each group keeps @ratios of its channels. */
static gboolean
share_of_macs (const PjScoring *scoring, const double *ratios, double *share, GError **error)
{
  g_autoptr (PjCutPlan) shape = pj_cut_plan_new ();
  PjCost cost, base;

  for (unsigned g = 0; g < pj_groups_n (scoring->groups); g++) {
    const PjGroup *group = pj_groups_get (scoring->groups, g);
    if (ratios[g] == 1)
      continue;
    g_autofree guint8 *keep = g_malloc ((gsize) group->n_channels);
    g_autofree double *even = g_new0 (double, group->n_channels);
    pj_group_keep_top (group, even, pj_group_keep_count (group, ratios[g], 1), keep);
    pj_cut_plan_set (shape, group, keep, NULL);
  }
  pj_graph_cost (scoring->graph, &base);
  if (!pj_cut_predict_cost (scoring->graph, scoring->groups, shape, &cost, error))
    return FALSE;
  *share = (double) cost.macs / (double) base.macs;
  return TRUE;
}

/* What a row asks of its method. */
static gboolean
fill_settings (const PjMethod *method, const PjScoring *scoring, const PjCompareOptions *options, PjPruneSettings *settings,
               GError **error)
{
  if (method->fresh != PJ_FRESH_NO && !tunes (options)) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "%s shows something only after training; ask for fine-tuning, too", method->title);
    return FALSE;
  }
  if (!method->allocates)
    return TRUE;
  settings->global = TRUE;
  settings->kind = PJ_BUDGET_MACS;
  return share_of_macs (scoring, settings->ratios, &settings->target, error);
}

static PjCompareRow *
make_row (Comparing *self, const PjMethod *method, double ratio, const PjHooks *hooks, GError **error)
{
  unsigned n_groups = pj_groups_n (self->scoring->groups);
  g_autofree double *ratios = g_new (double, n_groups);
  PjCompareRow *row = g_new0 (PjCompareRow, 1);
  PjPruneSettings settings = { .ratios = ratios, .scale = TRUE };
  PjScoring scoring = *self->scoring;
  PjHooksSpan span;
  GError *reason = NULL;

  row->method = g_strdup (method->name);
  row->ratio = ratio;
  row->cut = row->recalibrated = row->tuned = -1;
  for (unsigned g = 0; g < n_groups; g++)
    ratios[g] = self->cuts[g] ? ratio : 1;
  pj_hooks_span_init (&span, hooks, 0, 0.4, NULL);
  scoring.hooks = &span.hooks;
  if (fill_settings (method, &scoring, self->options, &settings, &reason))
    row->plan = choose (self, method, &scoring, &settings, &row->scores, &reason);
  pj_hooks_span_init (&span, hooks, 0.4, 1, NULL);
  if (row->plan == NULL && is_refusal (reason)) {
    row->refusal = g_strdup (reason->message);
    g_error_free (reason);
    return row;
  }
  if (row->plan != NULL && measure (self, method, row, &span.hooks, &reason))
    return row;
  g_propagate_error (error, reason);
  pj_compare_row_free (row);
  return NULL;
}

/* --- all rows --- */

static gboolean
measure_base (Comparing *self, GError **error)
{
  PjComparison *r = self->result;
  const PjComparison *before = self->options->before;

  pj_graph_cost (self->scoring->graph, &r->base_cost);
  /* Without a row the interrupted run may have ended before its base was measured. */
  if (before != NULL && before->rows->len > 0) {
    r->base_accuracy = before->base_accuracy;
    r->base_images_per_second = before->base_images_per_second;
    r->n_test = before->n_test;
    return TRUE;
  }
  PjHooksSpan span;
  pj_hooks_span_init (&span, self->scoring->hooks, 0, 1.0 / (self->n_rows + 1), "unpruned: ");
  return evaluate (self, self->scoring->graph, &span.hooks, &r->base_accuracy, &r->base_images_per_second, error);
}

static gboolean
run_row (Comparing *self, const PjMethod *method, double ratio, PjCompareFunc func, gpointer data, GError **error)
{
  g_autofree char *prefix = g_strdup_printf ("%s, keep %g: ", method->title, ratio);
  PjHooksSpan span;

  pj_hooks_span_init (&span, self->scoring->hooks, (self->n_done + 1.0) / (self->n_rows + 1),
                      (self->n_done + 2.0) / (self->n_rows + 1), prefix);
  PjCompareRow *row = make_row (self, method, ratio, &span.hooks, error);
  if (row == NULL)
    return FALSE;
  self->n_done++;
  g_ptr_array_add (self->result->rows, row);
  if (func != NULL)
    func (self->result, self->result->rows->len - 1, data);
  return TRUE;
}

static gboolean
run_rows (Comparing *self, PjCompareFunc func, gpointer data, GError **error)
{
  for (guint m = 0; m < self->methods->len; m++)
    for (unsigned r = 0; r < self->options->n_ratios; r++) {
      const PjMethod *method = self->methods->pdata[m];
      double ratio = self->options->ratios[r];
      if (!is_before (self->options, method, ratio) && !run_row (self, method, ratio, func, data, error))
        return FALSE;
    }
  return TRUE;
}

PjComparison *
pj_compare (const PjScoring *scoring, const PjCompareOptions *options, PjCompareFunc func, gpointer data, GError **error)
{
  g_autoptr (GPtrArray) methods = g_ptr_array_new ();
  g_autofree gboolean *cuts = g_new0 (gboolean, pj_groups_n (scoring->groups) + 1);

  if (!check (options, methods, error))
    return NULL;
  if (scoring->dataset == NULL || scoring->format == NULL) {
    g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "a comparison measures accuracy; choose a data folder");
    return NULL;
  }
  g_autoptr (PjComparison) result = g_new0 (PjComparison, 1);
  result->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_compare_row_free);
  Comparing self = {
    .scoring = scoring, .options = options, .result = result, .methods = methods, .cuts = cuts,
    .n_rows = methods->len * options->n_ratios,
  };
  find_groups (&self);
  gboolean ok = check_groups (&self, error) && measure_base (&self, error) && run_rows (&self, func, data, error);
  pj_statistics_free (self.statistics);
  return ok ? g_steal_pointer (&result) : NULL;
}
