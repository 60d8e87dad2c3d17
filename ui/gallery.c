/* SPDX-License-Identifier: MIT */
/* Five drawings of what the model found when it looked into the layer.  Cut channels are crossed out or hatched in
 * each of them.  Maps and filters are kept as small surfaces, made once per look; everything else is drawn from the
 * numbers.  In maps mode a strip of the pictures stands on top: a click or the arrow keys choose one. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <pango/pangocairo.h>

#include "gallery.h"
#include "save.h"

#define STRIP 34
#define HEAD 58
#define MARK 8

struct _PjuGallery {
  GtkWidget parent;
  PjuStudio *studio;
  PjmLayer *layer;
  PjuGalleryMode mode;
  guint picture;
  int hover;
  GPtrArray *tiles;                /* cairo_surface_t of MAPS or FILTERS */
  GPtrArray *thumbs;               /* cairo_surface_t of the pictures */
};

G_DEFINE_FINAL_TYPE (PjuGallery, pju_gallery, GTK_TYPE_WIDGET)

enum { TOGGLED, N_SIGNALS };
static guint signals[N_SIGNALS];

static const struct { const char *title, *about; } modes[PJU_N_GALLERIES] = {
  [PJU_GALLERY_MAPS] = { N_("Feature maps"),
    N_("What each channel answers to the chosen picture, dark for nothing, bright for the strongest answer of the layer.") },
  [PJU_GALLERY_FILTERS] = { N_("Filters"),
    N_("The weights that make each channel, in colour where they read a colour picture, else the mean over what they read.") },
  [PJU_GALLERY_PICTURES] = { N_("Channels × pictures"),
    N_("How strongly each channel answers to each of twelve test pictures, on the average over positions. Strongest channels "
       "by the chosen criterion on top.") },
  [PJU_GALLERY_CRITERIA] = { N_("Channels × criteria"),
    N_("Where each criterion that was measured ranks each channel, bright for its most important one. Rows that change "
       "colour are channels about which the criteria disagree.") },
  [PJU_GALLERY_HISTOGRAM] = { N_("Histogram of scores"),
    N_("How many channels have which score by the chosen criterion; hatched are those that are cut.") },
};

const char *
pju_gallery_mode_title (PjuGalleryMode mode)
{
  return _(modes[mode].title);
}

const char *
pju_gallery_mode_about (PjuGalleryMode mode)
{
  return _(modes[mode].about);
}

static const PjmLook *
look_of (PjuGallery *self)
{
  return self->studio && self->layer ? pjm_project_get_look (pju_studio_get_project (self->studio), self->layer) : NULL;
}

static gboolean
is_kept (PjuGallery *self, guint channel)
{
  const guint8 *mask = pjm_layer_get_mask (self->layer);
  return !mask || mask[channel];
}

/* --- tiles --- */

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

static cairo_surface_t *
map_tile (const PjmLook *look, const float *map, double high, const PjuPalette *palette)
{
  guint32 *pixels;
  int stride;
  cairo_surface_t *tile = new_tile (look->map_w, look->map_h, &pixels, &stride);
  for (guint y = 0; y < look->map_h; y++)
    for (guint x = 0; x < look->map_w; x++) {
      GdkRGBA color;
      double value = fabs ((double) map[y * look->map_w + x]);
      pju_palette_scale (palette, high > 0 ? value / high : 0, &color);
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

static void
make_tiles (PjuGallery *self, const PjmLook *look)
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

/* --- geometry --- */

typedef struct { guint columns; double cell; } Grid;

static Grid
grid_for (guint n, double width)
{
  guint columns = n <= 16 ? 4 : n <= 64 ? 6 : n <= 256 ? 9 : 14;
  return (Grid) { columns, width / columns };
}

static double
row_height (guint n)
{
  return n <= 32 ? 12 : n <= 96 ? 7 : n <= 256 ? 4 : 2;
}

/* What stands where there is nothing to draw. */
static const char *
missing (PjuGallery *self, const PjmLook *look)
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
  const PjmLook *look = look_of (self);
  guint n = self->layer ? pjm_layer_get_channels (self->layer) : 0;
  if (!self->layer || missing (self, look))
    return 60;
  Grid grid = grid_for (n, width);
  double tiles = grid.cell * ((n + grid.columns - 1) / grid.columns);
  switch (self->mode) {
  case PJU_GALLERY_MAPS: return STRIP + tiles;
  case PJU_GALLERY_FILTERS: return tiles;
  case PJU_GALLERY_PICTURES: return STRIP + n * row_height (n);
  case PJU_GALLERY_CRITERIA: return HEAD + n * row_height (n);
  default: return 130;
  }
}

/* --- painting --- */

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
  Grid grid = grid_for (self->tiles->len, width);
  double gap = grid.cell > 30 ? 2 : 1, side = grid.cell - 2 * gap;
  for (guint c = 0; c < self->tiles->len; c++) {
    double x = c % grid.columns * grid.cell + gap, y = top + c / grid.columns * grid.cell + gap;
    gboolean kept = is_kept (self, c);
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
    pju_set_color (cr, is_kept (self, order[i]) ? &palette->fg : &palette->line, 1);
    if (is_kept (self, order[i])) {
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
      pju_palette_scale (palette, high > 0 ? look->strength[(gsize) order[i] * look->n_pictures + p] / high : 0, &color);
      pju_set_color (cr, &color, is_kept (self, order[i]) ? 1 : .45);
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
      pju_set_color (cr, &color, is_kept (self, order[i]) ? 1 : .45);
      cairo_rectangle (cr, x, HEAD + i * row, cell - 1, MAX (row - (row > 5), 1));
      cairo_fill (cr);
    }
  }
  paint_row_marks (self, cr, order, n, HEAD, palette);
}

#define N_BINS 24

static void
paint_histogram (PjuGallery *self, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  const double *scores = pjm_layer_get_scores (self->layer);
  guint n = pjm_layer_get_channels (self->layer), kept[N_BINS] = { 0 }, cut[N_BINS] = { 0 }, most = 1;
  double low = INFINITY, high = -INFINITY, base = height - 20, bar = width / N_BINS;
  for (guint i = 0; i < n; i++) {
    low = MIN (low, scores[i]);
    high = MAX (high, scores[i]);
  }
  for (guint i = 0; i < n; i++) {
    int bin = high > low ? CLAMP ((int) ((scores[i] - low) / (high - low) * N_BINS), 0, N_BINS - 1) : 0;
    *(is_kept (self, i) ? &kept[bin] : &cut[bin]) += 1;
  }
  for (guint b = 0; b < N_BINS; b++)
    most = MAX (most, kept[b] + cut[b]);
  for (guint b = 0; b < N_BINS; b++) {
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
  const PjmLook *look = look_of (self);
  const char *nothing = self->layer ? missing (self, look) : "";
  if (nothing) {
    pju_set_color (cr, &palette->dim, 1);
    show_text (cr, nothing, width / 2, height / 2, .5, 12);
    return;
  }
  if (look)
    make_tiles (self, look);
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

static void
snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  pju_paint_widget (widget, snapshot, pju_gallery_paint, widget, 1);
}

static GtkSizeRequestMode
request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural, int *minimum_baseline,
         int *natural_baseline)
{
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = 160;
    *natural = 300;
  } else {
    *minimum = *natural = (int) ceil (pju_gallery_height (PJU_GALLERY (widget), for_size > 0 ? for_size : 300));
  }
}

/* --- hands --- */

static int
channel_at (PjuGallery *self, double x, double y)
{
  guint n = self->tiles->len;
  double top = self->mode == PJU_GALLERY_MAPS ? STRIP : 0;
  if (n == 0 || y < top || (self->mode != PJU_GALLERY_MAPS && self->mode != PJU_GALLERY_FILTERS))
    return -1;
  Grid grid = grid_for (n, gtk_widget_get_width (GTK_WIDGET (self)));
  guint column = (guint) (x / grid.cell), at = (guint) ((y - top) / grid.cell) * grid.columns + column;
  return column < grid.columns && at < n ? (int) at : -1;
}

static void
describe (PjuGallery *self)
{
  const PjmLook *look = look_of (self);
  const char *title = pju_gallery_mode_title (self->mode), *nothing = self->layer ? missing (self, look) : NULL;
  g_autofree char *label = g_strdup_printf (_("%s of %s"), title, self->layer ? pjm_layer_get_name (self->layer) : "–");
  g_autofree char *text = NULL;
  if (!nothing && look && self->mode == PJU_GALLERY_MAPS && self->picture < look->n_pictures) {
    const char *class = pjm_project_get_class (pju_studio_get_project (self->studio), look->labels[self->picture]);
    text = g_strdup_printf (_("picture %u of %u, class %s"), self->picture + 1, look->n_pictures, class ? class : "–");
  }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, nothing ? nothing : text ? text : _(modes[self->mode].about), -1);
}

static void
choose_picture (PjuGallery *self, guint picture)
{
  self->picture = picture;
  g_ptr_array_set_size (self->tiles, 0);
  describe (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
click_cb (GtkGestureClick *click, int n_press, double x, double y, PjuGallery *self)
{
  int channel = channel_at (self, x, y);
  gtk_widget_grab_focus (GTK_WIDGET (self));
  if (self->mode == PJU_GALLERY_MAPS && y < STRIP && self->thumbs->len > 0) {
    guint picture = (guint) (x / gtk_widget_get_width (GTK_WIDGET (self)) * self->thumbs->len);
    choose_picture (self, MIN (picture, self->thumbs->len - 1));
  } else if (channel >= 0 && !pjm_layer_get_locked (self->layer)) {
    g_signal_emit (self, signals[TOGGLED], 0, (guint) channel);
  }
}

static gboolean
walk (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  PjuGallery *self = PJU_GALLERY (widget);
  int step = g_variant_get_int32 (arguments), next = (int) self->picture + step;
  if (self->mode != PJU_GALLERY_MAPS || next < 0 || next >= (int) self->thumbs->len)
    return GDK_EVENT_PROPAGATE;
  choose_picture (self, (guint) next);
  return GDK_EVENT_STOP;
}

static void
motion_cb (GtkEventControllerMotion *motion, double x, double y, PjuGallery *self)
{
  int channel = channel_at (self, x, y);
  if (channel == self->hover)
    return;
  self->hover = channel;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
leave_cb (GtkEventControllerMotion *motion, PjuGallery *self)
{
  self->hover = -1;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static gboolean
tooltip_cb (PjuGallery *self, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  int channel = keyboard ? -1 : channel_at (self, x, y);
  const PjmLook *look = look_of (self);
  if (!keyboard && look && self->mode == PJU_GALLERY_MAPS && y < STRIP && self->thumbs->len > 0) {
    guint picture = MIN ((guint) ((double) x / gtk_widget_get_width (GTK_WIDGET (self)) * self->thumbs->len), look->n_pictures - 1);
    const char *class = pjm_project_get_class (pju_studio_get_project (self->studio), look->labels[picture]);
    gtk_tooltip_set_text (tooltip, class ? class : "–");
    return TRUE;
  }
  if (channel < 0)
    return FALSE;
  g_autofree char *text = g_strdup_printf (is_kept (self, (guint) channel) ? _("Channel %d · kept. Click to cut it.")
                                                                          : _("Channel %d · cut. Click to keep it."), channel);
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

/* --- public --- */

void
pju_gallery_refresh (PjuGallery *self)
{
  const PjmLook *look = look_of (self);
  if (!look) {
    g_ptr_array_set_size (self->tiles, 0);
    g_ptr_array_set_size (self->thumbs, 0);
    if (self->layer && self->mode <= PJU_GALLERY_PICTURES && gtk_widget_get_mapped (GTK_WIDGET (self)))
      pjm_project_look (pju_studio_get_project (self->studio), self->layer);
  } else if (self->picture >= look->n_pictures) {
    self->picture = 0;
  }
  describe (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
looked_cb (PjuGallery *self)
{
  g_ptr_array_set_size (self->tiles, 0);
  g_ptr_array_set_size (self->thumbs, 0);
  pju_gallery_refresh (self);
}

void
pju_gallery_set_layer (PjuGallery *self, PjmLayer *layer)
{
  if (g_set_object (&self->layer, layer))
    looked_cb (self);
}

void
pju_gallery_set_mode (PjuGallery *self, PjuGalleryMode mode)
{
  self->mode = mode;
  self->hover = -1;
  g_ptr_array_set_size (self->tiles, 0);
  pju_gallery_refresh (self);
}

void
pju_gallery_set_studio (PjuGallery *self, PjuStudio *studio)
{
  self->studio = g_object_ref (studio);
  g_signal_connect_object (pju_studio_get_project (studio), "looked", G_CALLBACK (looked_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect (self, "map", G_CALLBACK (pju_gallery_refresh), NULL);
}

static void
dispose (GObject *object)
{
  PjuGallery *self = PJU_GALLERY (object);
  g_clear_object (&self->layer);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->tiles, g_ptr_array_unref);
  g_clear_pointer (&self->thumbs, g_ptr_array_unref);
  G_OBJECT_CLASS (pju_gallery_parent_class)->dispose (object);
}

static void
pju_gallery_class_init (PjuGalleryClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->get_request_mode = request_mode;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "gallery");
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Left, 0, walk, "i", -1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Right, 0, walk, "i", 1);
  signals[TOGGLED] = g_signal_new ("toggled", PJU_TYPE_GALLERY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
free_tile (gpointer tile)
{
  cairo_surface_destroy (tile);
}

static void
pju_gallery_init (PjuGallery *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkGesture *click = gtk_gesture_click_new ();
  self->hover = -1;
  self->tiles = g_ptr_array_new_with_free_func (free_tile);
  self->thumbs = g_ptr_array_new_with_free_func (free_tile);
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  g_signal_connect (click, "pressed", G_CALLBACK (click_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  g_signal_connect (self, "query-tooltip", G_CALLBACK (tooltip_cb), NULL);
}
