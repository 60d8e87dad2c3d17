/* SPDX-License-Identifier: MIT */
/* One row: choose, cut, measure, train. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "prune/compare/compare-private.h"
#include "prune/scores/divergence.h"

#define MEASURED (PJ_NEEDS_STATS | PJ_NEEDS_GRADIENTS)

static PjCutPlan *
choose (PjComparing *self, const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings,
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

gboolean
pj_comparing_evaluate (const PjComparing *self, PjGraph *graph, const PjHooks *hooks, double *top1, double *images_per_second,
          uint16_t **answers, GError **error)
{
  const PjScoring *s = self->scoring;
  PjAccuracy accuracy = { 0 };

  if (!pj_evaluate (s->device, graph, s->dataset, PJ_SPLIT_TEST, s->format, self->options->n_test, NULL, NULL, hooks,
                    &accuracy, error))
    return FALSE;
  *top1 = accuracy.top1;
  if (images_per_second != NULL)
    *images_per_second = accuracy.images_per_second;
  self->result->n_test = accuracy.n;
  if (answers != NULL) {
    g_free (*answers);
    *answers = g_steal_pointer (&accuracy.answers);
  }
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

/* The network itself on the pictures of judge_layers(). */
static gboolean
prepare_layers (PjComparing *self, const PjHooks *hooks, GError **error)
{
  const PjScoring *s = self->scoring;
  PjAccuracy accuracy;

  self->evaluator = pj_evaluator_new (s->device, s->graph, s->groups, s->dataset, PJ_SPLIT_TEST, s->format,
                                      self->options->n_layer_test, error);
  if (self->evaluator == NULL)
    return FALSE;
  size_t size = (size_t) pj_evaluator_n (self->evaluator) * pj_graph_n_classes (s->graph) * sizeof (float);
  self->reference = pj_alloc (size, "class scores of the whole network", error);
  self->logits = self->reference != NULL ? pj_alloc (size, "class scores of the masked network", error) : NULL;
  if (self->logits == NULL || !pj_evaluator_run_logits (self->evaluator, NULL, hooks, self->reference, &accuracy, error))
    return FALSE;
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

/* One layer at a time: how far does the output move if only this layer is cut as @row cuts it? */
static gboolean
judge_layers (PjComparing *self, PjCompareRow *row, const PjHooks *hooks, GError **error)
{
  const PjScoring *s = self->scoring;
  unsigned n_groups = pj_groups_n (s->groups);

  if (self->evaluator == NULL && !prepare_layers (self, hooks, error))
    return FALSE;
  row->n_groups = n_groups;
  row->layer_kl = g_new (double, n_groups);
  for (unsigned g = 0; g < n_groups; g++) {
    const PjGroup *group = pj_groups_get (s->groups, g);
    const PjGroupCut *cut = pj_cut_plan_get (row->plan, group->id);
    PjAccuracy accuracy;
    row->layer_kl[g] = -1;
    if (cut == NULL)
      continue;
    g_autoptr (PjCutPlan) alone = pj_cut_plan_new ();
    pj_cut_plan_set (alone, group, cut->keep, cut->scale);
    pj_hooks_progress (hooks, (double) g / n_groups, "judging “%s” alone", group->name);
    if (!pj_evaluator_run_logits (self->evaluator, alone, hooks, self->logits, &accuracy, error))
      return FALSE;
    pj_accuracy_clear (&accuracy);
    double kl = pj_kl_divergence (self->reference, self->logits, pj_evaluator_n (self->evaluator),
                                  pj_graph_n_classes (s->graph), PJ_DIVERGENCE_FORWARD);
    row->layer_kl[g] = isfinite (kl) ? kl : -1;
  }
  return TRUE;
}

/* A control that starts anew: only its speed and its accuracy after training say something. */
static gboolean
start_anew (PjComparing *self, PjCompareRow *row, PjGraph *graphs[2], const PjHooks *hooks, GError **error)
{
  double top1;
  PjGraph *fresh = pj_graph_fresh (graphs[0], row->seed, error);

  if (fresh == NULL)
    return FALSE;
  pj_graph_unref (graphs[0]);
  graphs[0] = fresh;
  return pj_comparing_evaluate (self, fresh, hooks, &top1, &row->images_per_second, NULL, error);
}

/* What a row has in common whatever its fine-tuning begins with.  @graphs: (out): the networks to begin with, by the
 * number of the start: as cut, recalibrated (NULL unless asked for). */
static gboolean
measure (PjComparing *self, const PjMethod *method, PjCompareRow *row, gboolean recalibrate, PjGraph *graphs[2],
         const PjHooks *hooks, GError **error)
{
  const PjScoring *s = self->scoring;
  PjHooksSpan span;

  graphs[0] = pj_cut (s->graph, s->groups, row->plan, error);
  if (graphs[0] == NULL)
    return FALSE;
  pj_graph_cost (graphs[0], &row->cost);
  if (method->fresh != PJ_FRESH_NO)
    return start_anew (self, row, graphs, hooks, error);
  pj_hooks_span_init (&span, hooks, 0, 0.4, NULL);
  if (!pj_comparing_evaluate (self, graphs[0], &span.hooks, &row->cut, &row->images_per_second, &row->answers, error))
    return FALSE;
  pj_hooks_span_init (&span, hooks, 0.4, 0.7, NULL);
  if (self->options->n_layer_test > 0 && row->seed == self->first_seed && !judge_layers (self, row, &span.hooks, error))
    return FALSE;
  if (!recalibrate)
    return TRUE;
  pj_hooks_span_init (&span, hooks, 0.7, 1, NULL);
  graphs[1] = pj_recalibrate (s->device, graphs[0], s->dataset, s->format, 0, row->seed, &span.hooks, error);
  return graphs[1] != NULL && pj_comparing_evaluate (self, graphs[1], NULL, &row->recalibrated, NULL, &row->answers, error);
}

static gboolean
tune (PjComparing *self, const PjMethod *method, PjCompareRow *row, PjGraph *graph, const PjHooks *hooks, GError **error)
{
  const PjScoring *s = self->scoring;
  PjTrainOptions options = self->options->tune;

  options.seed = row->seed;
  if (method->fresh != PJ_FRESH_NO)
    pj_fresh_options (&options, method->fresh, self->result->base_cost.macs, row->cost.macs);
  g_autoptr (PjGraph) tuned = pj_train (s->device, graph, s->dataset, s->format, &options, NULL, NULL, NULL, NULL, 0, hooks, NULL,
                                        error);
  return tuned != NULL && pj_comparing_evaluate (self, tuned, NULL, &row->tuned, NULL, &row->answers, error);
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
  if (method->fresh != PJ_FRESH_NO && !pj_compare_tunes (options)) {
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

/* The row without what depends on its start. */
static PjCompareRow *
row_copy (const PjCompareRow *self, unsigned n_test)
{
  PjCompareRow *copy = g_memdup2 (self, sizeof *self);

  copy->method = g_strdup (self->method);
  copy->plan = self->plan != NULL ? pj_cut_plan_ref (self->plan) : NULL;
  copy->scores = self->scores != NULL ? pj_scores_copy (self->scores) : NULL;
  copy->answers = g_memdup2 (self->answers, n_test * sizeof *self->answers);
  copy->layer_kl = g_memdup2 (self->layer_kl, self->n_groups * sizeof (double));
  copy->refusal = g_strdup (self->refusal);
  return copy;
}

static PjCompareRow *
row_new (const PjMethod *method, double ratio, uint64_t seed)
{
  PjCompareRow *row = g_new0 (PjCompareRow, 1);

  row->method = g_strdup (method->name);
  row->ratio = ratio;
  row->seed = seed;
  row->start = PJ_COMPARE_OWN;
  row->cut = row->recalibrated = row->tuned = -1;
  return row;
}

/* Fills in what @row has in common with the others of its choice.  TRUE with a refusal in the row, too. */
static gboolean
choose_and_measure (PjComparing *self, const PjMethod *method, PjCompareRow *row, gboolean recalibrate, PjGraph *graphs[2],
                    const PjHooks *hooks, GError **error)
{
  unsigned n_groups = pj_groups_n (self->scoring->groups);
  g_autofree double *ratios = g_new (double, n_groups);
  PjPruneSettings settings = { .ratios = ratios, .scale = TRUE };
  PjScoring scoring = *self->scoring;
  PjHooksSpan span;
  GError *reason = NULL;

  for (unsigned g = 0; g < n_groups; g++)
    ratios[g] = self->cuts[g] ? row->ratio : 1;
  pj_hooks_span_init (&span, hooks, 0, 0.6, NULL);
  scoring.hooks = &span.hooks;
  scoring.seed = row->seed;
  if (fill_settings (method, &scoring, self->options, &settings, &reason))
    row->plan = choose (self, method, &scoring, &settings, &row->scores, &reason);
  pj_hooks_span_init (&span, hooks, 0.6, 1, NULL);
  if (row->plan == NULL && is_refusal (reason)) {
    row->refusal = g_strdup (reason->message);
    g_error_free (reason);
    return TRUE;
  }
  if (row->plan != NULL && measure (self, method, row, recalibrate, graphs, &span.hooks, &reason))
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

static void
add_row (PjComparing *self, PjCompareRow *row, PjCompareFunc func, gpointer data)
{
  self->n_done++;
  g_ptr_array_add (self->result->rows, row);
  if (func != NULL)
    func (self->result, self->result->rows->len - 1, data);
}

gboolean
pj_comparing_make_rows (PjComparing *self, const PjMethod *method, double ratio, uint64_t seed, unsigned starts, PjCompareFunc func,
           gpointer data, const PjHooks *hooks, GError **error)
{
  const PjCompareOptions *o = self->options;
  g_autoptr (PjCompareRow) common = row_new (method, ratio, seed);
  gboolean recalibrate = o->recalibrate || (starts & PJ_COMPARE_RECALIBRATED) != 0;
  PjGraph *graphs[2] = { NULL, NULL };
  double from = pj_compare_tunes (o) ? 0.4 : 1;
  unsigned n_starts = pj_compare_count_starts (starts), done = 0;
  PjHooksSpan span;

  pj_hooks_span_init (&span, hooks, 0, from, NULL);
  gboolean ok = choose_and_measure (self, method, common, recalibrate, graphs, &span.hooks, error);
  if (ok && common->refusal != NULL) {
    add_row (self, g_steal_pointer (&common), func, data);
    self->n_done += n_starts - 1;
    return TRUE;
  }
  for (unsigned i = 0; ok && i < 2; i++) {
    if ((starts & 1u << i) == 0)
      continue;
    g_autoptr (PjCompareRow) row = row_copy (common, self->result->n_test);
    row->start = (PjCompareStart) (1u << i);
    pj_hooks_span_init (&span, hooks, from + (1 - from) * done / n_starts, from + (1 - from) * (done + 1) / n_starts, NULL);
    ok = !pj_compare_tunes (o) || tune (self, method, row, graphs[i], &span.hooks, error);
    if (ok)
      add_row (self, g_steal_pointer (&row), func, data);
    done++;
  }
  pj_graph_unref (graphs[0]);
  pj_graph_unref (graphs[1]);
  return ok;
}
