/* SPDX-License-Identifier: MIT */
/* The looks of runs: no two of the twelve colours are the same to the eye, and where two come close for people who see
 * fewer colours, marker or dash differ. */
#include <math.h>
#include <string.h>

#include "chart-private.h"

#define SIDE 32

static double
linear (double c)
{
  return c <= 0.04045 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4);
}

static double
cube (double t)
{
  return t > 0.008856 ? cbrt (t) : 7.787 * t + 16. / 116;
}

/* Linear red, green and blue to CIE L*a*b*. */
static void
to_lab (const double rgb[3], double lab[3])
{
  double x = (.4124 * rgb[0] + .3576 * rgb[1] + .1805 * rgb[2]) / .9505;
  double y = .2126 * rgb[0] + .7152 * rgb[1] + .0722 * rgb[2];
  double z = (.0193 * rgb[0] + .1192 * rgb[1] + .9505 * rgb[2]) / 1.089;
  lab[0] = 116 * cube (y) - 16;
  lab[1] = 500 * (cube (x) - cube (y));
  lab[2] = 200 * (cube (y) - cube (z));
}

/* What is left without the middle cones (Viénot, Brettel, Mollon 1999). */
static void
without_green (double rgb[3])
{
  double l = 17.8824 * rgb[0] + 43.5161 * rgb[1] + 4.11935 * rgb[2];
  double s = .0299566 * rgb[0] + .184309 * rgb[1] + 1.46709 * rgb[2], m = .494207 * l + 1.24827 * s;
  rgb[0] = CLAMP (.0809444479 * l - .130504409 * m + .116721066 * s, 0, 1);
  rgb[1] = CLAMP (-.0102485335 * l + .0540193266 * m - .113614708 * s, 0, 1);
  rgb[2] = CLAMP (-.000365296938 * l - .00412161469 * m + .693511405 * s, 0, 1);
}

static double
distance (const PjuPalette *palette, guint a, guint b, gboolean few_colors)
{
  double lab[2][3];
  for (int i = 0; i < 2; i++) {
    GdkRGBA color;
    pju_palette_series (palette, i == 0 ? a : b, &color);
    double rgb[3] = { linear (color.red), linear (color.green), linear (color.blue) };
    if (few_colors)
      without_green (rgb);
    to_lab (rgb, lab[i]);
  }
  return sqrt (pow (lab[0][0] - lab[1][0], 2) + pow (lab[0][1] - lab[1][1], 2) + pow (lab[0][2] - lab[1][2], 2));
}

static guint
differing_pixels (guint a, guint b)
{
  cairo_surface_t *surfaces[2];
  guint n = 0;
  for (int i = 0; i < 2; i++) {
    surfaces[i] = cairo_image_surface_create (CAIRO_FORMAT_A8, SIDE, SIDE);
    cairo_t *cr = cairo_create (surfaces[i]);
    pju_frame_marker (cr, i == 0 ? a : b, SIDE / 2, SIDE / 2, 4.5);
    cairo_fill (cr);
    cairo_destroy (cr);
    cairo_surface_flush (surfaces[i]);
  }
  const guint8 *x = cairo_image_surface_get_data (surfaces[0]), *y = cairo_image_surface_get_data (surfaces[1]);
  int stride = cairo_image_surface_get_stride (surfaces[0]);
  for (int p = 0; p < SIDE * SIDE; p++)
    n += ABS (x[p / SIDE * stride + p % SIDE] - y[p / SIDE * stride + p % SIDE]) > 64;
  cairo_surface_destroy (surfaces[0]);
  cairo_surface_destroy (surfaces[1]);
  return n;
}

static gboolean
same_dash (guint a, guint b)
{
  const double *x, *y;
  int n = pju_palette_dash (a, &x), m = pju_palette_dash (b, &y);
  return n == m && memcmp (x, y, (gsize) n * sizeof (double)) == 0;
}

static void
test_apart (void)
{
  PjuPalette palette;
  pju_palette_for_paper (&palette);
  for (int dark = 0; dark < 2; dark++) {
    palette.dark = dark;
    for (guint a = 0; a < PJU_N_SERIES; a++)
      for (guint b = 0; b < a; b++) {
        g_assert_cmpfloat (distance (&palette, a, b, FALSE), >, 15);
        if (distance (&palette, a, b, TRUE) < 12)
          g_assert_true (differing_pixels (a, b) >= 6 || !same_dash (a, b));
        if (differing_pixels (a, b) == 0)
          g_assert_false (same_dash (a, b));
      }
  }
}

/* Rounds beyond the twelve colours come with another marker. */
static void
test_rounds (void)
{
  for (guint s = 0; s < 60; s++)
    for (guint round = 1; s + round * PJU_N_SERIES < 72; round++)
      g_assert_cmpuint (differing_pixels (s, s + round * PJU_N_SERIES), >, 0);
}

/* Drawn marks are read on their background. */
static void
test_contrast (void)
{
  PjuPalette palette;
  pju_palette_for_paper (&palette);
  for (int dark = 0; dark < 2; dark++) {
    palette.dark = dark;
    for (guint s = 0; s < PJU_N_SERIES; s++) {
      GdkRGBA color;
      pju_palette_series (&palette, s, &color);
      double y = .2126 * linear (color.red) + .7152 * linear (color.green) + .0722 * linear (color.blue);
      double ground = dark ? .0125 : 1;
      g_assert_cmpfloat ((MAX (y, ground) + .05) / (MIN (y, ground) + .05), >=, 2.95);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ui/series/apart", test_apart);
  g_test_add_func ("/ui/series/rounds", test_rounds);
  g_test_add_func ("/ui/series/contrast", test_contrast);
  return g_test_run ();
}
