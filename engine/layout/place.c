/* SPDX-License-Identifier: MIT */
/* The x of every dot.  Each dot would like to stand at the weighted mean of its neighbours; a rank
 * keeps its order and its distances.  That is a weighted isotonic regression per rank, solved by
 * pooling adjacent violators; passes down, up and with both sides settle the whole drawing.
 * The trunk stays at x = 0 and the rest of its rank is pushed to either side. */

#include "layout/ranks.h"

#define N_PASSES 10

typedef enum { FROM_ABOVE = 1, FROM_BELOW = 2, FROM_BOTH = 3 } Side;

typedef struct { double sum, weight; unsigned count; } Pool;

/* A rail should be straighter than the short ends at its boxes. */
static double
segment_weight (const PjDot *a, const PjDot *b)
{
  return a->is_dot && b->is_dot ? 8 : a->is_dot || b->is_dot ? 2 : 1;
}

static void
pull (const PjRanks *self, const PjDot *dot, const GArray *others, double *sum, double *weight)
{
  for (unsigned i = 0; i < others->len; i++) {
    const PjDot *other = pj_ranks_dot (self, g_array_index (others, unsigned, i));
    const double w = segment_weight (dot, other);
    *sum += w * other->x;
    *weight += w;
  }
}

/* Replaces @wish by the closest non-decreasing sequence in the sense of weighted least squares. */
static void
make_monotone (double *wish, const double *weight, unsigned n)
{
  g_autofree Pool *pools = g_new (Pool, MAX (n, 1));
  unsigned n_pools = 0;

  for (unsigned i = 0; i < n; i++) {
    Pool pool = { wish[i] * weight[i], weight[i], 1 };
    while (n_pools > 0 && pools[n_pools - 1].sum / pools[n_pools - 1].weight > pool.sum / pool.weight) {
      n_pools--;
      pool.sum += pools[n_pools].sum;
      pool.weight += pools[n_pools].weight;
      pool.count += pools[n_pools].count;
    }
    pools[n_pools++] = pool;
  }
  for (unsigned p = 0, i = 0; p < n_pools; p++)
    for (unsigned j = 0; j < pools[p].count; j++)
      wish[i++] = pools[p].sum / pools[p].weight;
}

static void
place_rank (PjRanks *self, unsigned rank, Side side)
{
  const GArray *row = g_ptr_array_index (self->ranks, rank);
  const unsigned n = row->len;
  g_autofree double *wish = g_new (double, MAX (n, 1));
  g_autofree double *weight = g_new (double, MAX (n, 1));
  g_autofree double *offset = g_new (double, MAX (n, 1));
  int trunk = -1;

  for (unsigned i = 0; i < n; i++) {
    const PjDot *dot = pj_ranks_dot (self, g_array_index (row, unsigned, i));
    double sum = 0, w = 0;
    if (side & FROM_ABOVE)
      pull (self, dot, dot->up, &sum, &w);
    if (side & FROM_BELOW)
      pull (self, dot, dot->down, &sum, &w);
    offset[i] = i == 0 ? 0
      : offset[i - 1] + pj_ranks_dot (self, g_array_index (row, unsigned, i - 1))->half + dot->half;
    wish[i] = (w > 0 ? sum / w : dot->x) - offset[i];
    weight[i] = MAX (w, 1);
    if (dot->on_trunk)
      trunk = i;
  }
  if (trunk >= 0) {
    const double at = -offset[trunk];
    make_monotone (wish, weight, trunk);
    make_monotone (wish + trunk + 1, weight + trunk + 1, n - trunk - 1);
    for (unsigned i = 0; i < n; i++)
      wish[i] = i == (unsigned) trunk ? at : i < (unsigned) trunk ? MIN (wish[i], at) : MAX (wish[i], at);
  } else {
    make_monotone (wish, weight, n);
  }
  for (unsigned i = 0; i < n; i++)
    pj_ranks_dot (self, g_array_index (row, unsigned, i))->x = wish[i] + offset[i];
}

void
pj_ranks_place (PjRanks *self)
{
  const unsigned n = self->ranks->len;

  /* A start without overlaps. */
  for (unsigned rank = 0; rank < n; rank++)
    place_rank (self, rank, FROM_ABOVE);
  for (unsigned pass = 0; pass < N_PASSES; pass++) {
    const Side down = pass < N_PASSES / 2 ? FROM_ABOVE : FROM_BOTH;
    const Side up = pass < N_PASSES / 2 ? FROM_BELOW : FROM_BOTH;
    for (unsigned i = 1; i < n; i++)
      place_rank (self, i, down);
    for (unsigned i = n; i-- > 0;)
      place_rank (self, i, up);
  }
}
