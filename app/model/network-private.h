/* SPDX-License-Identifier: MIT */
/* A network as the studio sees it: the graph, its groups, the rows of the table and the drawing.  Made on
 * a worker, immutable, shared by counting references; jobs keep one as their snapshot. */
#pragma once

#include "graph/cut.h"
#include "graph/graph.h"
#include "graph/groups.h"
#include "graph/parts.h"
#include "layout/layered.h"
#include "model/project.h"

G_BEGIN_DECLS

/**
 * PjmRow: one row of the table and one box of the drawing.
 * @node: the operator that gives it its name
 * @nodes: (element-type int): @node and what is folded into it, ascending
 * @value: its output
 * @group: id of the group of its output channels, -1 if it has none of its own
 * @block: id of the smallest branch that it lies in, -1 if in none; @part: id of itself as a layer that can be removed, -1
 */
typedef struct {
  char *name, *kind, *detail, *shape, *lock_reason, *ties;
  int node, value, group, block, part;
  GArray *nodes;
  guint channels;
  guint64 params, macs;
} PjmRow;

/* A part between a fork and its join. @rows: (element-type int): ascending, the join last */
typedef struct {
  char *name;
  GArray *rows;
} PjmBlock;

/**
 * PjmDrawing: with some blocks as one box each.
 * @layout: owner of the points of @edges
 * @inside: rows of folded boxes
 * @folded: one per block
 */
typedef struct {
  PjLayout *layout;
  PjmBox *boxes;
  PjmEdge *edges;
  int *inside;
  gboolean *folded;
  guint n_boxes, n_edges;
  double width, height;
} PjmDrawing;

/**
 * PjmNetwork:
 * @model: id in the session, 0 if it is not stored
 * @rows: (element-type PjmRow): in the order of the graph
 * @blocks: (element-type PjmBlock)
 * @drawing: as it is first shown
 */
typedef struct {
  gatomicrefcount ref;
  gint64 model;
  PjGraph *graph;
  PjGroups *groups;
  PjParts *parts;
  PjCost cost;
  GPtrArray *rows;
  GPtrArray *blocks;
  PjmDrawing *drawing;
} PjmNetwork;

/* @graph: (transfer full). Any thread; milliseconds. Fails if the drawing is too large. */
PjmNetwork *pjm_network_new (PjGraph *graph, gint64 model, GError **error);
PjmNetwork *pjm_network_ref (PjmNetwork *self);
void pjm_network_unref (PjmNetwork *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjmNetwork, pjm_network_unref)

/* Bytes of the stored parameters of a network of this cost: weights, biases, norms with their statistics. */
guint64 pjm_cost_size_bytes (const PjCost *cost);

/* --- inside --- */

/* network-rows.c. (transfer full) (element-type PjmRow) */
GPtrArray *pjm_rows_new (const PjGraph *graph, const PjGroups *groups, const PjParts *parts);
/* network-blocks.c. @links: between rows, by target. (transfer full) (element-type PjmBlock) */
GPtrArray *pjm_blocks_new (const PjmNetwork *network, const GArray *links);
/* network-drawing.c. Any thread. */
PjmDrawing *pjm_drawing_new (const PjmNetwork *network, const gboolean *folded, GError **error);
void pjm_drawing_free (PjmDrawing *self);
/* Fills blocks and drawing. */
gboolean pjm_network_draw (PjmNetwork *self, GError **error);

G_END_DECLS
