/* SPDX-License-Identifier: MIT */
/* Each change asks the model twice, as PjuPruneDialog does: whether it can start, which is known at once, and how long it
 * takes, which the device has to be asked for.  Only the newest question is of interest. */
#include <glib/gi18n-lib.h>

#include "format.h"
#include "ratio.h"
#include "setting-form.h"
#include "transfer-dialog.h"

/* A hand on a slider asks once it rests. */
#define REST_MS 200

struct _PjuTransferDialog {
  GtkWindow parent;
  GtkWidget *form, *outlook_icon, *outlook, *time, *start;
  GtkWidget *grid, *large, *forget, *method, *share, *epochs, *large_epochs, *lr, *batch, *images, *test, *seed;
  int n_lines;
  char *path;                 /* of the large set; nullable */
  GPtrArray *methods;         /* of names */
  PjuStudio *studio;
  GCancellable *asking;
  guint rest;
};

G_DEFINE_FINAL_TYPE (PjuTransferDialog, pju_transfer_dialog, GTK_TYPE_WINDOW)

enum { STARTED, N_SIGNALS };
static guint signals[N_SIGNALS];

static PjmProject *
project_of (PjuTransferDialog *self)
{
  return pju_studio_get_project (self->studio);
}

/* --- what is asked for --- */

static guint
number (GtkWidget *spin)
{
  return (guint) gtk_spin_button_get_value (GTK_SPIN_BUTTON (spin));
}

static void
get_options (PjuTransferDialog *self, PjmTransferOptions *options)
{
  guint chosen = MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (self->method)), self->methods->len - 1);
  *options = (PjmTransferOptions) {
    .method = self->methods->pdata[chosen], .large = self->path, .share = pju_ratio_get (PJU_RATIO (self->share)),
    .lr = gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->lr)), .epochs = number (self->epochs),
    .large_epochs = number (self->large_epochs), .batch = number (self->batch), .n_images = number (self->images),
    .n_test = number (self->test), .seed = number (self->seed),
  };
}

/* --- what comes of it --- */

static void
show_outlook (PjuTransferDialog *self, const char *text, gboolean refused)
{
  gtk_label_set_text (GTK_LABEL (self->outlook), text);
  gtk_image_set_from_icon_name (GTK_IMAGE (self->outlook_icon), refused ? "dialog-warning-symbolic" : "object-select-symbolic");
  if (refused)
    gtk_widget_add_css_class (self->outlook, "error");
  else
    gtk_widget_remove_css_class (self->outlook, "error");
  gtk_widget_set_sensitive (self->start, !refused);
}

static void
estimated_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  g_autoptr (PjuTransferDialog) self = data;
  g_autoptr (GError) error = NULL;
  double seconds = pjm_project_estimate_transfer_finish (PJM_PROJECT (project), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || !self->studio)
    return;
  g_autofree char *duration = pju_format_duration (MAX (seconds, 0));
  g_autofree char *text = error ? g_strdup_printf (_("How long it takes is not known: %s"), error->message)
                                : g_strdup_printf (_("All of it takes about %s."), duration);
  gtk_label_set_text (GTK_LABEL (self->time), text);
}

static void
checked_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  g_autoptr (PjuTransferDialog) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (PjmPruneOutlook) outlook = pjm_project_check_transfer_finish (PJM_PROJECT (project), result, &error);
  PjmTransferOptions options;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || !self->studio)
    return;
  if (error || outlook->refusal) {
    show_outlook (self, error ? error->message : outlook->refusal, TRUE);
    gtk_label_set_text (GTK_LABEL (self->time), "");
    return;
  }
  show_outlook (self, self->path ? _("Can start: four networks are trained and measured on your test pictures.")
                                 : _("Can start without T1: three networks are trained and measured on your test pictures."), FALSE);
  gboolean busy = pju_get_boolean (project_of (self), "busy");
  gtk_label_set_text (GTK_LABEL (self->time), busy ? _("How long it takes is measured once the running job has ended.") : _("Timing one batch…"));
  get_options (self, &options);
  pjm_project_estimate_transfer_async (project_of (self), &options, self->asking, estimated_cb, g_object_ref (self));
}

static gboolean
ask_cb (gpointer data)
{
  PjuTransferDialog *self = data;
  PjmTransferOptions options;

  self->rest = 0;
  g_cancellable_cancel (self->asking);
  g_object_unref (self->asking);
  self->asking = g_cancellable_new ();
  get_options (self, &options);
  pjm_project_check_transfer_async (project_of (self), &options, self->asking, checked_cb, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
changed_cb (PjuTransferDialog *self)
{
  g_clear_handle_id (&self->rest, g_source_remove);
  self->rest = g_timeout_add (REST_MS, ask_cb, self);
}

static void
start_cb (PjuTransferDialog *self)
{
  PjmTransferOptions options;
  get_options (self, &options);
  PjmJob *job = pjm_project_transfer (project_of (self), &options);
  if (job)
    g_signal_emit (self, signals[STARTED], 0, job);
  gtk_window_close (GTK_WINDOW (self));
}

/* --- the large set --- */

void
pju_transfer_dialog_set_large (PjuTransferDialog *self, const char *path)
{
  char *mine = g_strdup (path);
  g_free (self->path);
  self->path = mine;
  g_autofree char *name = mine ? g_path_get_basename (mine) : NULL;
  gtk_button_set_label (GTK_BUTTON (self->large), name ? name : _("Choose a Folder…"));
  gtk_widget_set_visible (self->forget, mine != NULL);
  gtk_widget_set_sensitive (self->large_epochs, mine != NULL);
  changed_cb (self);
}

static void
folder_cb (GtkNativeDialog *dialog, int response, PjuTransferDialog *self)
{
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog)) : NULL;
  g_autofree char *path = file ? g_file_get_path (file) : NULL;
  if (path)
    pju_transfer_dialog_set_large (self, path);
  gtk_native_dialog_destroy (dialog);
  g_object_unref (dialog);
}

static void
large_cb (PjuTransferDialog *self)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (_("What the Network Was Trained On"), GTK_WINDOW (self),
                                                              GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Open"), _("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (folder_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
forget_cb (PjuTransferDialog *self)
{
  pju_transfer_dialog_set_large (self, NULL);
}

/* --- the form --- */

static GtkWidget *
add (PjuTransferDialog *self, const char *text, GtkWidget *control, const char *signal, const char *tip)
{
  pju_form_add (self->grid, self->n_lines++, text, control, tip);
  if (signal)
    g_signal_connect_object (control, signal, G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  return control;
}

static void
add_data (PjuTransferDialog *self)
{
  g_autofree char *name = pju_get_string (project_of (self), "data-name");
  GtkWidget *label = gtk_label_new (name ? name : _("None are open")), *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);

  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_set_halign (label, GTK_ALIGN_END);
  gtk_widget_set_halign (box, GTK_ALIGN_END);
  add (self, _("Your pictures"), label, NULL, _("The pictures that are open; their classes need not be the network’s"));
  self->large = gtk_button_new ();
  self->forget = gtk_button_new_from_icon_name ("edit-clear-symbolic");
  pju_set_tooltip (self->large, _("A folder of the pictures that taught the network, with the same classes. Without it T1 is left out."));
  pju_set_tooltip (self->forget, _("Leave T1 out"));
  g_signal_connect_object (self->large, "clicked", G_CALLBACK (large_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->forget, "clicked", G_CALLBACK (forget_cb), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (box), self->large);
  gtk_box_append (GTK_BOX (box), self->forget);
  add (self, _("What the network was trained on"), box, NULL, NULL);
}

/* Those that share a budget among all layers. */
static void
add_methods (PjuTransferDialog *self)
{
  guint n, chosen = 0;
  const PjmChoice *all = pjm_project_get_methods (project_of (self), &n);
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (PjmChoice));

  self->methods = g_ptr_array_new ();
  for (guint i = 0; i < n; i++) {
    if (!pjm_project_method_takes_transfer (project_of (self), all[i].name))
      continue;
    chosen = g_str_equal (all[i].name, "curl") ? self->methods->len : chosen;
    g_ptr_array_add (self->methods, (gpointer) all[i].name);
    g_array_append_val (rows, all[i]);
  }
  self->method = pju_form_list ((const PjmChoice *) rows->data, rows->len);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->method), chosen);
  add (self, _("How channels are chosen"), self->method, "notify::selected",
       _("Methods that share a budget among all layers, so that all networks end with the same MACs"));
}

static void
fill (PjuTransferDialog *self)
{
  PjmTransferOptions usual;
  pjm_transfer_options_init (&usual);
  self->grid = pju_form_new ();
  gtk_box_append (GTK_BOX (self->form), self->grid);
  add_data (self);
  add_methods (self);
  self->share = pju_ratio_new (FALSE);
  pju_ratio_set (PJU_RATIO (self->share), usual.share);
  pju_ratio_set_label (PJU_RATIO (self->share), _("Share of the MACs to keep"));
  add (self, _("Share of the MACs to keep"), self->share, "changed", _("The same for every network that is cut"));
  self->epochs = add (self, _("Epochs on your pictures"), pju_form_spin (usual.epochs, 0, 10000, 1, 0), "value-changed",
                      _("Every network sees your pictures equally often; label refinement counts one epoch as six"));
  self->large_epochs = add (self, _("Epochs on the large set after the cut there"), pju_form_spin (usual.large_epochs, 0, 10000, 1, 0),
                            "value-changed", _("Only of T1"));
  self->lr = add (self, _("Learning rate"), pju_form_spin (usual.lr, 0.0001, 1, 0.001, 4), "value-changed",
                  _("At the start of each training; it falls to zero along a cosine"));
  self->batch = add (self, _("Pictures per step"), pju_form_spin (usual.batch, 1, 4096, 16, 0), "value-changed",
                     _("Of plain fine-tuning; CURL’s stages have their published batch of 32"));
  self->images = add (self, _("Pictures to judge by"), pju_form_spin (usual.n_images, 0, 1e6, 64, 0), "value-changed",
                      _("Training pictures that channels are measured on; 0 takes the method’s own number"));
  pju_form_name_zero (self->images, _("The method’s own"));
  self->test = add (self, _("Test pictures"), pju_form_spin (usual.n_test, 0, 1e6, 100, 0), "value-changed",
                    _("Measure on the first ones only; 0 takes all"));
  pju_form_name_zero (self->test, _("All"));
  self->seed = add (self, _("Seed"), pju_form_spin ((double) usual.seed, 1, 1e6, 1, 0), "value-changed",
                    _("Of everything that is drawn by lot; the same seed gives the same networks"));
  pju_transfer_dialog_set_large (self, NULL);
}

static void
dispose (GObject *object)
{
  PjuTransferDialog *self = PJU_TRANSFER_DIALOG (object);
  g_clear_handle_id (&self->rest, g_source_remove);
  if (self->asking)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->methods, g_ptr_array_unref);
  G_OBJECT_CLASS (pju_transfer_dialog_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuTransferDialog, name)

static void
pju_transfer_dialog_class_init (PjuTransferDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  signals[STARTED] = g_signal_new ("started", PJU_TYPE_TRANSFER_DIALOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                   PJM_TYPE_JOB);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/transfer-dialog.ui");
  CHILD (form); CHILD (outlook_icon); CHILD (outlook); CHILD (time); CHILD (start);
  gtk_widget_class_bind_template_callback (widget_class, start_cb);
  gtk_widget_class_bind_template_callback (widget_class, gtk_window_close);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
pju_transfer_dialog_init (PjuTransferDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->asking = g_cancellable_new ();
}

GtkWidget *
pju_transfer_dialog_new (GtkWindow *parent, PjuStudio *studio)
{
  PjuTransferDialog *self = g_object_new (PJU_TYPE_TRANSFER_DIALOG, "transient-for", parent, NULL);
  self->studio = g_object_ref (studio);
  fill (self);
  return GTK_WIDGET (self);
}
