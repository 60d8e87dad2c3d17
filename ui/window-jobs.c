/* SPDX-License-Identifier: MIT */
/* The window's view of the jobs: the running one in the side bar on every page, a word when one ends, and
 * a notification when a long one ends while the person looks elsewhere. */
#include <glib/gi18n-lib.h>

#include "job-row.h"
#include "window-private.h"

static double long_seconds = 30;

void
pju_window_set_long_job (double seconds)
{
  long_seconds = seconds;
}

static PjmJob *
running_job (PjuWindow *self, guint *n_active)
{
  GListModel *jobs = pjm_project_get_jobs (self->project);
  PjmJob *first = NULL;

  *n_active = 0;
  for (guint i = 0; i < g_list_model_get_n_items (jobs); i++) {
    g_autoptr (PjmJob) job = g_list_model_get_item (jobs, i);
    if (!pjm_job_is_active (job))
      continue;
    (*n_active)++;
    if (!first)
      first = job;
  }
  return first;
}

static void
show_running (PjuWindow *self)
{
  guint n;
  PjmJob *job = running_job (self, &n);
  g_autofree char *text = g_strdup_printf ("%u", n);

  if (job && pju_job_row_get_job (PJU_JOB_ROW (self->job_row)) != job)
    pju_job_row_set_job (PJU_JOB_ROW (self->job_row), job);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->job_revealer), job != NULL);
  gtk_label_set_text (GTK_LABEL (self->job_badge), text);
  gtk_widget_set_visible (self->job_badge, n > 0);
}

static void
notify_desktop (PjuWindow *self, const char *title, const char *body)
{
  g_autoptr (GNotification) notification = g_notification_new (title);
  if (body)
    g_notification_set_body (notification, body);
  g_application_send_notification (G_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))), "job", notification);
}

static void
say_end (PjuWindow *self, PjmJob *job)
{
  PjmJobState state = pjm_job_get_state (job);
  g_autofree char *title = pju_get_string (job, "title"), *result = pju_get_string (job, "result");
  g_autofree char *error = pju_get_string (job, "error"), *text = NULL;
  gboolean on_jobs = g_strcmp0 (gtk_stack_get_visible_child_name (GTK_STACK (self->pages)), "jobs") == 0;

  if (state == PJM_JOB_DONE) {
    text = result ? g_strdup_printf ("%s: %s", title, result) : g_strdup_printf (_("%s: done"), title);
    pju_toast_show (PJU_TOAST (self->toast), text, on_jobs ? NULL : _("Show"), "win.page::jobs");
  } else if (state == PJM_JOB_FAILED) {
    text = g_strdup_printf (_("“%s” failed"), title);
    pju_banner_show (PJU_BANNER (self->banner), text, error, on_jobs ? NULL : _("Show"), "win.page::jobs");
  } else {
    text = g_strdup_printf (_("“%s” was cancelled"), title);
    pju_toast_show (PJU_TOAST (self->toast), text, NULL, NULL);
  }
  if (state != PJM_JOB_CANCELLED && pju_get_double (job, "elapsed") > long_seconds
      && !gtk_window_is_active (GTK_WINDOW (self)))
    notify_desktop (self, state == PJM_JOB_DONE ? title : text, state == PJM_JOB_DONE ? result : error);
}

static void
state_changed_cb (PjmJob *job, GParamSpec *pspec, PjuWindow *self)
{
  gboolean active = pjm_job_is_active (job);
  gboolean was_active = GPOINTER_TO_INT (g_object_get_data (G_OBJECT (job), "pju-active"));

  g_object_set_data (G_OBJECT (job), "pju-active", GINT_TO_POINTER (active));
  show_running (self);
  if (was_active && !active)
    say_end (self, job);
}

static void
jobs_changed_cb (GListModel *jobs, guint position, guint removed, guint added, PjuWindow *self)
{
  for (guint i = position; i < position + added; i++) {
    g_autoptr (PjmJob) job = g_list_model_get_item (jobs, i);
    g_object_set_data (G_OBJECT (job), "pju-active", GINT_TO_POINTER (pjm_job_is_active (job)));
    g_signal_handlers_disconnect_by_func (job, state_changed_cb, self);
    g_signal_connect_object (job, "notify::state", G_CALLBACK (state_changed_cb), self, 0);
  }
  show_running (self);
}

void
pju_window_watch_jobs (PjuWindow *self)
{
  GListModel *jobs = pjm_project_get_jobs (self->project);

  self->job_row = pju_job_row_new (self->studio, TRUE);
  gtk_revealer_set_child (GTK_REVEALER (self->job_revealer), self->job_row);
  g_signal_connect_object (jobs, "items-changed", G_CALLBACK (jobs_changed_cb), self, 0);
  jobs_changed_cb (jobs, 0, 0, g_list_model_get_n_items (jobs), self);
}
