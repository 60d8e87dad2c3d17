/* SPDX-License-Identifier: MIT */
/* The order within each rank: sweeps down and up sort every rank by the mean place of its neighbours
 * in the rank before (the barycentre), ties by the present place, and the order with the fewest
 * crossings is kept. */

#include "layout/ranks.h"

/* Sweeps after which barycentres rarely improve anything. */
#define MAX_SWEEPS 24
#define PATIENCE 6

typedef struct { double key; unsigned place, dot; } Slot;

static int
compare_slots (gconstpointer a, gconstpointer b)
{
  const Slot *s = a, *t = b;

  if (s->key != t->key)
    return s->key < t->key ? -1 : 1;
  return s->place < t->place ? -1 : s->place > t->place;
}

static double
barycentre (const PjRanks *self, const PjDot *dot, gboolean from_above)
{
  const GArray *others = from_above ? dot->up : dot->down;
  double sum = 0;

  if (others->len == 0)
    return dot->place;
  for (unsigned i = 0; i < others->len; i++)
    sum += pj_ranks_dot (self, g_array_index (others, unsigned, i))->place;
  return sum / others->len;
}

static void
sort_rank (PjRanks *self, unsigned rank, gboolean from_above)
{
  GArray *row = g_ptr_array_index (self->ranks, rank);
  g_autofree Slot *slots = g_new (Slot, MAX (row->len, 1));

  for (unsigned i = 0; i < row->len; i++) {
    const unsigned dot = g_array_index (row, unsigned, i);
    slots[i] = (Slot) { barycentre (self, pj_ranks_dot (self, dot), from_above), i, dot };
  }
  qsort (slots, row->len, sizeof *slots, compare_slots);
  for (unsigned i = 0; i < row->len; i++) {
    g_array_index (row, unsigned, i) = slots[i].dot;
    pj_ranks_dot (self, slots[i].dot)->place = i;
  }
}

static int
compare_unsigned (gconstpointer a, gconstpointer b)
{
  const unsigned x = *(const unsigned *) a, y = *(const unsigned *) b;

  return x < y ? -1 : x > y;
}

/* Crossings between a rank and the next: inversions of the lower places, counted by a Fenwick tree. */
static guint64
count_between (const PjRanks *self, unsigned rank)
{
  const GArray *row = g_ptr_array_index (self->ranks, rank);
  const GArray *next = g_ptr_array_index (self->ranks, rank + 1);
  g_autofree unsigned *tree = g_new0 (unsigned, next->len + 1);
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (unsigned));
  guint64 crossings = 0;
  unsigned n_seen = 0;

  for (unsigned i = 0; i < row->len; i++) {
    const PjDot *dot = pj_ranks_dot (self, g_array_index (row, unsigned, i));
    g_array_set_size (places, 0);
    for (unsigned j = 0; j < dot->down->len; j++)
      g_array_append_val (places, pj_ranks_dot (self, g_array_index (dot->down, unsigned, j))->place);
    g_array_sort (places, compare_unsigned);
    /* First ask for all, then add all: segments from one dot do not cross each other. */
    for (unsigned j = 0; j < places->len; j++) {
      unsigned before = 0;
      for (unsigned k = g_array_index (places, unsigned, j) + 1; k > 0; k -= k & -k)
        before += tree[k];
      crossings += n_seen - before;
    }
    for (unsigned j = 0; j < places->len; j++)
      for (unsigned k = g_array_index (places, unsigned, j) + 1; k <= next->len; k += k & -k)
        tree[k]++;
    n_seen += places->len;
  }
  return crossings;
}

static guint64
count_crossings (const PjRanks *self)
{
  guint64 sum = 0;

  for (unsigned rank = 0; rank + 1 < self->ranks->len; rank++)
    sum += count_between (self, rank);
  return sum;
}

static void
save_places (const PjRanks *self, unsigned *places)
{
  for (unsigned i = 0; i < self->dots->len; i++)
    places[i] = pj_ranks_dot (self, i)->place;
}

static void
load_places (PjRanks *self, const unsigned *places)
{
  for (unsigned i = 0; i < self->dots->len; i++) {
    PjDot *dot = pj_ranks_dot (self, i);
    dot->place = places[i];
    g_array_index ((GArray *) g_ptr_array_index (self->ranks, dot->rank), unsigned, places[i]) = i;
  }
}

guint64
pj_ranks_order (PjRanks *self)
{
  g_autofree unsigned *best_places = g_new (unsigned, MAX (self->dots->len, 1));
  guint64 best = count_crossings (self);
  unsigned idle = 0;

  save_places (self, best_places);
  for (unsigned sweep = 0; sweep < MAX_SWEEPS && best > 0 && idle < PATIENCE; sweep++) {
    const gboolean down = sweep % 2 == 0;
    for (unsigned i = 1; i < self->ranks->len; i++)
      sort_rank (self, down ? i : self->ranks->len - 1 - i, down);
    const guint64 now = count_crossings (self);
    idle = now < best ? 0 : idle + 1;
    if (now < best) {
      best = now;
      save_places (self, best_places);
    }
  }
  load_places (self, best_places);
  return best;
}
