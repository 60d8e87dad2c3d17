/* SPDX-License-Identifier: MIT */
/* The real window in this process: files are dropped on it, the verdict comes first, pictures and history can be
 * handled, and the view comes back.  A watchdog tells how long the main loop was ever kept busy. */
#include <glib/gstdio.h>
#include <string.h>

#include "window-test.h"

/* A model, then its pictures; what can be pruned is told first. */
static void
test_drop (Fixture *self, gconstpointer data)
{
  drop (self, self->place.onnx);
  await_text (self, "layers can be pruned");
  g_assert_cmpstr (page (self), ==, "overview");
  await_text (self, "one channel per class");
  await_text (self, "fewer classes");
  await_text (self, "No pictures yet");
  drop (self, self->place.data);
  await_text (self, "4 classes");
  g_assert_cmpstr (page (self), ==, "overview");
  await_text (self, "measured on the training pictures");
  /* A folder with nothing in it is refused with a reason, and what was open stays. */
  drop (self, self->place.state);
  await_text (self, "could not be opened");
  await_text (self, "4 classes");
}

/* Another mean is a step of the history that Undo takes back. */
static void
test_preparation (Fixture *self, gconstpointer data)
{
  drop (self, self->place.onnx);
  await_text (self, "No pictures yet");
  drop (self, self->place.data);
  await_text (self, "measured on the training pictures");
  GtkWidget *apply = find_widget (self->window, is_button_for, "Apply"), *imagenet = find_widget (self->window, is_button_for, "ImageNet");
  g_assert_false (gtk_widget_get_sensitive (apply));
  g_signal_emit_by_name (imagenet, "clicked");
  g_assert_true (gtk_widget_get_sensitive (apply));
  g_signal_emit_by_name (apply, "clicked");
  await_text (self, "come from the network’s notes");
  act (self, "undo", NULL);
  await_text (self, "measured on the training pictures");
}

/* All pages are shown with something in them; the view comes back with the session. */
static void
test_pages_and_view (Fixture *self, gconstpointer data)
{
  static const char *const pages[] = { "network", "layers", "jobs", "compare", "history", "export", "overview", "layers" };
  drop (self, self->place.onnx);
  await_text (self, "No pictures yet");
  drop (self, self->place.data);
  await_text (self, "4 classes");
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    self->watchdog.doing = pages[i];
    act (self, "page", g_variant_new_string (pages[i]));
    settle (150);
    act (self, "keep-all", g_variant_new_double (0.9 - 0.05 * i));
    settle (150);
  }
  g_assert_nonnull (find_widget (self->window, is_named, "PjuGallery"));
  self->watchdog.doing = "closing";
  close_window (self);
  g_autoptr (GDir) folder = g_dir_open (self->place.state, 0, NULL);
  g_autofree char *session = NULL;
  for (const char *name; !session && (name = g_dir_read_name (folder));)
    if (g_str_has_suffix (name, ".penjing"))
      session = g_build_filename (self->place.state, name, NULL);
  g_assert_nonnull (session);
  open_window (self);
  drop (self, session);
  await_text (self, "Multiply-accumulates");
  settle (300);
  g_assert_cmpstr (page (self), ==, "layers");
}

/* A step is deleted, told, and brought back by the toast's button. */
static void
test_delete_step (Fixture *self, gconstpointer data)
{
  drop (self, self->place.onnx);
  await_text (self, "No pictures yet");
  act (self, "keep-all", g_variant_new_double (0.5));
  act (self, "page", g_variant_new_string ("history"));
  await_text (self, "Keep 50 % of every layer");
  act (self, "delete-step", g_variant_new_uint32 (1));
  await_text (self, "1 step deleted");
  settle (100);
  g_assert_null (find_widget (self->window, is_label_with, "Keep 50 % of every layer"));
  g_signal_emit_by_name (find_widget (self->window, is_button_for, "Undo"), "clicked");
  await_text (self, "Keep 50 % of every layer");
}

static gboolean
is_unmarked (GtkWidget *widget, gconstpointer icon)
{
  return GTK_IS_TOGGLE_BUTTON (widget) && gtk_widget_get_mapped (widget) && !gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (widget))
         && g_strcmp0 (gtk_button_get_icon_name (GTK_BUTTON (widget)), icon) == 0;
}

static gboolean
is_drawing_of (GtkWidget *widget, gconstpointer type)
{
  return gtk_widget_get_mapped (widget) && is_named (widget, type);
}

static GtkWidget *
find_window (const char *title)
{
  GListModel *windows = gtk_window_get_toplevels ();
  for (guint i = 0; i < g_list_model_get_n_items (windows); i++) {
    g_autoptr (GtkWindow) window = g_list_model_get_item (windows, i);
    if (g_strcmp0 (gtk_window_get_title (window), title) == 0)
      return GTK_WIDGET (window);
  }
  return NULL;
}

static gboolean
shows_classes (gpointer window)
{
  return find_widget (window, is_drawing_of, "PjuClassBars") != NULL;
}

/* Two steps that nobody measured: one click measures both, the marked one too, and shows how every class fares. */
static void
test_compare_steps (Fixture *self, gconstpointer data)
{
  drop (self, self->place.onnx);
  await_text (self, "No pictures yet");
  drop (self, self->place.data);
  await_text (self, "4 classes");
  act (self, "keep-all", g_variant_new_double (0.5));
  act (self, "page", g_variant_new_string ("history"));
  await_text (self, "Keep 50 % of every layer");
  for (guint i = 0; i < 2; i++)
    gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (find_widget (self->window, is_unmarked, "penjing-compare-symbolic")), TRUE);
  settle (100);
  g_signal_emit_by_name (find_widget (self->window, is_button_for, "Compare Two Steps"), "clicked");
  Fixture dialog = *self;
  dialog.window = find_window ("Two Steps Compared");
  g_assert_nonnull (dialog.window);
  await_text (&dialog, "How every class fares is known once both steps were measured");
  g_assert_false (shows_classes (dialog.window));
  g_signal_emit_by_name (find_widget (dialog.window, is_button_for, "Evaluate Both Steps"), "clicked");
  wait_until (shows_classes, dialog.window);
  await_text (&dialog, "answers changed");
  g_assert_null (find_widget (dialog.window, is_button_for, "Evaluate Both Steps"));
  gtk_window_destroy (GTK_WINDOW (dialog.window));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  add ("/ui/window/drop", test_drop);
  add ("/ui/window/preparation", test_preparation);
  add ("/ui/window/pages-and-view", test_pages_and_view);
  add ("/ui/window/delete-step", test_delete_step);
  add ("/ui/window/compare-steps", test_compare_steps);
  return g_test_run ();
}
