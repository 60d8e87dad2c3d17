/* SPDX-License-Identifier: MIT */
#include "window-test.h"

#include <string.h>

#include "style.h"

/* A window that does not answer for longer is felt.  Processor time of the main thread counts, not that of a clock: what
 * else the machine does is no fault of the window. */
#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
#define LIMIT_MS 0.0
#else
#define LIMIT_MS 50.0
#endif

static GtkApplication *application;

/* --- finding things --- */

GtkWidget *
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

gboolean
is_label_with (GtkWidget *widget, gconstpointer text)
{
  return GTK_IS_LABEL (widget) && gtk_widget_get_mapped (widget) && strstr (gtk_label_get_text (GTK_LABEL (widget)), text) != NULL;
}

gboolean
is_named (GtkWidget *widget, gconstpointer type)
{
  return strcmp (G_OBJECT_TYPE_NAME (widget), type) == 0;
}

gboolean
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

void
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

void
act (Fixture *self, const char *action, GVariant *parameter)
{
  Wanted wanted = { self, action };
  self->watchdog.doing = action;
  wait_until (is_enabled, &wanted);
  g_action_group_activate_action (G_ACTION_GROUP (self->window), action, parameter);
}

const char *
page (Fixture *self)
{
  GVariant *state = g_action_group_get_action_state (G_ACTION_GROUP (self->window), "page");
  const char *name = g_intern_string (g_variant_get_string (state, NULL));
  g_variant_unref (state);
  return name;
}

void
settle (guint ms)
{
  for (gint64 end = g_get_monotonic_time () + ms * 1000; g_get_monotonic_time () < end;)
    g_main_context_iteration (NULL, FALSE);
}

/* --- the window --- */

void
open_window (Fixture *self)
{
  watchdog_cb (&self->watchdog);
  self->watchdog.apart = TRUE;
  self->window = pju_window_new (application);
  gtk_window_present (GTK_WINDOW (self->window));
  gtk_test_widget_wait_for_draw (self->window);
  watchdog_leave_out_drawing (&self->watchdog, self->window);
  watchdog_cb (&self->watchdog);
  self->watchdog.apart = FALSE;
}

void
set_up (Fixture *self, gconstpointer data)
{
  place_set_up (&self->place, NULL);
  g_setenv ("PENJING_STATE_DIR", self->place.state, TRUE);
  self->limit_ms = LIMIT_MS;
  self->watchdog.doing = "the first frame";
  watchdog_start (&self->watchdog);
  open_window (self);
}

void
close_window (Fixture *self)
{
  gpointer gone = self->window;
  g_object_add_weak_pointer (G_OBJECT (self->window), &gone);
  watchdog_cb (&self->watchdog);
  self->watchdog.apart = TRUE;
  gtk_window_close (GTK_WINDOW (self->window));
  for (gint64 end = g_get_monotonic_time () + 20 * G_USEC_PER_SEC; gone && g_get_monotonic_time () < end;)
    g_main_context_iteration (NULL, FALSE);
  g_assert_null (gone);
  self->window = NULL;
  watchdog_cb (&self->watchdog);
  self->watchdog.apart = FALSE;
}

void
tear_down (Fixture *self, gconstpointer data)
{
  if (self->window)
    close_window (self);
  watchdog_stop (&self->watchdog);
  if (self->limit_ms > 0)
    g_assert_cmpfloat (self->watchdog.longest_ms, <, self->limit_ms);
  place_tear_down (&self->place, NULL);
}

void
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

void
fixture_init (int *argc, char ***argv)
{
  g_setenv ("GTK_A11Y", "test", TRUE);
  gtk_test_init (argc, argv, NULL);
  application = gtk_application_new ("io.github.penjing.Test", G_APPLICATION_NON_UNIQUE);
  g_assert_true (g_application_register (G_APPLICATION (application), NULL, NULL));
  pju_style_set (PJU_STYLE_LIGHT);
  pju_style_init ();
}

GtkApplication *
fixture_application (void)
{
  return application;
}
