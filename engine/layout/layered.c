/* SPDX-License-Identifier: MIT */
/* The layout from outside: checks, the three steps in their order, and the edges as curves. */

#include "layout/layered.h"

#include "base/error.h"
#include "layout/ranks.h"

static gboolean
check (unsigned n_nodes, const PjLayoutLink *links, unsigned n_links, GError **error)
{
  if (n_nodes > PJ_LAYOUT_MAX_NODES) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                 "the network has %u boxes, more than the %d that can be drawn", n_nodes,
                 PJ_LAYOUT_MAX_NODES);
    return FALSE;
  }
  for (unsigned i = 0; i < n_links; i++)
    if (links[i].from < 0 || links[i].to <= links[i].from || (unsigned) links[i].to >= n_nodes) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "edge %u goes from box %d to box %d of %u", i,
                   links[i].from, links[i].to, n_nodes);
      return FALSE;
    }
  return TRUE;
}

static void
append (GArray *points, double x, double y)
{
  const PjLayoutPoint point = { x, y };

  g_array_append_val (points, point);
}

/* One cubic piece to (x, y) that leaves and arrives vertically. */
static void
bend_to (GArray *points, double x, double y)
{
  const PjLayoutPoint last = g_array_index (points, PjLayoutPoint, points->len - 1);
  const double middle = (last.y + y) / 2;

  append (points, last.x, middle);
  append (points, x, middle);
  append (points, x, y);
}

/* A straight piece down to @y; lengthens the last piece if that was straight too. */
static void
drop_to (GArray *points, double y)
{
  PjLayoutPoint *end = &g_array_index (points, PjLayoutPoint, points->len - 1);

  if (points->len >= 4 && end[-3].x == end->x) {
    end->y = y;
    end[-1].y = end[-2].y = (end[-3].y + y) / 2;
    return;
  }
  bend_to (points, end->x, y);
}

static PjLayoutCurve
draw_link (const PjRanks *ranks, const PjLayoutLink *link, const PjLayout *self,
           const PjLayoutSize *sizes, const double *top, const double *height)
{
  const PjDot *from = pj_ranks_dot (ranks, link->from), *to = pj_ranks_dot (ranks, link->to);
  GArray *points = g_array_new (FALSE, FALSE, sizeof (PjLayoutPoint));

  append (points, from->x, self->boxes[link->from].y + sizes[link->from].height);
  drop_to (points, top[from->rank] + height[from->rank]);
  for (unsigned rank = from->rank + 1; rank < to->rank; rank++) {
    const int dot = pj_ranks_rail_at (ranks, link->from, rank);
    if (dot < 0)
      break;
    const double x = pj_ranks_dot (ranks, dot)->x;
    if (x == g_array_index (points, PjLayoutPoint, points->len - 1).x)
      drop_to (points, top[rank]);
    else
      bend_to (points, x, top[rank]);
    drop_to (points, top[rank] + height[rank]);
  }
  if (to->x == g_array_index (points, PjLayoutPoint, points->len - 1).x)
    drop_to (points, self->boxes[link->to].y);
  else
    bend_to (points, to->x, self->boxes[link->to].y);
  const unsigned n_points = points->len;
  return (PjLayoutCurve) { n_points, (PjLayoutPoint *) (void *) g_array_free (points, FALSE) };
}

/* Turns centres into corners, with everything to the right of and below the margin. */
static void
place_boxes (PjLayout *self, PjRanks *ranks, const PjLayoutSize *sizes,
             const PjLayoutSpacing *spacing, double *top, double *height)
{
  double left = 0, right = 0, y = spacing->margin;

  for (unsigned i = 0; i < ranks->dots->len; i++) {
    const PjDot *dot = pj_ranks_dot (ranks, i);
    const double half = dot->is_dot ? dot->half : dot->half - spacing->between / 2;
    left = i == 0 ? dot->x - half : MIN (left, dot->x - half);
    right = i == 0 ? dot->x + half : MAX (right, dot->x + half);
  }
  for (unsigned i = 0; i < ranks->dots->len; i++)
    pj_ranks_dot (ranks, i)->x += spacing->margin - left;
  for (unsigned i = 0; i < self->n_nodes; i++) {
    const unsigned rank = pj_ranks_dot (ranks, i)->rank;
    height[rank] = MAX (height[rank], sizes[i].height);
  }
  for (unsigned rank = 0; rank < ranks->ranks->len; rank++) {
    top[rank] = y;
    y += height[rank] + spacing->layer;
  }
  for (unsigned i = 0; i < self->n_nodes; i++) {
    const PjDot *dot = pj_ranks_dot (ranks, i);
    self->layers[i] = dot->rank;
    self->boxes[i].x = dot->x - sizes[i].width / 2;
    self->boxes[i].y = top[dot->rank] + (height[dot->rank] - sizes[i].height) / 2;
  }
  self->width = right - left + 2 * spacing->margin;
  self->height = ranks->ranks->len == 0 ? 2 * spacing->margin : y - spacing->layer + spacing->margin;
}

PjLayout *
pj_layout_new (const PjLayoutSize *sizes, unsigned n_nodes, const PjLayoutLink *links,
               unsigned n_links, const PjLayoutSpacing *spacing, GError **error)
{
  const PjLayoutSpacing spaces = spacing ? *spacing : PJ_LAYOUT_SPACING_DEFAULT;

  if (!check (n_nodes, links, n_links, error))
    return NULL;
  PjRanks *ranks = pj_ranks_new (sizes, n_nodes, links, n_links, &spaces);
  PjLayout *self = g_new0 (PjLayout, 1);
  self->n_nodes = n_nodes;
  self->n_links = n_links;
  self->n_layers = ranks->ranks->len;
  self->boxes = g_new0 (PjLayoutPoint, MAX (n_nodes, 1));
  self->layers = g_new0 (unsigned, MAX (n_nodes, 1));
  self->curves = g_new0 (PjLayoutCurve, MAX (n_links, 1));
  self->n_crossings = pj_ranks_order (ranks);
  pj_ranks_place (ranks);

  g_autofree double *top = g_new0 (double, MAX (self->n_layers, 1));
  g_autofree double *height = g_new0 (double, MAX (self->n_layers, 1));
  place_boxes (self, ranks, sizes, &spaces, top, height);
  for (unsigned i = 0; i < n_links; i++)
    self->curves[i] = draw_link (ranks, &links[i], self, sizes, top, height);
  pj_ranks_free (ranks);
  return self;
}

void
pj_layout_free (PjLayout *self)
{
  if (self == NULL)
    return;
  for (unsigned i = 0; i < self->n_links; i++)
    g_free (self->curves[i].points);
  g_free (self->curves);
  g_free (self->boxes);
  g_free (self->layers);
  g_free (self);
}
