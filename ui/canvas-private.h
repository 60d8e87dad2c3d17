/* SPDX-License-Identifier: MIT */
/* What canvas.c, canvas-view.c and canvas-hands.c share. */
#pragma once

#include "canvas.h"

struct _PjuCanvas {
  GtkWidget parent;
  PjuStudio *studio;
  PjuGraph *graph;
  PjuGraphView view;
  char *match;
  double drag_x, drag_y, pinch_scale, pointer_x, pointer_y;
  gboolean dragged, fit_pending, restored;
  guint redraw;
};

/* The view changed: draws again and says so. */
void pju_canvas_changed (PjuCanvas *self);
/* Enter on a layer. */
void pju_canvas_activated (PjuCanvas *self);
/* Unfolds the block that @box stands for, if it stands for one. */
void pju_canvas_unfold (PjuCanvas *self, int box);

/* canvas-view.c */
void pju_canvas_clamp (PjuCanvas *self);
/* x, y: the point of the widget that stays where it is */
void pju_canvas_zoom_at (PjuCanvas *self, double scale, double x, double y);
void pju_canvas_first_view (PjuCanvas *self);
/* Scrolls by the least that brings the box into sight. */
void pju_canvas_reveal (PjuCanvas *self, int box);

/* canvas-hands.c */
void pju_canvas_add_bindings (GtkWidgetClass *klass);
void pju_canvas_add_gestures (PjuCanvas *self);
