/* SPDX-License-Identifier: MIT */
/* The drawing of a network: boxes, edges, and what a person needs to see of each layer.  Painter only: the
 * canvas adds the hands, the overview draws it small, and saving draws it on paper. */
#pragma once

#include "palette.h"
#include "studio.h"
#include "tint.h"

G_BEGIN_DECLS

typedef struct _PjuGraph PjuGraph;

/* Takes the drawing of @project as it is now. */
PjuGraph *pju_graph_new (PjmProject *project);
void pju_graph_free (PjuGraph *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjuGraph, pju_graph_free)

guint pju_graph_n_boxes (PjuGraph *self);
void pju_graph_get_size (PjuGraph *self, double *width, double *height);
PjmLayer *pju_graph_get_layer (PjuGraph *self, int box);
void pju_graph_get_box (PjuGraph *self, int box, graphene_rect_t *rect);
int pju_graph_find (PjuGraph *self, PjmLayer *layer);
/* The block that @box stands for, or -1. */
int pju_graph_get_folded (PjuGraph *self, int box);
/* The block that @box is part of, or -1. */
int pju_graph_get_block (PjuGraph *self, int box);
/* The box at a point in layout units, or -1. */
int pju_graph_box_at (PjuGraph *self, double x, double y);
/* The box whose middle is nearest; -1 without boxes. */
int pju_graph_nearest (PjuGraph *self, double x, double y);
/* The neighbour of @box when walking: dx, dy of one step; -1 if there is none. */
int pju_graph_neighbour (PjuGraph *self, int box, int dx, int dy);
/* The next box after @box whose name or kind contains @text, any case; -1 if there is none. */
int pju_graph_search (PjuGraph *self, int box, const char *text, gboolean backwards);
/* Layers changed their names or shapes: texts are made anew. */
void pju_graph_forget_texts (PjuGraph *self);

typedef struct {
  double scale, x, y;          /* screen = (layout - x, y) * scale */
  double width, height;        /* of the screen */
  int selected, hover;         /* boxes or -1 */
  gboolean focused;            /* draw the selection as focused */
  const char *match;           /* (nullable): boxes that match a search stand out */
  PjuTint tint;                /* what colour means */
  PjmLayer *layer;             /* (nullable): the selected layer, where a block hides it */
} PjuGraphView;

void pju_graph_paint (PjuGraph *self, cairo_t *cr, const PjuGraphView *view, const PjuPalette *palette);
/* The whole graph with its legend, as a PjuPainter for saving. */
void pju_graph_paint_paper (gpointer self, cairo_t *cr, double width, double height, const PjuPalette *palette);
/* Legend of colours and marks, at the origin of @cr. */
/* @titled: with the name of the quantity, where nothing beside it says it. */
void pju_legend_paint (cairo_t *cr, double width, const PjuTintRange *range, gboolean titled, const PjuPalette *palette);
#define PJU_LEGEND_WIDTH 262
#define PJU_LEGEND_HEIGHT 62
/* The scale of a quantity over all layers. */
void pju_graph_get_range (PjuGraph *self, PjuTint tint, PjuTintRange *range);
/* The quantity that pju_graph_paint_paper() colours by. */
void pju_graph_set_paper_tint (PjuGraph *self, PjuTint tint);

G_END_DECLS
