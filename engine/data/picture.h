/* SPDX-License-Identifier: MIT */
/* Decoded pictures: JPEG and PNG from bytes, orientation, channels, size.  Private to this folder. */
#pragma once

#include <stddef.h>

#include "data/dataset.h"

G_BEGIN_DECLS

/* Ceilings of a picture file and of what it decodes to. */
#define PJ_PICTURE_MAX_FILE ((size_t) 256 << 20)
#define PJ_PICTURE_MAX_SIDE 32768
#define PJ_PICTURE_MAX_PIXELS ((size_t) 128 << 20)

/* Bytes in any order in memory: a turned or mirrored picture is the same memory with other steps. */
typedef struct {
  int c, h, w;                      /* c: 1 grey, 3 RGB */
  const guint8 *pixels;             /* channel 0, row 0, column 0 */
  ptrdiff_t plane, row, column;     /* bytes to the next channel, row and column */
  guint8 *owned;                    /* (nullable): memory of pj_alloc() behind @pixels */
} PjPicture;

void pj_picture_clear (PjPicture *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjPicture, pj_picture_clear)

typedef enum { PJ_PICTURE_NONE, PJ_PICTURE_JPEG, PJ_PICTURE_PNG } PjPictureType;

/* From the first bytes of a file. */
PjPictureType pj_picture_type (const guint8 *head, size_t n);

/**
 * pj_picture_decode:
 * @bytes: the whole file
 * @path: for messages
 * @wanted: (nullable): a JPEG far larger than this is decoded at a fraction of its size
 * @error: PJ_DATA_ERROR_DAMAGED; PJ_ERROR_NO_MEMORY
 *
 * Grey stays grey; palettes, 16 bits, CMYK become 8-bit RGB; transparent parts become white; the
 * orientation of a camera (EXIF) is applied.
 */
gboolean pj_picture_decode (const guint8 *bytes, size_t size, const char *path, const PjFormat *wanted,
                            PjPicture *out, GError **error);
/* Only the size and channels, from the header. */
gboolean pj_picture_measure (const guint8 *bytes, size_t size, const char *path, int *c, int *h, int *w, GError **error);

/* The two decoders behind it. */
gboolean pj_jpeg_decode (const guint8 *bytes, size_t size, const char *path, const PjFormat *wanted,
                         PjPicture *out, GError **error);
gboolean pj_jpeg_measure (const guint8 *bytes, size_t size, const char *path, int *c, int *h, int *w, GError **error);
gboolean pj_png_decode (const guint8 *bytes, size_t size, const char *path, PjPicture *out, GError **error);
gboolean pj_png_measure (const guint8 *bytes, size_t size, const char *path, int *c, int *h, int *w, GError **error);
/* PJ_DATA_ERROR_DAMAGED above the ceilings. */
gboolean pj_picture_check_size (const char *path, int64_t h, int64_t w, GError **error);

/* @pixels n bytes of an interleaved c × h × w picture, taken. */
void pj_picture_set_interleaved (PjPicture *self, guint8 *pixels, int c, int h, int w);
/* EXIF orientation of a JPEG, 1 … 8; 1 if it has none. */
int pj_exif_orientation (const guint8 *bytes, size_t size);
/* Turns and mirrors as EXIF orientation @orientation asks; no pixel moves. */
void pj_picture_orient (PjPicture *self, int orientation);

/**
 * pj_picture_fit:
 * @out: c × h × w bytes of @format
 *
 * Channels: grey is repeated, colour becomes luma (0.299 R + 0.587 G + 0.114 B).  Size: scaled so that the
 * target is just covered (or so that the shorter side has @format's side), centre cropped; bilinear, with the support of the filter widened when
 * shrinking, so that nothing is skipped.  PJ_ERROR_NO_MEMORY.
 */
gboolean pj_picture_fit (const PjPicture *self, const PjFormat *format, guint8 *out, GError **error);

G_END_DECLS
