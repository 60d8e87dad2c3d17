/* SPDX-License-Identifier: MIT */
#include "prune/search/spectrum.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "prune/budget/budget.h"
#include "prune/scores/divergence.h"
#include "prune/scores/part-scores.h"
#include "train/evaluate.h"

struct _PjSpectrum {
  const PjScoring *scoring;
  PjSpectrumOptions options;
  PjSpectrumFunc func;
  gpointer data;
  PjParts *parts;
  GArray *blocks;             /* (element-type int): parts that may go */
  double *block_score;        /* by part */
  PjScores *scores;
  PjDataset *pictures;
  float *reference, *answers; /* pictures x classes */
  unsigned n_pictures, n_groups;
  double base_macs;
  GPtrArray *archive;
  GHashTable *known;          /* key -> PjSpectrumPoint */
};

/* --- points --- */

static void
point_free (gpointer data)
{
  PjSpectrumPoint *self = data;
  g_free (self->off);
  g_free (self->kept);
  g_free (self);
}

static PjSpectrumPoint *
point_copy (const PjSpectrum *self, const PjSpectrumPoint *point)
{
  PjSpectrumPoint *copy = g_memdup2 (point, sizeof *point);
  copy->off = g_memdup2 (point->off, MAX (1, pj_parts_n (self->parts)));
  copy->kept = g_memdup2 (point->kept, MAX (1, self->n_groups) * sizeof (int));
  return copy;
}

static PjSpectrumPoint *
point_new (const PjSpectrum *self)
{
  PjSpectrumPoint *point = g_new0 (PjSpectrumPoint, 1);
  point->off = g_new0 (guint8, MAX (1, pj_parts_n (self->parts)));
  point->kept = g_new0 (int, MAX (1, self->n_groups));
  return point;
}

static char *
key_of (const PjSpectrum *self, const PjSpectrumPoint *point)
{
  GString *key = g_string_new (NULL);
  for (unsigned p = 0; p < pj_parts_n (self->parts); p++)
    g_string_append_c (key, point->off[p] ? '1' : '0');
  for (unsigned g = 0; g < self->n_groups; g++)
    g_string_append_printf (key, " %d", point->kept[g]);
  return g_string_free (key, FALSE);
}

/* --- networks --- */

/* The group of the base that @group, of the network without some blocks, is what is left of. */
static const PjGroup *
base_group (const PjSpectrum *self, const PjGraph *graph, const PjGroup *group)
{
  const PjNode *node = pj_graph_node (graph, g_array_index (group->producers, int, 0));
  int index = pj_graph_find_node (self->scoring->graph, node->name);
  return index >= 0 ? pj_groups_of_node (self->scoring->groups, index) : NULL;
}

/* Keeps the first channels of each group in its order. */
static PjCutPlan *
plan_of (const PjSpectrum *self, const PjGraph *graph, const PjGroups *groups, const int *kept)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g), *base = group->lock_reason == NULL ? base_group (self, graph, group) : NULL;
    const PjGroupScores *scores = base != NULL ? pj_scores_get (self->scores, base->id) : NULL;
    if (scores == NULL || scores->score == NULL || base->n_channels != group->n_channels || kept[base->id] >= group->n_channels)
      continue;
    g_autofree guint8 *keep = g_malloc0 ((gsize) group->n_channels);
    g_autofree int *order = g_new (int, group->n_channels);
    if (group->n_blocks > 1) {
      pj_group_keep_top (group, scores->score, kept[base->id], keep);
    } else {
      pj_nested_order (scores->score, group->n_channels, order);
      for (int c = 0; c < kept[base->id]; c++)
        keep[order[c]] = 1;
    }
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  return plan;
}

/* @graph: (out) (nullable): the network as cut; else only its cost is found. */
static gboolean
make (const PjSpectrum *self, const PjSpectrumPoint *point, double *macs, PjGraph **graph, GError **error)
{
  PjCost cost;

  g_autoptr (PjGraph) rest = pj_parts_remove (self->scoring->graph, self->parts, point->off, error);
  if (rest == NULL)
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (rest);
  g_autoptr (PjCutPlan) plan = plan_of (self, rest, groups, point->kept);
  if (!pj_cut_predict_cost (rest, groups, plan, &cost, error))
    return FALSE;
  *macs = (double) cost.macs / self->base_macs;
  if (graph != NULL)
    *graph = pj_cut (rest, groups, plan, error);
  return graph == NULL || *graph != NULL;
}

PjGraph *
pj_spectrum_build (PjSpectrum *self, const PjSpectrumPoint *point, GError **error)
{
  const PjScoring *s = self->scoring;
  PjHooks quiet = s->hooks != NULL ? *s->hooks : (PjHooks) { 0 };
  g_autoptr (PjGraph) cut = NULL;
  double macs;

  quiet.progress = NULL;
  quiet.metric = NULL;
  if (!make (self, point, &macs, &cut, error))
    return NULL;
  return pj_recalibrate (s->device, cut, s->dataset, s->format, self->options.n_batches, s->seed, &quiet, error);
}

static gboolean
ask (PjSpectrum *self, PjGraph *graph, float *answers, GError **error)
{
  const PjScoring *s = self->scoring;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  PjAccuracy accuracy;

  g_autoptr (PjEvaluator) evaluator = pj_evaluator_new (s->device, graph, groups, self->pictures, PJ_SPLIT_TRAIN, s->format, 0, error);
  if (evaluator == NULL || !pj_evaluator_run_logits (evaluator, NULL, NULL, answers, &accuracy, error))
    return FALSE;
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

/* The archive's own point like @point, judged now if it is new. */
static PjSpectrumPoint *
judge (PjSpectrum *self, const PjSpectrumPoint *point, GError **error)
{
  g_autofree char *key = key_of (self, point);
  PjSpectrumPoint *known = g_hash_table_lookup (self->known, key);

  if (known != NULL)
    return known;
  if (!pj_hooks_go_on (self->scoring->hooks, error))
    return NULL;
  g_autoptr (PjGraph) graph = pj_spectrum_build (self, point, error);
  if (graph == NULL || !ask (self, graph, self->answers, error))
    return NULL;
  known = point_copy (self, point);
  known->kl = pj_kl_divergence (self->reference, self->answers, self->n_pictures, pj_graph_n_classes (graph), PJ_DIVERGENCE_FORWARD);
  g_ptr_array_add (self->archive, known);
  g_hash_table_insert (self->known, g_steal_pointer (&key), known);
  return self->func == NULL || self->func (known, self->data, error) ? known : NULL;
}

void
pj_spectrum_remember (PjSpectrum *self, const PjSpectrumPoint *point)
{
  char *key = key_of (self, point);
  if (g_hash_table_contains (self->known, key)) {
    g_free (key);
    return;
  }
  PjSpectrumPoint *own = point_copy (self, point);
  g_ptr_array_add (self->archive, own);
  g_hash_table_insert (self->known, key, own);
}

/* --- drawing --- */

static gboolean
may_thin (const PjSpectrum *self, unsigned g)
{
  const PjGroup *group = pj_groups_get (self->scoring->groups, g);
  const PjGroupScores *scores = group->lock_reason == NULL ? pj_scores_get (self->scores, group->id) : NULL;
  return scores != NULL && scores->score != NULL;
}

/* Channels at shares @share · @factor, between the floor and all. */
static void
widths (const PjSpectrum *self, const double *share, double factor, int *kept)
{
  for (unsigned g = 0; g < self->n_groups; g++) {
    const PjGroup *group = pj_groups_get (self->scoring->groups, g);
    double u = CLAMP (share[g] * factor, self->options.floor, 1);
    kept[g] = may_thin (self, g) ? pj_group_keep_count (group, u, self->options.multiple) : 0;
  }
}

/* Scales the shares until the cost is met: @point gets its widths.  @met: whether that was possible. */
static gboolean
scale (PjSpectrum *self, const double *share, double target, PjSpectrumPoint *point, gboolean *met, GError **error)
{
  double low = 0, high = 1 / self->options.floor;

  *met = FALSE;
  for (int i = 0; i < 24 && !*met; i++) {
    double factor = (low + high) / 2;
    widths (self, share, factor, point->kept);
    if (!make (self, point, &point->macs, NULL, error))
      return FALSE;
    *met = pj_spectrum_accepts (point->macs, target, self->options.tolerance);
    if (point->macs > target)
      high = factor;
    else
      low = factor;
  }
  return TRUE;
}

/* Which blocks go: how many by lot, which ones by lot with a better chance for what matters less. */
static void
draw_blocks (const PjSpectrum *self, PjRng *rng, guint8 *off)
{
  unsigned n = self->blocks->len;
  double depth = self->options.least_depth + (1 - self->options.least_depth) * pj_rng_uniform (rng), mean = 0;
  unsigned go = n - MIN (n, (unsigned) ceil (depth * n - 1e-9));

  for (unsigned b = 0; b < n; b++)
    mean += self->block_score[g_array_index (self->blocks, int, b)] / n;
  for (; go > 0; go--) {
    double sum = 0;
    int last = -1;
    for (unsigned b = 0; b < n; b++) {
      int part = g_array_index (self->blocks, int, b);
      sum += off[part] ? 0 : 1 / (self->block_score[part] + 0.1 * mean + 1e-12);
    }
    double at = pj_rng_uniform (rng) * sum;
    for (unsigned b = 0; b < n && at >= 0; b++) {
      int part = g_array_index (self->blocks, int, b);
      if (off[part])
        continue;
      last = part;
      at -= 1 / (self->block_score[part] + 0.1 * mean + 1e-12);
    }
    if (last >= 0)
      off[last] = 1;
  }
}

/* What a point was scaled from. */
typedef struct { PjSpectrumPoint *point; double *share; } Found;

static void
found_clear (gpointer data)
{
  g_free (((Found *) data)->share);
}

static int
by_kl (gconstpointer a, gconstpointer b)
{
  const PjSpectrumPoint *x = ((const Found *) a)->point, *y = ((const Found *) b)->point;
  return (x->kl > y->kl) - (x->kl < y->kl);
}

static gboolean
draw (PjSpectrum *self, double target, uint64_t stream, GArray *found, GError **error)
{
  g_autofree double *share = g_new (double, self->n_groups);
  PjSpectrumPoint *point = point_new (self);
  gboolean met, ok;
  PjRng rng;

  pj_rng_init (&rng, self->scoring->seed, stream);
  draw_blocks (self, &rng, point->off);
  for (unsigned g = 0; g < self->n_groups; g++)
    share[g] = 0.3 + 0.7 * pj_rng_uniform (&rng);
  ok = scale (self, share, target, point, &met, error);
  if (ok && met) {
    Found one = { judge (self, point, error), g_steal_pointer (&share) };
    ok = one.point != NULL;
    if (ok)
      g_array_append_val (found, one);
    else
      g_free (one.share);
  }
  point_free (point);
  return ok;
}

/* One move away from @from: a block comes or goes, or two groups trade; kept if it is better. */
static gboolean
move (PjSpectrum *self, double target, PjRng *rng, Found *from, gboolean *better, GError **error)
{
  g_autofree double *share = g_memdup2 (from->share, MAX (1, self->n_groups) * sizeof (double));
  PjSpectrumPoint *point = point_copy (self, from->point), *judged = NULL;
  gboolean met, ok;

  if (self->blocks->len > 0 && self->options.least_depth < 1 && pj_rng_uniform (rng) < 0.3) {
    int part = g_array_index (self->blocks, int, pj_rng_below (rng, self->blocks->len));
    point->off[part] = !point->off[part];
  } else {
    share[pj_rng_below (rng, self->n_groups)] *= 1.25;
    share[pj_rng_below (rng, self->n_groups)] /= 1.25;
  }
  unsigned n_off = 0;
  for (unsigned p = 0; p < pj_parts_n (self->parts); p++)
    n_off += point->off[p];
  ok = scale (self, share, target, point, &met, error);
  met = met && n_off <= (1 - self->options.least_depth) * self->blocks->len + 1e-9;
  if (ok && met)
    ok = (judged = judge (self, point, error)) != NULL;
  *better = judged != NULL && judged->kl < from->point->kl;
  if (*better) {
    from->point = judged;
    g_free (from->share);
    from->share = g_steal_pointer (&share);
  }
  point_free (point);
  return ok;
}

static gboolean
improve (PjSpectrum *self, double target, GArray *found, GError **error)
{
  unsigned n = MIN (self->options.n_best, found->len), idle = 0;
  PjRng rng;

  pj_rng_init (&rng, self->scoring->seed, PJ_STREAM (PJ_STREAM_CRITERION, 0x5bec, llrint (target * 1e6)));
  while (idle < self->options.idle) {
    gboolean any = FALSE;
    for (unsigned i = 0; i < n; i++) {
      gboolean better;
      if (!move (self, target, &rng, &g_array_index (found, Found, i), &better, error))
        return FALSE;
      any |= better;
    }
    idle = any ? 0 : idle + 1;
  }
  return TRUE;
}

const PjSpectrumPoint *
pj_spectrum_find (PjSpectrum *self, double target, GError **error)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Found));
  const PjSpectrumPoint *best = NULL;

  g_array_set_clear_func (found, found_clear);
  for (unsigned i = 0; i < self->options.n_draws; i++) {
    pj_hooks_progress (self->scoring->hooks, 0.8 * i / self->options.n_draws, "run %u of %u", i + 1, self->options.n_draws);
    if (!draw (self, target, PJ_STREAM (PJ_STREAM_CRITERION, 0x5bec00 + i, llrint (target * 1e6)), found, error))
      return NULL;
  }
  if (found->len == 0) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "none of %u drawn networks has %.3g to %.3g %% of the multiply-adds; use a wider tolerance, a smaller multiple, a "
                 "smaller floor or another budget", self->options.n_draws, 100 * target * (1 - self->options.tolerance), 100 * target);
    return NULL;
  }
  g_array_sort (found, by_kl);
  if (!improve (self, target, found, error))
    return NULL;
  for (guint i = 0; i < found->len; i++) {
    const PjSpectrumPoint *point = g_array_index (found, Found, i).point;
    if (best == NULL || point->kl < best->kl)
      best = point;
  }
  return best;
}

/* --- the base --- */

static gboolean
check_options (const PjSpectrumOptions *o, GError **error)
{
  if (o->n_draws >= 1 && o->n_best >= 1 && o->n_images >= 1 && o->n_batches >= 1 && o->least_depth > 0 && o->least_depth <= 1
      && o->tolerance > 0 && o->tolerance < 1 && o->floor > 0 && o->floor <= 1 && o->multiple >= 1)
    return TRUE;
  g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                       "counts must be at least 1, and depth, floor and tolerance more than 0 and at most 1");
  return FALSE;
}

static gboolean
measure_blocks (PjSpectrum *self, GError **error)
{
  gboolean any = FALSE;

  self->blocks = g_array_new (FALSE, FALSE, sizeof (int));
  self->block_score = g_new0 (double, MAX (1, pj_parts_n (self->parts)));
  for (unsigned p = 0; p < pj_parts_n (self->parts); p++) {
    const PjPart *part = pj_parts_get (self->parts, p);
    if (part->kind != PJ_PART_BRANCH || part->lock_reason != NULL || self->options.least_depth >= 1)
      continue;
    g_array_append_val (self->blocks, part->id);
    any = TRUE;
  }
  return !any || pj_parts_score (self->scoring, self->parts, PJ_PART_BRANCH, self->block_score, NULL, error);
}

static gboolean
open_base (PjSpectrum *self, GError **error)
{
  const PjScoring *s = self->scoring;
  unsigned n = pj_dataset_n (s->dataset, PJ_SPLIT_TRAIN);
  PjCost cost;

  pj_graph_cost (s->graph, &cost);
  self->base_macs = (double) cost.macs;
  self->n_groups = pj_groups_n (s->groups);
  self->parts = pj_parts_new (s->graph);
  self->archive = g_ptr_array_new_with_free_func (point_free);
  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->scores = pj_criterion_score (self->options.criterion, s, error);
  if (self->scores == NULL || !measure_blocks (self, error))
    return FALSE;
  self->n_pictures = MIN (n, self->options.n_images);
  self->pictures = pj_dataset_subset (s->dataset, self->n_pictures, 1, s->seed);
  self->n_pictures = pj_dataset_n (self->pictures, PJ_SPLIT_TRAIN);
  size_t size = (size_t) self->n_pictures * pj_graph_n_classes (s->graph) * sizeof (float);
  self->reference = pj_alloc (size, "class scores", error);
  self->answers = self->reference != NULL ? pj_alloc (size, "class scores", error) : NULL;
  return self->answers != NULL && ask (self, s->graph, self->reference, error);
}

PjSpectrum *
pj_spectrum_new (const PjScoring *scoring, const PjSpectrumOptions *options, PjSpectrumFunc func, gpointer data, GError **error)
{
  if (!check_options (options, error))
    return NULL;
  g_autoptr (PjSpectrum) self = g_new0 (PjSpectrum, 1);
  self->scoring = scoring;
  self->options = *options;
  self->func = func;
  self->data = data;
  return open_base (self, error) ? g_steal_pointer (&self) : NULL;
}

void
pj_spectrum_free (PjSpectrum *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->known, g_hash_table_unref);
  g_clear_pointer (&self->archive, g_ptr_array_unref);
  g_clear_pointer (&self->blocks, g_array_unref);
  g_clear_pointer (&self->pictures, pj_dataset_unref);
  pj_parts_free (self->parts);
  pj_scores_free (self->scores);
  pj_free (self->reference);
  pj_free (self->answers);
  g_free (self->block_score);
  g_free (self);
}

unsigned
pj_spectrum_n_parts (const PjSpectrum *self)
{
  return pj_parts_n (self->parts);
}

unsigned
pj_spectrum_n_groups (const PjSpectrum *self)
{
  return self->n_groups;
}

const GPtrArray *
pj_spectrum_archive (const PjSpectrum *self)
{
  return self->archive;
}

gboolean
pj_spectrum_cost (PjSpectrum *self, const PjSpectrumPoint *point, double *share, GError **error)
{
  return make (self, point, share, NULL, error);
}

gboolean
pj_spectrum_least (PjSpectrum *self, double *share, GError **error)
{
  g_autofree double *least = g_new0 (double, MAX (1, self->n_groups));
  PjSpectrumPoint *point = point_new (self);
  unsigned go = (unsigned) floor ((1 - self->options.least_depth) * self->blocks->len + 1e-9);

  for (unsigned b = 0; b < go; b++)
    point->off[g_array_index (self->blocks, int, b)] = 1;
  widths (self, least, 1, point->kept);
  gboolean ok = make (self, point, share, NULL, error);
  point_free (point);
  return ok;
}
