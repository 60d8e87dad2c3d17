/* SPDX-License-Identifier: MIT */
/* What graph.c and graph-paint.c share. */
#pragma once

#include <string.h>

#include "graph.h"

typedef struct {
  PjmLayer *layer;                 /* of a folded block: its first layer with channels */
  GPtrArray *inside;               /* (nullable) PjmLayer: of a folded block */
  int block;
  char *name;                      /* (nullable): of a folded block */
  double x, y, w, h;
  PangoLayout *title, *detail;     /* made when first drawn */
  guint detail_kept;               /* value of "kept" in @detail */
  char *key;                       /* what a search looks at */
} PjuNode;

typedef struct { int from, to; guint n_points, first; } PjuLink;

struct _PjuGraph {
  GArray *nodes;                   /* PjuNode */
  GArray *links;                   /* PjuLink */
  GArray *points;                  /* double */
  double width, height;
  PjuTint paper_tint;
};

static inline PjuNode *
pju_node (PjuGraph *self, guint box)
{
  return &g_array_index (self->nodes, PjuNode, box);
}

gboolean pju_node_matches (PjuNode *node, const char *folded);
