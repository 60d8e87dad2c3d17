/* SPDX-License-Identifier: MIT */
/* AttributeProto: 1 name, 2 f, 3 i, 4 s, 5 t, 7 floats, 8 ints, 20 type.  The field that is there tells
 * the type, because files of the first versions leave out field 20.  The messages were walked once when
 * the model was read, so that they cannot be damaged here. */
#include <string.h>

#include "io/onnx/model.h"

static const PjOnnxAttribute *
find (const PjOnnxNode *node, const char *name)
{
  for (guint i = 0; i < node->attributes->len; i++) {
    const PjOnnxAttribute *attribute = &g_array_index (node->attributes, PjOnnxAttribute, i);
    if (strcmp (attribute->name, name) == 0)
      return attribute;
  }
  return NULL;
}

/* The last field @number of @type, as protobuf wants it. */
static gboolean
find_field (const PjOnnxNode *node, const char *name, uint32_t number, PjWireType type, PjField *found)
{
  const PjOnnxAttribute *attribute = find (node, name);
  gboolean any = FALSE;
  PjField field;

  if (attribute == NULL)
    return FALSE;
  PjSpan rest = attribute->message;
  while (pj_wire_next (&rest, &field, NULL) == 1)
    if (field.number == number && field.type == type) {
      *found = field;
      any = TRUE;
    }
  return any;
}

gboolean
pj_onnx_node_int (const PjOnnxNode *node, const char *name, int64_t *value)
{
  PjField field;
  if (!find_field (node, name, 3, PJ_WIRE_VARINT, &field))
    return FALSE;
  *value = (int64_t) field.value;
  return TRUE;
}

gboolean
pj_onnx_node_float (const PjOnnxNode *node, const char *name, double *value)
{
  PjField field;
  if (!find_field (node, name, 2, PJ_WIRE_FIXED32, &field))
    return FALSE;
  *value = (double) pj_wire_float (field.value);
  return TRUE;
}

gboolean
pj_onnx_node_text (const PjOnnxNode *node, const char *name, PjSpan *text)
{
  PjField field;
  if (!find_field (node, name, 4, PJ_WIRE_BYTES, &field))
    return FALSE;
  *text = field.bytes;
  return TRUE;
}

gboolean
pj_onnx_node_tensor (const PjOnnxNode *node, const char *name, PjSpan *tensor)
{
  PjField field;
  if (!find_field (node, name, 5, PJ_WIRE_BYTES, &field))
    return FALSE;
  *tensor = field.bytes;
  return TRUE;
}

/* Hands every number of the list in field @number, packed or not, to @put until @max; returns how many there are. */
static unsigned
read_list (const PjOnnxNode *node, const char *name, uint32_t number, PjWireType type,
           void (*put) (gpointer values, unsigned i, uint64_t value), gpointer values, unsigned max)
{
  const PjOnnxAttribute *attribute = find (node, name);
  PjField field;
  uint64_t value;
  unsigned n = 0;

  if (attribute == NULL)
    return 0;
  PjSpan rest = attribute->message;
  while (pj_wire_next (&rest, &field, NULL) == 1) {
    if (field.number != number)
      continue;
    if (field.type == type) {
      if (n < max)
        put (values, n, field.value);
      n++;
    }
    while (field.type == PJ_WIRE_BYTES && pj_wire_packed (&field.bytes, type, &value, NULL) == 1) {
      if (n < max)
        put (values, n, value);
      n++;
    }
  }
  return n;
}

static void
put_int (gpointer values, unsigned i, uint64_t value)
{
  ((int64_t *) values)[i] = (int64_t) value;
}

static void
put_float (gpointer values, unsigned i, uint64_t value)
{
  ((float *) values)[i] = pj_wire_float (value);
}

unsigned
pj_onnx_node_ints (const PjOnnxNode *node, const char *name, int64_t *values, unsigned max)
{
  return read_list (node, name, 8, PJ_WIRE_VARINT, put_int, values, max);
}

unsigned
pj_onnx_node_floats (const PjOnnxNode *node, const char *name, float *values, unsigned max)
{
  return read_list (node, name, 7, PJ_WIRE_FIXED32, put_float, values, max);
}
