/* SPDX-License-Identifier: MIT */
/* Charts and matrices: what is painted, saved as a picture and listed as a table. */
#include <glib/gstdio.h>
#include <gtk/gtk.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "chart.h"
#include "folder.h"
#include "matrix.h"
#include "save.h"

static char *folder;

static void
test_chart_steps (void)
{
  g_assert_cmpfloat_with_epsilon (pju_chart_step (10, 5), 2, 1e-9);
  g_assert_cmpfloat_with_epsilon (pju_chart_step (1, 4), 0.25, 1e-9);
  g_assert_cmpfloat_with_epsilon (pju_chart_step (937, 6), 200, 1e-9);
}

static PjuChart *
make_chart (guint n)
{
  PjuChart *chart = pju_chart_new ("Loss", "Steps", NULL);
  PjuSeries *series = pju_chart_series (chart, "loss");
  series->smooth = TRUE;
  for (guint i = 0; i < n; i++)
    pju_series_add (series, i, 2.0 / (1 + i * 0.01) + (i % 7) * 0.01, NULL);
  return chart;
}

static void
test_chart_saved (void)
{
  g_autoptr (PjuChart) chart = make_chart (500);
  static const char *const endings[] = { "svg", "png", "pdf" };
  static const char *const starts[] = { "<?xml", "\x89PNG", "%PDF" };

  g_assert_true (pju_chart_series (chart, "loss") == chart->series->pdata[0]);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree char *name = g_strdup_printf ("chart.%s", endings[i]);
    g_autofree char *path = g_build_filename (folder, name, NULL), *contents = NULL;
    g_autoptr (GError) error = NULL;
    gsize length;
    g_assert_true (pju_picture_write (path, pju_chart_paint, chart, 640, 360, &error));
    g_assert_no_error (error);
    g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
    g_assert_cmpmem (contents, strlen (starts[i]), starts[i], strlen (starts[i]));
    g_assert_cmpuint (length, >, 1500);
  }
  g_autofree char *csv = pju_chart_to_csv (chart);
  g_assert_true (g_str_has_prefix (csv, "series,x,y\n\"loss\",0,2\n"));
}

static void
test_chart_unwritable (void)
{
  g_autoptr (PjuChart) chart = make_chart (3);
  static const char *const endings[] = { "svg", "png", "pdf" };

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = g_strdup_printf ("%s/none/such/chart.%s", folder, endings[i]);
    g_assert_false (pju_picture_write (path, pju_chart_paint, chart, 100, 100, &error));
    g_assert_nonnull (strstr (error->message, path));
  }
}

/* Files may not grow any more, as on a full disk: the picture that was there stays. */
static void
test_chart_full_disk (void)
{
  g_autoptr (PjuChart) chart = make_chart (500);
  static const char *const endings[] = { "svg", "png", "pdf" };
  struct rlimit before, small;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = (struct rlimit) { 1000, before.rlim_max };
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *name = g_strdup_printf ("full.%s", endings[i]), *path = g_build_filename (folder, name, NULL), *kept = NULL;
    g_assert_true (g_file_set_contents (path, "of yesterday", -1, NULL));
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
    gboolean ok = pju_picture_write (path, pju_chart_paint, chart, 640, 360, &error);
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
    g_assert_false (ok);
    g_assert_nonnull (strstr (error->message, path));
    g_assert_true (g_file_get_contents (path, &kept, NULL, NULL));
    g_assert_cmpstr (kept, ==, "of yesterday");
  }
}

/* A long training must not cost more to draw than a short one by its length. */
static void
test_chart_hostile (void)
{
  g_autoptr (PjuChart) chart = pju_chart_new (NULL, NULL, NULL);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 300, 200);
  cairo_t *cr = cairo_create (surface);
  PjuPalette palette;

  pju_palette_for_paper (&palette);
  pju_chart_paint (chart, cr, 300, 200, &palette);           /* nothing */
  PjuSeries *series = pju_chart_series (chart, "x");
  pju_series_add (series, 1, NAN, NULL);
  pju_chart_paint (chart, cr, 300, 200, &palette);           /* nothing finite */
  pju_series_add (series, 1, 5, NULL);
  pju_chart_paint (chart, cr, 300, 200, &palette);           /* a single point */
  pju_series_add (series, 2, INFINITY, NULL);
  pju_chart_paint (chart, cr, 300, 200, &palette);
  pju_chart_paint (chart, cr, 10, 10, &palette);             /* no room */
  g_assert_cmpint (cairo_status (cr), ==, CAIRO_STATUS_SUCCESS);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* A picture of @painter, as bytes. (transfer full) */
static GBytes *
pixels_of (PjuPainter painter, gpointer data)
{
  PjuPalette palette;
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 420, 260);
  cairo_t *cr = cairo_create (surface);
  pju_palette_for_paper (&palette);
  pju_set_color (cr, &palette.canvas, 1);
  cairo_paint (cr);
  painter (data, cr, 420, 260, &palette);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  GBytes *pixels = g_bytes_new (cairo_image_surface_get_data (surface),
                                (gsize) cairo_image_surface_get_stride (surface) * cairo_image_surface_get_height (surface));
  cairo_surface_destroy (surface);
  return pixels;
}

/* Whiskers and the front are drawn, saved and listed. */
static void
test_chart_errors (void)
{
  g_autoptr (PjuChart) chart = pju_chart_new ("t", "x", "y");
  PjuSeries *series = pju_chart_series (chart, "a");
  series->scatter = TRUE;
  pju_series_add (series, 0.25, 0.5, NULL);
  pju_series_add (series, 0.5, 0.75, NULL);
  chart->y_from_zero = TRUE;
  chart->rule = 1;
  g_autoptr (GBytes) without = pixels_of (pju_chart_paint, chart);
  pju_series_set_error (series, 0.125);
  g_autoptr (GBytes) with = pixels_of (pju_chart_paint, chart);
  g_assert_false (g_bytes_equal (without, with));
  g_autofree char *csv = pju_chart_to_csv (chart);
  g_assert_cmpstr (csv, ==, "series,x,y,error\n\"a\",0.25,0.5,0\n\"a\",0.5,0.75,0.125\n");
  PjuSeries *front = pju_chart_series (chart, "front");
  front->front = TRUE;
  pju_series_add (front, 0.25, 0.5, NULL);
  pju_series_add (front, 0.5, 0.75, NULL);
  g_autoptr (GBytes) stepped = pixels_of (pju_chart_paint, chart);
  g_assert_false (g_bytes_equal (with, stepped));
  g_autoptr (PjuChart) copy = pju_chart_copy (chart);
  g_autoptr (GBytes) again = pixels_of (pju_chart_paint, copy);
  g_assert_true (g_bytes_equal (stepped, again));
}

static void
test_matrix (void)
{
  static const char *const rows[] = { "one \"1\"", "two", NULL }, *const columns[] = { "a", "b", "c", NULL };
  static const double values[] = { 1, 0.5, NAN, -0.25, 0, 0.125 };
  static const int marked[] = { 1, -1 };
  GtkWidget *matrix = g_object_ref_sink (pju_matrix_new ("Agreement", PJU_MATRIX_NUMBER));
  pju_matrix_set (PJU_MATRIX (matrix), rows, columns, values, NULL, NULL);
  g_autofree char *csv = pju_matrix_to_csv (PJU_MATRIX (matrix));
  g_assert_cmpstr (csv, ==, "\"Agreement\",\"a\",\"b\",\"c\"\n\"one \"\"1\"\"\",1,0.5,\n\"two\",-0.25,0,0.125\n");
  gtk_test_accessible_assert_role (matrix, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_test_accessible_assert_property (matrix, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       "one \"1\": a 1.00, b 0.50, c –; two: a −0.25, b 0.00, c 0.12");
  g_autoptr (GBytes) plain = pixels_of (pju_matrix_paint, matrix);
  pju_matrix_set (PJU_MATRIX (matrix), rows, columns, values, NULL, marked);
  g_autoptr (GBytes) framed = pixels_of (pju_matrix_paint, matrix);
  g_assert_false (g_bytes_equal (plain, framed));
  /* A comparison without a choice: nothing to draw, nothing to fall over. */
  pju_matrix_set (PJU_MATRIX (matrix), &rows[2], &columns[3], values, NULL, NULL);
  g_autoptr (GBytes) empty = pixels_of (pju_matrix_paint, matrix);
  g_assert_false (g_bytes_equal (empty, framed));
  g_object_unref (matrix);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("penjing-ui-XXXXXX", NULL);
  g_test_add_func ("/ui/chart/round-steps", test_chart_steps);
  g_test_add_func ("/ui/chart/saves-svg-png-pdf", test_chart_saved);
  g_test_add_func ("/ui/chart/says-where-it-could-not-save", test_chart_unwritable);
  g_test_add_func ("/ui/chart/keeps-what-it-could-not-replace", test_chart_full_disk);
  g_test_add_func ("/ui/chart/survives-odd-data", test_chart_hostile);
  g_test_add_func ("/ui/chart/whiskers-and-front", test_chart_errors);
  g_test_add_func ("/ui/matrix", test_matrix);
  int status = g_test_run ();
  folder_remove (folder);
  g_free (folder);
  return status;
}
