/* SPDX-License-Identifier: MIT */
#include "prune/search/amc.h"

#include <math.h>

double
pj_amc_cap (PjAmcCost cost, gpointer data, const double *share, unsigned n, unsigned at, double least, double budget)
{
  static const double at_shares[] = { 0, 0.5, 1 };
  g_autofree double *tried = g_new (double, n);
  double f[3];

  for (unsigned i = 0; i < n; i++)
    tried[i] = i < at ? share[i] : least;
  for (int k = 0; k < 3; k++) {
    tried[at] = at_shares[k];
    f[k] = cost (tried, data);
  }
  /* f (a) = c + b·a + q·a², from three places. */
  double q = 2 * (f[0] - 2 * f[1] + f[2]), b = f[2] - f[0] - q, room = budget - f[0];
  if (q > 1e-9 * f[2]) {
    double root = b * b + 4 * q * room;
    return root > 0 ? (sqrt (root) - b) / (2 * q) : 0;
  }
  return b > 0 ? room / b : G_MAXDOUBLE;
}

double
pj_amc_take (double proposed, double cap, double least)
{
  return MIN (1, MAX (least, MIN (proposed, cap)));
}

int
pj_amc_count (int n, double share, int tile)
{
  if (share >= 1)
    return n;
  int k = MAX (1, (int) nearbyint (n * share));
  tile = MAX (1, tile);
  k = (k + tile - 1) / tile * tile;
  if (k > n)
    k = n / tile * tile;
  return k > 0 ? k : n;
}

double
pj_amc_noise (double episode)
{
  return 0.5 * pow (0.95, episode);
}

double
pj_amc_reward (double accuracy, double cost, gboolean free_cost)
{
  return free_cost ? -(1 - accuracy) * log (cost) : accuracy;
}

double
pj_amc_baseline (double baseline, double batch_mean)
{
  return isnan (baseline) ? batch_mean : 0.5 * baseline + 0.5 * batch_mean;
}

void
pj_amc_scale (double *rows, unsigned n_rows, unsigned n_columns)
{
  for (unsigned c = 0; c < n_columns; c++) {
    double least = INFINITY, most = -INFINITY;
    for (unsigned r = 0; r < n_rows; r++) {
      least = MIN (least, rows[r * n_columns + c]);
      most = MAX (most, rows[r * n_columns + c]);
    }
    for (unsigned r = 0; r < n_rows; r++)
      rows[r * n_columns + c] = most > least ? (rows[r * n_columns + c] - least) / (most - least) : 0;
  }
}
