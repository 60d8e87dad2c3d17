/* SPDX-License-Identifier: MIT */
/* The network: values (tensors) and nodes (operators) in topological order.
 *
 * A graph is built once and then treated as immutable; it may be read from several threads.  Changes
 * (new weights, a cut) make a new graph that shares what did not change: parameters are blobs.
 *
 * Activations are N x C, N x C x L or N x C x H x W, row-major, f32.  Dimension 0 of every activation
 * is the batch and is stored as 1; a plan multiplies it.  Weights are O x I x kh x kw (conv) and
 * O x I (fc), f32. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/blob.h"

G_BEGIN_DECLS

#define PJ_MAX_RANK 6

#define PJ_GRAPH_ERROR (pj_graph_error_quark ())

/**
 * PjGraphError:
 * @PJ_GRAPH_ERROR_SHAPE: shapes do not fit together; the message names the node
 * @PJ_GRAPH_ERROR_LOCKED: a locked group was asked to be cut; the message gives the reason
 * @PJ_GRAPH_ERROR_INVALID: a cut plan does not belong to this graph, a width would be 0 …
 */
typedef enum { PJ_GRAPH_ERROR_SHAPE, PJ_GRAPH_ERROR_LOCKED, PJ_GRAPH_ERROR_INVALID } PjGraphError;

GQuark pj_graph_error_quark (void);

typedef struct {
  unsigned rank;
  int64_t dim[PJ_MAX_RANK];
} PjShape;

#define PJ_SHAPE(...) \
  ((PjShape) { sizeof ((int64_t[]) { __VA_ARGS__ }) / sizeof (int64_t), { __VA_ARGS__ } })

/* Product of the dimensions; 1 for a scalar.  Shapes inside a graph are checked not to overflow. */
size_t pj_shape_n_elems (const PjShape *shape);
gboolean pj_shape_equal (const PjShape *a, const PjShape *b);
/* "1×64×28×28". (transfer full) */
char *pj_shape_to_string (const PjShape *shape);

typedef struct _PjOp PjOp;         /* ops/op.h */
typedef struct _PjGraph PjGraph;

typedef enum { PJ_VALUE_INPUT, PJ_VALUE_ACTIVATION, PJ_VALUE_PARAM } PjValueKind;

typedef struct {
  char *name;
  PjValueKind kind;
  PjShape shape;
  PjBlob *data;           /* parameters only */
  int producer;           /* node that writes it; -1 for inputs and parameters */
} PjValue;

typedef struct {
  char *name;
  const PjOp *op;
  gpointer params;        /* the operator's parameter struct of ops/params.h, op->params_size bytes */
  unsigned n_inputs, n_outputs;
  int *inputs;            /* value indices; -1 where an optional input is absent */
  int *outputs;
} PjNode;

PjGraph *pj_graph_new (const char *name);
PjGraph *pj_graph_ref (PjGraph *self);
void pj_graph_unref (PjGraph *self);
/* Shares blobs; parameter structs are copied. (transfer full) */
PjGraph *pj_graph_copy (const PjGraph *self);

const char *pj_graph_get_name (const PjGraph *self);
unsigned pj_graph_n_values (const PjGraph *self);
unsigned pj_graph_n_nodes (const PjGraph *self);
/* Borrowed; index out of range is a programmer's error. */
const PjValue *pj_graph_value (const PjGraph *self, int value);
const PjNode *pj_graph_node (const PjGraph *self, int node);
/* Index of the value or node called @name, or -1. */
int pj_graph_find_value (const PjGraph *self, const char *name);
int pj_graph_find_node (const PjGraph *self, const char *name);

/* The picture: N x C x H x W. */
int pj_graph_get_input (const PjGraph *self);
/* The last value, as the file has it (may be probabilities). */
int pj_graph_get_output (const PjGraph *self);
/* The class scores before a final softmax: what losses and distillation use. N x classes. */
int pj_graph_get_logits (const PjGraph *self);
/* Number of classes: elements of the logits per image. */
unsigned pj_graph_n_classes (const PjGraph *self);

/* Nodes that read @value, ascending. (transfer container) (element-type int) */
GArray *pj_graph_consumers (const PjGraph *self, int value);

/* Free-form notes that travel with the model and its ONNX file (metadata_props). */
const char *pj_graph_get_meta (const PjGraph *self, const char *key);
void pj_graph_set_meta (PjGraph *self, const char *key, const char *text);   /* NULL removes */
/* (transfer container) (element-type utf8): sorted keys */
GList *pj_graph_meta_keys (const PjGraph *self);

/* --- building: only while the graph has one owner --- */

int pj_graph_add_input (PjGraph *self, const char *name, PjShape shape);
/* @data is taken (transfer full); its length must match @shape. */
int pj_graph_add_param (PjGraph *self, const char *name, PjShape shape, PjBlob *data);
/**
 * pj_graph_add_node:
 * @name: unique name, or NULL for "<op>_<n>"
 * @params: (nullable): copied; NULL where op->params_size is 0
 * @inputs: value indices, -1 for absent
 * @error: PJ_GRAPH_ERROR_SHAPE
 *
 * Appends a node, infers its output shapes and adds one activation per output.
 *
 * Returns: index of the first output value, or -1 with @error set
 */
int pj_graph_add_node (PjGraph *self, const char *name, const PjOp *op, gconstpointer params,
                       const int *inputs, unsigned n_inputs, GError **error);
/* Gives a value another name (importers keep the names of the file). */
void pj_graph_rename_value (PjGraph *self, int value, const char *name);
void pj_graph_set_output (PjGraph *self, int value);
/* Replaces a parameter. @data (transfer full). The shape must hold as many elements. */
void pj_graph_set_param (PjGraph *self, int value, PjShape shape, PjBlob *data);
/* Infers all shapes again after parameters or parameter structs changed. */
gboolean pj_graph_infer (PjGraph *self, GError **error);
/* The parameter struct of a node, writable. */
gpointer pj_graph_node_params (PjGraph *self, int node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjGraph, pj_graph_unref)

/* --- cost: one image, integers, exact --- */

/**
 * PjCost:
 * @macs: sum over conv of k²·(c_in/groups)·c_out·h_out·w_out, over fc of in·out
 * @weights: conv and fc weights
 * @learnable: weights + biases + 2 per norm channel
 * @norm_channels: channels that pass a norm
 * @activation_bytes: bytes of all activations of one image, f32
 * @unknown_nodes: nodes whose cost is not known (opaque operators)
 */
typedef struct {
  uint64_t macs, weights, learnable, norm_channels, activation_bytes;
  unsigned unknown_nodes;
} PjCost;

void pj_graph_cost (const PjGraph *self, PjCost *cost);
void pj_graph_node_cost (const PjGraph *self, int node, PjCost *cost);

G_END_DECLS
