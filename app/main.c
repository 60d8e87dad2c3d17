/* SPDX-License-Identifier: MIT */
/* penjing: the studio.
 *
 *   penjing                    the start page
 *   penjing --sample           the bundled sample session
 *   penjing FILE…              a network, a session, or a network and the folder of its pictures
 *
 * One process serves all windows; each window has its own project and engine thread. */
#include <glib/gi18n-lib.h>
#include <gtk/gtk.h>
#include <locale.h>
#include <signal.h>

#include "settings.h"
#include "shortcuts.h"
#include "start.h"
#include "style.h"
#include "window.h"

static GtkWidget *
new_window (GApplication *application)
{
  GtkWidget *window = pju_window_new (GTK_APPLICATION (application));
  gtk_window_present (GTK_WINDOW (window));
  return window;
}

static void
act_new_window (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  new_window (application);
}

static void
act_quit (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  GList *windows;
  while ((windows = gtk_application_get_windows (application)))
    gtk_window_destroy (windows->data);
}

static void
act_about (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  gtk_show_about_dialog (gtk_application_get_active_window (application),
                         "program-name", _("Penjing"), "logo-icon-name", APP_ID, "version", PENJING_VERSION,
                         "comments", _("Make convolutional networks smaller, and see what it costs."),
                         "license-type", GTK_LICENSE_MIT_X11,
                         /* Translators: your name, shown in the about window */
                         "translator-credits", g_strcmp0 (_("translator-credits"), "translator-credits") ? _("translator-credits") : NULL,
                         NULL);
}

static void
change_style (GSimpleAction *action, GVariant *state, gpointer application)
{
  const char *name = g_variant_get_string (state, NULL);
  g_simple_action_set_state (action, state);
  pju_style_set (pju_style_parse (name));
  pju_settings_set_string ("style", name);
}

static void
startup_cb (GApplication *application, gpointer data)
{
  static const GActionEntry entries[] = {
    { .name = "new-window", .activate = act_new_window },
    { .name = "quit", .activate = act_quit },
    { .name = "about", .activate = act_about },
    { .name = "style", .parameter_type = "s", .state = "'system'", .change_state = change_style },
  };
  g_autofree char *style = pju_settings_get_string ("style", "system");

  gtk_window_set_default_icon_name (APP_ID);
  pju_style_set (pju_style_parse (style));
  pju_style_init ();
  g_action_map_add_action_entries (G_ACTION_MAP (application), entries, G_N_ELEMENTS (entries), application);
  g_simple_action_set_state (G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (application), "style")),
                             g_variant_new_string (pju_style_name (pju_style_parse (style))));
  pju_shortcuts_apply (GTK_APPLICATION (application));
}

static void
activate_cb (GApplication *application, gpointer data)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));
  if (window)
    gtk_window_present (window);
  else
    new_window (application);
}

static PjuWindow *
empty_window (GApplication *application)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));
  if (window && PJU_IS_WINDOW (window) && pju_window_is_empty (PJU_WINDOW (window)))
    return PJU_WINDOW (window);
  return PJU_WINDOW (new_window (application));
}

static void
open_cb (GApplication *application, GFile **files, int n_files, const char *hint, gpointer data)
{
  for (int i = 0; i < n_files; i++) {
    g_autofree char *path = g_file_get_path (files[i]);
    GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));
    if (!path)
      continue;
    /* A folder is the data of the network before it. */
    if (window && PJU_IS_WINDOW (window) && g_file_test (path, G_FILE_TEST_IS_DIR))
      pju_window_open (PJU_WINDOW (window), path);
    else
      pju_window_open (empty_window (application), path);
  }
}

static int
command_line_cb (GApplication *application, GApplicationCommandLine *line, gpointer data)
{
  GVariantDict *options = g_application_command_line_get_options_dict (line);
  g_autofree const char **paths = NULL;
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);

  if (g_variant_dict_contains (options, "sample"))
    pju_window_open (empty_window (application), NULL);
  if (g_variant_dict_lookup (options, G_OPTION_REMAINING, "^a&ay", &paths)) {
    for (guint i = 0; paths[i]; i++)
      g_ptr_array_add (files, g_application_command_line_create_file_for_arg (line, paths[i]));
  }
  if (files->len > 0)
    open_cb (application, (GFile **) files->pdata, files->len, "", NULL);
  else if (!g_variant_dict_contains (options, "sample"))
    activate_cb (application, NULL);
  return 0;
}

/* Translations lie in one place beside the program in a build folder, in another when it is installed, wherever
 * that is. */
static void
find_translations (void)
{
  static const char *const places[] = { "../po", "../share/locale" };
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = program ? g_path_get_dirname (program) : g_strdup (".");

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree char *place = g_build_filename (folder, places[i], NULL);
    g_autofree char *probe = g_build_filename (place, "zh_CN", "LC_MESSAGES", "penjing.mo", NULL);
    if (g_file_test (probe, G_FILE_TEST_EXISTS)) {
      bindtextdomain (GETTEXT_PACKAGE, place);
      break;
    }
  }
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}

int
main (int argc, char **argv)
{
  pj_start (argv);
  static const GOptionEntry options[] = {
    { "sample", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Open the bundled sample session"), NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, NULL, NULL, N_("[FILE…]") },
    { NULL }
  };

  find_translations ();
  /* A full disk must be an error that we can show, not the end of the program. */
  signal (SIGXFSZ, SIG_IGN);
  g_set_application_name (_("Penjing"));
  g_autoptr (GtkApplication) application = gtk_application_new (APP_ID, G_APPLICATION_HANDLES_COMMAND_LINE
                                                                | G_APPLICATION_HANDLES_OPEN);
  g_application_add_main_option_entries (G_APPLICATION (application), options);
  g_signal_connect (application, "startup", G_CALLBACK (startup_cb), NULL);
  g_signal_connect (application, "activate", G_CALLBACK (activate_cb), NULL);
  g_signal_connect (application, "open", G_CALLBACK (open_cb), NULL);
  g_signal_connect (application, "command-line", G_CALLBACK (command_line_cb), NULL);
  return g_application_run (G_APPLICATION (application), argc, argv);
}
