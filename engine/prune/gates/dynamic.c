/* SPDX-License-Identifier: MIT */
#include "prune/gates/dynamic.h"

#include <math.h>
#include <string.h>

#include "prune/budget/budget.h"

/* The best filter of a layer; of equal ones the last, as everywhere. */
static int
best_of (const PjDynamicLayer *layer)
{
  int best = 0;
  for (int c = 1; c < layer->n; c++)
    if (layer->score[c] >= layer->score[best])
      best = c;
  return best;
}

void
pj_dynamic_masks (const PjDynamicLayer *layers, unsigned n_layers, double share)
{
  int n = 0, at = 0;

  for (unsigned l = 0; l < n_layers; l++)
    n += layers[l].n;
  g_autofree double *all = g_new (double, n);
  g_autofree guint8 *keep = g_malloc ((gsize) n);
  for (unsigned l = 0; l < n_layers; at += layers[l++].n)
    memcpy (all + at, layers[l].score, (size_t) layers[l].n * sizeof (double));
  pj_keep_top (all, n, pj_keep_count (n, share, 1), keep);
  at = 0;
  for (unsigned l = 0; l < n_layers; at += layers[l++].n) {
    memcpy (layers[l].mask, keep + at, (size_t) layers[l].n);
    if (memchr (layers[l].mask, 1, (size_t) layers[l].n) == NULL)
      layers[l].mask[best_of (&layers[l])] = 1;
  }
}

void
pj_dynamic_normalise (double *score, int n)
{
  double sum = 0;
  for (int c = 0; c < n; c++)
    sum += score[c] * score[c];
  for (int c = 0; c < n && sum > 0; c++)
    score[c] /= sqrt (sum);
}

void
pj_dynamic_mix (double *state, double *sum, int n, double n_batches, double momentum)
{
  for (int c = 0; c < n; c++) {
    state[c] = momentum * state[c] + (1 - momentum) * sum[c] / n_batches;
    sum[c] = 0;
  }
}

void
pj_dynamic_charge (double *score, const double *share, int n, double lambda)
{
  for (int c = 0; c < n; c++)
    score[c] -= lambda * share[c];
}
