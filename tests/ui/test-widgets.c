/* SPDX-License-Identifier: MIT */
/* Widgets and painters by themselves, without a project: numbers, scales, sliders, messages. */
#include <glib/gstdio.h>
#include <gtk/gtk.h>
#include <math.h>

#include "banner.h"
#include "channel-map.h"
#include "folder.h"
#include "format.h"
#include "ratio.h"
#include "setting-form.h"
#include "settings.h"
#include "shortcuts.h"
#include "style.h"
#include "toast.h"

static char *folder;

/* Runs the main loop until @done or for at most two seconds. */
static void
spin (gboolean *done)
{
  for (gint64 start = g_get_monotonic_time (); !*done && g_get_monotonic_time () - start < 2 * G_USEC_PER_SEC;)
    g_main_context_iteration (NULL, FALSE);
}

static GtkWidget *
show (GtkWidget *child)
{
  GtkWidget *window = gtk_window_new ();
  gtk_window_set_default_size (GTK_WINDOW (window), 400, 300);
  gtk_window_set_child (GTK_WINDOW (window), child);
  gtk_window_present (GTK_WINDOW (window));
  gtk_test_widget_wait_for_draw (window);
  return window;
}

/* --- settings --- */

static GtkWidget *
find_spin (GtkWidget *widget)
{
  GtkWidget *found = GTK_IS_SPIN_BUTTON (widget) ? widget : NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child && !found; child = gtk_widget_get_next_sibling (child))
    found = find_spin (child);
  return found;
}

static void
test_zero_in_words (void)
{
  g_autoptr (GArray) settings = g_array_new (FALSE, FALSE, sizeof (PjmSetting));
  PjmSetting setting = { "epochs", "epochs of each turn", 0, 0, 1000, TRUE, NULL, "as published (VGG 3, ResNet 8)" };
  g_array_append_val (settings, setting);
  GtkWidget *form = pju_setting_form_new (), *window = show (form);
  pju_setting_form_set (PJU_SETTING_FORM (form), settings);
  GtkWidget *field = find_spin (form);
  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (field)), ==, "As published");
  g_assert_nonnull (strstr (gtk_widget_get_tooltip_text (field), "VGG 3, ResNet 8"));

  /* A number is a number, and the way back is 0, nothing, or the word. */
  static const char *const back[] = { "0", "", "As published" };
  for (guint i = 0; i < G_N_ELEMENTS (back); i++) {
    gtk_editable_set_text (GTK_EDITABLE (field), "5");
    gtk_spin_button_update (GTK_SPIN_BUTTON (field));
    g_auto (GStrv) five = pju_setting_form_get (PJU_SETTING_FORM (form));
    g_assert_cmpstr (five[0], ==, "epochs=5");
    gtk_editable_set_text (GTK_EDITABLE (field), back[i]);
    gtk_spin_button_update (GTK_SPIN_BUTTON (field));
    g_auto (GStrv) none = pju_setting_form_get (PJU_SETTING_FORM (form));
    g_assert_null (none[0]);
    g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (field)), ==, "As published");
  }
  gtk_window_destroy (GTK_WINDOW (window));
}

/* --- numbers --- */

static void
assert_text (char *text, const char *expected)
{
  g_assert_cmpstr (text, ==, expected);
  g_free (text);
}

static void
test_format (void)
{
  assert_text (pju_format_count (0), "0");
  assert_text (pju_format_count (999), "999");
  assert_text (pju_format_count (1000), "1.00\u202fk");
  assert_text (pju_format_count (29131264), "29.1\u202fM");
  assert_text (pju_format_count (999999), "1.00\u202fM");
  assert_text (pju_format_percent (0.9154, 1), "91.5\u202f%");
  assert_text (pju_format_percent (-1, 1), "–");
  assert_text (pju_format_change (100, 27), "−73\u202f%");
  assert_text (pju_format_change (100, 100), "unchanged");
  assert_text (pju_format_change (0, 5), "–");
  assert_text (pju_format_duration (59.4), "59 s");
  assert_text (pju_format_duration (3725), "1 h 2 min");
  assert_text (pju_format_remaining (240), "about 4 minutes left");
  g_assert_null (pju_format_remaining (-1));
}

/* --- colours --- */

static double
lightness (const GdkRGBA *c)
{
  return 0.2126 * c->red + 0.7152 * c->green + 0.0722 * c->blue;
}

static double
linear (double c)
{
  return c <= 0.04045 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4);
}

static double
luminance (const GdkRGBA *c)
{
  return 0.2126 * linear (c->red) + 0.7152 * linear (c->green) + 0.0722 * linear (c->blue);
}

static void
test_scale (void)
{
  PjuPalette palette;
  double before = -1;

  pju_palette_for_paper (&palette);
  for (int i = 0; i <= 100; i++) {
    GdkRGBA fill, ink;
    pju_palette_scale (&palette, i / 100.0, &fill);
    pju_palette_text_on (&fill, &ink);
    double high = MAX (luminance (&fill), luminance (&ink)), low = MIN (luminance (&fill), luminance (&ink));
    g_assert_cmpfloat (lightness (&fill), >, before);         /* the same order in grey */
    g_assert_cmpfloat ((high + 0.05) / (low + 0.05), >, 4.3); /* text reads on every colour */
    before = lightness (&fill);
  }
}

/* --- the slider --- */

typedef struct { guint moving, final; double ratio; gboolean done; } Moves;

static void
changed_cb (PjuRatio *ratio, double value, gboolean final, Moves *moves)
{
  moves->ratio = value;
  if (final) {
    moves->final++;
    moves->done = TRUE;
  } else {
    moves->moving++;
  }
}

static GtkWidget *
find_child (GtkWidget *parent, GType type)
{
  for (GtkWidget *child = gtk_widget_get_first_child (parent); child; child = gtk_widget_get_next_sibling (child)) {
    if (G_TYPE_CHECK_INSTANCE_TYPE (child, type))
      return child;
  }
  return NULL;
}

static void
test_ratio (void)
{
  GtkWidget *ratio = pju_ratio_new (FALSE), *window = show (ratio);
  GtkWidget *scale = find_child (ratio, GTK_TYPE_SCALE);
  Moves moves = { 0 };

  g_signal_connect (ratio, "changed", G_CALLBACK (changed_cb), &moves);
  pju_ratio_set (PJU_RATIO (ratio), 0.4);
  g_assert_cmpuint (moves.moving, ==, 0);                    /* shown, not moved */
  gtk_range_set_value (GTK_RANGE (scale), 70);
  gtk_range_set_value (GTK_RANGE (scale), 65);
  g_assert_cmpuint (moves.moving, ==, 2);
  g_assert_cmpuint (moves.final, ==, 0);
  pju_ratio_set (PJU_RATIO (ratio), 0.1);                    /* must not fight the hand */
  g_assert_cmpfloat_with_epsilon (pju_ratio_get (PJU_RATIO (ratio)), 0.65, 1e-9);
  spin (&moves.done);
  g_assert_cmpuint (moves.final, ==, 1);                     /* one step for the whole move */
  g_assert_cmpfloat_with_epsilon (moves.ratio, 0.65, 1e-9);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_ratio_typed (void)
{
  GtkWidget *ratio = pju_ratio_new (FALSE), *window = show (ratio);
  GtkWidget *spin_button = find_child (ratio, GTK_TYPE_SPIN_BUTTON);

  gtk_editable_set_text (GTK_EDITABLE (spin_button), "37 %");
  gtk_spin_button_update (GTK_SPIN_BUTTON (spin_button));
  g_assert_cmpfloat_with_epsilon (pju_ratio_get (PJU_RATIO (ratio)), 0.37, 1e-9);
  gtk_editable_set_text (GTK_EDITABLE (spin_button), "much");
  gtk_spin_button_update (GTK_SPIN_BUTTON (spin_button));
  g_assert_cmpfloat_with_epsilon (pju_ratio_get (PJU_RATIO (ratio)), 0.37, 1e-9);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* --- the channel map --- */

static void
toggled_cb (PjuChannelMap *map, guint channel, guint *toggled)
{
  *toggled = channel;
}

static void
test_channel_map (void)
{
  static const double scores[] = { 0.5, 0.1, 0.9, 0.3 };
  static const guint8 mask[] = { 1, 0, 1, 0 };
  GtkWidget *map = pju_channel_map_new (TRUE), *window = show (map);
  guint toggled = 99;

  g_signal_connect (map, "toggled", G_CALLBACK (toggled_cb), &toggled);
  pju_channel_map_set (PJU_CHANNEL_MAP (map), "conv1", 4, scores, mask, NULL);
  gtk_test_accessible_assert_role (map, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_test_accessible_assert_property (GTK_ACCESSIBLE (map), GTK_ACCESSIBLE_PROPERTY_LABEL, "Channel importance of conv1");
  gtk_test_accessible_assert_property (GTK_ACCESSIBLE (map), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       "4 channels, 2 kept; channel 0 is kept");
  pju_channel_map_set_mode (PJU_CHANNEL_MAP (map), PJU_CHANNELS_SORTED);
  gtk_test_widget_wait_for_draw (window);
  pju_channel_map_set (PJU_CHANNEL_MAP (map), "fc", 0, NULL, NULL, NULL);
  gtk_test_widget_wait_for_draw (window);
  g_assert_cmpuint (toggled, ==, 99);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* Cut and kept must differ in more than colour: with the colour taken away the drawing still differs. */
static void
test_channel_map_pattern (void)
{
  static const double scores[] = { 0.5, 0.5 };
  static const guint8 mask[] = { 1, 0 };
  GtkWidget *map = g_object_ref_sink (pju_channel_map_new (FALSE));
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 80, 40);
  cairo_t *cr = cairo_create (surface);
  PjuPalette palette;
  guint edges[2] = { 0, 0 };

  pju_palette_for_paper (&palette);
  pju_channel_map_set (PJU_CHANNEL_MAP (map), "x", 2, scores, mask, NULL);
  pju_channel_map_paint (map, cr, 80, 40, &palette);
  cairo_surface_flush (surface);
  const guint32 *row = (const guint32 *) (gpointer) (cairo_image_surface_get_data (surface)
                                                     + 20 * cairo_image_surface_get_stride (surface));
  for (int x = 5; x < 35; x++) {
    edges[0] += row[x] != row[x + 1];
    edges[1] += row[40 + x] != row[40 + x + 1];
  }
  g_assert_cmpuint (edges[0], ==, 0);
  g_assert_cmpuint (edges[1], >, 6);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  g_object_unref (map);
}

/* --- messages, settings, keys, style --- */

static void
test_messages (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *toast = g_object_new (PJU_TYPE_TOAST, NULL), *banner = g_object_new (PJU_TYPE_BANNER, NULL);
  gtk_box_append (GTK_BOX (box), toast);
  gtk_box_append (GTK_BOX (box), banner);
  GtkWidget *window = show (box);

  g_assert_false (gtk_widget_get_visible (toast));
  pju_toast_show (PJU_TOAST (toast), "Saved", NULL, NULL);
  g_assert_true (gtk_widget_get_visible (toast));
  gtk_test_accessible_assert_role (toast, GTK_ACCESSIBLE_ROLE_ALERT);
  gtk_test_accessible_assert_property (GTK_ACCESSIBLE (toast), GTK_ACCESSIBLE_PROPERTY_LABEL, "Saved");
  pju_banner_show (PJU_BANNER (banner), "It failed", "node “conv1”: pads has 3 values", NULL, NULL);
  gtk_test_accessible_assert_property (GTK_ACCESSIBLE (banner), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       "It failed. node “conv1”: pads has 3 values");
  /* Gone while its time still runs. */
  gpointer gone = toast;
  g_object_add_weak_pointer (G_OBJECT (toast), &gone);
  gtk_window_destroy (GTK_WINDOW (window));
  g_assert_null (gone);
}

static void
test_settings (void)
{
  g_autofree char *a = g_build_filename (folder, "a.onnx", NULL), *b = g_build_filename (folder, "b.onnx", NULL);

  g_assert_true (g_file_set_contents (a, "", 0, NULL));
  g_assert_true (g_file_set_contents (b, "", 0, NULL));
  pju_settings_add_recent (a);
  pju_settings_add_recent (b);
  pju_settings_add_recent (a);
  g_auto (GStrv) recent = pju_settings_get_recent ();
  g_assert_cmpuint (g_strv_length (recent), ==, 2);
  g_assert_cmpstr (recent[0], ==, a);
  g_unlink (a);
  g_auto (GStrv) left = pju_settings_get_recent ();
  g_assert_cmpuint (g_strv_length (left), ==, 1);
  pju_settings_set_int ("width", 1100);
  g_assert_cmpint (pju_settings_get_int ("width", 5), ==, 1100);
  g_assert_cmpint (pju_settings_get_int ("depth", 5), ==, 5);
}

static void
test_shortcuts (void)
{
  GtkWidget *window = pju_shortcuts_window_new ();
  g_assert_true (GTK_IS_SHORTCUTS_WINDOW (window));
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_style (void)
{
  GtkWidget *label = gtk_label_new ("x"), *window = show (label);
  PjuPalette light, dark;

  pju_style_init ();
  pju_style_set (PJU_STYLE_LIGHT);
  gtk_test_widget_wait_for_draw (window);
  pju_palette_from_widget (&light, label);
  g_assert_false (light.dark);
  pju_style_set (PJU_STYLE_DARK);
  gtk_test_widget_wait_for_draw (window);
  pju_palette_from_widget (&dark, label);
  g_assert_true (dark.dark);
  g_assert_cmpfloat (luminance (&light.canvas), >, luminance (&dark.canvas));
  g_assert_cmpint (pju_style_parse ("dark"), ==, PJU_STYLE_DARK);
  g_assert_cmpint (pju_style_parse ("nonsense"), ==, PJU_STYLE_SYSTEM);
  pju_style_set (PJU_STYLE_LIGHT);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  g_setenv ("GTK_A11Y", "test", TRUE);
  gtk_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("penjing-ui-XXXXXX", NULL);
  g_test_add_func ("/ui/format", test_format);
  g_test_add_func ("/ui/palette/scale-reads-in-grey-and-carries-text", test_scale);
  g_test_add_func ("/ui/ratio/one-final-change-per-move", test_ratio);
  g_test_add_func ("/ui/ratio/takes-typed-percent", test_ratio_typed);
  g_test_add_func ("/ui/setting-form/zero-in-words", test_zero_in_words);
  g_test_add_func ("/ui/channel-map/speaks", test_channel_map);
  g_test_add_func ("/ui/channel-map/marks-cut-by-pattern", test_channel_map_pattern);
  g_test_add_func ("/ui/messages", test_messages);
  g_test_add_func ("/ui/settings/recent", test_settings);
  g_test_add_func ("/ui/shortcuts", test_shortcuts);
  g_test_add_func ("/ui/style", test_style);
  int status = g_test_run ();
  folder_remove (folder);
  g_free (folder);
  return status;
}
