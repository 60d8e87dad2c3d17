/* SPDX-License-Identifier: MIT */
/* The window shows one of three things:
 *
 *   start ── open, sample, drop ──▶ opening ── ready ──▶ studio ── close session ──▶ start
 *     ▲                               │ failed, cancelled
 *     └───────────────────────────────┘ (or back to the studio that was there)
 *
 * and owns the project, which lives exactly as long as the window. */
#include <glib/gi18n-lib.h>

#include "job-row.h"
#include "settings.h"
#include "style.h"
#include "window-private.h"

G_DEFINE_FINAL_TYPE (PjuWindow, pju_window, GTK_TYPE_APPLICATION_WINDOW)

typedef struct { const char *name, *title, *icon; } Page;

static const Page pages[] = {
  { "overview", N_("Overview"), "penjing-overview-symbolic" },
  { "network", N_("Network"), "penjing-network-symbolic" },
  { "layers", N_("Layers"), "penjing-layers-symbolic" },
  { "jobs", N_("Jobs"), "penjing-jobs-symbolic" },
  { "compare", N_("Compare"), "penjing-compare-symbolic" },
  { "history", N_("History"), "penjing-history-symbolic" },
  { "export", N_("Export"), "penjing-export-symbolic" },
};

/* --- pages --- */

static void
add_page_rows (PjuWindow *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    GtkWidget *row = gtk_list_box_row_new (), *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
    GtkWidget *label = gtk_label_new (_(pages[i].title));
    gtk_label_set_xalign (GTK_LABEL (label), 0);
    gtk_widget_set_hexpand (label, TRUE);
    gtk_box_append (GTK_BOX (box), gtk_image_new_from_icon_name (pages[i].icon));
    gtk_box_append (GTK_BOX (box), label);
    if (g_str_equal (pages[i].name, "jobs")) {
      self->job_badge = gtk_label_new (NULL);
      gtk_widget_add_css_class (self->job_badge, "badge");
      gtk_widget_set_valign (self->job_badge, GTK_ALIGN_CENTER);
      gtk_widget_set_visible (self->job_badge, FALSE);
      gtk_box_append (GTK_BOX (box), self->job_badge);
    }
    gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
    gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, _(pages[i].title), -1);
    gtk_list_box_append (GTK_LIST_BOX (self->pages_list), row);
  }
}

static void
page_row_cb (PjuWindow *self, GtkListBoxRow *row)
{
  int i = row ? gtk_list_box_row_get_index (row) : -1;
  if (i >= 0 && i < (int) G_N_ELEMENTS (pages))
    gtk_stack_set_visible_child_name (GTK_STACK (self->pages), pages[i].name);
}

static void
visible_page_cb (PjuWindow *self)
{
  const char *name = gtk_stack_get_visible_child_name (GTK_STACK (self->pages));
  gboolean layers = g_strcmp0 (name, "network") == 0 || g_strcmp0 (name, "layers") == 0;

  gtk_widget_set_visible (self->workflow, layers);
  gtk_widget_set_visible (self->inspector_toggle, g_strcmp0 (name, "network") == 0);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    if (g_strcmp0 (name, pages[i].name) == 0)
      gtk_list_box_select_row (GTK_LIST_BOX (self->pages_list),
                               gtk_list_box_get_row_at_index (GTK_LIST_BOX (self->pages_list), i));
  }
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), "page");
  if (action && name)
    g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_string (name));
}

void
pju_window_show_page (PjuWindow *self, const char *name)
{
  gtk_stack_set_visible_child_name (GTK_STACK (self->pages), name);
}

/* --- title, device menu, undo --- */

static void
show_titles (PjuWindow *self)
{
  gboolean ready = pju_get_boolean (self->project, "ready");
  g_autofree char *name = pju_get_string (self->project, "name"), *data = pju_get_string (self->project, "data-name");
  g_autofree char *subtitle = g_strdup_printf ("%s%s", data ? data : _("no data yet"),
                                               pju_get_boolean (self->project, "read-only")
                                                 ? _(" · read-only: open in another window or program") : "");
  gtk_label_set_text (GTK_LABEL (self->title), ready && name ? name : _("Penjing"));
  gtk_label_set_text (GTK_LABEL (self->subtitle), subtitle);
  gtk_widget_set_visible (self->subtitle, ready);
  gtk_window_set_title (GTK_WINDOW (self), ready && name ? name : _("Penjing"));
}

static void
show_undo (PjuWindow *self, GtkWidget *button, const char *title_property, const char *verb, const char *format)
{
  g_autofree char *title = pju_get_string (self->project, title_property);
  g_autofree char *text = title && *title ? g_strdup_printf (format, title) : NULL;
  pju_set_tooltip (button, text ? text : verb);
}

static void
show_devices (PjuWindow *self)
{
  guint n;
  const PjmChoice *devices = pjm_project_get_devices (self->project, &n);
  g_autofree char *present = pju_get_string (self->project, "device");
  g_autoptr (GMenu) menu = g_menu_new ();
  const char *title = present, *about = NULL;

  for (guint i = 0; i < n; i++) {
    g_autofree char *action = g_strdup_printf ("win.device::%s", devices[i].name);
    g_menu_append (menu, devices[i].title, action);
    if (g_strcmp0 (devices[i].name, present) == 0) {
      title = devices[i].title;
      about = devices[i].about;
    }
  }
  gtk_menu_button_set_menu_model (GTK_MENU_BUTTON (self->device_button), G_MENU_MODEL (menu));
  gtk_label_set_text (GTK_LABEL (self->device_label), g_strcmp0 (present, "cpu") == 0 ? _("CPU")
                                                       : present && g_str_has_prefix (present, "vulkan") ? _("GPU") : _("Device"));
  g_autofree char *tooltip = g_strdup_printf (_("Computes on %s"), title ? title : "–");
  g_autofree char *full = about ? g_strdup_printf ("%s\n%s", tooltip, about) : g_strdup (tooltip);
  pju_set_tooltip (self->device_button, full);
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), "device");
  if (action && present)
    g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_string (present));
}

static gboolean
update_cb (gpointer data)
{
  PjuWindow *self = data;
  self->update = 0;
  show_titles (self);
  show_undo (self, self->undo_button, "undo-title", _("Undo"), _("Undo: %s"));
  show_undo (self, self->redo_button, "redo-title", _("Redo"), _("Redo: %s"));
  pju_window_update_actions (self);
  if (pju_get_boolean (self->project, "offer-cpu"))
    pju_banner_show (PJU_BANNER (self->banner), _("The device failed"),
                     _("The session is intact. The work can go on without the graphics card."), _("Use the CPU"),
                     "win.device::cpu");
  return G_SOURCE_REMOVE;
}

static void
queue_update (PjuWindow *self)
{
  if (self->update == 0)
    self->update = g_idle_add (update_cb, self);
}

/* --- opening and closing --- */

static void
failed_cb (PjuWindow *self, const char *headline, const char *detail)
{
  pju_banner_show (PJU_BANNER (self->banner), headline, detail, NULL, NULL);
}

static void
message_cb (PjuWindow *self, const char *text)
{
  pju_toast_show (PJU_TOAST (self->toast), text, NULL, NULL);
}

static void
show_root (PjuWindow *self)
{
  gboolean opening = self->opening != NULL, ready = pju_get_boolean (self->project, "ready");
  gtk_stack_set_visible_child_name (GTK_STACK (self->root), opening ? "opening" : ready ? "studio" : "start");
  gtk_spinner_set_spinning (GTK_SPINNER (self->spinner), opening);
  gtk_widget_set_visible (self->undo_button, ready && !opening);
  gtk_widget_set_visible (self->redo_button, ready && !opening);
  gtk_widget_set_visible (self->device_button, ready && !opening);
  queue_update (self);
}

/* Work that was cut off by the end of the program is offered, not started. */
static void
offer_interrupted (PjuWindow *self)
{
  GListModel *jobs = pjm_project_get_jobs (self->project);
  for (guint i = 0; i < g_list_model_get_n_items (jobs); i++) {
    g_autoptr (PjmJob) job = g_list_model_get_item (jobs, i);
    gboolean done = pjm_job_get_state (job) == PJM_JOB_DONE;
    if (!pju_job_is_offered (job))
      continue;
    g_autofree char *title = pju_get_string (job, "title");
    g_autofree char *text = g_strdup_printf (done ? _("What was to follow “%s” can go on")
                                                  : _("“%s” was interrupted and can go on"), title);
    pju_banner_offer (PJU_BANNER (self->banner), text,
                      done ? _("The program ended before it. It starts from the result of the job that is done.")
                           : _("The program ended while it ran. It goes on from the last checkpoint and comes to the same "
                               "result as if it had never stopped."), _("Resume"), "win.resume");
    return;
  }
}

/* Most exporters fold norms away; without them some of the tools have nothing to work with. */
static void
offer_norms (PjuWindow *self)
{
  if (pjm_project_lacks_norms (self->project) && !pju_get_boolean (self->project, "read-only"))
    pju_banner_offer (PJU_BANNER (self->banner), _("This network has no batch norms"),
                      _("Perhaps they were folded away when it was exported. Put back, and measured on your pictures, they "
                        "help scoring and fine-tuning; the network computes the same, and exporting folds them again."),
                      _("Bring Them Back"), "win.norms");
}

typedef struct { PjuWindow *window; char *path; } Opening;

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Opening *request = data;
  PjuWindow *self = request->window;
  g_autoptr (GError) error = NULL;
  gboolean ok = pjm_project_open_finish (PJM_PROJECT (source), result, &error);

  g_clear_object (&self->opening);
  if (!gtk_widget_in_destruction (GTK_WIDGET (self))) {
    g_autofree char *session = pju_get_string (self->project, "path");
    /* What was just imported is judged first; a session is shown as it was left. */
    if (ok && g_strcmp0 (session, self->shown_path) != 0) {
      g_free (self->shown_path);
      self->shown_path = g_steal_pointer (&session);
      pju_window_restore_view (self, request->path ? "overview" : "network");
    } else if (ok) {
      pju_window_show_page (self, "overview");
    }
    show_root (self);
    if (ok && request->path) {
      pju_settings_add_recent (request->path);
      pju_window_show_recent (self);
      pju_start_page_refresh (PJU_START_PAGE (self->start_page));
    }
    if (ok) {
      offer_interrupted (self);
      offer_norms (self);
    }
    else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
      g_autofree char *name = request->path ? g_path_get_basename (request->path) : g_strdup (_("the sample session"));
      g_autofree char *headline = g_strdup_printf (_("“%s” could not be opened"), name);
      pju_banner_show (PJU_BANNER (self->banner), headline, error->message, NULL, NULL);
    }
  }
  g_autofree char *next = g_steal_pointer (&self->next);
  if (ok && next && !gtk_widget_in_destruction (GTK_WIDGET (self)))
    pju_window_open (self, next);
  g_object_unref (self);
  g_free (request->path);
  g_free (request);
}

void
pju_window_open (PjuWindow *self, const char *path)
{
  Opening *request = g_new0 (Opening, 1);
  g_autofree char *name = path ? g_path_get_basename (path) : g_strdup (_("the sample session"));
  g_autofree char *text = g_strdup_printf (_("Opening %s…"), name);

  /* A network and the folder of its pictures may be given at once. */
  if (self->opening) {
    g_free (self->next);
    self->next = g_strdup (path);
    g_free (request);
    return;
  }
  pju_banner_hide (PJU_BANNER (self->banner));
  gtk_label_set_text (GTK_LABEL (self->opening_label), text);
  request->window = g_object_ref (self);
  request->path = g_strdup (path);
  self->opening = g_cancellable_new ();
  pjm_project_open_async (self->project, path, self->opening, opened_cb, request);
  /* Most files are open before a person could read the word. */
  if (!pju_get_boolean (self->project, "ready"))
    show_root (self);
}

gboolean
pju_window_is_empty (PjuWindow *self)
{
  return !self->opening && !pju_get_boolean (self->project, "ready");
}

/* The project cannot be emptied, so that a window without a session is a fresh one. */
void
pju_window_close_session (PjuWindow *self)
{
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));
  GtkWidget *fresh = pju_window_new (application);
  int width, height;

  gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
  gtk_window_set_default_size (GTK_WINDOW (fresh), width, height);
  gtk_window_present (GTK_WINDOW (fresh));
  gtk_window_destroy (GTK_WINDOW (self));
}

void
pju_window_show_recent (PjuWindow *self)
{
  g_auto (GStrv) paths = pju_settings_get_recent ();

  g_menu_remove_all (self->recent_section);
  for (guint i = 0; paths[i] && i < 5; i++) {
    g_autofree char *name = g_path_get_basename (paths[i]);
    g_auto (GStrv) parts = g_strsplit (name, "_", -1);
    g_autofree char *label = g_strjoinv ("__", parts);
    g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);
    g_menu_item_set_action_and_target (item, "win.open-path", "s", paths[i]);
    g_menu_append_item (self->recent_section, item);
  }
}

/* --- dropping files --- */

static gboolean
drop_cb (GtkDropTarget *target, const GValue *value, double x, double y, PjuWindow *self)
{
  GSList *files = g_value_get_boxed (value);
  g_autofree char *path = files ? g_file_get_path (files->data) : NULL;

  gtk_widget_set_visible (self->drop_hint, FALSE);
  if (!path)
    return FALSE;
  pju_window_open (self, path);
  return TRUE;
}

static GdkDragAction
enter_cb (GtkDropTarget *target, double x, double y, PjuWindow *self)
{
  gtk_widget_set_visible (self->drop_hint, TRUE);
  return GDK_ACTION_COPY;
}

static void
leave_cb (GtkDropTarget *target, PjuWindow *self)
{
  gtk_widget_set_visible (self->drop_hint, FALSE);
}

static void
add_drop_target (PjuWindow *self)
{
  GtkDropTarget *target = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
  g_signal_connect (target, "drop", G_CALLBACK (drop_cb), self);
  g_signal_connect (target, "enter", G_CALLBACK (enter_cb), self);
  g_signal_connect (target, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
}

/* --- life --- */

static gboolean
close_request (GtkWindow *window)
{
  pju_window_flush_view (PJU_WINDOW (window));
  int width, height;
  gtk_window_get_default_size (window, &width, &height);
  if (!gtk_window_is_maximized (window) && width > 0 && height > 0) {
    pju_settings_set_int ("width", width);
    pju_settings_set_int ("height", height);
  }
  return GTK_WINDOW_CLASS (pju_window_parent_class)->close_request (window);
}

static void
dispose (GObject *object)
{
  PjuWindow *self = PJU_WINDOW (object);
  g_clear_handle_id (&self->update, g_source_remove);
  pju_window_flush_view (self);
  if (self->opening)
    g_cancellable_cancel (self->opening);
  if (self->project) {
    g_signal_handlers_disconnect_by_data (self->project, self);
    pjm_project_close (self->project);
  }
  g_clear_pointer (&self->next, g_free);
  g_clear_pointer (&self->shown_path, g_free);
  g_clear_object (&self->studio);
  g_clear_object (&self->project);
  G_OBJECT_CLASS (pju_window_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuWindow, name)

static void
bind_children (GtkWidgetClass *widget_class)
{
  CHILD (header); CHILD (open_button); CHILD (menu_button); CHILD (undo_button); CHILD (redo_button); CHILD (title); CHILD (subtitle);
  CHILD (device_button); CHILD (device_label); CHILD (inspector_toggle);
  CHILD (banner); CHILD (root); CHILD (start_page); CHILD (spinner); CHILD (opening_label);
  CHILD (pages_list); CHILD (job_revealer); CHILD (workflow); CHILD (pages); CHILD (totals);
  CHILD (toast); CHILD (drop_hint); CHILD (recent_section);
  CHILD (overview_page); CHILD (network_page); CHILD (layers_page); CHILD (jobs_page); CHILD (compare_page); CHILD (history_page);
  CHILD (export_page);
}

static void
pju_window_class_init (PjuWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  GTK_WINDOW_CLASS (klass)->close_request = close_request;
  g_type_ensure (PJU_TYPE_BANNER);
  g_type_ensure (PJU_TYPE_TOAST);
  g_type_ensure (PJU_TYPE_START_PAGE);
  g_type_ensure (PJU_TYPE_WORKFLOW_BAR);
  g_type_ensure (PJU_TYPE_TOTALS_BAR);
  g_type_ensure (PJU_TYPE_OVERVIEW_PAGE);
  g_type_ensure (PJU_TYPE_NETWORK_PAGE);
  g_type_ensure (PJU_TYPE_LAYERS_PAGE);
  g_type_ensure (PJU_TYPE_JOBS_PAGE);
  g_type_ensure (PJU_TYPE_COMPARE_PAGE);
  g_type_ensure (PJU_TYPE_HISTORY_PAGE);
  g_type_ensure (PJU_TYPE_EXPORT_PAGE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/window.ui");
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, page_row_cb);
  gtk_widget_class_bind_template_callback (widget_class, visible_page_cb);
}

static void
share_studio (PjuWindow *self)
{
  pju_overview_page_set_studio (PJU_OVERVIEW_PAGE (self->overview_page), self->studio);
  pju_network_page_set_studio (PJU_NETWORK_PAGE (self->network_page), self->studio);
  pju_layers_page_set_studio (PJU_LAYERS_PAGE (self->layers_page), self->studio);
  pju_jobs_page_set_studio (PJU_JOBS_PAGE (self->jobs_page), self->studio);
  pju_compare_page_set_studio (PJU_COMPARE_PAGE (self->compare_page), self->studio);
  pju_history_page_set_studio (PJU_HISTORY_PAGE (self->history_page), self->studio);
  pju_export_page_set_studio (PJU_EXPORT_PAGE (self->export_page), self->studio);
  pju_workflow_bar_set_studio (PJU_WORKFLOW_BAR (self->workflow), self->studio);
  pju_totals_bar_set_studio (PJU_TOTALS_BAR (self->totals), self->studio);
}

static void
pju_window_init (PjuWindow *self)
{
  const char *state_dir = g_getenv ("PENJING_STATE_DIR");

  gtk_widget_init_template (GTK_WIDGET (self));
  self->project = pjm_project_new (state_dir);
  self->studio = pju_studio_new (self->project);
  pju_window_add_actions (self);
  share_studio (self);
  pju_set_label (self->open_button, _("Open"));
  pju_set_label (self->menu_button, _("Main menu"));
  pju_set_label (self->device_button, _("Device"));
  add_page_rows (self);
  pju_window_watch_jobs (self);
  pju_window_watch_view (self);
  add_drop_target (self);
  pju_window_show_recent (self);
  g_signal_connect_object (self->project, "failed", G_CALLBACK (failed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->project, "notify", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->project, "notify::device", G_CALLBACK (show_devices), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->project, "notify::ready", G_CALLBACK (show_root), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->studio, "message", G_CALLBACK (message_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->studio, "problem", G_CALLBACK (failed_cb), self, G_CONNECT_SWAPPED);
  visible_page_cb (self);
  show_devices (self);
  show_root (self);
}

GtkWidget *
pju_window_new (GtkApplication *application)
{
  PjuWindow *self = g_object_new (PJU_TYPE_WINDOW, "application", application, NULL);
  gtk_window_set_default_size (GTK_WINDOW (self), pju_settings_get_int ("width", 1280),
                               pju_settings_get_int ("height", 820));
  return GTK_WIDGET (self);
}
