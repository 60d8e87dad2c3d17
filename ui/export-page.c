/* SPDX-License-Identifier: MIT */
/* Formats come from the registry.  An export is a job: while it runs, and if it fails, its row stands here; once
 * the file was read back and agrees with the network on screen, its certificate does. */
#include <glib/gi18n-lib.h>

#include "certificate.h"
#include "choice-list.h"
#include "export-page.h"
#include "format.h"
#include "job-row.h"

struct _PjuExportPage {
  GtkWidget parent;
  GtkWidget *scroll, *summary, *uncut, *formats, *certificates_box, *certificates;
  PjuStudio *studio;
};

G_DEFINE_FINAL_TYPE (PjuExportPage, pju_export_page, GTK_TYPE_WIDGET)

static void
update (PjuExportPage *self)
{
  PjmProject *project;
  if (!self->studio)
    return;
  project = pju_studio_get_project (self->studio);
  g_autofree char *name = pju_get_string (project, "name");
  g_autofree char *macs = pju_format_count (pju_get_uint64 (project, "macs-after"));
  g_autofree char *params = pju_format_count (pju_get_uint64 (project, "params-after"));
  g_autofree char *size = pju_format_count (pju_get_uint64 (project, "size-after"));
  g_autofree char *text = g_strdup_printf (_("%s: %s multiply-accumulates, %s parameters, about %sB"), name ? name : "",
                                           macs, params, size);
  gtk_label_set_text (GTK_LABEL (self->summary), text);
  gtk_widget_set_visible (self->uncut, pju_get_boolean (project, "modified-masks"));
}

static const PjmChoice *
chosen_format (PjuExportPage *self)
{
  guint n;
  const PjmChoice *formats = pjm_project_get_formats (pju_studio_get_project (self->studio), &n);
  g_autoptr (GPtrArray) chosen = pju_choice_list_get (PJU_CHOICE_LIST (self->formats));

  for (guint i = 0; i < n; i++) {
    if (chosen->len > 0 && g_strcmp0 (formats[i].name, chosen->pdata[0]) == 0)
      return &formats[i];
  }
  return n > 0 ? &formats[0] : NULL;
}

static void
response_cb (GtkNativeDialog *dialog, int response, PjuExportPage *self)
{
  const PjmChoice *format = chosen_format (self);

  if (response == GTK_RESPONSE_ACCEPT && format) {
    g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    g_autofree char *path = g_file_get_path (file);
    if (path)
      pjm_project_export (pju_studio_get_project (self->studio), format->name, path);
    else
      pju_studio_complain (self->studio, _("The network could not be exported"), _("The place is not a local folder."));
  }
  gtk_native_dialog_destroy (dialog);
  g_object_unref (dialog);
}

void
pju_export_page_ask (PjuExportPage *self)
{
  const PjmChoice *format = chosen_format (self);
  g_autofree char *name = pju_get_string (pju_studio_get_project (self->studio), "name");
  GtkFileChooserNative *dialog;

  if (!format)
    return;
  dialog = gtk_file_chooser_native_new (_("Export Network"), GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
                                        GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), _("_Cancel"));
  const char *extension = format->source ? format->source : "";
  /* A format without an ending makes a folder, named after itself. */
  g_autofree char *file = g_strdup_printf ("%s-%s%s%s", name && *name ? name : "network",
                                           *extension ? "pruned" : format->name, *extension ? "." : "", extension);
  g_strdelimit (file, "/\\:", '-');
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), file);
  g_signal_connect_object (dialog, "response", G_CALLBACK (response_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void jobs_changed_cb (PjuExportPage *self);

/* What a person waits for comes into view. */
static gboolean
show_certificates_cb (gpointer data)
{
  PjuExportPage *self = PJU_EXPORT_PAGE (data);
  graphene_rect_t bounds;

  if (self->scroll && gtk_widget_compute_bounds (self->certificates_box, self->scroll, &bounds)) {
    GtkAdjustment *place = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (self->scroll));
    gtk_adjustment_set_value (place, gtk_adjustment_get_value (place) + bounds.origin.y);
  }
  return G_SOURCE_REMOVE;
}

static void
ended_cb (PjuExportPage *self)
{
  jobs_changed_cb (self);
  /* Once the new row has its place. */
  g_timeout_add_full (G_PRIORITY_LOW, 100, show_certificates_cb, g_object_ref (self), g_object_unref);
}

/* A job that is not done may become so: the row is made anew then. */
static GtkWidget *
make_row (PjuExportPage *self, PjmJob *job)
{
  g_autofree char *details = pju_get_string (job, "details"), *title = pju_get_string (job, "title");
  GtkWidget *row = gtk_list_box_row_new (), *child;

  if (pjm_job_get_state (job) == PJM_JOB_DONE && details) {
    child = pju_certificate_new (title, details);
  } else {
    child = pju_job_row_new (self->studio, FALSE);
    pju_job_row_set_job (PJU_JOB_ROW (child), job);
    g_signal_connect_object (job, "notify::state", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
  }
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), child);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return row;
}

static void
jobs_changed_cb (PjuExportPage *self)
{
  GListModel *jobs = pjm_project_get_jobs (pju_studio_get_project (self->studio));
  GtkWidget *child;
  guint shown = 0;

  while ((child = gtk_widget_get_first_child (self->certificates)))
    gtk_list_box_remove (GTK_LIST_BOX (self->certificates), child);
  for (guint i = g_list_model_get_n_items (jobs); i-- > 0;) {
    g_autoptr (PjmJob) job = g_list_model_get_item (jobs, i);
    g_autofree char *kind = pju_get_string (job, "kind");
    if (g_strcmp0 (kind, "export") != 0)
      continue;
    g_signal_handlers_disconnect_by_func (job, ended_cb, self);
    gtk_list_box_append (GTK_LIST_BOX (self->certificates), make_row (self, job));
    shown++;
  }
  gtk_widget_set_visible (self->certificates_box, shown > 0);
}

void
pju_export_page_set_studio (PjuExportPage *self, PjuStudio *studio)
{
  PjmProject *project = pju_studio_get_project (studio);
  guint n;
  const PjmChoice *formats = pjm_project_get_formats (project, &n);
  g_autofree PjmChoice *rows = g_memdup2 (formats, n * sizeof (PjmChoice));

  self->studio = g_object_ref (studio);
  /* The source of a format is its file ending, which the name says already. */
  for (guint i = 0; i < n; i++)
    rows[i].source = NULL;
  pju_choice_list_set (PJU_CHOICE_LIST (self->formats), rows, n);
  if (n > 0)
    pju_choice_list_select (PJU_CHOICE_LIST (self->formats), formats[0].name, TRUE);
  g_signal_connect_object (project, "notify", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (pjm_project_get_jobs (project), "items-changed", G_CALLBACK (jobs_changed_cb), self,
                           G_CONNECT_SWAPPED);
  jobs_changed_cb (self);
  update (self);
}

static void
dispose (GObject *object)
{
  PjuExportPage *self = PJU_EXPORT_PAGE (object);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->scroll, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_export_page_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuExportPage, name)

static void
pju_export_page_class_init (PjuExportPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  g_type_ensure (PJU_TYPE_CHOICE_LIST);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/export-page.ui");
  CHILD (scroll); CHILD (summary); CHILD (uncut); CHILD (formats); CHILD (certificates_box); CHILD (certificates);
  gtk_widget_class_bind_template_callback (widget_class, update);
}

static void
pju_export_page_init (PjuExportPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
