/* SPDX-License-Identifier: MIT */
/* The first child stays in its parent's lane; every further one opens a lane, so lanes never cross dots of others.
 * An edge runs in the child's lane down to the parent's row, and there over to the parent's dot. */
#include "step-lanes.h"

typedef struct { int parent; guint lane; } Node;

struct _PjuStepLanes {
  GArray *nodes;
  guint n_lanes;
};

PjuStepLanes *
pju_step_lanes_new (const GPtrArray *steps)
{
  PjuStepLanes *self = g_new0 (PjuStepLanes, 1);
  g_autofree gboolean *continued = g_new0 (gboolean, MAX (1u, steps->len));
  self->nodes = g_array_new (FALSE, FALSE, sizeof (Node));
  for (guint i = 0; i < steps->len; i++) {
    Node node = { -1, 0 };
    PjmStep *parent = pjm_step_get_parent (steps->pdata[i]);
    for (guint k = i; k-- > 0 && parent && node.parent < 0;)
      if (steps->pdata[k] == parent)
        node.parent = (int) k;
    if (node.parent >= 0 && !continued[node.parent]) {
      continued[node.parent] = TRUE;
      node.lane = g_array_index (self->nodes, Node, node.parent).lane;
    } else {
      node.lane = self->n_lanes++;
    }
    g_array_append_val (self->nodes, node);
  }
  return self;
}

void
pju_step_lanes_free (PjuStepLanes *self)
{
  if (!self)
    return;
  g_array_unref (self->nodes);
  g_free (self);
}

guint
pju_step_lanes_n (PjuStepLanes *self)
{
  return self->n_lanes;
}

guint
pju_step_lanes_get (PjuStepLanes *self, guint step)
{
  return g_array_index (self->nodes, Node, step).lane;
}

static double
lane_x (guint lane)
{
  return PJU_LANE_WIDTH * (lane + .5);
}

void
pju_step_lanes_paint (PjuStepLanes *self, guint step, gboolean current, cairo_t *cr, double height, const PjuPalette *palette)
{
  double middle = height / 2;
  cairo_set_line_width (cr, 2);
  for (guint child = 0; child < self->nodes->len; child++) {
    const Node *node = &g_array_index (self->nodes, Node, child);
    GdkRGBA color;
    if (node->parent < 0 || step > child || step < (guint) node->parent)
      continue;
    if (node->lane == 0)
      color = palette->dim;
    else
      pju_palette_series (palette, node->lane - 1, &color);
    pju_set_color (cr, &color, 1);
    double x = lane_x (node->lane);
    if (step == child) {
      cairo_move_to (cr, x, middle);
      cairo_line_to (cr, x, height);
    } else if (step > (guint) node->parent) {
      cairo_move_to (cr, x, 0);
      cairo_line_to (cr, x, height);
    } else {
      double to = lane_x (pju_step_lanes_get (self, step));
      cairo_move_to (cr, x, 0);
      cairo_curve_to (cr, x, middle, to, middle * .4, to, middle);
    }
    cairo_stroke (cr);
  }
  cairo_arc (cr, lane_x (pju_step_lanes_get (self, step)), middle, 6, 0, 2 * G_PI);
  pju_set_color (cr, current ? &palette->accent : &palette->raised, 1);
  cairo_fill_preserve (cr);
  pju_set_color (cr, current ? &palette->accent : &palette->dim, 1);
  cairo_stroke (cr);
}
