/* SPDX-License-Identifier: MIT */
/* Writing protobuf.  A message is built in memory, except for the numbers of tensors: blobs are only
 * referred to, and reach the file without being copied. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/blob.h"

G_BEGIN_DECLS

/* A blob that belongs before byte @at of the message. */
typedef struct {
  size_t at;
  PjBlob *blob;
} PjInsert;

/* @bytes without the blobs, @inserts in order, @size_bytes with them. Caller memory. */
typedef struct {
  GByteArray *bytes;
  GArray *inserts;
  size_t size_bytes;
} PjMessage;

void pj_message_init (PjMessage *self);
void pj_message_clear (PjMessage *self);

void pj_message_int (PjMessage *self, uint32_t field, int64_t value);
void pj_message_float (PjMessage *self, uint32_t field, float value);
void pj_message_text (PjMessage *self, uint32_t field, const char *text);
void pj_message_bytes (PjMessage *self, uint32_t field, gconstpointer data, size_t size_bytes);
/* The little-endian bytes of @blob (borrowed, must outlive the message). */
void pj_message_blob (PjMessage *self, uint32_t field, PjBlob *blob);
/* A nested message; clears @child. */
void pj_message_child (PjMessage *self, uint32_t field, PjMessage *child);

/* Hands the message out piece by piece. */
typedef gboolean (*PjPieceFunc) (gconstpointer data, size_t size_bytes, gpointer user, GError **error);
gboolean pj_message_pieces (const PjMessage *self, PjPieceFunc func, gpointer user, GError **error);

G_END_DECLS
