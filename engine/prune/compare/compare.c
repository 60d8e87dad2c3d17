/* SPDX-License-Identifier: MIT */
/* One row after the other, each finished row handed out at once: what was measured is never lost. */
#include "prune/compare/compare-private.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

void
pj_compare_row_free (PjCompareRow *self)
{
  if (self == NULL)
    return;
  g_free (self->method);
  pj_cut_plan_unref (self->plan);
  pj_scores_free (self->scores);
  g_free (self->answers);
  g_free (self->layer_kl);
  g_free (self->refusal);
  g_free (self);
}

double
pj_compare_row_last (const PjCompareRow *self)
{
  return self->tuned >= 0 ? self->tuned : self->recalibrated >= 0 ? self->recalibrated : self->cut;
}

unsigned
pj_compare_starts (const PjMethod *method, unsigned starts, gboolean recalibrate)
{
  if (method->fresh != PJ_FRESH_NO)
    return PJ_COMPARE_OWN;
  if (starts != 0)
    return starts;
  return method->gives_scores && recalibrate ? PJ_COMPARE_RECALIBRATED : PJ_COMPARE_OWN;
}

const char *
pj_compare_start_title (const char *method, PjCompareStart start)
{
  const PjMethod *found = pj_method_find (method);

  if (found != NULL && found->fresh != PJ_FRESH_NO)
    return "initial";
  return start == PJ_COMPARE_RECALIBRATED ? "norms again" : "as cut";
}

void
pj_comparison_free (PjComparison *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_free (self->answers);
  g_free (self->labels);
  g_free (self->classes);
  g_free (self);
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
  for (unsigned i = 0; i < options->n_seeds; i++)
    for (unsigned k = 0; k < i; k++)
      if (options->seeds[i] == options->seeds[k]) {
        g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                     "seed %" G_GUINT64_FORMAT " is named twice; a spread needs different seeds", options->seeds[i]);
        return FALSE;
      }
  return !pj_compare_tunes (options) || pj_train_options_check (&options->tune, error);
}

static gboolean
fits (const PjMethod *method, const PjScoring *scoring, const PjGroup *group)
{
  return method->fit == NULL || method->fit (method, scoring, group, NULL);
}

/* A fair comparison cuts the same groups by all methods: those that every method can judge.  A method that can judge
 * none is left out of this; its rows say why. */
static void
find_groups (PjComparing *self)
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
check_groups (const PjComparing *self, GError **error)
{
  for (unsigned g = 0; g < pj_groups_n (self->scoring->groups); g++)
    if (self->cuts[g])
      return TRUE;
  g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                       "there is no group of channels that all these methods can cut; compare fewer methods");
  return FALSE;
}

/* The row of an interrupted run, or NULL. */
static const PjCompareRow *
find_before (const PjCompareOptions *options, const PjMethod *method, double ratio, uint64_t seed, PjCompareStart start)
{
  for (guint i = 0; options->before != NULL && i < options->before->rows->len; i++) {
    const PjCompareRow *row = options->before->rows->pdata[i];
    if (g_str_equal (row->method, method->name) && row->ratio == ratio && row->seed == seed
        && (row->start == start || row->refusal != NULL))
      return row;
  }
  return NULL;
}

/* Without fine-tuning there is but one. */
static unsigned
wanted_starts (const PjCompareOptions *options, const PjMethod *method)
{
  return pj_compare_tunes (options) ? pj_compare_starts (method, options->starts, options->recalibrate) : PJ_COMPARE_OWN;
}

/* Those of @wanted that are still to be measured. */
static unsigned
missing_starts (const PjComparing *self, const PjMethod *method, double ratio, uint64_t seed)
{
  unsigned missing = 0;
  for (unsigned start = PJ_COMPARE_OWN; start <= PJ_COMPARE_RECALIBRATED; start <<= 1)
    if ((wanted_starts (self->options, method) & start) != 0 && find_before (self->options, method, ratio, seed, start) == NULL)
      missing |= start;
  return missing;
}

static uint64_t
seed_at (const PjComparing *self, unsigned i)
{
  const PjCompareOptions *o = self->options;
  uint64_t largest = self->scoring->seed;

  if (o->n_seeds == 0)
    return self->scoring->seed + i;
  if (i < o->n_seeds)
    return o->seeds[i];
  for (unsigned s = 0; s < o->n_seeds; s++)
    largest = MAX (s == 0 ? 0 : largest, o->seeds[s]);
  return largest + 1 + (i - o->n_seeds);
}

static unsigned
n_seeds_of (const PjComparing *self, const PjMethod *method)
{
  unsigned n = MAX (1u, self->options->n_seeds);
  return method->criterion != NULL && method->criterion->drawn ? MAX (n, self->options->n_drawn) : n;
}

/* --- all rows --- */

/* Labels of the pictures that were measured. */
static void
read_labels (PjComparing *self)
{
  PjComparison *r = self->result;
  r->n_classes = pj_graph_n_classes (self->scoring->graph);
  r->classes = pj_dataset_class_list (self->scoring->dataset);
  r->labels = g_new (uint16_t, MAX (r->n_test, 1u));
  for (unsigned i = 0; i < r->n_test; i++)
    r->labels[i] = (uint16_t) CLAMP (pj_dataset_label (self->scoring->dataset, PJ_SPLIT_TEST, i), 0, PJ_NO_ANSWER);
}

static gboolean
measure_base (PjComparing *self, GError **error)
{
  PjComparison *r = self->result;
  const PjComparison *before = self->options->before;

  pj_graph_cost (self->scoring->graph, &r->base_cost);
  /* Without a row the interrupted run may have ended before its base was measured. */
  if (before != NULL && before->rows->len > 0) {
    r->base_accuracy = before->base_accuracy;
    r->base_images_per_second = before->base_images_per_second;
    r->n_test = before->n_test;
    r->answers = g_memdup2 (before->answers, before->n_test * sizeof *before->answers);
    read_labels (self);
    return TRUE;
  }
  PjHooksSpan span;
  pj_hooks_span_init (&span, self->scoring->hooks, 0, 1.0 / (self->n_rows + 1), "unpruned: ");
  if (!pj_comparing_evaluate (self, self->scoring->graph, &span.hooks, &r->base_accuracy, &r->base_images_per_second, &r->answers, error))
    return FALSE;
  read_labels (self);
  return TRUE;
}

static gboolean
run_choice (PjComparing *self, const PjMethod *method, double ratio, uint64_t seed, PjCompareFunc func, gpointer data,
            GError **error)
{
  unsigned starts = missing_starts (self, method, ratio, seed);
  PjHooksSpan span;

  if (starts == 0)
    return TRUE;
  g_autofree char *prefix = self->options->n_seeds > 1 || n_seeds_of (self, method) > 1
    ? g_strdup_printf ("%s, keep %g, seed %" G_GUINT64_FORMAT ": ", method->title, ratio, seed)
    : g_strdup_printf ("%s, keep %g: ", method->title, ratio);
  pj_hooks_span_init (&span, self->scoring->hooks, (self->n_done + 1.0) / (self->n_rows + 1),
                      (self->n_done + 1.0 + pj_compare_count_starts (starts)) / (self->n_rows + 1), prefix);
  return pj_comparing_make_rows (self, method, ratio, seed, starts, func, data, &span.hooks, error);
}

static void
count_rows (PjComparing *self)
{
  for (guint m = 0; m < self->methods->len; m++)
    for (unsigned s = 0; s < n_seeds_of (self, self->methods->pdata[m]); s++)
      for (unsigned r = 0; r < self->options->n_ratios; r++)
        self->n_rows += pj_compare_count_starts (missing_starts (self, self->methods->pdata[m], self->options->ratios[r], seed_at (self, s)));
}

static unsigned
most_seeds (const PjComparing *self)
{
  unsigned most = 0;
  for (guint m = 0; m < self->methods->len; m++)
    most = MAX (most, n_seeds_of (self, self->methods->pdata[m]));
  return most;
}

static gboolean
run_rows (PjComparing *self, PjCompareFunc func, gpointer data, GError **error)
{
  unsigned n_seeds = most_seeds (self);

  for (unsigned s = 0; s < n_seeds; s++) {
    for (guint m = 0; m < self->methods->len; m++)
      for (unsigned r = 0; s < n_seeds_of (self, self->methods->pdata[m]) && r < self->options->n_ratios; r++)
        if (!run_choice (self, self->methods->pdata[m], self->options->ratios[r], seed_at (self, s), func, data, error))
          return FALSE;
    /* The next seed measures on other pictures. */
    g_clear_pointer (&self->statistics, pj_statistics_free);
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
  PjComparing self = {
    .scoring = scoring, .options = options, .result = result, .methods = methods, .cuts = cuts,
  };
  self.first_seed = seed_at (&self, 0);
  count_rows (&self);
  find_groups (&self);
  gboolean ok = check_groups (&self, error) && measure_base (&self, error) && run_rows (&self, func, data, error);
  pj_statistics_free (self.statistics);
  pj_evaluator_free (self.evaluator);
  pj_free (self.reference);
  pj_free (self.logits);
  return ok ? g_steal_pointer (&result) : NULL;
}
