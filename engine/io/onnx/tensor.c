/* SPDX-License-Identifier: MIT */
#include "io/onnx/tensor.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "io/onnx.h"

/* Where an element type keeps its numbers when they are not raw. */
typedef struct {
  int32_t type;
  unsigned size_bytes;
  gboolean is_float;
  uint32_t field;
  PjWireType wire;
} TypeRow;

static const TypeRow types[] = {
  { PJ_ONNX_FLOAT, 4, TRUE, 4, PJ_WIRE_FIXED32 },   { PJ_ONNX_DOUBLE, 8, TRUE, 10, PJ_WIRE_FIXED64 },
  { PJ_ONNX_FLOAT16, 2, TRUE, 5, PJ_WIRE_VARINT },  { PJ_ONNX_INT64, 8, FALSE, 7, PJ_WIRE_VARINT },
  { PJ_ONNX_INT32, 4, FALSE, 5, PJ_WIRE_VARINT },   { PJ_ONNX_UINT8, 1, FALSE, 5, PJ_WIRE_VARINT },
  { PJ_ONNX_INT8, 1, FALSE, 5, PJ_WIRE_VARINT },    { PJ_ONNX_BOOL, 1, FALSE, 5, PJ_WIRE_VARINT },
};

static const TypeRow *
find_type (int32_t type)
{
  for (unsigned i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].type == type)
      return &types[i];
  return NULL;
}

static gboolean
refuse (const PjOnnxTensor *tensor, PjOnnxError code, GError **error, const char *what)
{
  g_set_error (error, PJ_ONNX_ERROR, code, "tensor “%s”: %s", tensor->name ? tensor->name : "", what);
  return FALSE;
}

/* --- header --- */

static gboolean
add_dim (PjOnnxTensor *tensor, uint64_t value, GError **error)
{
  if (tensor->shape.rank == PJ_ONNX_MAX_DIMS)
    return refuse (tensor, PJ_ONNX_ERROR_LIMIT, error, "it has more than 6 dimensions");
  if (value > G_MAXINT32)
    return refuse (tensor, PJ_ONNX_ERROR_LIMIT, error, "a dimension is negative or beyond 2 147 483 647");
  tensor->shape.dim[tensor->shape.rank++] = (int64_t) value;
  return TRUE;
}

static gboolean
read_dims (PjOnnxTensor *tensor, const PjField *field, GError **error)
{
  if (field->type == PJ_WIRE_VARINT)
    return add_dim (tensor, field->value, error);
  PjSpan rest = field->bytes;
  uint64_t value;
  int more;
  while ((more = pj_wire_packed (&rest, PJ_WIRE_VARINT, &value, error)) == 1)
    if (!add_dim (tensor, value, error))
      return FALSE;
  return more == 0;
}

/* One entry of external_data: a key and a text. */
static gboolean
read_external (PjOnnxTensor *tensor, PjSpan entry, GError **error)
{
  g_autofree char *key = NULL, *text = NULL;
  PjField field;
  int more;

  while ((more = pj_wire_next (&entry, &field, error)) == 1) {
    char **where = field.number == 1 ? &key : field.number == 2 ? &text : NULL;
    if (where == NULL || field.type != PJ_WIRE_BYTES)
      continue;
    g_free (*where);
    if ((*where = pj_wire_text (field.bytes, PJ_ONNX_MAX_NAME, error)) == NULL)
      return FALSE;
  }
  if (more < 0 || key == NULL || text == NULL)
    return more == 0;
  if (strcmp (key, "location") == 0) {
    g_free (tensor->location);
    tensor->location = g_steal_pointer (&text);
    return TRUE;
  }
  uint64_t *number = strcmp (key, "offset") == 0 ? &tensor->offset : strcmp (key, "length") == 0 ? &tensor->length : NULL;
  if (number != NULL && !g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, number, NULL))
    return refuse (tensor, PJ_ONNX_ERROR_DAMAGED, error, "the offset or length of its outside data is not a number");
  return TRUE;
}

static gboolean
read_field (PjOnnxTensor *tensor, const PjField *field, gboolean *outside, GError **error)
{
  switch (field->number) {
  case 1:
    return read_dims (tensor, field, error);
  case 2:
    tensor->type = field->value > G_MAXINT32 ? -1 : (int32_t) field->value;
    return TRUE;
  case 8:
    g_free (tensor->name);
    tensor->name = pj_wire_text (field->bytes, PJ_ONNX_MAX_NAME, error);
    return tensor->name != NULL;
  case 9:
    tensor->raw = field->bytes;
    tensor->has_raw = field->type == PJ_WIRE_BYTES;
    return TRUE;
  case 13:
    return field->type != PJ_WIRE_BYTES || read_external (tensor, field->bytes, error);
  case 14:
    *outside = field->value == 1;
    return TRUE;
  default:
    return TRUE;
  }
}

gboolean
pj_onnx_tensor_read (PjOnnxTensor *tensor, PjSpan message, GError **error)
{
  PjField field;
  gboolean outside = FALSE;
  int more;

  *tensor = (PjOnnxTensor) { .message = message };
  while ((more = pj_wire_next (&message, &field, error)) == 1)
    if (!read_field (tensor, &field, &outside, error))
      return FALSE;
  if (more < 0)
    return FALSE;
  if (outside && tensor->location == NULL)
    return refuse (tensor, PJ_ONNX_ERROR_DAMAGED, error, "it is stored outside the file but does not say where");
  if (!outside)
    g_clear_pointer (&tensor->location, g_free);
  tensor->n_elems = 1;
  for (unsigned i = 0; i < tensor->shape.rank; i++)
    if (!pj_size_mul (tensor->n_elems, (size_t) tensor->shape.dim[i], &tensor->n_elems))
      return refuse (tensor, PJ_ONNX_ERROR_LIMIT, error, "its size does not fit 64 bits");
  return TRUE;
}

void
pj_onnx_tensor_clear (PjOnnxTensor *tensor)
{
  g_free (tensor->name);
  g_free (tensor->location);
  memset (tensor, 0, sizeof *tensor);
}

gboolean
pj_onnx_tensor_is_float (const PjOnnxTensor *tensor)
{
  const TypeRow *row = find_type (tensor->type);
  return row != NULL && row->is_float;
}

gboolean
pj_onnx_tensor_is_int (const PjOnnxTensor *tensor)
{
  const TypeRow *row = find_type (tensor->type);
  return row != NULL && !row->is_float;
}

/* --- numbers --- */

/* Half precision: 1 sign, 5 exponent and 10 fraction bits. */
static float
half_to_float (uint32_t h)
{
  uint32_t sign = (h & 0x8000) << 16, exponent = (h >> 10) & 0x1f, fraction = h & 0x3ff;
  if (exponent == 0) {
    float f = (float) fraction * 0x1p-24f;
    return sign ? -f : f;
  }
  exponent = exponent == 0x1f ? 0xff : exponent + 112;
  return pj_wire_float (sign | exponent << 23 | fraction << 13);
}

static float
to_float (const TypeRow *row, uint64_t bits)
{
  switch (row->type) {
  case PJ_ONNX_DOUBLE:
    return (float) pj_wire_double (bits);
  case PJ_ONNX_FLOAT16:
    return half_to_float ((uint32_t) bits & 0xffff);
  default:
    return pj_wire_float (bits);
  }
}

static int64_t
to_int (const TypeRow *row, uint64_t bits)
{
  switch (row->type) {
  case PJ_ONNX_INT64:
    return (int64_t) bits;
  case PJ_ONNX_INT32:
    return (int32_t) (uint32_t) bits;
  case PJ_ONNX_INT8:
    return (int8_t) (uint8_t) bits;
  default:
    return (uint8_t) bits;
  }
}

static void
put (const TypeRow *row, uint64_t bits, size_t i, float *floats, int64_t *ints)
{
  if (floats != NULL)
    floats[i] = to_float (row, bits);
  else
    ints[i] = to_int (row, bits);
}

static void
from_raw (const TypeRow *row, PjSpan raw, size_t n, float *floats, int64_t *ints)
{
  for (size_t i = 0; i < n; i++) {
    uint64_t bits = 0;
    for (unsigned b = 0; b < row->size_bytes; b++)
      bits |= (uint64_t) raw.data[i * row->size_bytes + b] << (8 * b);
    put (row, bits, i, floats, ints);
  }
}

/* Calls put() for each number of the typed field, packed or not; at most @n. Returns how many there are,
 * -1 on damage. */
static gint64
from_fields (const PjOnnxTensor *tensor, const TypeRow *row, float *floats, int64_t *ints, GError **error)
{
  PjSpan rest = tensor->message;
  PjField field;
  uint64_t bits;
  size_t i = 0;
  int more;

  while ((more = pj_wire_next (&rest, &field, error)) == 1) {
    if (field.number != row->field)
      continue;
    if (field.type == row->wire) {
      if (i < tensor->n_elems)
        put (row, field.value, i, floats, ints);
      i++;
    } else if (field.type == PJ_WIRE_BYTES) {
      while ((more = pj_wire_packed (&field.bytes, row->wire, &bits, error)) == 1) {
        if (i < tensor->n_elems)
          put (row, bits, i, floats, ints);
        i++;
      }
      if (more < 0)
        return -1;
    }
  }
  return more < 0 ? -1 : (gint64) i;
}

gboolean
pj_onnx_tensor_size (const PjOnnxTensor *tensor, size_t *size_bytes)
{
  const TypeRow *row = find_type (tensor->type);
  return row != NULL && pj_size_mul (tensor->n_elems, row->size_bytes, size_bytes);
}

static gboolean
wrong_size (const PjOnnxTensor *tensor, size_t found, const char *unit, GError **error)
{
  g_autofree char *shape = pj_shape_to_string (&tensor->shape);
  g_set_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_DAMAGED, "tensor “%s”: %zu %s do not fit its shape %s",
               tensor->name ? tensor->name : "", found, unit, shape);
  return FALSE;
}

/* Checked before anything is allocated: a tensor cannot have more numbers than its file has bytes. */
static gboolean
check_size (const PjOnnxTensor *tensor, GError **error)
{
  size_t size;
  if (!pj_onnx_tensor_size (tensor, &size))
    return refuse (tensor, PJ_ONNX_ERROR_LIMIT, error, "its size does not fit 64 bits, or its type is unknown");
  if (tensor->has_raw)
    return tensor->raw.size == size || wrong_size (tensor, tensor->raw.size, "bytes", error);
  return tensor->n_elems <= tensor->message.size || wrong_size (tensor, 0, "numbers", error);
}

static gboolean
decode (const PjOnnxTensor *tensor, float *floats, int64_t *ints, GError **error)
{
  const TypeRow *row = find_type (tensor->type);
  if (tensor->has_raw) {
    from_raw (row, tensor->raw, tensor->n_elems, floats, ints);
    return TRUE;
  }
  gint64 n = from_fields (tensor, row, floats, ints, error);
  return n >= 0 && ((size_t) n == tensor->n_elems || wrong_size (tensor, (size_t) n, "numbers", error));
}

PjBlob *
pj_onnx_tensor_floats_from (const PjOnnxTensor *tensor, PjSpan bytes, GError **error)
{
  PjOnnxTensor there = *tensor;
  there.raw = bytes;
  there.has_raw = TRUE;
  there.is_mapped = FALSE;
  return pj_onnx_tensor_floats (&there, error);
}

/* Copies, and gives the pages of a mapped file back on the way: else a large network would be in memory twice. */
static void
copy_raw (const PjOnnxTensor *tensor, float *floats)
{
  const size_t chunk = (size_t) 4 << 20, page = (size_t) sysconf (_SC_PAGESIZE);
  const uint8_t *data = tensor->raw.data;

  for (size_t at = 0; at < tensor->raw.size; at += chunk) {
    size_t n = MIN (chunk, tensor->raw.size - at);
    memcpy ((uint8_t *) floats + at, data + at, n);
    uintptr_t first = ((uintptr_t) (data + at) + page - 1) / page * page, last = (uintptr_t) (data + at + n) / page * page;
    /* Only what lies wholly inside; a page between two chunks stays. */
    if (tensor->is_mapped && last > first)
      madvise ((void *) first, last - first, MADV_DONTNEED);
  }
}

PjBlob *
pj_onnx_tensor_floats (const PjOnnxTensor *tensor, GError **error)
{
  if (!check_size (tensor, error))
    return NULL;
  float *floats = pj_alloc (tensor->n_elems * sizeof (float), "a tensor of the file", error);
  if (floats == NULL)
    return NULL;
  /* The usual case: the bytes are the numbers. */
  if (tensor->type == PJ_ONNX_FLOAT && tensor->has_raw && G_BYTE_ORDER == G_LITTLE_ENDIAN && tensor->n_elems > 0)
    copy_raw (tensor, floats);
  else if (!decode (tensor, floats, NULL, error)) {
    pj_free (floats);
    return NULL;
  }
  return pj_blob_new_take (floats, tensor->n_elems);
}

int64_t *
pj_onnx_tensor_ints (const PjOnnxTensor *tensor, GError **error)
{
  if (tensor->n_elems > PJ_ONNX_MAX_INTS) {
    refuse (tensor, PJ_ONNX_ERROR_LIMIT, error, "it has more integers than a constant that is folded may have");
    return NULL;
  }
  if (!check_size (tensor, error))
    return NULL;
  g_autofree int64_t *ints = g_new0 (int64_t, tensor->n_elems + 1);
  return decode (tensor, NULL, ints, error) ? g_steal_pointer (&ints) : NULL;
}
