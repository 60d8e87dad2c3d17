/* SPDX-License-Identifier: MIT */
/* TensorProto: the header is read at once, the numbers only when somebody asks for them.
 *
 *   FIELD  MEANING                       FIELD  MEANING
 *   1      dims                          8      name
 *   2      data_type                     9      raw_data, little-endian
 *   4      float_data                    10     double_data
 *   5      int32_data, also for f16      13     external_data: location, offset, length
 *   7      int64_data                    14     data_location: 1 is outside */
#pragma once

#include "graph/graph.h"
#include "io/onnx/wire.h"

G_BEGIN_DECLS

/* Elements of a tensor, as ONNX numbers them. */
typedef enum {
  PJ_ONNX_FLOAT = 1, PJ_ONNX_UINT8 = 2, PJ_ONNX_INT8 = 3, PJ_ONNX_INT32 = 6, PJ_ONNX_INT64 = 7,
  PJ_ONNX_BOOL = 9, PJ_ONNX_FLOAT16 = 10, PJ_ONNX_DOUBLE = 11
} PjOnnxType;

/**
 * PjOnnxTensor: caller memory, see pj_onnx_tensor_clear().
 * @message: the whole message, borrowed; it holds the numbers
 * @raw: raw_data; @has_raw tells whether it is there
 * @location: where the numbers are when they are outside, else NULL
 * @is_mapped: the bytes are pages of a file that is only read: they may be dropped and come back
 * @offset, @length: bytes in that place; @length is 0 for "the rest"
 */
typedef struct {
  char *name;
  int32_t type;
  PjShape shape;
  size_t n_elems;
  PjSpan message, raw;
  gboolean has_raw, is_mapped;
  char *location;
  uint64_t offset, length;
} PjOnnxTensor;

/* Reads the header. @tensor is zeroed first and must be cleared also after a failure. */
gboolean pj_onnx_tensor_read (PjOnnxTensor *tensor, PjSpan message, GError **error);
void pj_onnx_tensor_clear (PjOnnxTensor *tensor);

gboolean pj_onnx_tensor_is_float (const PjOnnxTensor *tensor);
gboolean pj_onnx_tensor_is_int (const PjOnnxTensor *tensor);

/* All numbers, converted to floats; @tensor must be of a float type and not outside. (transfer full) */
PjBlob *pj_onnx_tensor_floats (const PjOnnxTensor *tensor, GError **error);
/* The same from the little-endian bytes of another place. (transfer full) */
PjBlob *pj_onnx_tensor_floats_from (const PjOnnxTensor *tensor, PjSpan bytes, GError **error);
/* Bytes that the numbers take when they are stored as raw data; FALSE if that cannot be. */
gboolean pj_onnx_tensor_size (const PjOnnxTensor *tensor, size_t *size_bytes);
/* All numbers of an integer type, at most PJ_ONNX_MAX_INTS. (transfer full) (array length=n_elems) */
int64_t *pj_onnx_tensor_ints (const PjOnnxTensor *tensor, GError **error);

G_END_DECLS
