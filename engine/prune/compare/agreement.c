/* SPDX-License-Identifier: MIT */
/* How much two choices or two score lists agree. */
#include <math.h>
#include <stdlib.h>

#include "prune/compare/compare.h"

double
pj_cut_plan_overlap (const PjGroups *groups, const PjCutPlan *a, const PjCutPlan *b)
{
  double both = 0, either = 0;

  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    const PjGroupCut *x = pj_cut_plan_get (a, group->id), *y = pj_cut_plan_get (b, group->id);
    if (x == NULL && y == NULL)
      continue;
    for (int c = 0; c < group->n_channels; c++) {
      gboolean in_a = x == NULL || x->keep[c], in_b = y == NULL || y->keep[c];
      both += in_a && in_b;
      either += in_a || in_b;
    }
  }
  return either > 0 ? both / either : 1;
}

typedef struct { double value; int index; } Ranked;

static int
compare_ranked (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;
  if (x->value != y->value)
    return x->value < y->value ? -1 : 1;
  return x->index - y->index;
}

/* Ranks 0 … n-1; equal values share the mean of their ranks. */
static void
rank (const double *value, int n, double *out)
{
  g_autofree Ranked *sorted = g_new (Ranked, n);

  for (int i = 0; i < n; i++)
    sorted[i] = (Ranked) { value[i], i };
  qsort (sorted, (size_t) n, sizeof (Ranked), compare_ranked);
  for (int i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && sorted[end].value == sorted[i].value; end++);
    for (int k = i; k < end; k++)
      out[sorted[k].index] = (i + end - 1) / 2.0;
  }
}

double
pj_rank_correlation (const double *a, const double *b, int n)
{
  g_autofree double *x = g_new (double, MAX (n, 1));
  g_autofree double *y = g_new (double, MAX (n, 1));
  double mean = (n - 1) / 2.0, xx = 0, yy = 0, xy = 0;

  rank (a, n, x);
  rank (b, n, y);
  for (int i = 0; i < n; i++) {
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
    xy += (x[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / sqrt (xx * yy) : 0;
}
