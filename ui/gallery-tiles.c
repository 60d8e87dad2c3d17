/* SPDX-License-Identifier: MIT */
/* Small surfaces of a gallery, made once per look: feature maps, filters, pictures. */
#include <math.h>

#include "gallery-private.h"

static cairo_surface_t *
new_tile (guint w, guint h, guint32 **pixels, int *stride)
{
  cairo_surface_t *tile = cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) w, (int) h);
  cairo_surface_flush (tile);
  *pixels = (guint32 *) (gpointer) cairo_image_surface_get_data (tile);
  *stride = cairo_image_surface_get_stride (tile) / 4;
  return tile;
}

static guint32
pack (double r, double g, double b)
{
  return (guint32) lround (255 * CLAMP (r, 0, 1)) << 16 | (guint32) lround (255 * CLAMP (g, 0, 1)) << 8
         | (guint32) lround (255 * CLAMP (b, 0, 1));
}

/* Most answers are small beside the strongest: by their square roots one still sees what they are about. */
double
pju_gallery_shade (double value, double high)
{
  return high > 0 ? sqrt (fabs (value) / high) : 0;
}

static cairo_surface_t *
map_tile (const PjmLook *look, const float *map, double high, const PjuPalette *palette)
{
  guint32 *pixels;
  int stride;
  cairo_surface_t *tile = new_tile (look->map_w, look->map_h, &pixels, &stride);
  for (guint y = 0; y < look->map_h; y++)
    for (guint x = 0; x < look->map_w; x++) {
      GdkRGBA color;
      pju_palette_scale (palette, pju_gallery_shade ((double) map[y * look->map_w + x], high), &color);
      pixels[(int) y * stride + (int) x] = pack (color.red, color.green, color.blue);
    }
  cairo_surface_mark_dirty (tile);
  return tile;
}

static cairo_surface_t *
filter_tile (const PjmLook *look, const float *filter, double high)
{
  guint32 *pixels;
  int stride;
  guint plane = look->filter_h * look->filter_w;
  cairo_surface_t *tile = new_tile (look->filter_w, look->filter_h, &pixels, &stride);
  for (guint i = 0; i < plane; i++) {
    double v[3];
    for (int ch = 0; ch < 3; ch++)
      v[ch] = 0.5 + 0.5 * (double) filter[look->filter_planes == 3 ? (guint) ch * plane + i : i] / MAX (high, 1e-30);
    guint32 color = look->bgr ? pack (v[2], v[1], v[0]) : pack (v[0], v[1], v[2]);
    pixels[(int) (i / look->filter_w) * stride + (int) (i % look->filter_w)] = color;
  }
  cairo_surface_mark_dirty (tile);
  return tile;
}

static cairo_surface_t *
picture_tile (const PjmLook *look, guint picture)
{
  guint32 *pixels;
  int stride, plane = look->h * look->w;
  const guint8 *from = look->pixels + (gsize) picture * (gsize) (look->c * plane);
  cairo_surface_t *tile = new_tile ((guint) look->w, (guint) look->h, &pixels, &stride);
  for (int i = 0; i < plane; i++) {
    guint32 a = from[i], b = from[look->c == 3 ? plane + i : i], c = from[look->c == 3 ? 2 * plane + i : i];
    pixels[i / look->w * stride + i % look->w] = look->bgr ? c << 16 | b << 8 | a : a << 16 | b << 8 | c;
  }
  cairo_surface_mark_dirty (tile);
  return tile;
}

void
pju_gallery_make_tiles (PjuGallery *self, const PjmLook *look)
{
  gsize plane = (gsize) look->map_h * look->map_w, size = (gsize) look->filter_planes * look->filter_h * look->filter_w;
  PjuPalette palette;
  double high = 0;

  pju_palette_for_paper (&palette);
  if (self->thumbs->len == 0 && look->pixels)
    for (guint p = 0; p < look->n_pictures; p++)
      g_ptr_array_add (self->thumbs, picture_tile (look, p));
  if (self->tiles->len > 0)
    return;
  if (self->mode == PJU_GALLERY_MAPS && look->maps && self->picture < look->n_pictures) {
    const float *maps = look->maps + self->picture * (gsize) look->n_channels * plane;
    for (gsize i = 0; i < look->n_channels * plane; i++)
      high = MAX (high, fabs ((double) maps[i]));
    for (guint c = 0; c < look->n_channels; c++)
      g_ptr_array_add (self->tiles, map_tile (look, maps + c * plane, high, &palette));
  } else if (self->mode == PJU_GALLERY_FILTERS && look->filters) {
    for (gsize i = 0; i < look->n_channels * size; i++)
      high = MAX (high, fabs ((double) look->filters[i]));
    for (guint c = 0; c < look->n_channels; c++)
      g_ptr_array_add (self->tiles, filter_tile (look, look->filters + c * size, high));
  }
}
