/* SPDX-License-Identifier: MIT */
/* The canvas's transform: what part of the network is in sight, and how large. */
#include <math.h>

#include "canvas-private.h"

#define MIN_SCALE 0.05
#define MAX_SCALE 3.0

/* Keeps some of the drawing in sight; a drawing smaller than the window stays whole and centred. */
static double
clamp_axis (double at, double drawing, double visible)
{
  if (drawing <= visible)
    return (drawing - visible) / 2;
  return CLAMP (at, -visible * .25, drawing - visible * .75);
}

void
pju_canvas_clamp (PjuCanvas *self)
{
  double w, h;
  pju_graph_get_size (self->graph, &w, &h);
  self->view.x = clamp_axis (self->view.x, w, self->view.width / self->view.scale);
  self->view.y = clamp_axis (self->view.y, h, self->view.height / self->view.scale);
}

void
pju_canvas_zoom_at (PjuCanvas *self, double scale, double x, double y)
{
  PjuGraphView *v = &self->view;
  scale = CLAMP (scale, MIN_SCALE, MAX_SCALE);
  v->x += x / v->scale - x / scale;
  v->y += y / v->scale - y / scale;
  v->scale = scale;
  pju_canvas_clamp (self);
  pju_canvas_changed (self);
}

void
pju_canvas_fit (PjuCanvas *self)
{
  PjuGraphView *v = &self->view;
  double w, h;
  pju_graph_get_size (self->graph, &w, &h);
  if (w <= 0 || h <= 0 || v->width <= 0)
    return;
  v->scale = CLAMP (MIN (v->width / w, v->height / h), MIN_SCALE, 1);
  v->x = (w - v->width / v->scale) / 2;
  v->y = (h - v->height / v->scale) / 2;
  pju_canvas_changed (self);
}

/* The first look at a network: all of it where that can be read, else its beginning. */
void
pju_canvas_first_view (PjuCanvas *self)
{
  PjuGraphView *v = &self->view;
  double w, h;
  pju_graph_get_size (self->graph, &w, &h);
  if (w <= 0 || v->width <= 0)
    return;
  v->scale = CLAMP (MIN (v->width / w, v->height / h), .75, 1);
  v->x = (w - v->width / v->scale) / 2;
  v->y = 0;
  pju_canvas_clamp (self);
  pju_canvas_changed (self);
}

void
pju_canvas_zoom_by (PjuCanvas *self, double factor)
{
  pju_canvas_zoom_at (self, self->view.scale * factor, self->view.width / 2, self->view.height / 2);
}

void
pju_canvas_zoom_to (PjuCanvas *self, double scale)
{
  pju_canvas_zoom_at (self, scale, self->view.width / 2, self->view.height / 2);
}

double
pju_canvas_get_scale (PjuCanvas *self)
{
  return self->view.scale;
}

void
pju_canvas_get_visible (PjuCanvas *self, graphene_rect_t *rect)
{
  graphene_rect_init (rect, self->view.x, self->view.y, self->view.width / self->view.scale,
                      self->view.height / self->view.scale);
}

void
pju_canvas_set_view (PjuCanvas *self, double scale, double x, double y)
{
  if (!(scale > 0) || !isfinite (x) || !isfinite (y))
    return;
  self->view.scale = CLAMP (scale, MIN_SCALE, MAX_SCALE);
  self->view.x = x;
  self->view.y = y;
  self->fit_pending = FALSE;
  self->restored = self->view.width <= 0;
  if (self->view.width > 0)
    pju_canvas_clamp (self);
  pju_canvas_changed (self);
}

void
pju_canvas_center_on (PjuCanvas *self, double x, double y)
{
  self->view.x = x - self->view.width / self->view.scale / 2;
  self->view.y = y - self->view.height / self->view.scale / 2;
  pju_canvas_clamp (self);
  pju_canvas_changed (self);
}

/* Scrolls by the least that brings the box into sight. */
void
pju_canvas_reveal (PjuCanvas *self, int box)
{
  PjuGraphView *v = &self->view;
  graphene_rect_t rect;
  double margin = 24 / v->scale, w = v->width / v->scale, h = v->height / v->scale;

  if (box < 0 || v->width <= 0)
    return;
  pju_graph_get_box (self->graph, box, &rect);
  if (rect.origin.x - margin < v->x)
    v->x = rect.origin.x - margin;
  else if (rect.origin.x + rect.size.width + margin > v->x + w)
    v->x = rect.origin.x + rect.size.width + margin - w;
  if (rect.origin.y - margin < v->y)
    v->y = rect.origin.y - margin;
  else if (rect.origin.y + rect.size.height + margin > v->y + h)
    v->y = rect.origin.y + rect.size.height + margin - h;
  pju_canvas_clamp (self);
  pju_canvas_changed (self);
}
