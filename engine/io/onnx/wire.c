/* SPDX-License-Identifier: MIT */
#include "io/onnx/wire.h"

#include <string.h>

#include "io/onnx.h"

static gboolean
damaged (GError **error, const char *what)
{
  g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_DAMAGED, "the file is damaged or not ONNX: %s", what);
  return FALSE;
}

static gboolean
read_varint (PjSpan *rest, uint64_t *value, GError **error)
{
  uint64_t v = 0;
  for (unsigned i = 0; i < 10; i++) {
    if (i >= rest->size)
      return damaged (error, "it ends inside a number");
    uint8_t byte = rest->data[i];
    if (i == 9 && byte > 1)
      break;
    v |= (uint64_t) (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      rest->data += i + 1;
      rest->size -= i + 1;
      *value = v;
      return TRUE;
    }
  }
  return damaged (error, "a number has more than 64 bits");
}

static gboolean
read_fixed (PjSpan *rest, unsigned n_bytes, uint64_t *value, GError **error)
{
  if (rest->size < n_bytes)
    return damaged (error, "it ends inside a number");
  uint64_t v = 0;
  for (unsigned i = 0; i < n_bytes; i++)
    v |= (uint64_t) rest->data[i] << (8 * i);
  rest->data += n_bytes;
  rest->size -= n_bytes;
  *value = v;
  return TRUE;
}

static gboolean
read_bytes (PjSpan *rest, PjSpan *bytes, GError **error)
{
  uint64_t size;
  if (!read_varint (rest, &size, error))
    return FALSE;
  if (size > rest->size)
    return damaged (error, "a part is longer than what contains it");
  *bytes = (PjSpan) { rest->data, (size_t) size };
  rest->data += size;
  rest->size -= (size_t) size;
  return TRUE;
}

int
pj_wire_next (PjSpan *rest, PjField *field, GError **error)
{
  uint64_t key;
  gboolean ok;

  if (rest->size == 0)
    return 0;
  if (!read_varint (rest, &key, error))
    return -1;
  memset (field, 0, sizeof *field);
  if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
    return damaged (error, "a field has an impossible number") - 1;
  field->number = (uint32_t) (key >> 3);
  field->type = (PjWireType) (key & 7);
  switch (key & 7) {
  case PJ_WIRE_VARINT:
    ok = read_varint (rest, &field->value, error);
    break;
  case PJ_WIRE_FIXED64:
    ok = read_fixed (rest, 8, &field->value, error);
    break;
  case PJ_WIRE_FIXED32:
    ok = read_fixed (rest, 4, &field->value, error);
    break;
  case PJ_WIRE_BYTES:
    ok = read_bytes (rest, &field->bytes, error);
    break;
  default:
    ok = damaged (error, "a field has an unknown type");
  }
  return ok ? 1 : -1;
}

int
pj_wire_packed (PjSpan *rest, PjWireType type, uint64_t *value, GError **error)
{
  if (rest->size == 0)
    return 0;
  gboolean ok = type == PJ_WIRE_VARINT ? read_varint (rest, value, error)
                                       : read_fixed (rest, type == PJ_WIRE_FIXED32 ? 4 : 8, value, error);
  return ok ? 1 : -1;
}

char *
pj_wire_text (PjSpan span, size_t max, GError **error)
{
  if (span.size > max) {
    g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_LIMIT, "a text has %zu bytes, the limit is %zu", span.size, max);
    return NULL;
  }
  return span.size == 0 ? g_strdup ("") : g_utf8_make_valid ((const char *) span.data, (gssize) span.size);
}

float
pj_wire_float (uint64_t value)
{
  uint32_t bits = (uint32_t) value;
  float f;
  memcpy (&f, &bits, sizeof f);
  return f;
}

double
pj_wire_double (uint64_t value)
{
  double d;
  memcpy (&d, &value, sizeof d);
  return d;
}
