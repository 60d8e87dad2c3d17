/* SPDX-License-Identifier: MIT */
/* Everything a person can ask of a window, by name: buttons, menus, keys and tests all come through here. */
#include <glib/gi18n-lib.h>

#include "job-row.h"
#include "prune-dialog.h"
#include "transfer-dialog.h"
#include "shortcuts.h"
#include "window-private.h"

/* --- opening --- */

static void
open_response_cb (GtkNativeDialog *dialog, int response, PjuWindow *self)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    g_autofree char *path = g_file_get_path (file);
    if (path)
      pju_window_open (self, path);
    else
      pju_banner_show (PJU_BANNER (self->banner), _("The file could not be opened"),
                       _("The place is not a local folder."), NULL, NULL);
  }
  gtk_native_dialog_destroy (dialog);
  g_object_unref (dialog);
}

static void
ask_file (PjuWindow *self, const char *title, GtkFileChooserAction action)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (title, GTK_WINDOW (self), action, _("_Open"), _("_Cancel"));

  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  if (action == GTK_FILE_CHOOSER_ACTION_OPEN) {
    g_autoptr (GtkFileFilter) filter = gtk_file_filter_new (), all = gtk_file_filter_new ();
    gtk_file_filter_set_name (filter, _("Networks and sessions (.onnx, .penjing)"));
    gtk_file_filter_add_pattern (filter, "*.onnx");
    gtk_file_filter_add_pattern (filter, "*.penjing");
    gtk_file_filter_set_name (all, _("All files"));
    gtk_file_filter_add_pattern (all, "*");
    gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
    gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), all);
  }
  g_signal_connect_object (dialog, "response", G_CALLBACK (open_response_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
act_open (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  ask_file (self, _("Open a Network or Session"), GTK_FILE_CHOOSER_ACTION_OPEN);
}

static void
act_open_data (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  ask_file (self, _("Open a Data Folder"), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
}

static void
act_open_path (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  pju_window_open (self, g_variant_get_string (parameter, NULL));
}

static void
act_sample (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  pju_window_open (self, NULL);
}

static void
act_cancel_open (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  if (self->opening)
    g_cancellable_cancel (self->opening);
}

static void
act_close_session (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  if (pju_window_is_empty (self))
    gtk_window_close (GTK_WINDOW (self));
  else
    pju_window_close_session (self);
}

/* --- edits and jobs --- */

static void
act_undo (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_undo (PJU_WINDOW (data)->project);
}

static void
act_redo (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_redo (PJU_WINDOW (data)->project);
}

static void
act_keep_all (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_set_ratio_all (PJU_WINDOW (data)->project, CLAMP (g_variant_get_double (parameter), 0, 1), TRUE);
}

static void
act_choose (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_choose (PJU_WINDOW (data)->project, g_variant_get_string (parameter, NULL));
}

static void
act_cut (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_cut (PJU_WINDOW (data)->project);
}

static void
act_recalibrate (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_recalibrate (PJU_WINDOW (data)->project);
}

static void
act_norms (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_bring_norms_back (PJU_WINDOW (data)->project);
}

static void
show_job (PjuWindow *self, PjmJob *job)
{
  if (!job)
    return;
  pju_jobs_page_show_job (PJU_JOBS_PAGE (self->jobs_page), job);
  pju_window_show_page (self, "jobs");
}

/* The curves are what a person wants to see now. */
static void
act_fine_tune (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  guint epochs;
  double rate;

  g_variant_get (parameter, "(ud)", &epochs, &rate);
  show_job (self, pjm_project_fine_tune (self->project, epochs, rate));
}

/* (kind, epochs, epochs of the second stage, learning rate, batch, most steps, weight and temperature of the teacher, its step) */
static void
act_tune (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  PjmTuneOptions options;
  guint kind;

  pjm_tune_options_init (&options);
  g_variant_get (parameter, "(uuuduuddu)", &kind, &options.epochs, &options.epochs_b, &options.lr, &options.batch,
                 &options.max_steps, &options.distill, &options.temperature, &options.teacher);
  options.kind = (PjmTuneKind) CLAMP (kind, PJM_TUNE_PLAIN, PJM_TUNE_CURL);
  if (options.epochs > 0 || (options.kind == PJM_TUNE_CURL && options.epochs_b > 0))
    show_job (self, pjm_project_tune (self->project, &options));
}

/* Gates and curves are what a person wants to see now. */
static void
started_cb (PjuWindow *self, PjmJob *job)
{
  show_job (self, job);
}

static void
act_prune (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  GtkWidget *dialog = pju_prune_dialog_new (GTK_WINDOW (self), self->studio);
  g_signal_connect_object (dialog, "started", G_CALLBACK (started_cb), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
act_transfer (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  GtkWidget *dialog = pju_transfer_dialog_new (GTK_WINDOW (self), self->studio);
  g_signal_connect_object (dialog, "started", G_CALLBACK (started_cb), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
act_gap (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_replace_classifier (PJU_WINDOW (data)->project);
}

static void
act_evaluate (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_evaluate (PJU_WINDOW (data)->project);
}

/* The oldest job that was interrupted, or whose successor was. */
static void
act_resume (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  GListModel *jobs = pjm_project_get_jobs (self->project);
  for (guint i = 0; i < g_list_model_get_n_items (jobs); i++) {
    g_autoptr (PjmJob) job = g_list_model_get_item (jobs, i);
    if (!pju_job_is_offered (job))
      continue;
    if (pjm_project_resume (self->project, job)) {
      pju_jobs_page_show_job (PJU_JOBS_PAGE (self->jobs_page), job);
      pju_window_show_page (self, "jobs");
    }
    return;
  }
}

static void
act_sensitivity (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_measure_sensitivity (PJU_WINDOW (data)->project);
}

static void
act_compare (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  pju_window_show_page (self, "compare");
  pju_compare_page_ask (PJU_COMPARE_PAGE (self->compare_page));
}

/* (methods, ratios, seeds, draws of random, epochs, most steps, what fine-tuning begins with) */
static void
act_run_comparison (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  g_autoptr (GVariant) ratios = NULL;
  g_autofree const char **methods = NULL;
  PjmCompareOptions options = { 0 };
  gsize n_ratios;

  g_variant_get (parameter, "(^a&s@aduuuu&s)", &methods, &ratios, &options.n_seeds, &options.n_draws, &options.epochs,
                 &options.max_steps, &options.start);
  options.methods = methods;
  options.ratios = g_variant_get_fixed_array (ratios, &n_ratios, sizeof (double));
  options.n_ratios = (guint) n_ratios;
  if (methods[0] && n_ratios > 0)
    pjm_project_compare (self->project, &options);
  pju_window_show_page (self, "compare");
}

static void
act_export (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  pju_window_show_page (self, "export");
  pju_export_page_ask (PJU_EXPORT_PAGE (self->export_page));
}

static void
act_device (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pjm_project_set_device (PJU_WINDOW (data)->project, g_variant_get_string (parameter, NULL));
}

/* --- view --- */

static void
act_page (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  pju_window_show_page (self, g_variant_get_string (parameter, NULL));
}

static void
act_find (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  if (g_strcmp0 (gtk_stack_get_visible_child_name (GTK_STACK (self->pages)), "layers") == 0) {
    pju_layers_page_find (PJU_LAYERS_PAGE (self->layers_page));
    return;
  }
  pju_window_show_page (self, "network");
  pju_network_page_find (PJU_NETWORK_PAGE (self->network_page));
}

static void
act_zoom (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  static const char *const names[] = { "zoom-in", "zoom-out", "zoom-normal", "zoom-fit" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (g_str_equal (g_action_get_name (G_ACTION (action)), names[i]))
      pju_network_page_zoom (PJU_NETWORK_PAGE (PJU_WINDOW (data)->network_page), (PjuZoom) i);
  }
}

/* Folds all blocks, or unfolds them if all are folded. */
static void
act_fold (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  guint n_folded, n = pjm_project_n_blocks (self->project, &n_folded);
  if (n == 0)
    pju_toast_show (PJU_TOAST (self->toast), _("This network has no blocks to fold"), NULL, NULL);
  else
    pjm_project_fold (self->project, -1, n_folded < n);
}

static void
act_save_graph (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  pju_network_page_save (PJU_NETWORK_PAGE (PJU_WINDOW (data)->network_page));
}

static void
change_inspector (GSimpleAction *action, GVariant *state, gpointer data)
{
  g_simple_action_set_state (action, state);
  pju_network_page_set_inspector (PJU_NETWORK_PAGE (PJU_WINDOW (data)->network_page), g_variant_get_boolean (state));
}

/* Deleting is told with a way back: the steps stay in the file. */
static void
act_delete_step (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  guint index = g_variant_get_uint32 (parameter);
  g_autoptr (PjmStep) step = g_list_model_get_item (pjm_project_get_history (self->project), index);
  guint n = step ? pjm_project_delete_step (self->project, step, TRUE) : 0;
  if (n == 0)
    return;
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u step deleted", "%u steps deleted", n), n);
  g_autofree char *back = g_strdup_printf ("win.restore-step(uint32 %u)", index);
  pju_toast_show (PJU_TOAST (self->toast), text, _("Undo"), back);
}

static void
act_restore_step (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  PjuWindow *self = data;
  g_autoptr (PjmStep) step = g_list_model_get_item (pjm_project_get_history (self->project), g_variant_get_uint32 (parameter));
  if (step)
    pjm_project_delete_step (self->project, step, FALSE);
}

static void
act_shortcuts (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  GtkWidget *window = pju_shortcuts_window_new ();
  gtk_window_set_transient_for (GTK_WINDOW (window), GTK_WINDOW (data));
  gtk_window_present (GTK_WINDOW (window));
}

void
pju_window_add_actions (PjuWindow *self)
{
  static const GActionEntry entries[] = {
    { .name = "open", .activate = act_open },
    { .name = "open-data", .activate = act_open_data },
    { .name = "open-path", .activate = act_open_path, .parameter_type = "s" },
    { .name = "sample", .activate = act_sample },
    { .name = "cancel-open", .activate = act_cancel_open },
    { .name = "close-session", .activate = act_close_session },
    { .name = "undo", .activate = act_undo },
    { .name = "redo", .activate = act_redo },
    { .name = "keep-all", .activate = act_keep_all, .parameter_type = "d" },
    { .name = "choose", .activate = act_choose, .parameter_type = "s" },
    { .name = "prune", .activate = act_prune },
    { .name = "cut", .activate = act_cut },
    { .name = "transfer", .activate = act_transfer },
    { .name = "gap", .activate = act_gap },
    { .name = "recalibrate", .activate = act_recalibrate },
    { .name = "norms", .activate = act_norms },
    { .name = "fine-tune", .activate = act_fine_tune, .parameter_type = "(ud)" },
    { .name = "tune", .activate = act_tune, .parameter_type = "(uuuduuddu)" },
    { .name = "evaluate", .activate = act_evaluate },
    { .name = "sensitivity", .activate = act_sensitivity },
    { .name = "resume", .activate = act_resume },
    { .name = "compare", .activate = act_compare },
    { .name = "run-comparison", .activate = act_run_comparison, .parameter_type = "(asaduuuus)" },
    { .name = "export", .activate = act_export },
    { .name = "device", .activate = act_device, .parameter_type = "s", .state = "''" },
    { .name = "page", .activate = act_page, .parameter_type = "s", .state = "'network'" },
    { .name = "find", .activate = act_find },
    { .name = "zoom-in", .activate = act_zoom },
    { .name = "zoom-out", .activate = act_zoom },
    { .name = "zoom-normal", .activate = act_zoom },
    { .name = "zoom-fit", .activate = act_zoom },
    { .name = "fold", .activate = act_fold },
    { .name = "save-graph", .activate = act_save_graph },
    { .name = "inspector", .state = "true", .change_state = change_inspector },
    { .name = "delete-step", .activate = act_delete_step, .parameter_type = "u" },
    { .name = "restore-step", .activate = act_restore_step, .parameter_type = "u" },
    { .name = "shortcuts", .activate = act_shortcuts },
  };
  g_action_map_add_action_entries (G_ACTION_MAP (self), entries, G_N_ELEMENTS (entries), self);
}

static void
enable (PjuWindow *self, const char *name, gboolean enabled)
{
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (self), name)), enabled);
}

void
pju_window_update_actions (PjuWindow *self)
{
  static const char *const views[] = { "page", "find", "zoom-in", "zoom-out", "zoom-normal", "zoom-fit",
                                       "save-graph", "fold", "inspector", "export" };
  gboolean ready = pju_get_boolean (self->project, "ready") && !self->opening;
  gboolean editable = ready && !pju_get_boolean (self->project, "read-only");
  g_autofree char *data = pju_get_string (self->project, "data-name");

  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    enable (self, views[i], ready);
  enable (self, "undo", editable && pju_get_boolean (self->project, "can-undo"));
  enable (self, "redo", editable && pju_get_boolean (self->project, "can-redo"));
  enable (self, "keep-all", editable);
  enable (self, "choose", editable);
  enable (self, "prune", editable);
  enable (self, "transfer", editable && data);
  enable (self, "gap", editable);
  enable (self, "tune", editable && data);
  enable (self, "cut", editable && pju_get_boolean (self->project, "modified-masks"));
  enable (self, "recalibrate", editable && data);
  enable (self, "norms", editable);
  enable (self, "fine-tune", editable && data);
  enable (self, "evaluate", editable && data);
  enable (self, "compare", editable && data);
  enable (self, "sensitivity", editable && data);
  enable (self, "resume", editable);
  enable (self, "run-comparison", editable && data);
  enable (self, "open-data", ready);
}
