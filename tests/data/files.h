/* SPDX-License-Identifier: MIT */
/* Data sets made for a test in a folder of its own. */
#pragma once

#include <glib.h>

#include "data/dataset.h"

G_BEGIN_DECLS

/* A new empty folder. (transfer full): for files_remove() */
char *files_temp (void);
/* Removes @folder with all that is in it, and frees the string. */
void files_remove (char *folder);
/* Writes @folder/@name, making folders on the way. */
void files_write (const char *folder, const char *name, gconstpointer data, gsize size);
/* @data packed by gzip. */
GByteArray *files_gzip (gconstpointer data, gsize size);

/* An IDX file of bytes: @rank dimensions, then @n bytes. */
GByteArray *files_idx (const guint32 *dim, unsigned rank, const guint8 *data, gsize n);
/* IDX pictures of h × w whose picture i has the byte first + i everywhere, and labels i mod n_classes. */
void files_write_idx (const char *folder, const char *prefix, unsigned n, unsigned h, unsigned w, guint8 first,
                      unsigned n_classes, gboolean packed);

/* A JPEG of c × h × w interleaved pixels. @c: 1, 3, 4 (CMYK). @orientation: EXIF, 0 for none. */
void files_write_jpeg (const char *folder, const char *name, const guint8 *pixels, int c, int h, int w, int orientation);
/* A PNG in libpng's simplified format @png_format (PNG_FORMAT_*). */
void files_write_png (const char *folder, const char *name, gconstpointer pixels, guint32 png_format, int h, int w);
/* A PNG of one colour, @size pixels square. */
void files_write_plain (const char *folder, const char *name, guint8 r, guint8 g, guint8 b, int size);

/* Opening @folder must fail with @code and a message that holds all of the words, up to NULL. */
void assert_refused (const char *folder, int code, ...) G_GNUC_NULL_TERMINATED;
PjDataset *assert_opens (const char *folder);

G_END_DECLS
