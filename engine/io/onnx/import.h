/* SPDX-License-Identifier: MIT */
/* State of one import.  Names of the file lead to items; an item is a constant, or a value of the graph
 * that is being built. */
#pragma once

#include "base/blob.h"
#include "io/onnx.h"
#include "io/onnx/model.h"

G_BEGIN_DECLS

/**
 * PjOnnxItem: what a name of the file stands for.
 * @name: in the file
 * @shape: of the constant, or of the activation with batch 1
 * @value: index in the graph; -1 while it is not there (constants that nobody has used yet)
 * @is_constant: known now: @tensor, @floats or @ints
 * @tensor: (nullable): borrowed from the model
 * @floats: (nullable): decoded
 * @ints: (nullable): decoded, @n_ints of them
 */
typedef struct {
  char *name;
  PjShape shape;
  int value;
  gboolean is_constant;
  const PjOnnxTensor *tensor;
  PjBlob *floats;
  int64_t *ints;
  size_t n_ints;
} PjOnnxItem;

/* @n: how many inputs of nodes, and outputs of the network, have this name; @node: the last such node. */
typedef struct {
  unsigned n;
  guint node;
} PjOnnxReader;

/**
 * PjOnnxImport:
 * @names: name → item; several names may lead to one item (Identity)
 * @items: owns the items
 * @readers: name → PjOnnxReader
 * @infos: name → PjOnnxInfo: declared shapes
 * @skip: one per node: 1 for nodes that do not lead to the output, or are done already
 * @texts: what pj_onnx_in_string() gave away
 * @folder: where tensors outside the file are looked for; NULL refuses them
 * @n_assumed: results whose size the file does not declare, and that was guessed
 * @n_made: numbers that the file does not hold: ConstantOfShape, transposed weights
 * @is_variant: an operator has just refused a node: a valid variant, not a damaged file
 * @is_mapped: the bytes are those of a mapped file
 * @failure: (nullable): why a constant could not be read, when the asking function cannot say it
 */
typedef struct {
  PjOnnxModel *model;
  PjGraph *graph;
  PjOnnxReport *report;
  GHashTable *names, *readers, *infos, *texts;
  uint8_t *skip;
  GPtrArray *items, *constants;  /* PjOnnxItem, PjOnnxTensor */
  const char *folder;
  PjOnnxTensorSource source;
  gpointer source_data;
  size_t n_made;
  unsigned n_dropped, n_folded, n_assumed;
  GError *failure;
  gboolean is_variant, is_mapped;
} PjOnnxImport;

/* The node as operators see it. @inputs: NULL where absent. */
struct _PjOnnxIn {
  PjOnnxImport *import;
  const PjOnnxNode *node;
  unsigned n_inputs;
  gboolean is_line;               /* a map of height 1 stands for a row: attributes of windows get a height */
  PjOnnxItem *inputs[PJ_ONNX_MAX_NODE_FIELDS];
};

/* --- items.c --- */

/* New item; @name NULL is anonymous, else it is entered. */
PjOnnxItem *pj_onnx_item_new (PjOnnxImport *import, const char *name, PjShape shape);
PjOnnxItem *pj_onnx_item_new_floats (PjOnnxImport *import, const char *name, PjShape shape, PjBlob *floats);
PjOnnxItem *pj_onnx_item_new_ints (PjOnnxImport *import, const char *name, PjShape shape, int64_t *ints, size_t n);
PjOnnxItem *pj_onnx_item_new_tensor (PjOnnxImport *import, const PjOnnxTensor *tensor, const char *name);
void pj_onnx_item_free (gpointer item);
/* Decodes, once. NULL without @error: not a constant of that kind. (transfer none) */
PjBlob *pj_onnx_item_floats (PjOnnxImport *import, PjOnnxItem *item, GError **error);
const int64_t *pj_onnx_item_ints (PjOnnxItem *item, size_t *n, GError **error);
/* Index in the graph; adds a float constant as a parameter. -1 with @error set. */
int pj_onnx_item_value (PjOnnxImport *import, PjOnnxItem *item, GError **error);
/* Accounts for @n numbers that the file does not hold; FALSE with PJ_ONNX_ERROR_LIMIT beyond the ceiling. */
gboolean pj_onnx_make_room (PjOnnxImport *import, size_t n, GError **error);
/* Adds a sentence to the report. */
void pj_onnx_remark (PjOnnxImport *import, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* --- outside.c --- */

/* Reads a tensor that is stored outside. (transfer full) */
PjBlob *pj_onnx_outside_read (PjOnnxImport *import, const PjOnnxTensor *tensor, GError **error);
/* Prefix of locations that mean a blob by its hash. */
#define PJ_ONNX_BLOB_PREFIX "penjing-blob:"

/* --- constants.c --- */

/* Computes nodes whose result is known now.  1: done, its output is entered; 0: not such a node; -1 error. */
int pj_onnx_fold (PjOnnxIn *in, GError **error);

/* --- patterns.c --- */

/* @graph with groups of nodes that mean one operator replaced by it, and without nodes that do not lead to
 * the output; @graph itself if there are none. (transfer full) */
PjGraph *pj_onnx_join_patterns (PjGraph *graph, unsigned *n_joined, GError **error);

/* --- layout.c --- */

/* @graph without the transpositions that undo each other, whatever stands between them; @graph itself if it
 * would not have fewer. (transfer full) */
PjGraph *pj_onnx_settle_layout (PjGraph *graph, unsigned *n_removed, GError **error);

/* --- expand.c --- */

/* @graph as operator version @opset can write it: operators that it does not have in this form are replaced
 * by what they are made of. (transfer full) */
PjGraph *pj_onnx_expand (PjGraph *graph, int opset, GError **error);
/* The lowest version from which a node is written as it is, or 0. */
int pj_onnx_least_opset (const PjNode *node);

/* --- forms.c: nodes that become several in the network --- */

/* TRUE for operator types that are known and have no operator of their own. */
gboolean pj_onnx_is_form (const char *op_type);
/* 1: done, its output is entered; 0: not such a node; -1 error. @op: (nullable): of the node. */
int pj_onnx_add_form (PjOnnxIn *in, const PjOp *op, GError **error);

/* --- nodes.c --- */

/* Adds node number @index to the graph, or another name for what it passes on. */
gboolean pj_onnx_import_node (PjOnnxImport *import, guint index, GError **error);
/* Adds a node of the graph, called as the node of the file and @suffix (nullable), and enters its output as
 * @output (nullable).  Returns its value, or -1. */
int pj_onnx_emit (PjOnnxIn *in, const char *suffix, const PjOp *op, gconstpointer params, const int *values, unsigned n,
                  const char *output, GError **error);
/* Values of the inputs. A constant may stand only where the operator keeps its parameters. */
gboolean pj_onnx_take_values (PjOnnxIn *in, const PjOp *op, int *values, GError **error);
/* Lets the operator read its attributes and constants. */
gboolean pj_onnx_read_params (PjOnnxIn *in, const PjOp *op, gpointer params, GError **error);
/* If the only reader of the node is an Add of a stored bias, that bias becomes input 2 and the Add is
 * done.  Returns the node whose output is made. */
const PjOnnxNode *pj_onnx_take_bias (PjOnnxIn *in, const PjOp *op);

G_END_DECLS
