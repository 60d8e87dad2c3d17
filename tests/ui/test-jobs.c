/* SPDX-License-Identifier: MIT */
/* Jobs as a person meets them in the window: the queue is reordered, a failure stays until it is dismissed, and the
 * desktop is told about a long job that ends while the person looks elsewhere. */
#include <string.h>

#include "job-row.h"
#include "window-private.h"
#include "window-test.h"

static PjmProject *
project_of (Fixture *self)
{
  return PJU_WINDOW (self->window)->project;
}

static gboolean
is_row_of (GtkWidget *widget, gconstpointer job)
{
  return PJU_IS_JOB_ROW (widget) && gtk_widget_get_mapped (widget) && pju_job_row_get_job (PJU_JOB_ROW (widget)) == job;
}

static gboolean
has_tooltip (GtkWidget *widget, gconstpointer text)
{
  return GTK_IS_BUTTON (widget) && gtk_widget_get_visible (widget) && g_strcmp0 (gtk_widget_get_tooltip_text (widget), text) == 0;
}

static GtkWidget *
button_of (Fixture *self, PjmJob *job, const char *tooltip)
{
  GtkWidget *page = gtk_stack_get_visible_child (GTK_STACK (PJU_WINDOW (self->window)->pages));
  GtkWidget *row = find_widget (page, is_row_of, job);
  return row ? find_widget (row, has_tooltip, tooltip) : NULL;
}

typedef struct { Fixture *self; PjmJob *job; const char *tooltip; } WantedButton;

static gboolean
has_button (gpointer data)
{
  WantedButton *wanted = data;
  return button_of (wanted->self, wanted->job, wanted->tooltip) != NULL;
}

static gboolean
has_no_button (gpointer data)
{
  return !has_button (data);
}

static void
press (Fixture *self, PjmJob *job, const char *tooltip)
{
  WantedButton wanted = { self, job, tooltip };
  self->watchdog.doing = tooltip;
  wait_until (has_button, &wanted);
  g_signal_emit_by_name (button_of (self, job, tooltip), "clicked");
}

static gboolean
is_running (gpointer job)
{
  return pjm_job_get_state (job) == PJM_JOB_RUNNING;
}

static void
open_all (Fixture *self)
{
  drop (self, self->place.onnx);
  await_text (self, "No pictures yet");
  drop (self, self->place.data);
  await_text (self, "measured on the training pictures");
}

/* In which row a job stands. */
static int
row_of (Fixture *self, PjmJob *job)
{
  GtkWidget *page = gtk_stack_get_visible_child (GTK_STACK (PJU_WINDOW (self->window)->pages));
  return gtk_list_box_row_get_index (GTK_LIST_BOX_ROW (gtk_widget_get_parent (find_widget (page, is_row_of, job))));
}

/* Of two that wait, the one that a person moves up runs first, also in the moment in which it was asked for; the rows
 * stand in the order in which they run. */
static void
test_reorder (Fixture *self, gconstpointer data)
{
  open_all (self);
  act (self, "page", g_variant_new_string ("jobs"));
  PjmJob *running = pjm_project_fine_tune (project_of (self), 100000, 0.02);
  wait_until (is_running, running);
  PjmJob *first = pjm_project_fine_tune (project_of (self), 100000, 0.01), *second = pjm_project_evaluate (project_of (self));
  g_assert_cmpint (pjm_job_get_state (first), ==, PJM_JOB_QUEUED);
  g_assert_cmpint (pjm_job_get_state (second), ==, PJM_JOB_QUEUED);
  g_assert_cmpint (row_of (self, running), ==, 0);
  g_assert_cmpint (row_of (self, first), ==, 1);
  g_assert_cmpint (row_of (self, second), ==, 2);
  g_signal_emit_by_name (button_of (self, second, "Run it sooner"), "clicked");
  await_text (self, "Moved up in the queue");
  g_assert_cmpint (row_of (self, second), ==, 1);
  g_assert_cmpint (row_of (self, first), ==, 2);
  g_assert_false (pjm_job_move (second, -1));
  pjm_job_cancel (running);
  wait_job (running, PJM_JOB_CANCELLED);
  /* The other one would run for hours. */
  wait_job (second, PJM_JOB_DONE);
  g_assert_true (pjm_job_is_active (first));
  /* What does not wait cannot be moved. */
  wait_until (has_no_button, &(WantedButton) { self, second, "Run it sooner" });
  g_assert_cmpint (row_of (self, first), ==, 0);
  pjm_job_cancel (first);
  wait_job (first, PJM_JOB_CANCELLED);
}

/* A failure says why and stays on screen while other jobs end, until it is dismissed; also after opening again. */
static void
test_failure (Fixture *self, gconstpointer data)
{
  open_all (self);
  g_autofree char *path = g_build_filename (self->place.folder, "missing", "out.onnx", NULL);
  PjmJob *job = pjm_project_export (project_of (self), "onnx", path);
  wait_job (job, PJM_JOB_FAILED);
  act (self, "page", g_variant_new_string ("jobs"));
  await_text (self, "out.onnx");
  wait_job (pjm_project_evaluate (project_of (self)), PJM_JOB_DONE);
  g_autofree char *error = place_text (job, "error");
  await_text (self, error);
  press (self, job, "Dismiss: the failure was seen");
  wait_until (has_no_button, &(WantedButton) { self, job, "Dismiss: the failure was seen" });
  g_assert_true (place_flag (job, "dismissed"));
}

/* --- a desktop that shows notifications --- */

typedef struct {
  GDBusConnection *bus;
  guint object, name;
  GPtrArray *told;                     /* "title: body" */
} Desktop;

static void
method_cb (GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *method,
           GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  Desktop *self = data;
  const char *title, *body;
  if (strcmp (method, "Notify") == 0) {
    g_variant_get (parameters, "(&su&s&s&s@as@a{sv}i)", NULL, NULL, NULL, &title, &body, NULL, NULL, NULL);
    g_ptr_array_add (self->told, g_strdup_printf ("%s: %s", title, body));
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(u)", self->told->len));
  } else if (strcmp (method, "GetCapabilities") == 0) {
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(as)", NULL));
  } else {
    g_dbus_method_invocation_return_value (invocation, NULL);
  }
}

static void
desktop_start (Desktop *self)
{
  static const char xml[] =
    "<node><interface name='org.freedesktop.Notifications'>"
    "<method name='Notify'><arg type='s' direction='in'/><arg type='u' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='as' direction='in'/><arg type='a{sv}' direction='in'/>"
    "<arg type='i' direction='in'/><arg type='u' direction='out'/></method>"
    "<method name='GetCapabilities'><arg type='as' direction='out'/></method>"
    "<method name='CloseNotification'><arg type='u' direction='in'/></method></interface></node>";
  static const GDBusInterfaceVTable table = { .method_call = method_cb };
  g_autoptr (GDBusNodeInfo) info = g_dbus_node_info_new_for_xml (xml, NULL);
  g_autoptr (GError) error = NULL;
  self->told = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SESSION, NULL, &error);
  g_assert_no_error (error);
  self->bus = g_dbus_connection_new_for_address_sync (address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                      | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL, NULL, &error);
  g_assert_no_error (error);
  self->object = g_dbus_connection_register_object (self->bus, "/org/freedesktop/Notifications", info->interfaces[0], &table,
                                                    self, NULL, &error);
  g_assert_no_error (error);
  self->name = g_bus_own_name_on_connection (self->bus, "org.freedesktop.Notifications", G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL,
                                             NULL, NULL);
  settle (200);
}

static void
desktop_stop (Desktop *self)
{
  g_bus_unown_name (self->name);
  g_dbus_connection_unregister_object (self->bus, self->object);
  g_dbus_connection_close_sync (self->bus, NULL, NULL);
  g_clear_object (&self->bus);
  g_ptr_array_unref (self->told);
}

static gboolean
was_told (gpointer desktop)
{
  return ((Desktop *) desktop)->told->len > 0;
}

static gboolean
is_active (gpointer window)
{
  return gtk_window_is_active (window);
}

static gboolean
is_not_active (gpointer window)
{
  return !gtk_window_is_active (window);
}

static void
test_notification (Fixture *self, gconstpointer data)
{
  Desktop desktop = { NULL };
  desktop_start (&desktop);
  open_all (self);
  gtk_window_present (GTK_WINDOW (self->window));
  wait_until (is_active, self->window);
  /* The person looks at it: no matter how long it took. */
  pju_window_set_long_job (0.0);
  wait_job (pjm_project_evaluate (project_of (self)), PJM_JOB_DONE);
  settle (200);
  g_assert_cmpuint (desktop.told->len, ==, 0);

  /* The person looks elsewhere: short jobs end silently, a long one is told with its outcome. */
  GtkWidget *elsewhere = gtk_window_new ();
  gtk_window_present (GTK_WINDOW (elsewhere));
  wait_until (is_not_active, self->window);
  pju_window_set_long_job (30.0);
  wait_job (pjm_project_evaluate (project_of (self)), PJM_JOB_DONE);
  settle (200);
  g_assert_cmpuint (desktop.told->len, ==, 0);
  pju_window_set_long_job (0.0);
  PjmJob *job = pjm_project_evaluate (project_of (self));
  wait_job (job, PJM_JOB_DONE);
  wait_until (was_told, &desktop);
  g_autofree char *title = place_text (job, "title"), *result = place_text (job, "result");
  g_autofree char *wanted = g_strdup_printf ("%s: %s", title, result);
  g_assert_cmpstr (desktop.told->pdata[0], ==, wanted);
  pju_window_set_long_job (30.0);
  gtk_window_destroy (GTK_WINDOW (elsewhere));
  desktop_stop (&desktop);
}

static gboolean
has_started (gpointer job)
{
  return pjm_job_n_series (job) > 0;
}

static gboolean
has_ended_after (gpointer project)
{
  GListModel *jobs = pjm_project_get_jobs (project);
  g_autoptr (PjmJob) last = g_list_model_get_item (jobs, g_list_model_get_n_items (jobs) - 1);
  g_autofree char *kind = place_text (last, "kind");
  return strcmp (kind, "recalibrate") == 0 && pjm_job_get_state (last) == PJM_JOB_DONE;
}

/* The window is closed between two jobs: the next window offers what was to follow, and one click starts it. */
static void
test_rest (Fixture *self, gconstpointer data)
{
  PjmPruneOptions options;
  open_all (self);
  g_autofree char *session = place_text (project_of (self), "path");
  pjm_prune_options_init (&options, "weight-sum");
  options.keep = PJM_KEEP_SHARE;
  options.recalibrate = TRUE;
  PjmJob *first = pjm_project_prune (project_of (self), &options);
  PjmJob *endless = pjm_project_fine_tune (project_of (self), 100000, 0.01);
  wait_job (first, PJM_JOB_DONE);
  wait_until (has_started, endless);
  close_window (self);
  open_window (self);
  drop (self, session);
  await_text (self, "What was to follow “Choose by Weight sum” can go on");
  act (self, "page", g_variant_new_string ("jobs"));
  g_autoptr (PjmJob) again = g_list_model_get_item (pjm_project_get_jobs (project_of (self)), 0);
  WantedButton start = { self, again, "Start what was to follow" };
  wait_until (has_button, &start);
  act (self, "resume", NULL);
  wait_until (has_ended_after, project_of (self));
  wait_until (has_no_button, &start);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  add ("/ui/jobs/reorder", test_reorder);
  add ("/ui/jobs/failure-stays", test_failure);
  add ("/ui/jobs/notification", test_notification);
  add ("/ui/jobs/rest-of-a-chain", test_rest);
  return g_test_run ();
}
