/* SPDX-License-Identifier: MIT */
/* The real window in this process: files are dropped on it, the verdict comes first, pictures and history can be
 * handled, and the view comes back.  A watchdog tells how long the main loop was ever kept busy. */
#include <glib/gstdio.h>
#include <string.h>

#include "app/project-test.h"
#include "settings.h"
#include "style.h"
#include "watchdog.h"
#include "window.h"

/* One for all tests: a second one could not take its place on the bus. */
static GtkApplication *application;

typedef struct {
  Place place;
  GtkWidget *window;
  Watchdog watchdog;
} Fixture;

/* --- finding things --- */

typedef gboolean (*Probe) (GtkWidget *widget, gconstpointer data);

static GtkWidget *
find_widget (GtkWidget *widget, Probe probe, gconstpointer data)
{
  if (probe (widget, data))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child; child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_widget (child, probe, data);
    if (found)
      return found;
  }
  return NULL;
}

static gboolean
is_label_with (GtkWidget *widget, gconstpointer text)
{
  return GTK_IS_LABEL (widget) && gtk_widget_get_mapped (widget) && strstr (gtk_label_get_text (GTK_LABEL (widget)), text) != NULL;
}

static gboolean
is_named (GtkWidget *widget, gconstpointer type)
{
  return strcmp (G_OBJECT_TYPE_NAME (widget), type) == 0;
}

static gboolean
is_button_for (GtkWidget *widget, gconstpointer label)
{
  return GTK_IS_BUTTON (widget) && gtk_widget_get_mapped (widget) && g_strcmp0 (gtk_button_get_label (GTK_BUTTON (widget)), label) == 0;
}

typedef struct { Fixture *fixture; const char *text; } Wanted;

static gboolean
sees_text (gpointer data)
{
  Wanted *wanted = data;
  return find_widget (wanted->fixture->window, is_label_with, wanted->text) != NULL;
}

static void
await_text (Fixture *self, const char *text)
{
  Wanted wanted = { self, text };
  self->watchdog.doing = text;
  wait_until (sees_text, &wanted);
}

static gboolean
is_enabled (gpointer data)
{
  Wanted *wanted = data;
  return g_action_group_get_action_enabled (G_ACTION_GROUP (wanted->fixture->window), wanted->text);
}

static void
act (Fixture *self, const char *action, GVariant *parameter)
{
  Wanted wanted = { self, action };
  self->watchdog.doing = action;
  wait_until (is_enabled, &wanted);
  g_action_group_activate_action (G_ACTION_GROUP (self->window), action, parameter);
}

static const char *
page (Fixture *self)
{
  GVariant *state = g_action_group_get_action_state (G_ACTION_GROUP (self->window), "page");
  const char *name = g_intern_string (g_variant_get_string (state, NULL));
  g_variant_unref (state);
  return name;
}

static void
settle (guint ms)
{
  for (gint64 end = g_get_monotonic_time () + ms * 1000; g_get_monotonic_time () < end;)
    g_main_context_iteration (NULL, FALSE);
}

/* --- the window --- */

static void
open_window (Fixture *self)
{
  self->window = pju_window_new (application);
  gtk_window_present (GTK_WINDOW (self->window));
  gtk_test_widget_wait_for_draw (self->window);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  place_set_up (&self->place, NULL);
  g_setenv ("PENJING_STATE_DIR", self->place.state, TRUE);
  open_window (self);
  self->watchdog.doing = "the first frame";
  watchdog_start (&self->watchdog);
}

static void
close_window (Fixture *self)
{
  gpointer gone = self->window;
  g_object_add_weak_pointer (G_OBJECT (self->window), &gone);
  gtk_window_close (GTK_WINDOW (self->window));
  for (gint64 end = g_get_monotonic_time () + 20 * G_USEC_PER_SEC; gone && g_get_monotonic_time () < end;)
    g_main_context_iteration (NULL, FALSE);
  g_assert_null (gone);
  self->window = NULL;
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  if (self->window)
    close_window (self);
  watchdog_stop (&self->watchdog);
  place_tear_down (&self->place, NULL);
}

/* A drop as the display delivers it: the target's own signal with the files. */
static void
drop (Fixture *self, const char *path)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (self->window);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GFile *files[] = { file };
  GdkFileList *list = gdk_file_list_new_from_array (files, 1);
  g_auto (GValue) value = G_VALUE_INIT;
  gboolean taken = FALSE;

  g_value_init (&value, GDK_TYPE_FILE_LIST);
  g_value_take_boxed (&value, list);
  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++) {
    g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);
    if (!GTK_IS_DROP_TARGET (controller))
      continue;
    g_assert_true (gdk_content_formats_contain_gtype (gtk_drop_target_get_formats (GTK_DROP_TARGET (controller)), GDK_TYPE_FILE_LIST));
    g_signal_emit_by_name (controller, "drop", &value, 5.0, 5.0, &taken);
  }
  g_assert_true (taken);
}

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

#define add(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_setenv ("GTK_A11Y", "test", TRUE);
  gtk_test_init (&argc, &argv, NULL);
  application = gtk_application_new ("io.github.penjing.Test", G_APPLICATION_NON_UNIQUE);
  g_assert_true (g_application_register (G_APPLICATION (application), NULL, NULL));
  pju_style_set (PJU_STYLE_LIGHT);
  pju_style_init ();
  add ("/ui/window/drop", test_drop);
  add ("/ui/window/preparation", test_preparation);
  add ("/ui/window/pages-and-view", test_pages_and_view);
  add ("/ui/window/delete-step", test_delete_step);
  return g_test_run ();
}
