/* SPDX-License-Identifier: MIT */
/* Paints the network.  Only what the view shows is drawn; texts are laid out once per box and left away
 * when they would be too small to read.
 *
 * A box is filled with the chosen quantity (tint.h); the bar at the foot of a prunable one shows the share
 * that is kept, solid, and the share that is cut, hatched, so that a cut never hangs on colour.  Boxes of which
 * the quantity says nothing stay neutral.  The selected box has a ring, and every box that is cut together
 * with it a dashed one. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <pango/pangocairo.h>

#include "graph-private.h"

#define READABLE 0.5               /* below this scale texts are left away */
#define RADIUS 9
#define BAR 7

typedef struct {
  PjuGraph *graph;
  cairo_t *cr;
  const PjuGraphView *view;
  const PjuPalette *palette;
  int group;                       /* of the selected layer */
  gboolean tied;                   /* the group has more than one box */
  char *match;
  PjuTintRange range;
} Painter;

static gboolean
is_prunable (PjmLayer *layer)
{
  return layer && pjm_layer_get_channels (layer) > 0;
}

/* Channels of a box, and how many stay: a folded block counts all of its layers. */
static void
count_channels (PjuNode *node, guint *channels, guint *kept)
{
  *channels = *kept = 0;
  for (guint i = 0; i < (node->inside ? node->inside->len : 1); i++) {
    PjmLayer *layer = node->inside ? node->inside->pdata[i] : node->layer;
    *channels += layer ? pjm_layer_get_channels (layer) : 0;
    *kept += layer ? pjm_layer_get_kept (layer) : 0;
  }
}

static PangoLayout *
make_text (cairo_t *cr, const char *text, double size, gboolean bold, double width)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string ("Cantarell, Noto Sans CJK SC, Sans");
  pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
  pango_font_description_set_weight (font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  pango_layout_set_width (layout, width * PANGO_SCALE);
  /* Names made by exporters are paths: their ends tell them apart. */
  pango_layout_set_ellipsize (layout, strchr (text, '/') ? PANGO_ELLIPSIZE_START : PANGO_ELLIPSIZE_END);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  return layout;
}

static void
make_texts (Painter *p, PjuNode *node)
{
  guint kept, channels;
  gboolean prunable = is_prunable (node->layer);
  count_channels (node, &channels, &kept);

  if (node->title && node->detail_kept != kept)
    g_clear_object (&node->detail);
  if (!node->title) {
    double room = node->w - 20 - (pjm_layer_get_locked (node->layer) && prunable ? 18 : 0);
    node->title = make_text (p->cr, node->name ? node->name : pjm_layer_get_name (node->layer), prunable ? 13.5 : 12, prunable, room);
  }
  if (!node->detail) {
    g_autofree char *kind = node->inside ? g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u layer", "%u layers", node->inside->len),
                                                            node->inside->len)
                                         : pju_get_string (node->layer, "kind");
    g_autofree char *text = !prunable ? g_strdup (kind)
      : kept < channels ? g_strdup_printf (_("%s · %u of %u"), kind, kept, channels)
                        : g_strdup_printf (_("%s · %u"), kind, channels);
    node->detail = make_text (p->cr, text, prunable ? 11.5 : 10.5, FALSE, node->w - 20);
    node->detail_kept = kept;
  }
}

static void
paint_lock (cairo_t *cr, double x, double y, const GdkRGBA *color)
{
  pju_set_color (cr, color, 1);
  pju_round_rect (cr, x, y + 5, 10, 8, 1.5);
  cairo_fill (cr);
  cairo_set_line_width (cr, 1.6);
  cairo_arc (cr, x + 5, y + 5, 3, G_PI, 0);
  cairo_stroke (cr);
}

static void
paint_bar (Painter *p, PjuNode *node, const GdkRGBA *ink)
{
  guint channels, kept;
  count_channels (node, &channels, &kept);
  double share = channels > 0 ? (double) kept / channels : 1;
  double x = node->x + 10, w = node->w - 20, y = node->y + node->h - BAR - 6;
  cairo_t *cr = p->cr;

  pju_round_rect (cr, x, y, w, BAR, BAR / 2.);
  cairo_save (cr);
  cairo_clip (cr);
  GdkRGBA faint = *ink;
  faint.alpha = .22f;
  pju_set_color (cr, &faint, 1);
  cairo_paint (cr);
  pju_set_color (cr, ink, .95);
  cairo_rectangle (cr, x, y, w * share, BAR);
  cairo_fill (cr);
  cairo_set_line_width (cr, 1.2);
  pju_hatch (cr, x + w * share, y, w * (1 - share), BAR, 5, ink);
  cairo_restore (cr);
}

static void
paint_text (Painter *p, PjuNode *node, const GdkRGBA *ink)
{
  int title_h, detail_h;
  gboolean prunable = is_prunable (node->layer);
  make_texts (p, node);
  pango_layout_get_pixel_size (node->title, NULL, &title_h);
  pango_layout_get_pixel_size (node->detail, NULL, &detail_h);
  double room = node->h - (prunable ? BAR + 6 : 0);
  gboolean both = title_h + detail_h <= room;
  double y = node->y + (room - title_h - (both ? detail_h : 0)) / 2 + (prunable ? 1 : 0);
  pju_set_color (p->cr, ink, 1);
  pango_cairo_update_layout (p->cr, node->title);
  pango_cairo_update_layout (p->cr, node->detail);
  cairo_move_to (p->cr, node->x + 10, y);
  pango_cairo_show_layout (p->cr, node->title);
  if (both) {
    pju_set_color (p->cr, ink, .88);
    cairo_move_to (p->cr, node->x + 10, y + title_h);
    pango_cairo_show_layout (p->cr, node->detail);
  }
}

static void
ring (Painter *p, PjuNode *node, double width, gboolean dashed, const GdkRGBA *color)
{
  static const double dash[] = { 7, 4 };
  double out = 2 + width / 2;
  pju_round_rect (p->cr, node->x - out, node->y - out, node->w + 2 * out, node->h + 2 * out, RADIUS + out);
  pju_set_color (p->cr, color, 1);
  cairo_set_line_width (p->cr, width);
  cairo_set_dash (p->cr, dash, dashed ? 2 : 0, 0);
  cairo_stroke (p->cr);
  cairo_set_dash (p->cr, dash, 0, 0);
}

static void
paint_node (Painter *p, int box)
{
  PjuNode *node = pju_node (p->graph, box);
  const PjuPalette *palette = p->palette;
  cairo_t *cr = p->cr;
  gboolean prunable = is_prunable (node->layer);
  gboolean selected = box == p->view->selected;
  gboolean tied = FALSE;
  for (guint i = 0; p->group >= 0 && p->tied && i < (node->inside ? node->inside->len : 1); i++) {
    PjmLayer *layer = node->inside ? node->inside->pdata[i] : node->layer;
    tied = tied || (layer && pjm_layer_get_group (layer) == p->group);
  }
  double least = 2 / MIN (p->view->scale, 1);
  GdkRGBA fill = palette->raised, ink = palette->fg;

  if (pju_tint_applies (p->range.tint, node->layer)) {
    pju_palette_scale (palette, node->inside ? pju_tint_at_all (&p->range, node->inside) : pju_tint_at (&p->range, node->layer), &fill);
    pju_palette_text_on (&fill, &ink);
  }
  /* A folded block lies on a second sheet. */
  if (node->inside) {
    pju_round_rect (cr, node->x + 4, node->y + 5, node->w, node->h, RADIUS);
    pju_set_color (cr, &palette->surface, 1);
    cairo_fill_preserve (cr);
    pju_set_color (cr, &palette->dim, 1);
    cairo_set_line_width (cr, 1);
    cairo_stroke (cr);
  }
  pju_round_rect (cr, node->x, node->y, node->w, node->h, RADIUS);
  pju_set_color (cr, &fill, 1);
  cairo_fill_preserve (cr);
  pju_set_color (cr, box == p->view->hover ? &palette->fg : &palette->line, box == p->view->hover ? .8 : 1);
  cairo_set_line_width (cr, 1);
  cairo_stroke (cr);
  if (node->layer && p->view->scale >= READABLE)
    paint_text (p, node, &ink);
  if (prunable)
    paint_bar (p, node, &ink);
  if (prunable && pjm_layer_get_locked (node->layer))
    paint_lock (cr, node->x + node->w - 21, node->y + 7, &ink);
  if (p->match && !pju_node_matches (node, p->match)) {
    pju_round_rect (cr, node->x - 1, node->y - 1, node->w + 2, node->h + 2, RADIUS + 1);
    pju_set_color (cr, &palette->canvas, .7);
    cairo_fill (cr);
  }
  if (selected)
    ring (p, node, MAX (p->view->focused ? 3.5 : 2.5, least), FALSE, &palette->accent);
  else if (tied)
    ring (p, node, MAX (2.5, least), TRUE, &palette->accent);
}

static gboolean
link_visible (Painter *p, PjuLink *link, double x0, double y0, double x1, double y1)
{
  const double *points = (const double *) p->graph->points->data + link->first;
  double ax = INFINITY, ay = INFINITY, bx = -INFINITY, by = -INFINITY;
  for (guint i = 0; i < link->n_points; i++) {
    ax = MIN (ax, points[2 * i]);
    bx = MAX (bx, points[2 * i]);
    ay = MIN (ay, points[2 * i + 1]);
    by = MAX (by, points[2 * i + 1]);
  }
  return bx >= x0 && ax <= x1 && by >= y0 && ay <= y1;
}

static void
paint_link (Painter *p, PjuLink *link)
{
  const double *at = (const double *) p->graph->points->data + link->first;
  cairo_t *cr = p->cr;
  gboolean lit = p->view->selected >= 0 && (link->from == p->view->selected || link->to == p->view->selected);
  const GdkRGBA *color = lit ? &p->palette->accent : &p->palette->dim;
  double width = lit ? 2.2 : 1.4;

  if (link->n_points < 1)
    return;
  double tip_x = at[2 * (link->n_points - 1)], tip_y = at[2 * (link->n_points - 1) + 1];
  pju_set_color (cr, color, lit ? 1 : .7);
  cairo_set_line_width (cr, MAX (width, 1 / p->view->scale));
  cairo_move_to (cr, at[0], at[1]);
  for (guint i = 1; i + 2 < link->n_points; i += 3) {
    gboolean last = i + 3 >= link->n_points;
    cairo_curve_to (cr, at[2 * i], at[2 * i + 1], at[2 * i + 2], at[2 * i + 3], at[2 * i + 4],
                    at[2 * i + 5] - (last ? 4 : 0));
  }
  cairo_stroke (cr);
  if (p->view->scale >= .35) {
    cairo_move_to (cr, tip_x, tip_y);
    cairo_line_to (cr, tip_x - 4, tip_y - 7);
    cairo_line_to (cr, tip_x + 4, tip_y - 7);
    cairo_close_path (cr);
    cairo_fill (cr);
  }
}

static void
find_group (Painter *p)
{
  PjmLayer *layer = p->view->layer ? p->view->layer : pju_graph_get_layer (p->graph, p->view->selected);
  p->group = layer ? pjm_layer_get_group (layer) : -1;
  guint n = 0;
  for (guint i = 0; p->group >= 0 && i < p->graph->nodes->len; i++) {
    PjuNode *node = pju_node (p->graph, i);
    for (guint k = 0; k < (node->inside ? node->inside->len : 1); k++) {
      PjmLayer *other = node->inside ? node->inside->pdata[k] : node->layer;
      n += other && pjm_layer_get_group (other) == p->group;
    }
  }
  p->tied = n > 1;
}

void
pju_graph_paint (PjuGraph *self, cairo_t *cr, const PjuGraphView *view, const PjuPalette *palette)
{
  Painter p = { self, cr, view, palette, -1, FALSE, NULL, { 0 } };
  double x0 = view->x - 8, y0 = view->y - 8;
  double x1 = view->x + view->width / view->scale + 8, y1 = view->y + view->height / view->scale + 8;

  if (!self)
    return;
  p.match = view->match && *view->match ? g_utf8_casefold (view->match, -1) : NULL;
  find_group (&p);
  pju_graph_get_range (self, view->tint, &p.range);
  cairo_save (cr);
  cairo_scale (cr, view->scale, view->scale);
  cairo_translate (cr, -view->x, -view->y);
  for (guint i = 0; i < self->links->len; i++) {
    PjuLink *link = &g_array_index (self->links, PjuLink, i);
    if (link_visible (&p, link, x0, y0, x1, y1))
      paint_link (&p, link);
  }
  for (guint i = 0; i < self->nodes->len; i++) {
    PjuNode *node = pju_node (self, i);
    if (node->x + node->w >= x0 && node->x <= x1 && node->y + node->h >= y0 && node->y <= y1)
      paint_node (&p, i);
  }
  cairo_restore (cr);
  g_free (p.match);
}

static double
legend_text (cairo_t *cr, const char *text, double x, double y, double anchor)
{
  g_autoptr (PangoLayout) layout = make_text (cr, text, 11, FALSE, 400);
  int w, h;
  pango_layout_set_width (layout, -1);
  pango_layout_get_pixel_size (layout, &w, &h);
  cairo_move_to (cr, x - anchor * w, y - h / 2.);
  pango_cairo_show_layout (cr, layout);
  return w;
}

void
pju_graph_get_range (PjuGraph *self, PjuTint tint, PjuTintRange *range)
{
  pju_tint_range_init (range, tint);
  for (guint i = 0; self && i < self->nodes->len; i++) {
    PjuNode *node = pju_node (self, i);
    for (guint k = 0; k < (node->inside ? node->inside->len : 1); k++)
      pju_tint_range_add (range, node->inside ? node->inside->pdata[k] : node->layer);
  }
}

void
pju_graph_set_paper_tint (PjuGraph *self, PjuTint tint)
{
  self->paper_tint = tint;
}

void
pju_legend_paint (cairo_t *cr, double width, const PjuTintRange *range, gboolean titled, const PjuPalette *palette)
{
  double bar = width - 24;
  cairo_pattern_t *gradient = cairo_pattern_create_linear (12, 0, 12 + bar, 0);
  GdkRGBA color;

  for (int i = 0; i <= 8; i++) {
    pju_palette_scale (palette, i / 8.0, &color);
    cairo_pattern_add_color_stop_rgb (gradient, i / 8.0, color.red, color.green, color.blue);
  }
  pju_set_color (cr, &palette->fg, 1);
  g_autofree char *low = pju_tint_low (range), *high = pju_tint_high (range);
  const char *missing = range->known ? NULL : pju_tint_missing (range->tint);
  legend_text (cr, missing ? "" : low, 12, 12, 0);
  legend_text (cr, missing ? missing : titled ? pju_tint_title (range->tint) : "", 12 + bar / 2, 12, .5);
  legend_text (cr, missing ? "" : high, 12 + bar, 12, 1);
  pju_round_rect (cr, 12, 22, bar, 9, 4.5);
  cairo_set_source (cr, gradient);
  cairo_fill (cr);
  cairo_pattern_destroy (gradient);

  double x = 12, y = 47;
  pju_set_color (cr, &palette->fg, 1);
  cairo_rectangle (cr, x, y - 4, 18, 8);
  cairo_fill (cr);
  x += 24 + legend_text (cr, _("kept"), x + 24, y, 0) + 14;
  cairo_set_line_width (cr, 1.2);
  pju_set_color (cr, &palette->fg, .2);
  cairo_rectangle (cr, x, y - 4, 18, 8);
  cairo_fill (cr);
  pju_hatch (cr, x, y - 4, 18, 8, 5, &palette->fg);
  pju_set_color (cr, &palette->fg, 1);
  x += 24 + legend_text (cr, _("cut"), x + 24, y, 0) + 14;
  paint_lock (cr, x, y - 8, &palette->fg);
  x += 16 + legend_text (cr, _("locked"), x + 16, y, 0) + 14;
  static const double dash[] = { 5, 3 };
  pju_round_rect (cr, x, y - 5, 18, 10, 3);
  pju_set_color (cr, &palette->accent, 1);
  cairo_set_line_width (cr, 1.8);
  cairo_set_dash (cr, dash, 2, 0);
  cairo_stroke (cr);
  cairo_set_dash (cr, dash, 0, 0);
  pju_set_color (cr, &palette->fg, 1);
  legend_text (cr, _("tied"), x + 24, y, 0);
}

void
pju_graph_paint_paper (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette)
{
  PjuGraph *self = data;
  double below = PJU_LEGEND_HEIGHT + 8, scale = MIN (width / self->width, (height - below) / self->height);
  PjuGraphView view = { .scale = scale, .x = -(width / scale - self->width) / 2, .y = 0, .width = width,
                        .height = height - below, .selected = -1, .hover = -1, .tint = self->paper_tint };
  PjuTintRange range;

  pju_graph_get_range (self, self->paper_tint, &range);
  /* Texts measured for the screen's fonts are not those of paper. */
  pju_graph_forget_texts (self);
  pju_graph_paint (self, cr, &view, palette);
  cairo_save (cr);
  cairo_translate (cr, MAX ((width - PJU_LEGEND_WIDTH) / 2, 0), height - below);
  pju_legend_paint (cr, PJU_LEGEND_WIDTH, &range, TRUE, palette);
  cairo_restore (cr);
  pju_graph_forget_texts (self);
}
