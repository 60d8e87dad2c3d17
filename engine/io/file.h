/* SPDX-License-Identifier: MIT */
/* Writing a file in one step, and reading one that is there.
 *
 * Writing: everything goes to a temporary file beside it, reaches the disk, and only
 * then takes the name.  Whoever reads the path sees the old file or the whole new one. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _PjFileWriter PjFileWriter;

/* Opens a temporary file beside @path. PJ_ERROR_IO naming @path. Any thread. */
PjFileWriter *pj_file_writer_new (const char *path, GError **error);
/* Appends. PJ_ERROR_IO; after a failure only pj_file_writer_free() may follow. */
gboolean pj_file_writer_append (PjFileWriter *self, gconstpointer data, size_t size_bytes, GError **error);
/* Syncs and renames. PJ_ERROR_IO; the old file is then untouched. Call once. */
gboolean pj_file_writer_finish (PjFileWriter *self, GError **error);
/* Removes the temporary file unless it was finished; NULL is allowed. */
void pj_file_writer_free (PjFileWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjFileWriter, pj_file_writer_free)

/* The bytes of a plain file: a pipe would block, a folder has none. PJ_ERROR_IO naming @path. (transfer full) Any thread. */
GMappedFile *pj_file_map (const char *path, GError **error);

G_END_DECLS
