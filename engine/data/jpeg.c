/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <turbojpeg.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/picture.h"

typedef struct {
  int w, h, subsampling, colourspace;
} Header;

static gboolean
jpeg_error (tjhandle handle, const char *path, GError **error)
{
  g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is a damaged JPEG: %s", path, tjGetErrorStr2 (handle));
  return FALSE;
}

static gboolean
read_header (tjhandle handle, const guint8 *bytes, size_t size, const char *path, Header *h, GError **error)
{
  /* The library may return well without having found a size. */
  *h = (Header) { 0 };
  if (tjDecompressHeader3 (handle, bytes, size, &h->w, &h->h, &h->subsampling, &h->colourspace) != 0)
    return jpeg_error (handle, path, error);
  /* A file that ends inside its header is no failure to the library, only a picture without a size. */
  if (h->w < 1 || h->h < 1) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s” is a damaged JPEG: it ends inside its header", path);
    return FALSE;
  }
  return pj_picture_check_size (path, h->h, h->w, error);
}

/* 1/2, 1/4 or 1/8 where at least twice the wanted size is left: the resize that follows stays smooth. */
static tjscalingfactor
choose_scale (const Header *header, const PjFormat *wanted)
{
  tjscalingfactor scale = { 1, 1 };
  int side = wanted ? MAX (wanted->side, MAX (wanted->h, wanted->w)) : 0;

  if (side < 1)
    return scale;
  while (scale.denom < 8 && MIN (header->w, header->h) / (scale.denom * 2) >= 2 * side)
    scale.denom *= 2;
  return scale;
}

/* In Adobe's files, the only CMYK ones there are in practice, 255 means no ink. */
static void
cmyk_to_rgb (guint8 *pixels, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    const guint8 *in = pixels + 4 * i;
    guint8 *out = pixels + 3 * i;
    unsigned k = in[3];
    for (int ch = 0; ch < 3; ch++)
      out[ch] = (guint8) ((in[ch] * k + 127) / 255);
  }
}

static gboolean
decode (tjhandle handle, const guint8 *bytes, size_t size, const char *path, const PjFormat *wanted,
        PjPicture *out, GError **error)
{
  Header header;
  if (!read_header (handle, bytes, size, path, &header, error))
    return FALSE;
  tjscalingfactor scale = choose_scale (&header, wanted);
  int w = TJSCALED (header.w, scale), h = TJSCALED (header.h, scale);
  gboolean grey = header.colourspace == TJCS_GRAY;
  gboolean cmyk = header.colourspace == TJCS_CMYK || header.colourspace == TJCS_YCCK;
  int format = grey ? TJPF_GRAY : cmyk ? TJPF_CMYK : TJPF_RGB, samples = grey ? 1 : cmyk ? 4 : 3;
  guint8 *pixels = pj_alloc ((size_t) samples * (size_t) w * (size_t) h, path, error);

  if (pixels == NULL)
    return FALSE;
  /* Warnings are common in good files; only a missing end means that a part of the picture is invented. */
  if (tjDecompress2 (handle, bytes, size, pixels, w, 0, h, format, 0) != 0
      && (tjGetErrorCode (handle) != TJERR_WARNING || strstr (tjGetErrorStr2 (handle), "Premature end") != NULL)) {
    pj_free (pixels);
    return jpeg_error (handle, path, error);
  }
  if (cmyk)
    cmyk_to_rgb (pixels, (size_t) w * (size_t) h);
  pj_picture_set_interleaved (out, pixels, grey ? 1 : 3, h, w);
  pj_picture_orient (out, pj_exif_orientation (bytes, size));
  return TRUE;
}

/* A decoder of this thread's own for the time of one call. */
static tjhandle
open_decoder (GError **error)
{
  tjhandle handle = tjInitDecompress ();
  if (handle == NULL)
    g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "no memory for decoding a JPEG");
  return handle;
}

gboolean
pj_jpeg_decode (const guint8 *bytes, size_t size, const char *path, const PjFormat *wanted, PjPicture *out, GError **error)
{
  tjhandle handle = open_decoder (error);
  if (handle == NULL)
    return FALSE;
  gboolean ok = decode (handle, bytes, size, path, wanted, out, error);
  tjDestroy (handle);
  return ok;
}

gboolean
pj_jpeg_measure (const guint8 *bytes, size_t size, const char *path, int *c, int *h, int *w, GError **error)
{
  Header header;
  tjhandle handle = open_decoder (error);
  if (handle == NULL)
    return FALSE;
  gboolean ok = read_header (handle, bytes, size, path, &header, error);
  tjDestroy (handle);
  if (!ok)
    return FALSE;
  gboolean turned = pj_exif_orientation (bytes, size) >= 5;
  *c = header.colourspace == TJCS_GRAY ? 1 : 3;
  *h = turned ? header.w : header.h;
  *w = turned ? header.h : header.w;
  return TRUE;
}
