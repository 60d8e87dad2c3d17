/* SPDX-License-Identifier: MIT */
/* The control that looks at nothing: every group keeps the same share of its channels, spread evenly over their numbers.
 *
 * Channels get the order of the van der Corput sequence (0, 1/2, 1/4, 3/4 …), of which every beginning is spread evenly,
 * so one score serves all ratios.  The k-th of C channels in this order scores 1 − k/C: one list of all channels
 * takes the same share of every group, whatever the budget counts. */
#include "prune/criteria/criteria.h"

/* The bits of @i mirrored about the point: 1 -> 1/2, 2 -> 1/4, 3 -> 3/4. */
static double
van_der_corput (unsigned i)
{
  double place = 0, bit = 0.5;

  for (; i > 0; i >>= 1, bit /= 2)
    place += bit * (i & 1);
  return place;
}

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  int n = group->n_channels, ranked = 0;
  g_autofree gboolean *taken = g_new0 (gboolean, n);

  for (unsigned i = 0; ranked < n; i++) {
    int c = (int) (van_der_corput (i) * n);
    if (taken[c])
      continue;
    taken[c] = TRUE;
    out[c] = 1 - (double) ranked++ / n;
  }
  return TRUE;
}

const PjCriterion pj_criterion_uniform_thin = {
  .name = "uniform-thin", .title = "Uniform thinning",
  .about = "Keeps the same share of every group, evenly spread channels whatever they hold. "
           "It is the control for a choice by merit, and under a budget also the control for unequal widths.",
  .source = "baseline",
  .comparable = TRUE, .score = score,
};
