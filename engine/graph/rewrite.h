/* SPDX-License-Identifier: MIT */
/* Making a graph from another one node by node: copy most, replace some, leave some out. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/* @map: value of @to for each value of @from, -1 until it is there. Caller memory. */
typedef struct {
  const PjGraph *from;
  PjGraph *to;
  int *map;
} PjRewrite;

/* Starts an empty graph with the name, the notes and the input of @from. */
void pj_rewrite_init (PjRewrite *self, const PjGraph *from);
void pj_rewrite_clear (PjRewrite *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjRewrite, pj_rewrite_clear)

/* The value that stands for @value; parameters are shared on first use. -1 for -1. */
int pj_rewrite_value (PjRewrite *self, int value);
/**
 * pj_rewrite_emit:
 * @inputs: values of the new graph
 * @output: value of the old graph that the new node makes
 * @error: PJ_GRAPH_ERROR_SHAPE
 *
 * Adds a node under the name of @output's value.
 */
gboolean pj_rewrite_emit (PjRewrite *self, const char *name, const PjOp *op, gconstpointer params,
                          const int *inputs, unsigned n_inputs, int output, GError **error);
/* Copies a node as it is. */
gboolean pj_rewrite_copy (PjRewrite *self, const PjNode *node, GError **error);
/* The finished graph. (transfer full) */
PjGraph *pj_rewrite_finish (PjRewrite *self);

G_END_DECLS
