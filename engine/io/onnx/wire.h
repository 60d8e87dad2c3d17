/* SPDX-License-Identifier: MIT */
/* Reading protobuf.  A message is a span of bytes; a reader walks its fields.  Nothing is allocated and
 * nothing outside the span is ever touched.
 *
 *   field     = varint (number << 3 | type), payload
 *   type 0    varint, at most 10 bytes
 *   type 1    8 bytes, little-endian
 *   type 2    varint length, then that many bytes: text, a nested message or packed numbers
 *   type 5    4 bytes, little-endian
 *   3 and 4   groups, which ONNX never used: refused
 *
 * Nesting is bounded by the caller: each level of ONNX (model, graph, node, attribute, tensor) has its
 * own function, and sub-graphs inside attributes are not entered. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Borrowed bytes. */
typedef struct {
  const uint8_t *data;
  size_t size;
} PjSpan;

typedef enum { PJ_WIRE_VARINT = 0, PJ_WIRE_FIXED64 = 1, PJ_WIRE_BYTES = 2, PJ_WIRE_FIXED32 = 5 } PjWireType;

typedef struct {
  uint32_t number;
  PjWireType type;
  uint64_t value;         /* varint and fixed types */
  PjSpan bytes;           /* PJ_WIRE_BYTES */
} PjField;

/* The next field of @rest, which shrinks: 1, 0 at the end, -1 with PJ_ONNX_ERROR_DAMAGED. */
int pj_wire_next (PjSpan *rest, PjField *field, GError **error);

/* The next number of a packed field, of @type VARINT, FIXED32 or FIXED64: 1, 0 at the end, -1 damaged. */
int pj_wire_packed (PjSpan *rest, PjWireType type, uint64_t *value, GError **error);

/* Text of at most @max bytes as valid UTF-8 (damaged letters are replaced), or NULL with
 * PJ_ONNX_ERROR_LIMIT. (transfer full) */
char *pj_wire_text (PjSpan span, size_t max, GError **error);

/* Bits as numbers. */
float pj_wire_float (uint64_t value);
double pj_wire_double (uint64_t value);

G_END_DECLS
