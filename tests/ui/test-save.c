/* SPDX-License-Identifier: MIT */
/* Whatever can be saved is saved through its dialog, in every form that it offers: all buttons for it on all pages, so that
 * a new plot is tried too. */
#include <glib/gstdio.h>
#include <string.h>

#include "window-private.h"
#include "window-test.h"

typedef struct {
  Fixture *fixture;
  GPtrArray *names;             /* as proposed by the dialogs */
  const char *folder;
} Saving;

/* --- the dialog --- */

static gboolean
is_save_button (GtkWidget *widget)
{
  return GTK_IS_BUTTON (widget) && gtk_widget_get_mapped (widget) && gtk_widget_get_sensitive (widget)
         && (g_strcmp0 (gtk_button_get_icon_name (GTK_BUTTON (widget)), "document-save-symbolic") == 0
             || g_strcmp0 (gtk_button_get_label (GTK_BUTTON (widget)), "Save CSV…") == 0);
}

static void
collect (GtkWidget *widget, GPtrArray *buttons)
{
  if (is_save_button (widget))
    g_ptr_array_add (buttons, widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child; child = gtk_widget_get_next_sibling (child))
    collect (child, buttons);
}

static GtkWidget *
find_dialog (void)
{
  GListModel *windows = gtk_window_get_toplevels ();
  for (guint i = 0; i < g_list_model_get_n_items (windows); i++) {
    g_autoptr (GtkWidget) window = g_list_model_get_item (windows, i);
    if (GTK_IS_FILE_CHOOSER_DIALOG (window) && gtk_widget_get_mapped (window))
      return window;
  }
  return NULL;
}

static gboolean
has_dialog (gpointer data)
{
  return find_dialog () != NULL;
}

/* The dialog reads the folder first. */
static gboolean
is_there (gpointer path)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (find_dialog ()));
  g_autofree char *at = file != NULL ? g_file_get_path (file) : NULL;
  return g_strcmp0 (at, path) == 0;
}

static gboolean
is_answered (gpointer path)
{
  return find_dialog () == NULL && g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
check_file (const char *path)
{
  static const struct { const char *ending, *start; gsize least; } kinds[] = {
    { ".svg", "<?xml", 1500 }, { ".png", "\x89PNG", 1500 }, { ".pdf", "%PDF", 1500 }, { ".csv", "", 10 },
  };
  g_autofree char *text = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (!g_str_has_suffix (path, kinds[i].ending))
      continue;
    if (length < kinds[i].least || strncmp (text, kinds[i].start, strlen (kinds[i].start)) != 0)
      g_error ("%s has %" G_GSIZE_FORMAT " bytes and begins with “%.40s”", path, length, text);
  }
  if (g_str_has_suffix (path, ".csv"))
    g_assert_cmpuint (g_strrstr (text, "\n") - strchr (text, '\n'), >, 0);
}

/* By one button with one ending; returns whether the dialog also offers tables. */
static gboolean
save_as (Saving *self, GtkWidget *button, const char *ending)
{
  self->fixture->watchdog.doing = "a file dialog";
  self->fixture->watchdog.apart = TRUE;
  g_signal_emit_by_name (button, "clicked");
  wait_until (has_dialog, NULL);
  /* It goes to a folder of its own first, which would come after ours. */
  settle (300);
  GtkWidget *dialog = find_dialog ();
  g_autofree char *name = gtk_file_chooser_get_current_name (GTK_FILE_CHOOSER (dialog));
  g_autoptr (GtkFileFilter) filter = g_list_model_get_item (gtk_file_chooser_get_filters (GTK_FILE_CHOOSER (dialog)), 0);
  g_autoptr (GVariant) patterns = g_variant_ref_sink (gtk_file_filter_to_gvariant (filter));
  g_autofree char *offered = g_variant_print (patterns, FALSE);
  if (!ending)
    ending = strrchr (name, '.');
  g_assert_nonnull (strstr (offered, ending));
  g_autofree char *path = g_strdup_printf ("%s/%u%s", self->folder, self->names->len, ending);
  g_autofree char *base = g_path_get_basename (path);
  g_autoptr (GFile) folder = g_file_new_for_path (self->folder);
  g_assert_true (gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (dialog), folder, NULL));
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), base);
  wait_until (is_there, path);
  settle (100);
  g_assert_true (is_there (path));
  gtk_dialog_response (GTK_DIALOG (dialog), GTK_RESPONSE_ACCEPT);
  wait_until (is_answered, path);
  watchdog_cb (&self->fixture->watchdog);
  self->fixture->watchdog.apart = FALSE;
  check_file (path);
  g_test_message ("%s as %s", name, ending);
  g_ptr_array_add (self->names, g_steal_pointer (&name));
  return strstr (offered, ".csv") != NULL;
}

/* Everything below @widget; of the first one all forms. */
static void
save_all (Saving *self, GtkWidget *widget)
{
  g_autoptr (GPtrArray) buttons = g_ptr_array_new ();
  collect (widget, buttons);
  for (guint i = 0; i < buttons->len; i++) {
    gboolean first = self->names->len == 0;
    gboolean tables = save_as (self, buttons->pdata[i], NULL);
    const char *name = self->names->pdata[self->names->len - 1];
    if (tables && !g_str_has_suffix (name, ".csv"))
      save_as (self, buttons->pdata[i], ".csv");
    if (first) {
      save_as (self, buttons->pdata[i], ".png");
      save_as (self, buttons->pdata[i], ".pdf");
    }
  }
}

static void
assert_saved (Saving *self, const char *name)
{
  for (guint i = 0; i < self->names->len; i++)
    if (g_str_equal (self->names->pdata[i], name))
      return;
  g_ptr_array_add (self->names, NULL);
  g_autofree char *all = g_strjoinv (", ", (char **) self->names->pdata);
  g_error ("no “%s” among %s", name, all);
}

/* --- the pages --- */

static PjmProject *
project_of (Fixture *self)
{
  return PJU_WINDOW (self->window)->project;
}

static void
show (Fixture *self, const char *name)
{
  act (self, "page", g_variant_new_string (name));
  settle (400);
}

/* The views of the comparison, which a person switches: not the stack around them. */
static gboolean
is_views (GtkWidget *widget, gconstpointer data)
{
  return GTK_IS_STACK (widget) && gtk_widget_get_mapped (widget) && gtk_stack_get_child_by_name (GTK_STACK (widget), "answers");
}

static void
save_compare (Saving *self, Fixture *fixture)
{
  const char *methods[] = { "weight-sum", "apoz", NULL };
  double ratios[] = { 0.5 };
  PjmCompareOptions options = { .methods = methods, .ratios = ratios, .n_ratios = 1, .n_seeds = 1 };
  wait_job (pjm_project_compare (project_of (fixture), &options), PJM_JOB_DONE);
  show (fixture, "compare");
  GtkWidget *views = find_widget (fixture->window, is_views, NULL);
  g_autoptr (GtkSelectionModel) all = gtk_stack_get_pages (GTK_STACK (views));
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (all)); i++) {
    gtk_selection_model_select_item (all, i, TRUE);
    settle (400);
    save_all (self, i == 0 ? fixture->window : views);
  }
}

static void
test_save (Fixture *self, gconstpointer data)
{
  /* In the fixture's own folder, which goes with it. */
  g_autofree char *folder = g_build_filename (self->place.folder, "saved", NULL);
  Saving saving = { self, g_ptr_array_new_with_free_func (g_free), folder };
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  drop (self, self->place.onnx);
  await_text (self, "No pictures yet");
  drop (self, self->place.data);
  await_text (self, "measured on the training pictures");
  wait_job (pjm_project_measure_sensitivity (project_of (self)), PJM_JOB_DONE);

  show (self, "network");
  pju_studio_set_layer (PJU_WINDOW (self->window)->studio, place_layer (&(Place) { .project = project_of (self) }, "a1"));
  settle (800);
  save_all (&saving, self->window);
  show (self, "layers");
  save_all (&saving, self->window);
  wait_job (pjm_project_fine_tune (project_of (self), 2, 0.01), PJM_JOB_DONE);
  show (self, "jobs");
  save_all (&saving, self->window);
  save_compare (&saving, self);

  static const char *const names[] = {
    "a1-channels.svg", "a1-look.svg", "a1-sensitivity.svg", "layers.csv", "comparison.csv", "comparison.svg", "channels.svg",
    "classes.svg",
  };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    assert_saved (&saving, names[i]);
  g_ptr_array_unref (saving.names);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  add ("/ui/save/everything", test_save);
  return g_test_run ();
}
