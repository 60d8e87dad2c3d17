/* SPDX-License-Identifier: MIT */
/* Figures first, then the groups in which the steps differ, then the classes.  The table can be copied.  What was not
 * measured yet is measured from here, and then all of it is filled in again. */
#include <glib/gi18n-lib.h>

#include "class-bars.h"
#include "compare-columns.h"
#include "format.h"
#include "job-row.h"
#include "save.h"
#include "step-diff.h"

typedef struct {
  PjuStudio *studio;
  GtkWidget *window, *box, *bars, *rows, *evaluate;
  PjmStep *steps[2];
  char *titles[2];
  gboolean evaluated[2];
  PjmJob *jobs[2];                 /* that measure the steps, or NULL */
  GString *csv;
} Diff;

static void
diff_free (gpointer data)
{
  Diff *self = data;
  g_object_unref (self->studio);
  for (guint k = 0; k < 2; k++) {
    g_free (self->titles[k]);
    g_object_unref (self->steps[k]);
    g_clear_object (&self->jobs[k]);
  }
  if (self->csv)
    g_string_free (self->csv, TRUE);
  g_free (self);
}

static void
put (GtkWidget *grid, int column, int row, const char *text, const char *css, float align)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), align);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (label, column > 0);
  pju_set_tooltip (label, text);
  if (css)
    gtk_widget_add_css_class (label, css);
  gtk_grid_attach (GTK_GRID (grid), label, column, row, 1, 1);
}

static void
put_line (Diff *self, GtkWidget *grid, int row, const char *name, const char *a, const char *b, const char *note)
{
  put (grid, 0, row, name, "dim-label", 0);
  put (grid, 1, row, a, "numeric", 1);
  put (grid, 2, row, b, "numeric", 1);
  put (grid, 3, row, note, "dim-label", 0);
  g_string_append_printf (self->csv, "\"%s\",\"%s\",\"%s\",\"%s\"\n", name, a, b, note);
}

static void
put_figures (Diff *self, GtkWidget *grid, const PjmStepDiff *diff)
{
  const struct { const char *name; const guint64 *values; const char *unit; } rows[] = {
    { _("Multiply-accumulates"), diff->macs, "" }, { _("Parameters"), diff->params, "" }, { _("Size"), diff->size, "B" },
  };
  put (grid, 1, 0, self->titles[0], "heading", 1);
  put (grid, 2, 0, self->titles[1], "heading", 1);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *a = pju_format_count (rows[i].values[0]), *b = pju_format_count (rows[i].values[1]);
    g_autofree char *ta = g_strconcat (a, rows[i].unit, NULL), *tb = g_strconcat (b, rows[i].unit, NULL);
    g_autofree char *change = pju_format_change (rows[i].values[0], rows[i].values[1]);
    put_line (self, grid, (int) i + 1, rows[i].name, ta, tb, change);
  }
  g_autofree char *a = pju_format_percent (diff->accuracy[0], 2), *b = pju_format_percent (diff->accuracy[1], 2);
  put_line (self, grid, 4, _("Accuracy"), a, b, "");
}

static void
put_groups (Diff *self, GtkWidget *grid, const PjmStepDiff *diff)
{
  int row = 6;
  guint same = 0;
  for (guint i = 0; i < diff->groups->len; i++) {
    const PjmGroupDiff *group = diff->groups->pdata[i];
    gboolean alike = group->channels[0] == group->channels[1];
    if (alike && group->kept[0] == group->kept[1] && group->n_common == group->kept[0]) {
      same++;
      continue;
    }
    g_autofree char *a = group->channels[0] ? g_strdup_printf (_("%u of %u"), group->kept[0], group->channels[0]) : g_strdup ("–");
    g_autofree char *b = group->channels[1] ? g_strdup_printf (_("%u of %u"), group->kept[1], group->channels[1]) : g_strdup ("–");
    g_autofree char *note = alike ? g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u kept in both", "%u kept in both",
                                                                  group->n_common), group->n_common) : g_strdup ("");
    put_line (self, grid, row++, group->name, a, b, note);
  }
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u group is the same in both.",
                                                        "%u groups are the same in both.", same), same);
  if (same == 0)
    return;
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "dim-label");
  gtk_grid_attach (GTK_GRID (grid), label, 0, row, 4, 1);
}

/* --- measuring what is missing --- */

static void compare (Diff *self);

static gboolean
is_measuring (Diff *self)
{
  for (guint k = 0; k < 2; k++)
    if (self->jobs[k] && pjm_job_is_active (self->jobs[k]))
      return TRUE;
  return FALSE;
}

/* A job that failed leaves its row with the reason, and the button. */
static void
job_ended_cb (PjmJob *job, GParamSpec *pspec, GtkWidget *window)
{
  Diff *self = g_object_get_data (G_OBJECT (window), "diff");
  if (is_measuring (self))
    return;
  gboolean done = TRUE;
  for (guint k = 0; k < 2; k++)
    done = done && (!self->jobs[k] || pjm_job_get_state (self->jobs[k]) == PJM_JOB_DONE);
  if (done)
    compare (self);
  else
    gtk_widget_set_sensitive (self->evaluate, TRUE);
}

static void
evaluate_cb (GtkWidget *button, Diff *self)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (self->rows)))
    gtk_box_remove (GTK_BOX (self->rows), child);
  for (guint k = 0; k < 2; k++) {
    g_clear_object (&self->jobs[k]);
    PjmJob *job = self->evaluated[k] ? NULL : pjm_project_evaluate_step (pju_studio_get_project (self->studio), self->steps[k]);
    if (!job)
      continue;
    GtkWidget *row = pju_job_row_new (self->studio, FALSE);
    pju_job_row_set_job (PJU_JOB_ROW (row), job);
    gtk_box_append (GTK_BOX (self->rows), row);
    self->jobs[k] = g_object_ref (job);
    g_signal_connect_object (job, "notify::state", G_CALLBACK (job_ended_cb), self->window, 0);
  }
  gtk_widget_set_sensitive (self->evaluate, !is_measuring (self));
}

/* Why the classes are not there yet, and the one click that brings them. */
static void
put_evaluate (Diff *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  g_autofree char *data = pju_get_string (project, "data-name");
  const char *obstacle = pju_get_boolean (project, "read-only") ? _("This session cannot be changed")
                         : data ? NULL : _("Open a folder of pictures or a data set to measure accuracy.");
  gboolean both = !self->evaluated[0] && !self->evaluated[1];
  self->evaluate = gtk_button_new_with_label (both ? _("Evaluate Both Steps") : _("Evaluate the Other Step"));
  self->rows = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_widget_add_css_class (self->evaluate, "suggested-action");
  gtk_widget_set_halign (self->evaluate, GTK_ALIGN_START);
  gtk_widget_set_sensitive (self->evaluate, !obstacle);
  pju_set_tooltip (self->evaluate, obstacle ? obstacle : _("Measures the accuracy on the whole test part of the data, of each class too"));
  g_signal_connect (self->evaluate, "clicked", G_CALLBACK (evaluate_cb), self);
  gtk_box_append (GTK_BOX (self->box), self->evaluate);
  gtk_box_append (GTK_BOX (self->box), self->rows);
}

static void
save_cb (Diff *self)
{
  pju_class_bars_save (PJU_CLASS_BARS (self->bars), self->studio, "classes.svg");
}

/* Or what has to be done to see it. */
static void
put_classes (Diff *self, const PjmStepDiff *diff)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *counts = gtk_label_new (NULL);
  gtk_box_append (GTK_BOX (head), pju_heading_new (_("Classes")));
  gtk_box_append (GTK_BOX (self->box), head);
  gtk_label_set_xalign (GTK_LABEL (counts), 0);
  gtk_label_set_wrap (GTK_LABEL (counts), TRUE);
  gtk_widget_add_css_class (counts, "dim-label");
  gtk_box_append (GTK_BOX (self->box), counts);
  if (!diff->classes) {
    gtk_label_set_text (GTK_LABEL (counts), _("How every class fares is known once both steps were measured on the same "
                                              "pictures. Channels that are only marked count as cut."));
    put_evaluate (self);
    return;
  }
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
    "%u of %u answers changed: %u newly wrong, %u newly right", "%u of %u answers changed: %u newly wrong, %u newly right",
    diff->n_changed), diff->n_changed, diff->n_test, diff->n_lost, diff->n_won);
  g_autofree char *title = g_strdup_printf (_("Accuracy of each class: %s (ring) and %s"), self->titles[0], self->titles[1]);
  gtk_label_set_text (GTK_LABEL (counts), text);
  gtk_box_append (GTK_BOX (head), pju_save_button_new (_("Save the accuracy of the classes"), G_CALLBACK (save_cb), self));
  self->bars = pju_class_bars_new ();
  pju_class_bars_set (PJU_CLASS_BARS (self->bars), title, diff->classes);
  gtk_box_append (GTK_BOX (self->box), self->bars);
  for (guint i = 0; i < diff->classes->len; i++) {
    const PjmClassChange *change = &g_array_index (diff->classes, PjmClassChange, i);
    g_autofree char *a = pju_format_percent (change->before, 2), *b = pju_format_percent (change->now, 2);
    g_string_append_printf (self->csv, "\"%s\",\"%s\",\"%s\",\"%+.2f\"\n", change->name, a, b,
                            100 * (change->now - change->before));
  }
}

static void
copy_cb (GtkWidget *button, Diff *self)
{
  pju_text_copy (self->studio, self->window, self->csv->str);
}

static void
compared_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GtkWidget) window = data;
  Diff *self = g_object_get_data (G_OBJECT (window), "diff");
  g_autoptr (GError) error = NULL;
  PjmStepDiff *diff = pjm_project_compare_steps_finish (PJM_PROJECT (source), result, &error);
  if (!diff) {
    pju_studio_complain (self->studio, _("The steps could not be compared"), error->message);
    gtk_window_destroy (GTK_WINDOW (window));
    return;
  }
  for (GtkWidget *child; (child = gtk_widget_get_first_child (self->box));)
    gtk_box_remove (GTK_BOX (self->box), child);
  g_string_truncate (self->csv, 0);
  self->evaluated[0] = diff->evaluated[0];
  self->evaluated[1] = diff->evaluated[1];
  GtkWidget *grid = gtk_grid_new (), *copy = gtk_button_new_with_label (_("Copy CSV"));
  gtk_grid_set_column_spacing (GTK_GRID (grid), 18);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  g_string_append_printf (self->csv, "\"\",\"%s\",\"%s\",\"\"\n", self->titles[0], self->titles[1]);
  put_figures (self, grid, diff);
  put_groups (self, grid, diff);
  gtk_box_append (GTK_BOX (self->box), grid);
  put_classes (self, diff);
  gtk_widget_set_halign (copy, GTK_ALIGN_END);
  g_signal_connect (copy, "clicked", G_CALLBACK (copy_cb), self);
  gtk_box_append (GTK_BOX (self->box), copy);
  pjm_step_diff_free (diff);
}

static void
compare (Diff *self)
{
  pjm_project_compare_steps_async (pju_studio_get_project (self->studio), self->steps[0], self->steps[1], compared_cb,
                                   g_object_ref (self->window));
}

static char *
title_of (PjmStep *step)
{
  char *name = pju_get_string (step, "name");
  return name ? name : pju_get_string (step, "title");
}

void
pju_step_diff_show (PjuStudio *studio, GtkWidget *parent, PjmStep *a, PjmStep *b)
{
  Diff *self = g_new0 (Diff, 1);
  GtkWidget *scroll = gtk_scrolled_window_new ();
  GtkEventController *keys = gtk_shortcut_controller_new ();

  self->studio = g_object_ref (studio);
  self->steps[0] = g_object_ref (a);
  self->steps[1] = g_object_ref (b);
  self->titles[0] = title_of (a);
  self->titles[1] = title_of (b);
  self->csv = g_string_new (NULL);
  self->window = gtk_window_new ();
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18);
  gtk_widget_add_css_class (self->box, "page-body");
  gtk_window_set_title (GTK_WINDOW (self->window), _("Two Steps Compared"));
  gtk_window_set_default_size (GTK_WINDOW (self->window), 820, 620);
  gtk_window_set_transient_for (GTK_WINDOW (self->window), GTK_WINDOW (gtk_widget_get_root (parent)));
  gtk_window_set_modal (GTK_WINDOW (self->window), TRUE);
  gtk_window_set_destroy_with_parent (GTK_WINDOW (self->window), TRUE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), self->box);
  gtk_window_set_child (GTK_WINDOW (self->window), scroll);
  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (keys), gtk_shortcut_new (
    gtk_keyval_trigger_new (GDK_KEY_Escape, 0), gtk_named_action_new ("window.close")));
  gtk_widget_add_controller (self->window, keys);
  g_object_set_data_full (G_OBJECT (self->window), "diff", self, diff_free);
  compare (self);
  gtk_window_present (GTK_WINDOW (self->window));
}
