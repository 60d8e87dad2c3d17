/* SPDX-License-Identifier: MIT */
/* An immutable, reference-counted array of floats: the data of a parameter.  Graphs, branches of the
 * history and mapped files share blobs instead of copying them. */
#pragma once

#include <glib.h>
#include <stddef.h>

G_BEGIN_DECLS

typedef struct _PjBlob PjBlob;

/* All constructors: any thread.  @data has @n_elems floats. */

/* Takes memory of pj_alloc(). (transfer full) */
PjBlob *pj_blob_new_take (float *data, size_t n_elems);
/* Copies. Returns: (nullable): NULL with PJ_ERROR_NO_MEMORY */
PjBlob *pj_blob_new_copy (const float *data, size_t n_elems, GError **error);
/* Points into memory that somebody else owns, for example a mapped file; @destroy (@owner) releases it. */
PjBlob *pj_blob_new_foreign (const float *data, size_t n_elems, gpointer owner, GDestroyNotify destroy);

PjBlob *pj_blob_ref (PjBlob *self);
void pj_blob_unref (PjBlob *self);

const float *pj_blob_data (const PjBlob *self);
size_t pj_blob_n_elems (const PjBlob *self);

/* SHA-256 of the little-endian bytes as 64 hexadecimal digits; computed once. (transfer none) Any thread. */
const char *pj_blob_hash (PjBlob *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjBlob, pj_blob_unref)

G_END_DECLS
