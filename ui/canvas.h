/* SPDX-License-Identifier: MIT */
/* PjuCanvas: the network as a map: pan, zoom, select, walk. */
#pragma once

#include "graph.h"

G_BEGIN_DECLS

#define PJU_TYPE_CANVAS (pju_canvas_get_type ())
G_DECLARE_FINAL_TYPE (PjuCanvas, pju_canvas, PJU, CANVAS, GtkWidget)

/* Signals: "view-changed": zoom or position; "activated": Enter on a layer. */
void pju_canvas_set_studio (PjuCanvas *self, PjuStudio *studio);
PjuGraph *pju_canvas_get_graph (PjuCanvas *self);
void pju_canvas_zoom_by (PjuCanvas *self, double factor);
void pju_canvas_zoom_to (PjuCanvas *self, double scale);
void pju_canvas_fit (PjuCanvas *self);
double pju_canvas_get_scale (PjuCanvas *self);
/* The visible part, in layout units. */
void pju_canvas_get_visible (PjuCanvas *self, graphene_rect_t *rect);
/* The same view again; before the first size is known, the first look. */
void pju_canvas_set_view (PjuCanvas *self, double scale, double x, double y);
void pju_canvas_center_on (PjuCanvas *self, double x, double y);
/* Highlights boxes that match @text; NULL or "" for none. */
void pju_canvas_set_match (PjuCanvas *self, const char *text);
/* Selects the next match; FALSE if there is none. */
gboolean pju_canvas_find (PjuCanvas *self, gboolean backwards);
/* What colour means; "view-changed" follows. */
void pju_canvas_set_tint (PjuCanvas *self, PjuTint tint);
PjuTint pju_canvas_get_tint (PjuCanvas *self);
void pju_canvas_save (PjuCanvas *self, const char *name);

G_END_DECLS
