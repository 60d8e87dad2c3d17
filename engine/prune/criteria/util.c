/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "prune/criteria/criteria.h"
#include "prune/scores/statistics.h"

static void
give_equal_voice (double *part, int n_channels)
{
  double mean = 0;

  for (int c = 0; c < n_channels; c++)
    mean += part[c] / n_channels;
  for (int c = 0; mean != 0 && c < n_channels; c++)
    part[c] /= mean;
}

static int
compare_numbers (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* The share of a layer's total that the weaker half of its channels carries, 0 … ½. */
static double
fragility (const double *part, int n_channels)
{
  g_autofree double *sorted = g_memdup2 (part, (gsize) n_channels * sizeof (double));
  double weaker = 0, total = 0;

  qsort (sorted, (size_t) n_channels, sizeof (double), compare_numbers);
  for (int c = 0; c < n_channels; c++) {
    total += sorted[c];
    weaker += c < n_channels / 2 ? sorted[c] : 0;
  }
  return total > 0 ? weaker / total : 0;
}

static unsigned
most_fragile (const double *parts, unsigned n_parts, int n_channels)
{
  unsigned best = 0;
  double most = -1;

  for (unsigned i = 0; i < n_parts; i++) {
    double f = fragility (parts + (size_t) i * n_channels, n_channels);
    if (f > most) {
      most = f;
      best = i;
    }
  }
  return best;
}

void
pj_tied_combine (PjTied policy, PjTied usual, double *parts, unsigned n_parts, int n_channels, gboolean equal_voice, double *out)
{
  PjTied how = policy == PJ_TIED_USUAL ? usual : policy;

  memset (out, 0, (size_t) n_channels * sizeof (double));
  if (n_parts <= 1 || how == PJ_TIED_FIRST) {
    for (int c = 0; n_parts > 0 && c < n_channels; c++)
      out[c] = parts[c];
    return;
  }
  for (unsigned i = 0; equal_voice && i < n_parts; i++)
    give_equal_voice (parts + (size_t) i * n_channels, n_channels);
  if (how == PJ_TIED_FRAGILE) {
    memcpy (out, parts + (size_t) most_fragile (parts, n_parts, n_channels) * n_channels, (size_t) n_channels * sizeof (double));
    return;
  }
  for (unsigned i = 0; i < n_parts; i++)
    for (int c = 0; c < n_channels; c++) {
      double x = parts[(size_t) i * n_channels + c];
      out[c] = how == PJ_TIED_MAX && i > 0 ? MAX (out[c], x) : out[c] + x;
    }
  for (int c = 0; how == PJ_TIED_MEAN && c < n_channels; c++)
    out[c] /= n_parts;
}

void
pj_score_activities (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group,
                     PjActivityScore score, double *out)
{
  g_autoptr (GArray) values = pj_group_activities (scoring->graph, group);
  g_autofree double *parts = g_new (double, MAX (1, (gsize) values->len * (gsize) group->n_channels));

  for (guint i = 0; i < values->len; i++) {
    const PjActivity *activity = pj_statistics_get (statistics, g_array_index (values, int, i));
    for (int c = 0; c < group->n_channels; c++)
      parts[(size_t) i * group->n_channels + c] = score (activity, c);
  }
  pj_tied_combine (scoring->tied, PJ_TIED_MEAN, parts, values->len, group->n_channels, TRUE, out);
}
