/* SPDX-License-Identifier: MIT */
/* The whole window on the sample session, page by page at its default size: no label is cut off, and it can become as
 * small as a small screen.  What is not ours
 * (names of files and of layers) may be shortened where it says so in a tooltip.  TEST_LANGUAGE names the
 * language; see headless.sh. */
#include <glib/gi18n-lib.h>
#include <gtk/gtk.h>
#include <locale.h>

#include "choice-list.h"
#include "shortcuts.h"
#include "style.h"
#include "window.h"

static const char *const pages[] = { "overview", "network", "layers", "jobs", "compare", "history", "export" };

/* Runs the main loop for a while, or until @action of @window is enabled. */
static gboolean
spin (GtkWidget *window, const char *action, double seconds)
{
  gint64 end = g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);
  while (g_get_monotonic_time () < end) {
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (2000);
    if (action && g_action_group_get_action_enabled (G_ACTION_GROUP (window), action))
      return TRUE;
  }
  return FALSE;
}

/* Opens every expander below @widget. */
static void
expand (GtkWidget *widget)
{
  if (GTK_IS_EXPANDER (widget))
    gtk_expander_set_expanded (GTK_EXPANDER (widget), TRUE);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child; child = gtk_widget_get_next_sibling (child))
    expand (child);
}

static GtkWidget *
find_type (GtkWidget *widget, const char *type)
{
  GtkWidget *found = g_str_equal (G_OBJECT_TYPE_NAME (widget), type) ? widget : NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child && !found; child = gtk_widget_get_next_sibling (child))
    found = find_type (child, type);
  return found;
}

/* Names that a person or a file gave: shortened on purpose, whole in the tooltip. */
static gboolean
may_shorten (GtkWidget *label)
{
  for (GtkWidget *at = label; at; at = gtk_widget_get_parent (at)) {
    const char *tip = gtk_widget_get_tooltip_text (at);
    if (tip && strstr (tip, gtk_label_get_text (GTK_LABEL (label))))
      return TRUE;
  }
  return gtk_widget_has_css_class (label, "title") || gtk_widget_has_css_class (label, "subtitle");
}

static guint
check_label (GtkWidget *label, const char *page)
{
  PangoLayout *layout = gtk_label_get_layout (GTK_LABEL (label));
  const char *text = gtk_label_get_text (GTK_LABEL (label));
  int width, height;

  pango_layout_get_pixel_size (layout, &width, &height);
  /* A label that is still being laid out has no size of its own yet. */
  if (gtk_widget_get_width (label) <= 0 || *text == '\0' || may_shorten (label))
    return 0;
  gboolean cut = pango_layout_is_ellipsized (layout) || width > gtk_widget_get_width (label) + 1;
  if (cut)
    g_test_message ("page %s: “%s” needs %d pixels and has %d", page, text, width, gtk_widget_get_width (label));
  return cut;
}

static guint
walk (GtkWidget *widget, const char *page, guint *n_labels)
{
  guint n = 0;
  if (!gtk_widget_get_mapped (widget))
    return 0;
  if (GTK_IS_LABEL (widget)) {
    (*n_labels)++;
    n += check_label (widget, page);
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child; child = gtk_widget_get_next_sibling (child))
    n += walk (child, page, n_labels);
  return n;
}

/* What keeps @widget from being narrower: the widest child, and so on. */
static void
tell_widest (GtkWidget *widget)
{
  g_autoptr (GString) chain = g_string_new (NULL);
  while (widget) {
    GtkWidget *widest = NULL;
    int least, most = 0;
    gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
    g_string_append_printf (chain, " > %s %d", gtk_widget_get_name (widget), least);
    for (GtkWidget *child = gtk_widget_get_first_child (widget); child; child = gtk_widget_get_next_sibling (child)) {
      gtk_widget_measure (child, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
      if (gtk_widget_get_visible (child) && least > most) {
        most = least;
        widest = child;
      }
    }
    widget = widest;
  }
  g_test_message ("wide because of%s", chain->str);
}

/* The window goes onto a screen of 1024 by 700: with all pages in it, for it keeps its size when one page follows another. */
static gboolean
fits (GtkWidget *window, const char *page)
{
  int width, height;
  gtk_widget_measure (window, GTK_ORIENTATION_HORIZONTAL, -1, &width, NULL, NULL, NULL);
  gtk_widget_measure (window, GTK_ORIENTATION_VERTICAL, MAX (width, 1024), &height, NULL, NULL, NULL);
  g_test_message ("page %s: at least %d by %d pixels", page, width, height);
  if (width > 1024)
    tell_widest (window);
  return width <= 1024 && height <= 700;
}

/* The last column of the table of layers can be read without scrolling sideways. */
static gboolean
table_fits (GtkWidget *window)
{
  GtkWidget *table = find_type (find_type (window, "PjuLayersPage"), "GtkColumnView");
  GtkAdjustment *across = gtk_scrollable_get_hadjustment (GTK_SCROLLABLE (table));
  g_test_message ("the table needs %.0f of %.0f pixels", gtk_adjustment_get_upper (across), gtk_adjustment_get_page_size (across));
  return gtk_adjustment_get_upper (across) <= gtk_adjustment_get_page_size (across);
}

/* The dialog with the settings of methods that have many, all of it opened. */
static guint
check_prune_dialog (GtkWidget *window, guint *n_labels)
{
  static const char *const methods[] = { "thinet", "autopruner", "curl", "amc", "equal-loss" };
  GListModel *windows = gtk_window_get_toplevels ();
  GtkWidget *dialog = NULL;
  guint n = 0;

  g_action_group_activate_action (G_ACTION_GROUP (window), "prune", NULL);
  spin (window, NULL, 0.5);
  for (guint i = 0; i < g_list_model_get_n_items (windows); i++) {
    g_autoptr (GtkWidget) one = g_list_model_get_item (windows, i);
    if (g_str_equal (G_OBJECT_TYPE_NAME (one), "PjuPruneDialog"))
      dialog = one;
  }
  g_assert_nonnull (dialog);
  expand (dialog);
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++) {
    pju_choice_list_select (PJU_CHOICE_LIST (find_type (dialog, "PjuChoiceList")), methods[i], TRUE);
    spin (window, NULL, 0.5);
    n += walk (dialog, methods[i], n_labels);
  }
  gtk_window_destroy (GTK_WINDOW (dialog));
  spin (window, NULL, 0.2);
  return n;
}

static void
activate_cb (GtkApplication *application, GtkWidget **window)
{
  pju_style_init ();
  pju_shortcuts_apply (application);
  *window = pju_window_new (application);
  gtk_window_present (GTK_WINDOW (*window));
}

static void
test_labels (void)
{
  g_autoptr (GtkApplication) application = gtk_application_new ("io.github.penjing.Test", G_APPLICATION_NON_UNIQUE);
  GtkWidget *window = NULL;
  guint n_cut = 0, n_labels = 0, n_large = 0;

  g_signal_connect (application, "activate", G_CALLBACK (activate_cb), &window);
  g_application_register (G_APPLICATION (application), NULL, NULL);
  g_application_activate (G_APPLICATION (application));
  g_assert_nonnull (window);
  spin (window, NULL, 0.5);
  n_cut += walk (window, "start", &n_labels);
  g_action_group_activate_action (G_ACTION_GROUP (window), "sample", NULL);
  g_assert_true (spin (window, "fine-tune", 60));
  /* Marked channels make the longest figures in the strip. */
  g_action_group_activate_action (G_ACTION_GROUP (window), "keep-all", g_variant_new_double (0.53));
  spin (window, NULL, 2);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    g_action_group_activate_action (G_ACTION_GROUP (window), "page", g_variant_new_string (pages[i]));
    spin (window, NULL, 1);
    n_cut += walk (window, pages[i], &n_labels);
    n_large += !fits (window, pages[i]);
    if (g_str_equal (pages[i], "layers"))
      n_large += !table_fits (window);
  }
  n_cut += check_prune_dialog (window, &n_labels);
  g_test_message ("%u labels", n_labels);
  /* In the language that was asked for. */
  g_assert_cmpint (g_str_equal (_("Export"), "Export"), ==, *g_getenv ("LANGUAGE") == '\0');
  g_assert_cmpuint (n_labels, >, 100);
  g_assert_cmpuint (n_cut, ==, 0);
  g_assert_cmpuint (n_large, ==, 0);
  gtk_window_destroy (GTK_WINDOW (window));
  spin (NULL, NULL, 0.2);
}

int
main (int argc, char **argv)
{
  g_autofree char *name = g_strdup_printf ("/ui/labels/%s", *g_getenv ("LANGUAGE") ? g_getenv ("LANGUAGE") : "en");
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, g_getenv ("TEST_LOCALES"));
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  gtk_test_init (&argc, &argv, NULL);
  /* gtk_test_init() goes back to the C locale. */
  setlocale (LC_ALL, "");
  g_test_add_func (name, test_labels);
  return g_test_run ();
}
