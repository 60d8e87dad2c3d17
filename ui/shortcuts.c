/* SPDX-License-Identifier: MIT */
/* Rows with an action become accelerators; rows without one are keys that a widget handles itself and that
 * a person should know of.  GtkShortcutsWindow can only be filled by a builder, so its text is written
 * from the table. */
#include <glib/gi18n-lib.h>

#include "shortcuts.h"

typedef struct { const char *group, *title, *keys, *action; } Shortcut;

static const Shortcut shortcuts[] = {
  { N_("General"), N_("Open a network or session"), "<Control>o", "win.open" },
  { N_("General"), N_("Open a data folder"), "<Control><Shift>o", "win.open-data" },
  { N_("General"), N_("Close the session"), "<Control>w", "win.close-session" },
  { N_("General"), N_("New window"), "<Control>n", "app.new-window" },
  { N_("General"), N_("Undo"), "<Control>z", "win.undo" },
  { N_("General"), N_("Redo"), "<Control><Shift>z", "win.redo" },
  { N_("General"), N_("Export"), "<Control>e", "win.export" },
  { N_("General"), N_("Keyboard shortcuts"), "<Control>question", "win.shortcuts" },
  { N_("General"), N_("Main menu"), "F10", NULL },
  { N_("General"), N_("Quit"), "<Control>q", "app.quit" },
  { N_("Pages"), N_("Overview"), "<Alt>0", "win.page::overview" },
  { N_("Pages"), N_("Network"), "<Alt>1", "win.page::network" },
  { N_("Pages"), N_("Layers"), "<Alt>2", "win.page::layers" },
  { N_("Pages"), N_("Jobs"), "<Alt>3", "win.page::jobs" },
  { N_("Pages"), N_("Compare"), "<Alt>4", "win.page::compare" },
  { N_("Pages"), N_("History"), "<Alt>5", "win.page::history" },
  { N_("Pages"), N_("Export"), "<Alt>6", "win.page::export" },
  { N_("Network"), N_("Find a layer"), "<Control>f", "win.find" },
  { N_("Network"), N_("Walk along the edges"), "Up Down Left Right", NULL },
  { N_("Network"), N_("First and last layer"), "Home End", NULL },
  { N_("Network"), N_("Change the selected layer"), "Return", NULL },
  { N_("Network"), N_("Fold or unfold all blocks"), "<Control>b", "win.fold" },
  { N_("Network"), N_("Unfold the selected block"), "Return", NULL },
  { N_("Network"), N_("Fold the block of the selected layer"), "BackSpace", NULL },
  { N_("Network"), N_("Zoom in"), "<Control>plus", "win.zoom-in" },
  { N_("Network"), N_("Zoom out"), "<Control>minus", "win.zoom-out" },
  { N_("Network"), N_("Original size"), "<Control>0", "win.zoom-normal" },
  { N_("Network"), N_("Show everything"), "<Control>9", "win.zoom-fit" },
  { N_("Network"), N_("Show or hide the inspector"), "F9", "win.inspector" },
  { N_("Channels"), N_("Walk through the channels"), "Up Down Left Right", NULL },
  { N_("Channels"), N_("Cut or keep the channel"), "space", NULL },
  { N_("Pruning"), N_("Prune automatically"), "<Control>p", "win.prune" },
  { N_("Pruning"), N_("Cut the marked channels"), "<Control>k", "win.cut" },
  { N_("Pruning"), N_("Recalibrate"), "<Control>r", "win.recalibrate" },
  { N_("Pruning"), N_("Evaluate"), "<Control><Shift>e", "win.evaluate" },
  { N_("Pruning"), N_("Measure sensitivity"), "<Control><Shift>s", "win.sensitivity" },
  { N_("Pruning"), N_("Compare methods"), "<Control><Shift>m", "win.compare" },
};

/* Second keys of some actions, not worth a row of their own. */
static const struct { const char *action, *keys[3]; } others[] = {
  { "win.zoom-in", { "<Control>plus", "<Control>equal", "<Control>KP_Add" } },
  { "win.zoom-out", { "<Control>minus", "<Control>KP_Subtract", NULL } },
  { "win.zoom-normal", { "<Control>0", "<Control>KP_0", NULL } },
  { "win.redo", { "<Control><Shift>z", "<Control>y", NULL } },
};

void
pju_shortcuts_apply (GtkApplication *application)
{
  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++) {
    const char *keys[] = { shortcuts[i].keys, NULL };
    if (shortcuts[i].action)
      gtk_application_set_accels_for_action (application, shortcuts[i].action, keys);
  }
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    const char *keys[] = { others[i].keys[0], others[i].keys[1], others[i].keys[2], NULL };
    gtk_application_set_accels_for_action (application, others[i].action, keys);
  }
}

static void
append_shortcut (GString *xml, const Shortcut *shortcut)
{
  g_autofree char *title = g_markup_escape_text (_(shortcut->title), -1);
  g_autofree char *keys = g_markup_escape_text (shortcut->keys, -1);
  g_string_append_printf (xml, "<child><object class='GtkShortcutsShortcut'><property name='title'>%s</property>"
                          "<property name='accelerator'>%s</property></object></child>", title, keys);
}

GtkWidget *
pju_shortcuts_window_new (void)
{
  g_autoptr (GString) xml = g_string_new ("<interface><object class='GtkShortcutsWindow' id='window'>"
    "<property name='modal'>1</property><child><object class='GtkShortcutsSection'>"
    "<property name='section-name'>all</property><property name='max-height'>14</property>");
  g_autoptr (GtkBuilder) builder = gtk_builder_new ();
  const char *group = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++) {
    if (g_strcmp0 (group, shortcuts[i].group) != 0) {
      g_autofree char *title = g_markup_escape_text (_(shortcuts[i].group), -1);
      if (group)
        g_string_append (xml, "</object></child>");
      group = shortcuts[i].group;
      g_string_append_printf (xml, "<child><object class='GtkShortcutsGroup'><property name='title'>%s</property>", title);
    }
    append_shortcut (xml, &shortcuts[i]);
  }
  g_string_append (xml, "</object></child></object></child></object></interface>");
  gtk_builder_add_from_string (builder, xml->str, -1, NULL);
  return GTK_WIDGET (gtk_builder_get_object (builder, "window"));
}
