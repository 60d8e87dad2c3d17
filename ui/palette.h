/* SPDX-License-Identifier: MIT */
/* Colours of everything that we draw ourselves.  Chrome follows the style sheet; data keeps the same
 * meaning in light and dark: one scale for importance (legible in grey and for the common kinds of
 * colour blindness) and seven series colours that always come with a dash and a marker. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct {
  GdkRGBA canvas, surface, raised, fg, dim, line, accent, warning, error, success;
  gboolean dark;
} PjuPalette;

#define PJU_N_SERIES 12

/* Colours of the style sheet as @widget sees them. */
void pju_palette_from_widget (PjuPalette *self, GtkWidget *widget);
/* Colours for paper: saved pictures look the same whatever the screen's style is. */
void pju_palette_for_paper (PjuPalette *self);

/* Importance scale, @t in 0 … 1; below 0 (unknown) gives the surface's grey. */
void pju_palette_scale (const PjuPalette *self, double t, GdkRGBA *color);
/* A text colour that reads on @background. */
void pju_palette_text_on (const GdkRGBA *background, GdkRGBA *color);
void pju_palette_series (const PjuPalette *self, guint series, GdkRGBA *color);
/* Dash pattern of a series; returns the number of entries (0: solid). */
int pju_palette_dash (guint series, const double **dash);

/* Draws @data into @width x @height: the same one paints a widget and a saved picture. */
typedef void (*PjuPainter) (gpointer data, cairo_t *cr, double width, double height, const PjuPalette *palette);
/* What a widget's snapshot does when a painter is all of it; @margin: pixels that may be painted outside. */
void pju_paint_widget (GtkWidget *widget, GtkSnapshot *snapshot, PjuPainter painter, gpointer data, float margin);

void pju_set_color (cairo_t *cr, const GdkRGBA *color, double alpha);
void pju_mix (const GdkRGBA *a, const GdkRGBA *b, double t, GdkRGBA *out);
void pju_round_rect (cairo_t *cr, double x, double y, double w, double h, double radius);
/* Fills the rectangle with diagonal lines: the mark of what is cut. */
void pju_hatch (cairo_t *cr, double x, double y, double w, double h, double step, const GdkRGBA *color);

G_END_DECLS
