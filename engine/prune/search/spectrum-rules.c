/* SPDX-License-Identifier: MIT */
/* What a spectrum goes by, apart from any network: the order of nested channels, which sizes count as met, the front. */
#include "prune/search/spectrum.h"

#include <stdlib.h>

typedef struct { double score; int channel; } Ranked;

static int
by_falling_score (const void *a, const void *b)
{
  const Ranked *x = a, *y = b;
  if (x->score != y->score)
    return x->score > y->score ? -1 : 1;
  return x->channel - y->channel;
}

void
pj_nested_order (const double *score, int n, int *order)
{
  g_autofree Ranked *ranked = g_new (Ranked, n);
  for (int c = 0; c < n; c++)
    ranked[c] = (Ranked) { score[c], c };
  qsort (ranked, (size_t) n, sizeof (Ranked), by_falling_score);
  for (int c = 0; c < n; c++)
    order[c] = ranked[c].channel;
}

gboolean
pj_spectrum_accepts (double share, double target, double tolerance)
{
  return share <= target && share >= target * (1 - tolerance);
}

void
pj_pareto_front (const double *cost, const double *quality, unsigned n, gboolean *on_front)
{
  for (unsigned i = 0; i < n; i++) {
    on_front[i] = TRUE;
    for (unsigned k = 0; on_front[i] && k < n; k++)
      on_front[i] = !(cost[k] <= cost[i] && quality[k] >= quality[i] && (cost[k] < cost[i] || quality[k] > quality[i]));
  }
}

void
pj_spectrum_options_init (PjSpectrumOptions *options)
{
  *options = (PjSpectrumOptions) {
    .n_draws = 200, .n_best = 10, .idle = 5, .n_images = 256, .n_batches = 10, .least_depth = 0.4, .tolerance = 0.02,
    .floor = 0.3, .multiple = 1, .criterion = pj_criterion_find ("kl"),
  };
}
