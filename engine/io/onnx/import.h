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
 * @n_made: numbers that the file does not hold: ConstantOfShape, transposed weights
 * @is_variant: an operator has just refused a node: a valid variant, not a damaged file
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
  unsigned n_dropped, n_folded;
  GError *failure;
  gboolean is_variant;
} PjOnnxImport;

/* The node as operators see it. @inputs: NULL where absent. */
struct _PjOnnxIn {
  PjOnnxImport *import;
  const PjOnnxNode *node;
  unsigned n_inputs;
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

/* @graph with groups of nodes that mean one operator replaced by it; @graph itself if there are none.
 * (transfer full) */
PjGraph *pj_onnx_join_patterns (PjGraph *graph, unsigned *n_joined, GError **error);

/* --- nodes.c --- */

/* Adds node number @index to the graph, or another name for what it passes on. */
gboolean pj_onnx_import_node (PjOnnxImport *import, guint index, GError **error);

G_END_DECLS
