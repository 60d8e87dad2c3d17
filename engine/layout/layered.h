/* SPDX-License-Identifier: MIT */
/* Layered drawing of an acyclic graph, top to bottom: the picture of a network.
 *
 * Layers by longest path; long edges run over rails of invisible nodes, one rail per source, so that
 * a densely connected block gets one line per output and not one per pair; order by barycentre sweeps;
 * x by weighted least squares under a minimum distance, with the longest path as a straight trunk.
 * Deterministic: the same input gives the same bits.  Any thread; no global state. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* More boxes than a person can look at; above it the drawing is refused. */
#define PJ_LAYOUT_MAX_NODES 50000
/* Invisible nodes of all rails; further long edges are drawn as one plain curve. */
#define PJ_LAYOUT_MAX_RAIL_NODES 200000

typedef struct { double width, height; } PjLayoutSize;
typedef struct { int from, to; } PjLayoutLink;

/**
 * PjLayoutSpacing:
 * @between: smallest horizontal distance of two boxes
 * @rail: horizontal room for a line that passes a box
 * @layer: vertical distance of two layers
 * @margin: around the whole drawing
 */
typedef struct { double between, rail, layer, margin; } PjLayoutSpacing;

#define PJ_LAYOUT_SPACING_DEFAULT ((PjLayoutSpacing) { 28, 14, 34, 24 })

typedef struct { double x, y; } PjLayoutPoint;

/**
 * PjLayoutCurve:
 * @n_points: 1 + 3k: a start, then k cubic Bézier pieces of two control points and an end
 * @points: from the bottom centre of the source to the top centre of the target
 */
typedef struct { unsigned n_points; PjLayoutPoint *points; } PjLayoutCurve;

/**
 * PjLayout:
 * @width: of the drawing, margins included
 * @height: of the drawing, margins included
 * @boxes: top-left corner of each node
 * @layers: layer of each node, 0 at the top
 * @curves: one per link, in the order given
 * @n_crossings: crossings between neighbouring layers, rails counted once
 */
typedef struct {
  double width, height;
  unsigned n_nodes, n_links, n_layers;
  PjLayoutPoint *boxes;
  unsigned *layers;
  PjLayoutCurve *curves;
  guint64 n_crossings;
} PjLayout;

/**
 * pj_layout_new:
 * @sizes: (array length=n_nodes): width and height of each box, positive
 * @links: (array length=n_links): edges; `from` < `to`, as in a network whose nodes are in order
 * @spacing: (nullable): distances, NULL for PJ_LAYOUT_SPACING_DEFAULT
 * @error: PJ_ERROR_INVALID: a link points backwards or outside, or there are too many nodes
 *
 * Places boxes and edges.  About a millisecond for ResNet-50 and tens for DenseNet-121.
 *
 * Returns: (transfer full) (nullable): the drawing; free with pj_layout_free()
 */
PjLayout *pj_layout_new (const PjLayoutSize *sizes, unsigned n_nodes,
                         const PjLayoutLink *links, unsigned n_links,
                         const PjLayoutSpacing *spacing, GError **error);

void pj_layout_free (PjLayout *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjLayout, pj_layout_free)

G_END_DECLS
