/* SPDX-License-Identifier: MIT */
/* Each change asks the model twice: whether it can start and what the network then costs, which is known at once, and how
 * long choosing takes, which the device has to be asked for.  Only the newest question is of interest. */
#include <glib/gi18n-lib.h>

#include "choice-list.h"
#include "format.h"
#include "prune-dialog.h"
#include "prune-more.h"
#include "ratio.h"
#include "setting-form.h"
#include "tune-form.h"

/* A hand on a slider asks once it rests. */
#define REST_MS 200

struct _PjuPruneDialog {
  GtkWindow parent;
  GtkWidget *methods, *keep, *share, *keep_about, *own, *own_box, *more, *more_box, *form;
  GtkWidget *cut, *gap, *recalibrate, *outlook_icon, *outlook, *time, *start;
  GtkWidget *settings, *tune, *common;
  PjuStudio *studio;
  GCancellable *asking;
  guint rest;
  gboolean filling;
};

G_DEFINE_FINAL_TYPE (PjuPruneDialog, pju_prune_dialog, GTK_TYPE_WINDOW)

enum { STARTED, N_SIGNALS };
static guint signals[N_SIGNALS];

static const struct { const char *title, *about; } keeps[PJM_N_KEEP] = {
  [PJM_KEEP_MARKED] = { N_("The ratios of the layers"), N_("As the sliders of the layers stand now; the method says which channels stay.") },
  [PJM_KEEP_SHARE] = { N_("A share of every layer"), N_("The same share of the channels of every layer that the method can judge.") },
  [PJM_KEEP_MACS] = { N_("A share of the MACs"), N_("Of all multiply-accumulates of the network; the weakest channels anywhere go.") },
  [PJM_KEEP_PARAMS] = { N_("A share of the parameters"), N_("Of all weights of the network; the weakest channels anywhere go.") },
  [PJM_KEEP_MEMORY] = { N_("A share of the memory"), N_("Of the bytes of parameters and activations; the weakest channels anywhere go.") },
  [PJM_KEEP_MS] = { N_("A share of the time"), N_("Of the milliseconds of one picture, predicted from kernels timed on this device; the weakest channels anywhere go.") },
  [PJM_KEEP_BLOCKS] = { N_("A share of the residual blocks"), N_("A gate is trained for every block that a shortcut runs past, together with the network. Blocks whose gate closes are removed whole, and the others keep all their channels.") },
};

static PjmProject *
project_of (PjuPruneDialog *self)
{
  return pju_studio_get_project (self->studio);
}

static gboolean
is_active (GtkWidget *check)
{
  return gtk_check_button_get_active (GTK_CHECK_BUTTON (check));
}

/* --- what is asked for --- */

static const char *
method_of (PjuPruneDialog *self)
{
  g_autoptr (GPtrArray) chosen = pju_choice_list_get (PJU_CHOICE_LIST (self->methods));
  return chosen->len > 0 ? chosen->pdata[0] : NULL;
}

static PjmKeep
keep_of (PjuPruneDialog *self)
{
  return (PjmKeep) MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (self->keep)), (guint) PJM_N_KEEP - 1);
}

/* @set: lives as long as @options. */
static void
get_options (PjuPruneDialog *self, PjmPruneOptions *options, char ***set)
{
  pjm_prune_options_init (options, method_of (self));
  *set = pju_setting_form_get (PJU_SETTING_FORM (self->settings));
  options->keep = keep_of (self);
  options->share = pju_ratio_get (PJU_RATIO (self->share));
  pju_prune_more_get (PJU_PRUNE_MORE (self->common), options);
  options->set = (const char *const *) *set;
  options->cut = is_active (self->cut);
  options->gap = is_active (self->gap);
  options->recalibrate = is_active (self->recalibrate);
  pju_tune_form_get (PJU_TUNE_FORM (self->tune), &options->tune);
  if (!pju_tune_form_is_asked (PJU_TUNE_FORM (self->tune)))
    options->tune.kind = PJM_TUNE_NOT;
}

/* --- what comes of it --- */

static void
show_outlook (PjuPruneDialog *self, const char *text, gboolean refused)
{
  gtk_label_set_text (GTK_LABEL (self->outlook), text);
  gtk_image_set_from_icon_name (GTK_IMAGE (self->outlook_icon), refused ? "dialog-warning-symbolic" : "object-select-symbolic");
  if (refused)
    gtk_widget_add_css_class (self->outlook, "error");
  else
    gtk_widget_remove_css_class (self->outlook, "error");
  gtk_widget_set_sensitive (self->start, !refused);
}

/* "29.1 M → 14.2 M MACs (−51 %)" */
static void
append_change (GString *out, const char *format, guint64 before, guint64 after)
{
  if (after == 0)
    return;
  g_autofree char *from = pju_format_count ((double) before), *to = pju_format_count ((double) after);
  g_autofree char *change = pju_format_change ((double) before, (double) after), *both = g_strdup_printf ("%s → %s", from, to);
  if (out->len > 0)
    g_string_append (out, " · ");
  g_string_append_printf (out, format, both, change);
}

static char *
describe (PjuPruneDialog *self, const PjmPruneOutlook *outlook)
{
  g_autoptr (GString) text = g_string_new (NULL);
  /* Translators: %s is "29.1 M → 14.2 M", then "−51 %" */
  append_change (text, _("%s MACs (%s)"), pju_get_uint64 (project_of (self), "macs"), outlook->macs);
  append_change (text, _("%s parameters (%s)"), pju_get_uint64 (project_of (self), "params"), outlook->params);
  if (text->len == 0 && keep_of (self) == PJM_KEEP_BLOCKS)
    return g_strdup (_("Can start. What is left is known once the gates have closed."));
  if (text->len == 0)
    return g_strdup (_("Can start. What is left is known once the channels were judged."));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
estimated_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  g_autoptr (PjuPruneDialog) self = data;
  g_autoptr (GError) error = NULL;
  double seconds = pjm_project_estimate_prune_finish (PJM_PROJECT (project), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || !self->studio)
    return;
  g_autofree char *duration = pju_format_duration (MAX (seconds, 0)), *text = NULL;
  if (error)
    text = g_strdup_printf (_("How long it takes is not known: %s"), error->message);
  else if (seconds < 0)
    text = g_strdup (_("How long this method takes cannot be told before."));
  else if (seconds < 1)
    text = g_strdup (_("Choosing takes less than a second."));
  else
    text = g_strdup_printf (_("Choosing takes about %s."), duration);
  gtk_label_set_text (GTK_LABEL (self->time), text);
}

static void
ask_time (PjuPruneDialog *self, const PjmPruneOptions *options)
{
  gboolean busy = pju_get_boolean (project_of (self), "busy");
  gtk_label_set_text (GTK_LABEL (self->time), busy ? _("How long it takes is measured once the running job has ended.") : _("Timing one batch…"));
  pjm_project_estimate_prune_async (project_of (self), options, self->asking, estimated_cb, g_object_ref (self));
}

static void
checked_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  g_autoptr (PjuPruneDialog) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (PjmPruneOutlook) outlook = pjm_project_check_prune_finish (PJM_PROJECT (project), result, &error);
  g_auto (GStrv) set = NULL;
  PjmPruneOptions options;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || !self->studio)
    return;
  if (error || outlook->refusal) {
    show_outlook (self, error ? error->message : outlook->refusal, TRUE);
    gtk_label_set_text (GTK_LABEL (self->time), "");
    return;
  }
  g_autofree char *text = describe (self, outlook);
  show_outlook (self, text, FALSE);
  get_options (self, &options, &set);
  ask_time (self, &options);
}

static gboolean
ask_cb (gpointer data)
{
  PjuPruneDialog *self = data;
  g_auto (GStrv) set = NULL;
  PjmPruneOptions options;

  self->rest = 0;
  g_cancellable_cancel (self->asking);
  g_object_unref (self->asking);
  self->asking = g_cancellable_new ();
  get_options (self, &options, &set);
  pjm_project_check_prune_async (project_of (self), &options, self->asking, checked_cb, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
changed_cb (PjuPruneDialog *self)
{
  if (self->filling || !self->studio)
    return;
  g_clear_handle_id (&self->rest, g_source_remove);
  self->rest = g_timeout_add (REST_MS, ask_cb, self);
}

/* --- fields that depend on others --- */

static void
show_more (PjuPruneDialog *self)
{
  const char *method = method_of (self);
  pju_prune_more_show (PJU_PRUNE_MORE (self->common), keep_of (self) >= PJM_KEEP_MACS && keep_of (self) != PJM_KEEP_BLOCKS,
                       method && pjm_project_method_mends (project_of (self), method));
}

static void
keep_cb (PjuPruneDialog *self)
{
  if (self->filling || !self->studio)
    return;
  PjmKeep keep = keep_of (self);
  gtk_widget_set_visible (self->share, keep != PJM_KEEP_MARKED);
  gtk_label_set_text (GTK_LABEL (self->keep_about), _(keeps[keep].about));
  show_more (self);
  changed_cb (self);
}

static void
method_cb (PjuPruneDialog *self)
{
  const char *method = self->studio ? method_of (self) : NULL;
  /* A round mark that is taken away comes first. */
  if (!method || self->filling)
    return;
  guint n;
  const PjmChoice *methods = pjm_project_get_methods (project_of (self), &n);
  g_autoptr (GArray) settings = pjm_project_get_settings (project_of (self), method);
  guint n_own = pju_setting_form_set (PJU_SETTING_FORM (self->settings), settings);
  gtk_widget_set_visible (self->own, n_own > 0);
  for (guint i = 0; i < n; i++) {
    if (!g_str_equal (methods[i].name, method))
      continue;
    g_autofree char *title = g_strdup_printf (_("Settings of %s"), methods[i].title);
    gtk_expander_set_label (GTK_EXPANDER (self->own), title);
    gtk_accessible_update_property (GTK_ACCESSIBLE (self->own), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  }
  show_more (self);
  changed_cb (self);
}

/* Both of the others need the cut; training goes on with the smaller network, too. */
static void
after_cb (PjuPruneDialog *self)
{
  gboolean needs_cut = is_active (self->gap) || is_active (self->recalibrate) || pju_tune_form_is_asked (PJU_TUNE_FORM (self->tune));
  if (needs_cut)
    gtk_check_button_set_active (GTK_CHECK_BUTTON (self->cut), TRUE);
  gtk_widget_set_sensitive (self->cut, !needs_cut);
}

static void
start_cb (PjuPruneDialog *self)
{
  g_auto (GStrv) set = NULL;
  PjmPruneOptions options;
  get_options (self, &options, &set);
  PjmJob *job = options.method ? pjm_project_prune (project_of (self), &options) : NULL;
  if (job)
    g_signal_emit (self, signals[STARTED], 0, job);
  gtk_window_close (GTK_WINDOW (self));
}

/* --- the form --- */

static void
watch (PjuPruneDialog *self, GtkWidget *control, GCallback callback)
{
  g_signal_connect_object (control, "changed", callback, self, G_CONNECT_SWAPPED);
}

/* The layers have ratios of their own: those count. Else one share for all. */
static gboolean
has_ratios (PjuPruneDialog *self)
{
  GListModel *layers = pjm_project_get_layers (project_of (self));
  for (guint i = 0; i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    if (pjm_layer_get_channels (layer) > 0 && !pjm_layer_get_locked (layer) && pjm_layer_get_keep_ratio (layer) < 1)
      return TRUE;
  }
  return FALSE;
}

static void
fill (PjuPruneDialog *self)
{
  PjmChoice rows[PJM_N_KEEP] = { 0 };
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  g_autofree char *data = pju_get_string (project_of (self), "data-name");

  self->filling = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    gtk_string_list_append (titles, _(keeps[i].title));
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->keep), G_LIST_MODEL (titles));
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->keep), has_ratios (self) ? PJM_KEEP_MARKED : PJM_KEEP_SHARE);
  pju_set_label (self->keep, _("What the share counts"));
  pju_ratio_set (PJU_RATIO (self->share), .5);
  pju_ratio_set_label (PJU_RATIO (self->share), _("Share to keep"));
  self->settings = pju_setting_form_new ();
  gtk_box_append (GTK_BOX (self->own_box), self->settings);
  watch (self, self->settings, G_CALLBACK (changed_cb));
  self->common = pju_prune_more_new (project_of (self));
  gtk_box_append (GTK_BOX (self->more_box), self->common);
  watch (self, self->common, G_CALLBACK (changed_cb));
  self->tune = pju_tune_form_new (self->studio, TRUE);
  gtk_box_append (GTK_BOX (self->form), self->tune);
  watch (self, self->tune, G_CALLBACK (after_cb));
  gtk_widget_set_sensitive (self->tune, data != NULL);
  gtk_widget_set_sensitive (self->recalibrate, data != NULL);
  pju_choice_list_set_methods (PJU_CHOICE_LIST (self->methods), project_of (self));
  pju_choice_list_select (PJU_CHOICE_LIST (self->methods), data ? "thinet-ls" : "weight-sum", TRUE);
  self->filling = FALSE;
  keep_cb (self);
  method_cb (self);
}

static void
dispose (GObject *object)
{
  PjuPruneDialog *self = PJU_PRUNE_DIALOG (object);
  g_clear_handle_id (&self->rest, g_source_remove);
  if (self->asking)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_prune_dialog_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuPruneDialog, name)
#define CALLBACK(name) gtk_widget_class_bind_template_callback (widget_class, name)

static void
pju_prune_dialog_class_init (PjuPruneDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  g_type_ensure (PJU_TYPE_CHOICE_LIST);
  g_type_ensure (PJU_TYPE_RATIO);
  signals[STARTED] = g_signal_new ("started", PJU_TYPE_PRUNE_DIALOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                   PJM_TYPE_JOB);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/prune-dialog.ui");
  CHILD (methods); CHILD (keep); CHILD (share); CHILD (keep_about); CHILD (own); CHILD (own_box); CHILD (more); CHILD (more_box);
  CHILD (form); CHILD (cut); CHILD (gap); CHILD (recalibrate); CHILD (outlook_icon); CHILD (outlook); CHILD (time); CHILD (start);
  CALLBACK (method_cb); CALLBACK (keep_cb); CALLBACK (changed_cb); CALLBACK (after_cb); CALLBACK (start_cb);
  gtk_widget_class_bind_template_callback (widget_class, gtk_window_close);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
pju_prune_dialog_init (PjuPruneDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->asking = g_cancellable_new ();
}

GtkWidget *
pju_prune_dialog_new (GtkWindow *parent, PjuStudio *studio)
{
  PjuPruneDialog *self = g_object_new (PJU_TYPE_PRUNE_DIALOG, "transient-for", parent, NULL);
  self->studio = g_object_ref (studio);
  fill (self);
  return GTK_WIDGET (self);
}
