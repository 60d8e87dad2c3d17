/* SPDX-License-Identifier: MIT */
/* A network as the studio sees it: the graph, its groups, the rows of the table and the drawing.  Made on
 * a worker, immutable, shared by counting references; jobs keep one as their snapshot. */
#pragma once

#include "graph/cut.h"
#include "graph/graph.h"
#include "graph/groups.h"
#include "layout/layered.h"
#include "model/project.h"

G_BEGIN_DECLS

/**
 * PjmRow: one row of the table and one box of the drawing.
 * @node: the operator that gives it its name
 * @nodes: (element-type int): @node and what is folded into it, ascending
 * @value: its output
 * @group: id of the group of its output channels, -1 if it has none of its own
 */
typedef struct {
  char *name, *kind, *detail, *shape, *lock_reason, *ties;
  int node, value, group;
  GArray *nodes;
  guint channels;
  guint64 params, macs;
} PjmRow;

/**
 * PjmNetwork:
 * @model: id in the session, 0 if it is not stored
 * @rows: (element-type PjmRow): in the order of the graph
 * @layout: (nullable): owner of the points of @edges
 * @boxes: one per row
 */
typedef struct {
  gatomicrefcount ref;
  gint64 model;
  PjGraph *graph;
  PjGroups *groups;
  PjCost cost;
  GPtrArray *rows;
  PjLayout *layout;
  PjmBox *boxes;
  PjmEdge *edges;
  guint n_edges;
  double width, height;
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
GPtrArray *pjm_rows_new (const PjGraph *graph, const PjGroups *groups);
/* network-drawing.c: fills layout, boxes and edges. */
gboolean pjm_network_draw (PjmNetwork *self, GError **error);

G_END_DECLS
