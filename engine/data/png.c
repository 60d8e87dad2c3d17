/* SPDX-License-Identifier: MIT */
#include <png.h>
#include <string.h>

#include "base/alloc.h"
#include "data/picture.h"

static gboolean
png_error_set (png_image *image, const char *path, GError **error)
{
  g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is a damaged PNG: %s", path, image->message);
  png_image_free (image);
  return FALSE;
}

static gboolean
begin (png_image *image, const guint8 *bytes, size_t size, const char *path, GError **error)
{
  memset (image, 0, sizeof *image);
  image->version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory (image, bytes, size))
    return png_error_set (image, path, error);
  if (!pj_picture_check_size (path, image->height, image->width, error)) {
    png_image_free (image);
    return FALSE;
  }
  return TRUE;
}

gboolean
pj_png_decode (const guint8 *bytes, size_t size, const char *path, PjPicture *out, GError **error)
{
  png_image image;
  if (!begin (&image, bytes, size, path, error))
    return FALSE;
  gboolean grey = (image.format & PNG_FORMAT_FLAG_COLOR) == 0;
  int h = (int) image.height, w = (int) image.width;
  image.format = grey ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  /* Without this, 16-bit files that do not name a gamma would be taken for linear light. */
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  guint8 *pixels = pj_alloc (PNG_IMAGE_SIZE (image), path, error);
  if (pixels == NULL) {
    png_image_free (&image);
    return FALSE;
  }
  const png_color white = { 255, 255, 255 };
  if (!png_image_finish_read (&image, &white, pixels, 0, NULL)) {
    pj_free (pixels);
    return png_error_set (&image, path, error);
  }
  pj_picture_set_interleaved (out, pixels, grey ? 1 : 3, h, w);
  return TRUE;
}

gboolean
pj_png_measure (const guint8 *bytes, size_t size, const char *path, int *c, int *h, int *w, GError **error)
{
  png_image image;
  if (!begin (&image, bytes, size, path, error))
    return FALSE;
  *c = image.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
  *h = (int) image.height;
  *w = (int) image.width;
  png_image_free (&image);
  return TRUE;
}
