/* SPDX-License-Identifier: MIT */
/* The five drawings of a gallery and how high they are.  Cut channels are crossed out or hatched in each of them. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <pango/pangocairo.h>

#include "gallery-private.h"

PjuGrid
pju_gallery_grid (guint n, double width)
{
  guint columns = n <= 16 ? 4 : n <= 64 ? 6 : n <= 256 ? 9 : 14;
  return (PjuGrid) { columns, width / columns };
}

static double
row_height (guint n)
{
  return n <= 32 ? 12 : n <= 96 ? 7 : n <= 256 ? 4 : 2;
}

/* What stands where there is nothing to draw. */
const char *
pju_gallery_missing (PjuGallery *self, const PjmLook *look)
{
  if (self->mode == PJU_GALLERY_CRITERIA)
    return pjm_layer_n_criteria (self->layer) > 0 ? NULL : _("No criterion was measured yet");
  if (self->mode == PJU_GALLERY_HISTOGRAM)
    return pjm_layer_get_scores (self->layer) ? NULL : _("Not scored by this criterion yet.");
  if (!look)
    return _("Looking…");
  if (self->mode == PJU_GALLERY_FILTERS)
    return look->filters ? NULL : _("These filters have a single position: there is nothing to see");
  return look->maps ? NULL : _("Open pictures to see what the channels answer");
}

double
pju_gallery_height (PjuGallery *self, double width)
{
  const PjmLook *look = pju_gallery_get_look (self);
  guint n = self->layer ? pjm_layer_get_channels (self->layer) : 0;
  if (!self->layer || pju_gallery_missing (self, look))
    return 60;
  PjuGrid grid = pju_gallery_grid (n, width);
  double tiles = grid.cell * ((n + grid.columns - 1) / grid.columns);
  switch (self->mode) {
  case PJU_GALLERY_MAPS: return STRIP + tiles;
  case PJU_GALLERY_FILTERS: return tiles;
  case PJU_GALLERY_PICTURES: return STRIP + n * row_height (n);
  case PJU_GALLERY_CRITERIA: return HEAD + n * row_height (n);
  default: return 130;
  }
}

static void
show_text (cairo_t *cr, const char *text, double x, double y, double anchor, double size)
{
  g_autoptr (PangoLayout) layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string ("Cantarell, Noto Sans CJK SC, Sans");
  int w, h;
  pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  pango_layout_get_pixel_size (layout, &w, &h);
  cairo_move_to (cr, x - anchor * w, y - h / 2.);
  pango_cairo_show_layout (cr, layout);
}

static void
put_tile (cairo_t *cr, cairo_surface_t *tile, double x, double y, double w, double h, double alpha)
{
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_scale (cr, w / cairo_image_surface_get_width (tile), h / cairo_image_surface_get_height (tile));
  cairo_set_source_surface (cr, tile, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
  cairo_rectangle (cr, 0, 0, cairo_image_surface_get_width (tile), cairo_image_surface_get_height (tile));
  cairo_clip (cr);
  cairo_paint_with_alpha (cr, alpha);
  cairo_restore (cr);
}

static void
cross_out (cairo_t *cr, double x, double y, double w, double h, const PjuPalette *palette)
{
  for (int pass = 0; pass < 2; pass++) {
    pju_set_color (cr, pass ? &palette->error : &palette->canvas, 1);
    cairo_set_line_width (cr, pass ? 1.6 : 3.2);
    cairo_move_to (cr, x + 2, y + 2);
    cairo_line_to (cr, x + w - 2, y + h - 2);
    cairo_move_to (cr, x + w - 2, y + 2);
    cairo_line_to (cr, x + 2, y + h - 2);
    cairo_stroke (cr);
  }
}

static void
paint_tiles (PjuGallery *self, cairo_t *cr, double top, double width, const PjuPalette *palette)
{
  PjuGrid grid = pju_gallery_grid (self->tiles->len, width);
  double gap = grid.cell > 30 ? 2 : 1, side = grid.cell - 2 * gap;
  for (guint c = 0; c < self->tiles->len; c++) {
    double x = c % grid.columns * grid.cell + gap, y = top + c / grid.columns * grid.cell + gap;
    gboolean kept = pju_gallery_is_kept (self, c);
    put_tile (cr, self->tiles->pdata[c], x, y, side, side, kept ? 1 : .55);
    if (!kept)
      cross_out (cr, x, y, side, side, palette);
    if ((int) c == self->hover) {
      pju_set_color (cr, &palette->fg, 1);
      cairo_set_line_width (cr, 2);
      cairo_rectangle (cr, x, y, side, side);
      cairo_stroke (cr);
    }
  }
}

static void
paint_strip (PjuGallery *self, cairo_t *cr, double left, double width, gboolean choose, const PjuPalette *palette)
{
  double step = (width - left) / MAX (1u, self->thumbs->len), side = MIN (step - 2, STRIP - 6);
  for (guint p = 0; p < self->thumbs->len; p++) {
    double x = left + step * p + (step - side) / 2;
    put_tile (cr, self->thumbs->pdata[p], x, 2, side, side, choose && p != self->picture ? .6 : 1);
    if (choose && p == self->picture) {
      pju_set_color (cr, &palette->accent, 1);
      cairo_set_line_width (cr, 2.5);
      cairo_rectangle (cr, x - 1, 1, side + 2, side + 2);
      cairo_stroke (cr);
    }
  }
}

static int
compare_scores (gconstpointer a, gconstpointer b, gpointer data)
{
  const double *scores = data;
  double x = scores[*(const guint *) a], y = scores[*(const guint *) b];
  return x > y ? -1 : x < y ? 1 : (int) *(const guint *) a - (int) *(const guint *) b;
}

/* Channels by falling score; in channel order without scores. (transfer full) */
static guint *
order_by (const double *scores, guint n)
{
  guint *order = g_new (guint, MAX (1u, n));
  for (guint i = 0; i < n; i++)
    order[i] = i;
  if (scores)
    g_qsort_with_data (order, (int) n, sizeof (guint), compare_scores, (gpointer) scores);
  return order;
}

/* A line at the left of rows that are cut. */
static void
paint_row_marks (PjuGallery *self, cairo_t *cr, const guint *order, guint n, double top, const PjuPalette *palette)
{
  double row = row_height (n);
  for (guint i = 0; i < n; i++) {
    pju_set_color (cr, pju_gallery_is_kept (self, order[i]) ? &palette->fg : &palette->line, 1);
    if (pju_gallery_is_kept (self, order[i])) {
      cairo_rectangle (cr, 0, top + i * row, MARK - 3, MAX (row - 1, 1));
      cairo_fill (cr);
    } else {
      cairo_set_line_width (cr, 1);
      pju_hatch (cr, 0, top + i * row, MARK - 3, MAX (row - 1, 1), 3, &palette->fg);
    }
  }
}

static void
paint_pictures (PjuGallery *self, cairo_t *cr, const PjmLook *look, double width, const PjuPalette *palette)
{
  guint n = look->n_channels;
  g_autofree guint *order = order_by (pjm_layer_get_scores (self->layer), n);
  double row = row_height (n), cell = (width - MARK) / look->n_pictures, high = 0;
  for (gsize i = 0; i < (gsize) n * look->n_pictures; i++)
    high = MAX (high, look->strength[i]);
  paint_strip (self, cr, MARK, width, FALSE, palette);
  for (guint i = 0; i < n; i++)
    for (guint p = 0; p < look->n_pictures; p++) {
      GdkRGBA color;
      double strength = look->strength[(gsize) order[i] * look->n_pictures + p];
      pju_palette_scale (palette, pju_gallery_shade (strength, high), &color);
      pju_set_color (cr, &color, pju_gallery_is_kept (self, order[i]) ? 1 : .45);
      cairo_rectangle (cr, MARK + p * cell, STRIP + i * row, cell - 1, MAX (row - (row > 5), 1));
      cairo_fill (cr);
    }
  paint_row_marks (self, cr, order, n, STRIP, palette);
}

static const char *
criterion_title (PjuGallery *self, const char *name)
{
  guint n;
  const PjmChoice *methods = pjm_project_get_methods (pju_studio_get_project (self->studio), &n);
  for (guint i = 0; i < n; i++)
    if (g_strcmp0 (methods[i].name, name) == 0)
      return methods[i].title;
  return name;
}

static void
paint_criteria (PjuGallery *self, cairo_t *cr, double width, const PjuPalette *palette)
{
  guint n = pjm_layer_get_channels (self->layer), k = pjm_layer_n_criteria (self->layer);
  g_autofree guint *order = order_by (pjm_layer_get_scores (self->layer), n);
  g_autofree guint *place = g_new (guint, MAX (1u, n));
  double row = row_height (n), cell = (width - MARK - 24) / k;
  for (guint j = 0; j < k; j++) {
    const double *scores;
    const char *name = pjm_layer_get_criterion (self->layer, j, &scores);
    double x = MARK + j * cell;
    pju_set_color (cr, &palette->fg, 1);
    cairo_save (cr);
    cairo_translate (cr, x + cell / 2, HEAD - 8);
    cairo_rotate (cr, -G_PI / 5);
    show_text (cr, criterion_title (self, name), 0, 0, 0, 10.5);
    cairo_restore (cr);
    if (!scores) {
      pju_set_color (cr, &palette->surface, 1);
      cairo_rectangle (cr, x, HEAD, cell - 1, n * row);
      cairo_fill (cr);
      continue;
    }
    g_autofree guint *ranked = order_by (scores, n);
    for (guint i = 0; i < n; i++)
      place[ranked[i]] = i;
    for (guint i = 0; i < n; i++) {
      GdkRGBA color;
      pju_palette_scale (palette, n > 1 ? 1 - (double) place[order[i]] / (n - 1) : 1, &color);
      pju_set_color (cr, &color, pju_gallery_is_kept (self, order[i]) ? 1 : .45);
      cairo_rectangle (cr, x, HEAD + i * row, cell - 1, MAX (row - (row > 5), 1));
      cairo_fill (cr);
    }
  }
  paint_row_marks (self, cr, order, n, HEAD, palette);
}

#define MAX_BINS 32

static void
paint_histogram (PjuGallery *self, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  const double *scores = pjm_layer_get_scores (self->layer);
  guint n = pjm_layer_get_channels (self->layer), n_bins = (guint) CLAMP (2 * sqrt (n), 8, MAX_BINS);
  guint kept[MAX_BINS] = { 0 }, cut[MAX_BINS] = { 0 }, most = 1;
  double low = INFINITY, high = -INFINITY, base = height - 20, bar = width / n_bins;
  for (guint i = 0; i < n; i++) {
    low = MIN (low, scores[i]);
    high = MAX (high, scores[i]);
  }
  for (guint i = 0; i < n; i++) {
    int bin = high > low ? CLAMP ((int) ((scores[i] - low) / (high - low) * n_bins), 0, (int) n_bins - 1) : 0;
    *(pju_gallery_is_kept (self, i) ? &kept[bin] : &cut[bin]) += 1;
  }
  for (guint b = 0; b < n_bins; b++)
    most = MAX (most, kept[b] + cut[b]);
  for (guint b = 0; b < n_bins; b++) {
    double full = base - 18, k = full * kept[b] / most, c = full * cut[b] / most;
    pju_set_color (cr, &palette->accent, .85);
    cairo_rectangle (cr, b * bar + 1, base - k, bar - 2, k);
    cairo_fill (cr);
    pju_set_color (cr, &palette->surface, 1);
    cairo_rectangle (cr, b * bar + 1, base - k - c, bar - 2, c);
    cairo_fill (cr);
    cairo_set_line_width (cr, 1);
    pju_hatch (cr, b * bar + 1, base - k - c, bar - 2, c, 4, &palette->dim);
  }
  pju_set_color (cr, &palette->dim, 1);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, 0, base + .5);
  cairo_line_to (cr, width, base + .5);
  cairo_stroke (cr);
  g_autofree char *from = g_strdup_printf ("%.3g", low), *to = g_strdup_printf ("%.3g", high);
  g_autofree char *top = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u channel", "%u channels", most), most);
  show_text (cr, from, 0, base + 11, 0, 11);
  show_text (cr, to, width, base + 11, 1, 11);
  show_text (cr, top, 0, 7, 0, 11);
}

void
pju_gallery_paint (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  PjuGallery *self = data;
  const PjmLook *look = pju_gallery_get_look (self);
  const char *nothing = self->layer ? pju_gallery_missing (self, look) : "";
  if (nothing) {
    pju_set_color (cr, &palette->dim, 1);
    show_text (cr, nothing, width / 2, height / 2, .5, 12);
    return;
  }
  if (look)
    pju_gallery_make_tiles (self, look);
  switch (self->mode) {
  case PJU_GALLERY_MAPS:
    paint_strip (self, cr, 0, width, TRUE, palette);
    paint_tiles (self, cr, STRIP, width, palette);
    break;
  case PJU_GALLERY_FILTERS: paint_tiles (self, cr, 0, width, palette); break;
  case PJU_GALLERY_PICTURES: paint_pictures (self, cr, look, width, palette); break;
  case PJU_GALLERY_CRITERIA: paint_criteria (self, cr, width, palette); break;
  default: paint_histogram (self, cr, width, height, palette); break;
  }
}
