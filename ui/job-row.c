/* SPDX-License-Identifier: MIT */
/* Stands in the jobs page and, for the job that runs, in the side bar: one widget, so one source of
 * numbers.  A failure stays with its reason and what would help until a person dismisses it. */
#include <glib/gi18n-lib.h>

#include <string.h>

#include "format.h"
#include "job-row.h"

struct _PjuJobRow {
  GtkWidget parent;
  GtkWidget *box, *icon, *title, *line, *help, *bar, *time, *pause, *cancel, *resume, *sooner, *later, *dismiss;
  PjuStudio *studio;
  PjmJob *job;
  gboolean compact;
  int shown;                       /* PjmJobState of what stands there, or -1 */
  guint idle;
};

G_DEFINE_FINAL_TYPE (PjuJobRow, pju_job_row, GTK_TYPE_WIDGET)

typedef struct { const char *icon, *title, *css; } State;

static const State states[] = {
  [PJM_JOB_QUEUED] = { "document-open-recent-symbolic", N_("Waiting"), "queued" },
  [PJM_JOB_RUNNING] = { "media-playback-start-symbolic", N_("Running"), "running" },
  [PJM_JOB_PAUSED] = { "media-playback-pause-symbolic", N_("Paused"), "paused" },
  [PJM_JOB_DONE] = { "object-select-symbolic", N_("Done"), "done" },
  [PJM_JOB_FAILED] = { "dialog-error-symbolic", N_("Failed"), "failed" },
  [PJM_JOB_CANCELLED] = { "process-stop-symbolic", N_("Cancelled"), "cancelled" },
  [PJM_JOB_INTERRUPTED] = { "dialog-warning-symbolic", N_("Interrupted: the program ended while it ran"), "interrupted" },
};

const char *
pju_job_state_title (PjmJobState state)
{
  return (guint) state < G_N_ELEMENTS (states) ? _(states[state].title) : "";
}

gboolean
pju_job_is_offered (PjmJob *job)
{
  PjmJobState state = pjm_job_get_state (job);
  return pjm_job_can_resume (job) && (state == PJM_JOB_INTERRUPTED || state == PJM_JOB_DONE);
}

static char *
time_text (PjmJob *job, PjmJobState state)
{
  double elapsed = pju_get_double (job, "elapsed");
  g_autofree char *spent = pju_format_duration (elapsed);
  g_autofree char *left = state == PJM_JOB_RUNNING ? pju_format_remaining (pju_get_double (job, "remaining")) : NULL;

  if (state == PJM_JOB_QUEUED)
    return g_strdup (_("Waits for the job before it"));
  if (left)
    return g_strdup_printf ("%s · %s", spent, left);
  if (state == PJM_JOB_RUNNING)
    return g_strdup (spent);
  return g_strdup_printf ("%s · %s", pju_job_state_title (state), spent);
}

/* News come many times a second; pictures and classes are set only when another state needs others. */
static void
show_state (PjuJobRow *self, PjmJobState state)
{
  const State *look = &states[MIN ((guint) state, G_N_ELEMENTS (states) - 1)];
  const char *label = state == PJM_JOB_PAUSED ? _("Go on") : _("Pause");

  if (self->shown == (int) state)
    return;
  self->shown = (int) state;
  gtk_image_set_from_icon_name (GTK_IMAGE (self->icon), look->icon);
  pju_set_tooltip (self->icon, _(look->title));
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    gtk_widget_remove_css_class (GTK_WIDGET (self), states[i].css);
  gtk_widget_add_css_class (GTK_WIDGET (self), look->css);
  gtk_button_set_icon_name (GTK_BUTTON (self->pause), state == PJM_JOB_PAUSED ? "media-playback-start-symbolic"
                                                                              : "media-playback-pause-symbolic");
  pju_set_tooltip (self->pause, label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->pause), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
}

static void
show_buttons (PjuJobRow *self, PjmJobState state)
{
  gboolean active = self->job && pjm_job_is_active (self->job), whole = self->job && !self->compact;
  gtk_widget_set_visible (self->pause, active && state != PJM_JOB_QUEUED);
  gtk_widget_set_visible (self->cancel, active);
  gtk_widget_set_visible (self->resume, whole && pjm_job_can_resume (self->job));
  gtk_widget_set_visible (self->sooner, whole && state == PJM_JOB_QUEUED);
  gtk_widget_set_visible (self->later, whole && state == PJM_JOB_QUEUED);
  gboolean rest = state == PJM_JOB_DONE && self->job && pjm_job_can_resume (self->job);
  gtk_widget_set_visible (self->dismiss, whole && (state == PJM_JOB_FAILED || rest) && !pju_get_boolean (self->job, "dismissed"));
  if (!gtk_widget_get_visible (self->dismiss))
    return;
  const char *verb = rest ? _("Dismiss: nothing is to follow") : _("Dismiss: the failure was seen");
  pju_set_tooltip (self->dismiss, verb);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->dismiss), GTK_ACCESSIBLE_PROPERTY_LABEL, verb, -1);
  pju_set_tooltip (self->resume, rest ? _("Start what was to follow") : _("Go on from the last checkpoint"));
}

/* What a person can do about a failure, by words of its reason. */
static const char *
next_step (PjmJob *job, PjmJobState state, const char *error)
{
  static const struct { const char *words, *help; } helps[] = {
    { "memory", N_("Choose a smaller batch, close other programs, or use the CPU in the device menu.") },
    { "disk", N_("Make room on the disk, then start it again.") },
    { "picture", N_("Check the pictures that the reason names, then start it again.") },
    { "device", N_("Choose another device in the menu at the top, then start it again.") },
    { "keep ratio", N_("Set the ratios of the layers that the reason names.") },
  };
  if (state == PJM_JOB_INTERRUPTED)
    return pjm_job_can_resume (job) ? _("Resume goes on from the last checkpoint.") : _("It can be started again.");
  if (state == PJM_JOB_DONE && pjm_job_can_resume (job))
    return _("The program ended before what was to follow. Resume starts it.");
  if (state != PJM_JOB_FAILED)
    return NULL;
  if (pjm_job_can_resume (job))
    return _("What was done is kept: resume it once the reason is gone.");
  for (guint i = 0; error && i < G_N_ELEMENTS (helps); i++)
    if (strstr (error, helps[i].words))
      return _(helps[i].help);
  return _("The network is as it was before; change what the reason names and start it again.");
}

static void
update (PjuJobRow *self)
{
  PjmJobState state = pjm_job_get_state (self->job);
  g_autofree char *title = pju_get_string (self->job, "title"), *stage = pju_get_string (self->job, "stage");
  g_autofree char *error = pju_get_string (self->job, "error"), *result = pju_get_string (self->job, "result");
  g_autofree char *time = time_text (self->job, state);
  double fraction = pju_get_double (self->job, "fraction");
  const char *line = state == PJM_JOB_FAILED ? error : result ? result : pjm_job_is_active (self->job) ? stage : NULL;

  show_state (self, state);
  show_buttons (self, state);
  gtk_label_set_text (GTK_LABEL (self->title), title);
  pju_set_tooltip (self->title, title);
  gtk_label_set_text (GTK_LABEL (self->line), line ? line : "");
  gtk_widget_set_visible (self->line, line && *line);
  const char *help = pju_get_boolean (self->job, "dismissed") ? NULL : next_step (self->job, state, error);
  gtk_label_set_text (GTK_LABEL (self->help), help ? help : "");
  gtk_widget_set_visible (self->help, help != NULL);
  gtk_label_set_text (GTK_LABEL (self->time), time);
  pju_set_tooltip (self->line, line);
  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (self->bar), CLAMP (fraction, 0, 1));
  gtk_widget_set_visible (self->bar, pjm_job_is_active (self->job) && state != PJM_JOB_QUEUED);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->bar), GTK_ACCESSIBLE_PROPERTY_LABEL, title ? title : "",
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, time, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, time, -1);
}

static gboolean
update_idle (gpointer data)
{
  PjuJobRow *self = data;
  self->idle = 0;
  update (self);
  return G_SOURCE_REMOVE;
}

/* Several properties change together. */
static void
queue_update (PjuJobRow *self)
{
  if (self->idle == 0)
    self->idle = g_idle_add_full (G_PRIORITY_HIGH_IDLE, update_idle, self, NULL);
}

static void
pause_cb (PjuJobRow *self)
{
  pjm_job_set_paused (self->job, pjm_job_get_state (self->job) != PJM_JOB_PAUSED);
}

static void
sooner_cb (PjuJobRow *self)
{
  if (!pjm_job_move (self->job, -1))
    pju_studio_say (self->studio, _("It is the next one already"));
  else
    pju_studio_say (self->studio, _("Moved up in the queue"));
}

static void
later_cb (PjuJobRow *self)
{
  if (!pjm_job_move (self->job, 1))
    pju_studio_say (self->studio, _("It is the last one already"));
  else
    pju_studio_say (self->studio, _("Moved down in the queue"));
}

static void
dismiss_cb (PjuJobRow *self)
{
  pjm_project_dismiss_job (pju_studio_get_project (self->studio), self->job);
}

static void
cancel_cb (PjuJobRow *self)
{
  pjm_job_cancel (self->job);
}

static void
resume_cb (PjuJobRow *self)
{
  pjm_project_resume (pju_studio_get_project (self->studio), self->job);
}

PjmJob *
pju_job_row_get_job (PjuJobRow *self)
{
  return self->job;
}

void
pju_job_row_set_job (PjuJobRow *self, PjmJob *job)
{
  if (self->job)
    g_signal_handlers_disconnect_by_func (self->job, queue_update, self);
  g_clear_handle_id (&self->idle, g_source_remove);
  g_set_object (&self->job, job);
  if (!job)
    return;
  g_signal_connect_object (job, "notify", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  update (self);
}

static void
dispose (GObject *object)
{
  PjuJobRow *self = PJU_JOB_ROW (object);
  pju_job_row_set_job (self, NULL);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_job_row_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuJobRow, name)

static void
pju_job_row_class_init (PjuJobRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/job-row.ui");
  CHILD (box); CHILD (icon); CHILD (title); CHILD (line); CHILD (bar); CHILD (time);
  CHILD (pause); CHILD (cancel); CHILD (resume); CHILD (help); CHILD (sooner); CHILD (later); CHILD (dismiss);
  gtk_widget_class_bind_template_callback (widget_class, pause_cb);
  gtk_widget_class_bind_template_callback (widget_class, cancel_cb);
  gtk_widget_class_bind_template_callback (widget_class, sooner_cb);
  gtk_widget_class_bind_template_callback (widget_class, later_cb);
  gtk_widget_class_bind_template_callback (widget_class, dismiss_cb);
  gtk_widget_class_bind_template_callback (widget_class, resume_cb);
  gtk_widget_class_set_css_name (widget_class, "jobrow");
}

static void
pju_job_row_init (PjuJobRow *self)
{
  self->shown = -1;
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
pju_job_row_new (PjuStudio *studio, gboolean compact)
{
  PjuJobRow *self = g_object_new (PJU_TYPE_JOB_ROW, NULL);
  self->studio = g_object_ref (studio);
  self->compact = compact;
  gtk_widget_set_visible (self->icon, !compact);
  /* The side bar is as wide as its names, whatever runs or does not. */
  show_buttons (self, PJM_JOB_QUEUED);
  if (compact) {
    gtk_label_set_wrap (GTK_LABEL (self->line), FALSE);
    gtk_label_set_lines (GTK_LABEL (self->line), 1);
    gtk_label_set_max_width_chars (GTK_LABEL (self->line), 14);
    gtk_label_set_max_width_chars (GTK_LABEL (self->title), 8);
    gtk_label_set_ellipsize (GTK_LABEL (self->time), PANGO_ELLIPSIZE_END);
    gtk_label_set_max_width_chars (GTK_LABEL (self->time), 14);
  }
  if (compact)
    gtk_widget_add_css_class (GTK_WIDGET (self), "compact");
  return GTK_WIDGET (self);
}
