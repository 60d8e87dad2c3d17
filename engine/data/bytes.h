/* SPDX-License-Identifier: MIT */
/* Whole files in memory, gzip undone, with a ceiling: what a file says of its own size is never trusted. */
#pragma once

#include <glib.h>
#include <stddef.h>

G_BEGIN_DECLS

/* @data is memory of pj_alloc(); zero-initialise, clear with pj_bytes_clear(). */
typedef struct {
  guint8 *data;
  size_t size;
} PjBytes;

void pj_bytes_clear (PjBytes *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjBytes, pj_bytes_clear)

/* Reads the regular file @path of at most @max bytes. PJ_ERROR_IO; PJ_DATA_ERROR_DAMAGED if it is larger.
 * Any thread. */
gboolean pj_bytes_read (const char *path, size_t max, PjBytes *out, GError **error);

gboolean pj_bytes_is_gzip (const guint8 *data, size_t size);

/* Undoes gzip.  @name is what messages call it.  Memory grows with what really comes out, never with
 * what a header promises.  PJ_DATA_ERROR_DAMAGED for a truncated or corrupt stream or above @max. */
gboolean pj_bytes_gunzip (const guint8 *data, size_t size, const char *name, size_t max, PjBytes *out, GError **error);

/* The first @n <= 64 bytes of the file, after undoing gzip; returns how many there are, 0 if it cannot be read. */
size_t pj_bytes_peek (const char *path, guint8 *out, size_t n);

G_END_DECLS
