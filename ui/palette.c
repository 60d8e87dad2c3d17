/* SPDX-License-Identifier: MIT */
/* The colours of drawn data, and the few shapes that all painters share.  Painters take a cairo_t and a
 * palette and nothing else, so that a saved picture is drawn by the code that draws the screen. */
#include <math.h>

#include "palette.h"

/* Viridis at nine stops, without its darkest tenth, which would swallow text and hatching. */
static const float scale_stops[][3] = {
  { .282f, .141f, .458f }, { .255f, .267f, .529f }, { .204f, .373f, .553f }, { .165f, .471f, .557f },
  { .129f, .569f, .549f }, { .133f, .659f, .518f }, { .266f, .749f, .440f }, { .478f, .820f, .318f },
  { .741f, .875f, .149f },
};

/* Okabe and Ito's colours first, without the yellow, which does not read on white; then as many others as stay apart for
 * most eyes.  Where two come close for people who see fewer colours, marker or dash differs.  Grey is the last. */
static const float series_light[PJU_N_SERIES][3] = {
  { .000f, .447f, .698f }, { .835f, .369f, .000f }, { .000f, .541f, .400f },
  { .702f, .349f, .561f }, { .780f, .529f, .000f }, { .200f, .600f, .800f },
  { .533f, .133f, .333f }, { .200f, .133f, .533f }, { .478f, .478f, .000f },
  { .549f, .337f, .294f }, { .361f, .627f, .000f }, { .400f, .400f, .420f },
};
static const float series_dark[PJU_N_SERIES][3] = {
  { .337f, .706f, .914f }, { .949f, .522f, .310f }, { .200f, .761f, .580f },
  { .878f, .561f, .741f }, { .929f, .729f, .251f }, { .561f, .639f, .949f },
  { .941f, .349f, .478f }, { .788f, .722f, .999f }, { .784f, .784f, .235f },
  { .812f, .627f, .533f }, { .557f, .878f, .290f }, { .722f, .722f, .741f },
};

static void
lookup (GtkStyleContext *context, const char *name, GdkRGBA fallback, GdkRGBA *out)
{
  if (!gtk_style_context_lookup_color (context, name, out))
    *out = fallback;
}

void
pju_palette_for_paper (PjuPalette *self)
{
  *self = (PjuPalette) {
    .canvas = { 1, 1, 1, 1 }, .surface = { .93f, .94f, .93f, 1 }, .raised = { 1, 1, 1, 1 },
    .fg = { .12f, .14f, .13f, 1 }, .dim = { .36f, .39f, .38f, 1 }, .line = { .80f, .82f, .81f, 1 },
    .accent = { .11f, .43f, .30f, 1 }, .warning = { .60f, .36f, .00f, 1 },
    .error = { .75f, .11f, .16f, 1 }, .success = { .11f, .43f, .24f, 1 },
  };
}

void
pju_palette_from_widget (PjuPalette *self, GtkWidget *widget)
{
  GtkStyleContext *context = gtk_widget_get_style_context (widget);
  PjuPalette paper;

  pju_palette_for_paper (&paper);
  lookup (context, "pju_canvas", paper.canvas, &self->canvas);
  lookup (context, "pju_surface", paper.surface, &self->surface);
  lookup (context, "pju_raised", paper.raised, &self->raised);
  lookup (context, "pju_fg", paper.fg, &self->fg);
  lookup (context, "pju_dim", paper.dim, &self->dim);
  lookup (context, "pju_line", paper.line, &self->line);
  lookup (context, "pju_accent", paper.accent, &self->accent);
  lookup (context, "pju_warning", paper.warning, &self->warning);
  lookup (context, "pju_error", paper.error, &self->error);
  lookup (context, "pju_success", paper.success, &self->success);
  self->dark = self->fg.red + self->fg.green + self->fg.blue > 1.5;
}

void
pju_palette_scale (const PjuPalette *self, double t, GdkRGBA *color)
{
  if (!(t >= 0)) {
    *color = self->surface;
    return;
  }
  int last = G_N_ELEMENTS (scale_stops) - 1;
  t = MIN (t, 1) * last;
  int i = MIN ((int) t, last - 1);
  float f = t - i;
  *color = (GdkRGBA) {
    scale_stops[i][0] + f * (scale_stops[i + 1][0] - scale_stops[i][0]),
    scale_stops[i][1] + f * (scale_stops[i + 1][1] - scale_stops[i][1]),
    scale_stops[i][2] + f * (scale_stops[i + 1][2] - scale_stops[i][2]), 1 };
}

static double
linear (double c)
{
  return c <= 0.04045 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4);
}

void
pju_palette_text_on (const GdkRGBA *background, GdkRGBA *color)
{
  double y = 0.2126 * linear (background->red) + 0.7152 * linear (background->green)
             + 0.0722 * linear (background->blue);
  /* Where white and near-black have the same contrast ratio. */
  if (y > 0.19)
    *color = (GdkRGBA) { .05f, .07f, .06f, 1 };
  else
    *color = (GdkRGBA) { 1, 1, 1, 1 };
}

void
pju_palette_series (const PjuPalette *self, guint series, GdkRGBA *color)
{
  const float *c = (self->dark ? series_dark : series_light)[series % PJU_N_SERIES];
  *color = (GdkRGBA) { c[0], c[1], c[2], 1 };
}

int
pju_palette_dash (guint series, const double **dash)
{
  static const double dashes[][4] = { { 0 }, { 7, 4 }, { 2, 3 }, { 9, 3, 2, 3 }, { 14, 4 } };
  static const int lengths[] = { 0, 2, 2, 4, 2 };
  guint i = series % G_N_ELEMENTS (lengths);
  *dash = dashes[i];
  return lengths[i];
}

void
pju_paint_widget (GtkWidget *widget, GtkSnapshot *snapshot, PjuPainter painter, gpointer data, float margin)
{
  int w = gtk_widget_get_width (widget), h = gtk_widget_get_height (widget);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (-margin, -margin, w + 2 * margin, h + 2 * margin));
  PjuPalette palette;

  pju_palette_from_widget (&palette, widget);
  painter (data, cr, w, h, &palette);
  cairo_destroy (cr);
}

void
pju_set_color (cairo_t *cr, const GdkRGBA *color, double alpha)
{
  cairo_set_source_rgba (cr, color->red, color->green, color->blue, color->alpha * alpha);
}

void
pju_mix (const GdkRGBA *a, const GdkRGBA *b, double t, GdkRGBA *out)
{
  *out = (GdkRGBA) { a->red + t * (b->red - a->red), a->green + t * (b->green - a->green),
                     a->blue + t * (b->blue - a->blue), a->alpha + t * (b->alpha - a->alpha) };
}

void
pju_round_rect (cairo_t *cr, double x, double y, double w, double h, double radius)
{
  double r = MIN (radius, MIN (w, h) / 2);
  cairo_new_sub_path (cr);
  cairo_arc (cr, x + w - r, y + r, r, -G_PI_2, 0);
  cairo_arc (cr, x + w - r, y + h - r, r, 0, G_PI_2);
  cairo_arc (cr, x + r, y + h - r, r, G_PI_2, G_PI);
  cairo_arc (cr, x + r, y + r, r, G_PI, 3 * G_PI_2);
  cairo_close_path (cr);
}

void
pju_hatch (cairo_t *cr, double x, double y, double w, double h, double step, const GdkRGBA *color)
{
  if (w <= 0 || h <= 0)
    return;
  cairo_save (cr);
  cairo_rectangle (cr, x, y, w, h);
  cairo_clip (cr);
  pju_set_color (cr, color, 1);
  /* Lines start at multiples of the step, so that neighbours continue each other. */
  double first = floor ((x - h) / step) * step;
  for (double at = first; at < x + w; at += step) {
    cairo_move_to (cr, at, y + h);
    cairo_line_to (cr, at + h, y);
  }
  cairo_stroke (cr);
  cairo_restore (cr);
}
