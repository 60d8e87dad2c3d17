/* SPDX-License-Identifier: MIT */
/* The file as it stands, before any of it is understood: texts are copied, numbers of tensors stay in
 * the bytes.  Lives only while importing; the bytes must outlive it. */
#pragma once

#include "io/onnx.h"
#include "io/onnx/tensor.h"

G_BEGIN_DECLS

typedef struct {
  char *name;
  PjSpan message;
} PjOnnxAttribute;

typedef struct {
  char *name, *op_type;
  char *domain;           /* "" for the standard operators */
  GPtrArray *inputs, *outputs;  /* (element-type utf8): "" where absent */
  GArray *attributes;     /* PjOnnxAttribute */
} PjOnnxNode;

/* A declared shape. @dim is -1 where the file leaves it free. */
typedef struct {
  char *name;
  int32_t type;
  gboolean has_shape;
  unsigned rank;          /* may exceed PJ_ONNX_MAX_DIMS; then only the first ones are in @dim */
  int64_t dim[PJ_ONNX_MAX_DIMS];
} PjOnnxInfo;

typedef struct {
  char *key, *text;
} PjOnnxNote;

typedef struct {
  char *name, *producer, *producer_version;
  int64_t ir_version, opset;
  gboolean has_graph;
  GPtrArray *nodes;       /* PjOnnxNode */
  GPtrArray *tensors;     /* PjOnnxTensor: initializers */
  GPtrArray *inputs, *outputs, *infos;  /* PjOnnxInfo */
  GPtrArray *notes;       /* PjOnnxNote */
} PjOnnxModel;

/* PJ_ONNX_ERROR_DAMAGED or _LIMIT. (transfer full) */
PjOnnxModel *pj_onnx_model_read (PjSpan file, GError **error);
void pj_onnx_model_free (PjOnnxModel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjOnnxModel, pj_onnx_model_free)

/* Attributes. Each is FALSE, and leaves its result alone, if there is no such attribute of that type. */
gboolean pj_onnx_node_int (const PjOnnxNode *node, const char *name, int64_t *value);
gboolean pj_onnx_node_float (const PjOnnxNode *node, const char *name, double *value);
gboolean pj_onnx_node_text (const PjOnnxNode *node, const char *name, PjSpan *text);
gboolean pj_onnx_node_tensor (const PjOnnxNode *node, const char *name, PjSpan *tensor);
/* Fills up to @max; returns how many there are, which may be more, and 0 when absent. */
unsigned pj_onnx_node_ints (const PjOnnxNode *node, const char *name, int64_t *values, unsigned max);
unsigned pj_onnx_node_floats (const PjOnnxNode *node, const char *name, float *values, unsigned max);

G_END_DECLS
