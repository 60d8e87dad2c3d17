/* SPDX-License-Identifier: MIT */
#include "prune/search/sweep.h"

#include <math.h>

#include "base/alloc.h"
#include "prune/budget/budget.h"
#include "prune/scores/suffix.h"
#include "train/evaluate.h"

/* --- results --- */

PjGroupSweep *
pj_group_sweep_new (const PjGroup *group, unsigned n_points)
{
  PjGroupSweep *self = g_new0 (PjGroupSweep, 1);

  self->group = group->id;
  self->n_channels = group->n_channels;
  self->n_points = n_points;
  self->points = g_new0 (PjSweepPoint, n_points);
  return self;
}

void
pj_group_sweep_free (PjGroupSweep *self)
{
  if (self == NULL)
    return;
  g_free (self->points);
  g_free (self->refusal);
  g_free (self);
}

PjSweep *
pj_sweep_new (void)
{
  PjSweep *self = g_new0 (PjSweep, 1);
  self->groups = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_group_sweep_free);
  return self;
}

void
pj_sweep_free (PjSweep *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->groups);
  g_free (self);
}

const PjGroupSweep *
pj_sweep_get (const PjSweep *self, int group)
{
  for (guint i = 0; i < self->groups->len; i++)
    if (((const PjGroupSweep *) self->groups->pdata[i])->group == group)
      return self->groups->pdata[i];
  return NULL;
}

static PjGroupSweep *
group_sweep_copy (const PjGroupSweep *self)
{
  PjGroupSweep *copy = g_memdup2 (self, sizeof *self);
  copy->points = g_memdup2 (self->points, self->n_points * sizeof (PjSweepPoint));
  copy->refusal = g_strdup (self->refusal);
  return copy;
}

/* --- measuring --- */

typedef struct {
  const PjScoring *scoring;
  const PjSweepOptions *options;
  PjEvaluator *evaluator;
  float *reference, *logits;   /* one batch x classes: all channels open, and some masked */
  PjSweep *sweep;
  unsigned n_classes, n_done, n_all;   /* groups */
} Sweeper;

/* One way to mask the group; points with as many channels share it. */
typedef struct {
  int n_kept;
  guint8 *keep;
  double right, kl;         /* sums over pictures */
} Mask;

static void
mask_clear (gpointer data)
{
  g_free (((Mask *) data)->keep);
}

static Mask *
find_mask (GArray *masks, int n_kept)
{
  for (guint i = 0; i < masks->len; i++)
    if (g_array_index (masks, Mask, i).n_kept == n_kept)
      return &g_array_index (masks, Mask, i);
  return NULL;
}

/* Fills the points but for what is measured; what must be measured for them. */
static GArray *
make_masks (const Sweeper *self, const PjGroup *group, const double *score, PjGroupSweep *result)
{
  GArray *masks = g_array_new (FALSE, TRUE, sizeof (Mask));

  g_array_set_clear_func (masks, mask_clear);
  for (unsigned i = 0; i < result->n_points; i++) {
    PjSweepPoint *point = &result->points[i];
    point->ratio = self->options->ratios[i];
    point->n_kept = point->ratio == 1 ? group->n_channels : pj_group_keep_count (group, point->ratio, 1);
    if (point->n_kept == group->n_channels || find_mask (masks, point->n_kept) != NULL)
      continue;
    Mask mask = { point->n_kept, g_malloc (group->n_channels), 0, 0 };
    pj_group_keep_top (group, score, point->n_kept, mask.keep);
    g_array_append_val (masks, mask);
  }
  return masks;
}

static gboolean
measure_batch (Sweeper *self, PjSuffix *suffix, unsigned first, GArray *masks, GError **error)
{
  const float *images;
  unsigned n = pj_evaluator_images (self->evaluator, first, &images);

  if (!pj_suffix_start (suffix, images, error) || !pj_suffix_run (suffix, NULL, self->reference, error))
    return FALSE;
  for (guint i = 0; i < masks->len; i++) {
    Mask *mask = &g_array_index (masks, Mask, i);
    if (!pj_hooks_go_on (self->scoring->hooks, error) || !pj_suffix_run (suffix, mask->keep, self->logits, error))
      return FALSE;
    mask->right += pj_evaluator_count_right (self->evaluator, first, n, self->logits);
    mask->kl += n * pj_kl_divergence (self->reference, self->logits, n, self->n_classes, PJ_DIVERGENCE_FORWARD);
  }
  return TRUE;
}

static gboolean
measure_masks (Sweeper *self, const PjGroup *group, GArray *masks, GError **error)
{
  unsigned n = pj_evaluator_n (self->evaluator), batch = pj_evaluator_batch (self->evaluator);
  g_autoptr (PjSuffix) suffix = pj_suffix_new (self->scoring->graph, pj_evaluator_params (self->evaluator), group, PJ_SUFFIX_ANY, batch, error);

  for (unsigned first = 0; suffix != NULL && first < n; first += batch) {
    pj_hooks_progress (self->scoring->hooks, (self->n_done + (double) first / n) / self->n_all, "%s: %u of %u pictures, %u widths",
                       group->name, first, n, masks->len);
    if (!measure_batch (self, suffix, first, masks, error))
      return FALSE;
  }
  return suffix != NULL;
}

static gboolean
measure_points (Sweeper *self, const PjGroup *group, const double *score, PjGroupSweep *result, GError **error)
{
  g_autoptr (GArray) masks = make_masks (self, group, score, result);
  unsigned n = self->sweep->n_pictures;

  if (masks->len > 0 && !measure_masks (self, group, masks, error))
    return FALSE;
  for (unsigned i = 0; i < result->n_points; i++) {
    PjSweepPoint *point = &result->points[i];
    const Mask *mask = find_mask (masks, point->n_kept);
    point->top1 = mask != NULL ? mask->right / n : self->sweep->base_top1;
    point->kl = mask != NULL ? mask->kl / n : 0;
    if (isfinite (point->kl))
      continue;
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_NUMERIC,
                 "“%s”: the output with %d of %d channels is not a number; the network itself is broken", group->name,
                 point->n_kept, group->n_channels);
    return FALSE;
  }
  return TRUE;
}

static gboolean
measure_group (Sweeper *self, const PjGroupScores *scores, PjSweepFunc func, gpointer data, GError **error)
{
  const PjGroup *group = pj_groups_get (self->scoring->groups, (unsigned) scores->group);
  const PjGroupSweep *before = self->options->before != NULL ? pj_sweep_get (self->options->before, group->id) : NULL;
  unsigned n = scores->score != NULL ? self->options->n_ratios : 0;
  g_autoptr (PjGroupSweep) result = before != NULL ? group_sweep_copy (before) : pj_group_sweep_new (group, n);

  if (before == NULL) {
    result->refusal = g_strdup (scores->refusal);
    if (n > 0 && !measure_points (self, group, scores->score, result, error))
      return FALSE;
    self->n_done++;
  }
  const PjGroupSweep *done = result;
  g_ptr_array_add (self->sweep->groups, g_steal_pointer (&result));
  return before != NULL || func == NULL || func (self->sweep, done, data, error);
}

static gboolean
check_options (const PjSweepOptions *options, GError **error)
{
  for (unsigned i = 0; i < options->n_ratios; i++) {
    if (options->ratios[i] > 0 && options->ratios[i] <= 1)
      continue;
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "a keep ratio of %g is not possible; use more than 0 and at most 1",
                 options->ratios[i]);
    return FALSE;
  }
  if (options->n_ratios > 0)
    return TRUE;
  g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "there are no keep ratios to measure; give at least one");
  return FALSE;
}

static gboolean
run (Sweeper *self, const PjScores *scores, PjSweepFunc func, gpointer data, GError **error)
{
  PjAccuracy accuracy;

  self->n_all = scores->n_groups + 1;
  for (unsigned i = 0; self->options->before != NULL && i < scores->n_groups; i++)
    if (pj_sweep_get (self->options->before, scores->groups[i].group) != NULL)
      self->n_all--;
  pj_hooks_progress (self->scoring->hooks, 0, "whole network");
  if (!pj_evaluator_run (self->evaluator, NULL, self->scoring->hooks, &accuracy, error))
    return FALSE;
  self->sweep->base_top1 = accuracy.top1;
  self->sweep->n_pictures = accuracy.n;
  pj_accuracy_clear (&accuracy);
  self->n_done = 1;
  for (unsigned i = 0; i < scores->n_groups; i++)
    if (!measure_group (self, &scores->groups[i], func, data, error))
      return FALSE;
  return TRUE;
}

PjSweep *
pj_sweep (const PjScoring *scoring, const PjSweepOptions *options, PjSweepFunc func, gpointer data, GError **error)
{
  if (!check_options (options, error))
    return NULL;
  PjScoring first = *scoring;
  PjHooksSpan span;
  pj_hooks_span_init (&span, scoring->hooks, 0, options->criterion->needs != PJ_NEEDS_NOTHING ? 0.1 : 0.001, NULL);
  first.hooks = &span.hooks;
  g_autoptr (PjScores) scores = pj_criterion_score (options->criterion, &first, error);
  if (scores == NULL)
    return NULL;
  PjSplit split = options->on_training_part ? PJ_SPLIT_TRAIN : PJ_SPLIT_TEST;
  g_autoptr (PjEvaluator) evaluator = pj_evaluator_new (scoring->device, scoring->graph, scoring->groups, scoring->dataset,
                                                        split, scoring->format, options->n_test, error);
  if (evaluator == NULL)
    return NULL;
  PjScoring rest = *scoring;
  pj_hooks_span_init (&span, scoring->hooks, span.to, 1, NULL);
  rest.hooks = &span.hooks;
  g_autoptr (PjSweep) sweep = pj_sweep_new ();
  Sweeper self = { &rest, options, evaluator, NULL, NULL, sweep, pj_graph_n_classes (scoring->graph), 0, 1 };
  size_t size = (size_t) pj_evaluator_batch (evaluator) * self.n_classes * sizeof (float);
  self.reference = pj_alloc (size, "class scores of one batch", error);
  self.logits = self.reference != NULL ? pj_alloc (size, "class scores of one batch", error) : NULL;
  gboolean ok = self.logits != NULL && run (&self, scores, func, data, error);
  pj_free (self.reference);
  pj_free (self.logits);
  return ok ? g_steal_pointer (&sweep) : NULL;
}

/* --- readings --- */

const PjSweepPoint *
pj_sweep_limit (const PjSweep *self, const PjGroupSweep *group, double tolerance)
{
  int too_few = 0;
  const PjSweepPoint *best = NULL;

  /* Below a point that loses too much nothing counts, even if luck lets it lose less. */
  for (unsigned i = 0; i < group->n_points; i++)
    if (self->base_top1 - group->points[i].top1 > tolerance + 1e-9)
      too_few = MAX (too_few, group->points[i].n_kept);
  for (unsigned i = 0; i < group->n_points; i++) {
    const PjSweepPoint *point = &group->points[i];
    if (point->n_kept > too_few && point->n_kept < group->n_channels && (best == NULL || point->n_kept < best->n_kept))
      best = point;
  }
  return best;
}

static double
lost_percent (const PjGroupSweep *group, const PjSweepPoint *point)
{
  return 100.0 * (group->n_channels - point->n_kept) / group->n_channels;
}

char *
pj_sweep_reading (const PjSweep *self, const PjGroupSweep *group, double tolerance)
{
  const PjSweepPoint *limit = pj_sweep_limit (self, group, tolerance), *most = NULL;

  if (group->refusal != NULL)
    return g_strdup (group->refusal);
  if (limit != NULL) {
    double points = 100 * (self->base_top1 - limit->top1);
    return points < 0.05 ? g_strdup_printf ("can lose %.0f %% of its channels for nothing", lost_percent (group, limit))
                         : g_strdup_printf ("can lose %.0f %% of its channels for %.1f points", lost_percent (group, limit), points);
  }
  for (unsigned i = 0; i < group->n_points; i++)
    if (group->points[i].n_kept < group->n_channels && (most == NULL || group->points[i].n_kept > most->n_kept))
      most = &group->points[i];
  if (most == NULL)
    return g_strdup ("was not cut by any of the ratios");
  return g_strdup_printf ("loses %.1f points with its first %.0f %% of channels", 100 * (self->base_top1 - most->top1),
                          lost_percent (group, most));
}
