/* SPDX-License-Identifier: MIT */
/* The layered graph inside the layout: boxes and rail nodes ("dots") sorted into ranks, and the
 * segments between neighbouring ranks.  Shared by the steps of the layout; not for others. */
#pragma once

#include "layout/layered.h"

G_BEGIN_DECLS

typedef struct {
  double x;                     /* centre */
  double half;                  /* half of the room it needs sideways */
  unsigned rank, place;         /* place: position within the rank, from the left */
  gboolean is_dot;              /* a rail passing through, not a box */
  gboolean on_trunk;            /* keeps x = 0 */
  GArray *up, *down;            /* (element-type unsigned) dots joined with, in the ranks beside */
} PjDot;

typedef struct {
  GArray *dots;                 /* (element-type PjDot): boxes first, in their order */
  GPtrArray *ranks;             /* (element-type GArray of unsigned): dots from left to right */
  unsigned n_boxes;
  GHashTable *rails;            /* source box -> GArray of unsigned: its rail from top to bottom */
} PjRanks;

static inline PjDot *
pj_ranks_dot (const PjRanks *self, unsigned dot)
{
  return &g_array_index (self->dots, PjDot, dot);
}

/* Longest-path ranks, rails, trunk.  Links must be valid. */
PjRanks *pj_ranks_new (const PjLayoutSize *sizes, unsigned n_nodes, const PjLayoutLink *links,
                       unsigned n_links, const PjLayoutSpacing *spacing);
void pj_ranks_free (PjRanks *self);

/* Barycentre sweeps; keeps the best order that was seen.  Returns its number of crossings. */
guint64 pj_ranks_order (PjRanks *self);
/* Gives every dot its x. */
void pj_ranks_place (PjRanks *self);
/* Rail node of @box in @rank, or -1 if its rail does not pass there. */
int pj_ranks_rail_at (const PjRanks *self, unsigned box, unsigned rank);

G_END_DECLS
