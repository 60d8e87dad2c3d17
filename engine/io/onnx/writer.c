/* SPDX-License-Identifier: MIT */
#include "io/onnx/writer.h"

#include <string.h>

#include "io/onnx/wire.h"

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);   /* blobs are written as they lie in memory */

void
pj_message_init (PjMessage *self)
{
  self->bytes = g_byte_array_new ();
  self->inserts = g_array_new (FALSE, FALSE, sizeof (PjInsert));
  self->size_bytes = 0;
}

void
pj_message_clear (PjMessage *self)
{
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_clear_pointer (&self->inserts, g_array_unref);
  self->size_bytes = 0;
}

static void
append (PjMessage *self, gconstpointer data, size_t size)
{
  if (size > 0)
    g_byte_array_append (self->bytes, data, (guint) size);
  self->size_bytes += size;
}

static void
append_varint (PjMessage *self, uint64_t value)
{
  uint8_t bytes[10];
  unsigned n = 0;
  do {
    bytes[n++] = (uint8_t) ((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>= 7;
  } while (value != 0);
  append (self, bytes, n);
}

static void
append_key (PjMessage *self, uint32_t field, PjWireType type)
{
  append_varint (self, (uint64_t) field << 3 | type);
}

void
pj_message_int (PjMessage *self, uint32_t field, int64_t value)
{
  append_key (self, field, PJ_WIRE_VARINT);
  append_varint (self, (uint64_t) value);
}

void
pj_message_float (PjMessage *self, uint32_t field, float value)
{
  append_key (self, field, PJ_WIRE_FIXED32);
  append (self, &value, sizeof value);
}

void
pj_message_bytes (PjMessage *self, uint32_t field, gconstpointer data, size_t size_bytes)
{
  append_key (self, field, PJ_WIRE_BYTES);
  append_varint (self, size_bytes);
  append (self, data, size_bytes);
}

void
pj_message_text (PjMessage *self, uint32_t field, const char *text)
{
  pj_message_bytes (self, field, text, strlen (text));
}

void
pj_message_blob (PjMessage *self, uint32_t field, PjBlob *blob)
{
  size_t size = pj_blob_n_elems (blob) * sizeof (float);
  append_key (self, field, PJ_WIRE_BYTES);
  append_varint (self, size);
  PjInsert insert = { self->bytes->len, blob };
  g_array_append_val (self->inserts, insert);
  self->size_bytes += size;
}

void
pj_message_child (PjMessage *self, uint32_t field, PjMessage *child)
{
  append_key (self, field, PJ_WIRE_BYTES);
  append_varint (self, child->size_bytes);
  size_t at = self->bytes->len;
  if (child->bytes->len > 0)
    g_byte_array_append (self->bytes, child->bytes->data, child->bytes->len);
  for (guint i = 0; i < child->inserts->len; i++) {
    PjInsert insert = g_array_index (child->inserts, PjInsert, i);
    insert.at += at;
    g_array_append_val (self->inserts, insert);
  }
  self->size_bytes += child->size_bytes;
  pj_message_clear (child);
}

gboolean
pj_message_pieces (const PjMessage *self, PjPieceFunc func, gpointer user, GError **error)
{
  size_t at = 0;
  for (guint i = 0; i < self->inserts->len; i++) {
    const PjInsert *insert = &g_array_index (self->inserts, PjInsert, i);
    if (!func (self->bytes->data + at, insert->at - at, user, error)
        || !func (pj_blob_data (insert->blob), pj_blob_n_elems (insert->blob) * sizeof (float), user, error))
      return FALSE;
    at = insert->at;
  }
  return func (self->bytes->data + at, self->bytes->len - at, user, error);
}
