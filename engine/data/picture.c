/* SPDX-License-Identifier: MIT */
/* What JPEG and PNG have in common, and the orientation that cameras note in EXIF. */
#include "data/picture.h"

#include <string.h>

#include "base/alloc.h"

/* Of the "orientation" entry in a TIFF directory. */
#define TAG_ORIENTATION 0x0112
#define MAX_TIFF_ENTRIES 512

void
pj_picture_clear (PjPicture *self)
{
  pj_free (self->owned);
  memset (self, 0, sizeof *self);
}

PjPictureType
pj_picture_type (const guint8 *head, size_t n)
{
  static const guint8 png[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
  if (n >= 3 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff)
    return PJ_PICTURE_JPEG;
  return n >= 8 && memcmp (head, png, 8) == 0 ? PJ_PICTURE_PNG : PJ_PICTURE_NONE;
}

static gboolean
not_a_picture (const char *path, size_t size, GError **error)
{
  if (size == 0)
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is empty", path);
  else
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is not a JPEG or PNG picture", path);
  return FALSE;
}

gboolean
pj_picture_decode (const guint8 *bytes, size_t size, const char *path, const PjFormat *wanted, PjPicture *out, GError **error)
{
  memset (out, 0, sizeof *out);
  switch (pj_picture_type (bytes, size)) {
  case PJ_PICTURE_JPEG:
    return pj_jpeg_decode (bytes, size, path, wanted, out, error);
  case PJ_PICTURE_PNG:
    return pj_png_decode (bytes, size, path, out, error);
  default:
    return not_a_picture (path, size, error);
  }
}

gboolean
pj_picture_measure (const guint8 *bytes, size_t size, const char *path, int *c, int *h, int *w, GError **error)
{
  switch (pj_picture_type (bytes, size)) {
  case PJ_PICTURE_JPEG:
    return pj_jpeg_measure (bytes, size, path, c, h, w, error);
  case PJ_PICTURE_PNG:
    return pj_png_measure (bytes, size, path, c, h, w, error);
  default:
    return not_a_picture (path, size, error);
  }
}

gboolean
pj_picture_check_size (const char *path, int64_t h, int64_t w, GError **error)
{
  if (h >= 1 && w >= 1 && h <= PJ_PICTURE_MAX_SIDE && w <= PJ_PICTURE_MAX_SIDE && (size_t) (h * w) <= PJ_PICTURE_MAX_PIXELS)
    return TRUE;
  g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED,
               "“%s” says it is %" G_GINT64_FORMAT "×%" G_GINT64_FORMAT " pixels; at most %d on a side and %zu million in all are read",
               path, w, h, PJ_PICTURE_MAX_SIDE, PJ_PICTURE_MAX_PIXELS >> 20);
  return FALSE;
}

void
pj_picture_set_interleaved (PjPicture *self, guint8 *pixels, int c, int h, int w)
{
  *self = (PjPicture) { c, h, w, pixels, 1, (ptrdiff_t) c * w, c, pixels };
}

/* --- orientation --- */

static unsigned
get16 (const guint8 *p, gboolean big)
{
  return big ? (unsigned) p[0] << 8 | p[1] : (unsigned) p[1] << 8 | p[0];
}

static uint32_t
get32 (const guint8 *p, gboolean big)
{
  return big ? (uint32_t) get16 (p, TRUE) << 16 | get16 (p + 2, TRUE) : (uint32_t) get16 (p + 2, FALSE) << 16 | get16 (p, FALSE);
}

/* @tiff: the TIFF structure inside an EXIF segment: byte order, 42, offset of the first directory. */
static int
tiff_orientation (const guint8 *tiff, size_t size)
{
  if (size < 8 || (memcmp (tiff, "MM", 2) != 0 && memcmp (tiff, "II", 2) != 0))
    return 1;
  gboolean big = tiff[0] == 'M';
  size_t at = get32 (tiff + 4, big);
  if (at > size - 2)
    return 1;
  unsigned n = MIN (get16 (tiff + at, big), MAX_TIFF_ENTRIES);
  at += 2;
  for (unsigned i = 0; i < n && size - at >= 12; i++, at += 12)
    if (get16 (tiff + at, big) == TAG_ORIENTATION) {
      unsigned value = get16 (tiff + at + 8, big);
      return value >= 1 && value <= 8 ? (int) value : 1;
    }
  return 1;
}

int
pj_exif_orientation (const guint8 *bytes, size_t size)
{
  size_t at = 2;
  /* Segments: 0xff, marker, two bytes of length that count themselves.  0xda starts the pixels. */
  while (size >= 4 && at <= size - 4 && bytes[at] == 0xff && bytes[at + 1] != 0xda) {
    size_t length = get16 (bytes + at + 2, TRUE);
    if (length < 2 || length > size - at - 2)
      return 1;
    if (bytes[at + 1] == 0xe1 && length >= 8 && memcmp (bytes + at + 4, "Exif\0\0", 6) == 0)
      return tiff_orientation (bytes + at + 10, length - 8);
    at += 2 + length;
  }
  return 1;
}

static void
mirror (PjPicture *self)
{
  self->pixels += self->column * (self->w - 1);
  self->column = -self->column;
}

static void
upside_down (PjPicture *self)
{
  self->pixels += self->row * (self->h - 1);
  self->row = -self->row;
}

static void
transpose (PjPicture *self)
{
  ptrdiff_t step = self->row;
  int side = self->h;
  self->row = self->column;
  self->column = step;
  self->h = self->w;
  self->w = side;
}

/* The eight orientations: 5 … 8 swap the sides first. */
void
pj_picture_orient (PjPicture *self, int orientation)
{
  if (orientation >= 5)
    transpose (self);
  if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7)
    mirror (self);
  if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8)
    upside_down (self);
}
