/* SPDX-License-Identifier: MIT */
#include "prune/compare/jury.h"

#include <math.h>
#include <string.h>

static void
verdict_free (gpointer data)
{
  PjVerdict *self = data;
  g_ptr_array_unref (self->rows);
  g_free (self);
}

static void
spread_add (PjSpread *self, double value)
{
  /* Welford: @spread holds the sum of squares until spread_finish(). */
  if (value < 0)
    return;
  double mean = self->n > 0 ? self->mean : 0, off = value - mean;
  self->n++;
  self->mean = mean + off / self->n;
  self->spread += off * (value - self->mean);
}

static void
spread_finish (PjSpread *self)
{
  self->spread = self->n > 1 ? sqrt (self->spread / (self->n - 1)) : 0;
  if (self->n == 0)
    self->mean = -1;
}

static PjVerdict *
find (const GPtrArray *verdicts, const PjCompareRow *row)
{
  for (guint i = 0; i < verdicts->len; i++) {
    PjVerdict *verdict = verdicts->pdata[i];
    if (g_str_equal (verdict->method, row->method) && verdict->ratio == row->ratio && verdict->start == row->start)
      return verdict;
  }
  return NULL;
}

GPtrArray *
pj_verdicts_new (const PjComparison *self)
{
  GPtrArray *verdicts = g_ptr_array_new_with_free_func (verdict_free);

  for (guint i = 0; i < self->rows->len; i++) {
    PjCompareRow *row = self->rows->pdata[i];
    PjVerdict *verdict = find (verdicts, row);
    if (verdict == NULL) {
      verdict = g_new0 (PjVerdict, 1);
      verdict->method = row->method;
      verdict->ratio = row->ratio;
      verdict->start = row->start;
      verdict->refusal = row->refusal;
      verdict->rows = g_ptr_array_new ();
      g_ptr_array_add (verdicts, verdict);
    }
    g_ptr_array_add (verdict->rows, row);
    if (verdict->cost.macs == 0) {
      verdict->cost = row->cost;
      verdict->images_per_second = row->images_per_second;
    }
    spread_add (&verdict->cut, row->cut);
    spread_add (&verdict->recalibrated, row->recalibrated);
    spread_add (&verdict->tuned, row->tuned);
  }
  for (guint i = 0; i < verdicts->len; i++) {
    PjVerdict *verdict = verdicts->pdata[i];
    spread_finish (&verdict->cut);
    spread_finish (&verdict->recalibrated);
    spread_finish (&verdict->tuned);
    verdict->last = verdict->tuned.n > 0 ? verdict->tuned : verdict->recalibrated.n > 0 ? verdict->recalibrated : verdict->cut;
  }
  return verdicts;
}

static gboolean
starts_anew (const PjVerdict *self)
{
  const PjMethod *method = pj_method_find (self->method);
  return method != NULL && method->fresh != PJ_FRESH_NO;
}

GPtrArray *
pj_verdicts_choices (const GPtrArray *verdicts, double ratio)
{
  GPtrArray *choices = g_ptr_array_new ();

  for (guint i = 0; i < verdicts->len; i++) {
    PjVerdict *verdict = verdicts->pdata[i];
    gboolean known = verdict->ratio != ratio || verdict->refusal != NULL || starts_anew (verdict);
    for (guint k = 0; k < choices->len && !known; k++)
      known = g_str_equal (((PjVerdict *) choices->pdata[k])->method, verdict->method);
    if (!known)
      g_ptr_array_add (choices, verdict);
  }
  return choices;
}

/* --- agreement --- */

typedef double (*Agreement) (const PjGroups *groups, const PjCompareRow *a, const PjCompareRow *b);

static const PjCompareRow *
row_of_seed (const PjVerdict *self, uint64_t seed)
{
  for (guint i = 0; i < self->rows->len; i++)
    if (((const PjCompareRow *) self->rows->pdata[i])->seed == seed)
      return self->rows->pdata[i];
  return NULL;
}

/* The mean of @agreement over the seeds that both have; without one, of their first rows. */
static double
mean_over_seeds (const PjGroups *groups, const PjVerdict *a, const PjVerdict *b, Agreement agreement)
{
  double sum = 0;
  unsigned n = 0;

  for (guint i = 0; i < a->rows->len; i++) {
    const PjCompareRow *row = a->rows->pdata[i], *other = row_of_seed (b, row->seed);
    double value = other != NULL ? agreement (groups, row, other) : NAN;
    if (isnan (value))
      continue;
    sum += value;
    n++;
  }
  return n > 0 ? sum / n : agreement (groups, a->rows->pdata[0], b->rows->pdata[0]);
}

static double
row_overlap (const PjGroups *groups, const PjCompareRow *a, const PjCompareRow *b)
{
  return a->plan != NULL && b->plan != NULL && a->refusal == NULL && b->refusal == NULL
           ? pj_cut_plan_overlap (groups, a->plan, b->plan) : NAN;
}

static double
row_correlation (const PjGroups *groups, const PjCompareRow *a, const PjCompareRow *b)
{
  double sum = 0, weight = 0;

  if (a->scores == NULL || b->scores == NULL)
    return NAN;
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroupScores *x = pj_scores_get (a->scores, (int) g), *y = pj_scores_get (b->scores, (int) g);
    if (x == NULL || y == NULL || x->score == NULL || y->score == NULL || x->n_channels != y->n_channels)
      continue;
    sum += x->n_channels * pj_rank_correlation (x->score, y->score, x->n_channels);
    weight += x->n_channels;
  }
  return weight > 0 ? sum / weight : NAN;
}

double
pj_verdict_overlap (const PjGroups *groups, const PjVerdict *a, const PjVerdict *b)
{
  return mean_over_seeds (groups, a, b, row_overlap);
}

double
pj_verdict_correlation (const PjGroups *groups, const PjVerdict *a, const PjVerdict *b)
{
  return mean_over_seeds (groups, a, b, row_correlation);
}

/* --- layers --- */

double
pj_verdict_layer_kl (const PjVerdict *self, int group)
{
  PjSpread kl = { 0 };

  for (guint i = 0; i < self->rows->len; i++) {
    const PjCompareRow *row = self->rows->pdata[i];
    if (row->layer_kl != NULL && group >= 0 && (unsigned) group < row->n_groups)
      spread_add (&kl, row->layer_kl[group]);
  }
  return kl.n > 0 ? kl.mean : -1;
}

int
pj_verdicts_layer_winner (const GPtrArray *verdicts, double ratio, int group, double *kl)
{
  int winner = -1;
  double best = INFINITY;

  for (guint i = 0; i < verdicts->len; i++) {
    const PjVerdict *verdict = verdicts->pdata[i];
    double value = verdict->ratio == ratio ? pj_verdict_layer_kl (verdict, group) : -1;
    if (value < 0 || value >= best)
      continue;
    best = value;
    winner = (int) i;
  }
  if (kl != NULL)
    *kl = winner >= 0 ? best : -1;
  return winner;
}

/* --- accuracy against cost --- */

static gboolean
beats (const PjVerdict *a, const PjVerdict *b)
{
  return (a->last.mean >= b->last.mean && a->cost.macs < b->cost.macs)
         || (a->last.mean > b->last.mean && a->cost.macs <= b->cost.macs);
}

void
pj_verdicts_front (const GPtrArray *verdicts, gboolean *on_front)
{
  for (guint i = 0; i < verdicts->len; i++) {
    const PjVerdict *verdict = verdicts->pdata[i];
    on_front[i] = verdict->last.n > 0;
    for (guint k = 0; k < verdicts->len && on_front[i]; k++) {
      const PjVerdict *other = verdicts->pdata[k];
      on_front[i] = other->last.n == 0 || !beats (other, verdict);
    }
  }
}

/* --- classes --- */

GArray *
pj_class_changes_new (const uint16_t *labels, const uint16_t *base, const uint16_t *changed, unsigned n, unsigned n_classes)
{
  g_autofree PjClassChange *all = g_new0 (PjClassChange, MAX (n_classes, 1u));
  GArray *changes = g_array_new (FALSE, FALSE, sizeof (PjClassChange));

  for (unsigned i = 0; i < n; i++) {
    if (labels[i] >= n_classes)
      continue;
    PjClassChange *class = &all[labels[i]];
    class->n++;
    class->base += base[i] == labels[i];
    class->changed += changed[i] == labels[i];
  }
  for (unsigned k = 0; k < n_classes; k++) {
    if (all[k].n == 0)
      continue;
    all[k].label = k;
    all[k].base /= all[k].n;
    all[k].changed /= all[k].n;
    g_array_append_val (changes, all[k]);
  }
  return changes;
}
