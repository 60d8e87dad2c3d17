/* SPDX-License-Identifier: MIT */
/* The empty state of the whole studio: what it is for, the two ways in, and what was open lately. */
#include <glib/gi18n-lib.h>

#include "settings.h"
#include "start-page.h"

struct _PjuStartPage {
  GtkWidget parent;
  GtkWidget *scroll, *recent_box, *recent;
};

G_DEFINE_FINAL_TYPE (PjuStartPage, pju_start_page, GTK_TYPE_WIDGET)

static GtkWidget *
make_row (const char *path)
{
  GtkWidget *row = gtk_list_box_row_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  g_autofree char *name = g_path_get_basename (path), *folder = g_path_get_dirname (path);
  GtkWidget *title = gtk_label_new (name), *where = gtk_label_new (folder);

  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_xalign (GTK_LABEL (where), 0);
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_END);
  gtk_label_set_ellipsize (GTK_LABEL (where), PANGO_ELLIPSIZE_START);
  gtk_widget_add_css_class (where, "dim-label");
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (box), where);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_object_set_data_full (G_OBJECT (row), "path", g_strdup (path), g_free);
  return row;
}

void
pju_start_page_refresh (PjuStartPage *self)
{
  g_auto (GStrv) paths = pju_settings_get_recent ();
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (self->recent)))
    gtk_list_box_remove (GTK_LIST_BOX (self->recent), child);
  for (guint i = 0; paths[i] && i < 5; i++)
    gtk_list_box_append (GTK_LIST_BOX (self->recent), make_row (paths[i]));
  gtk_widget_set_visible (self->recent_box, paths[0] != NULL);
}

static void
row_activated_cb (PjuStartPage *self, GtkListBoxRow *row)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "win.open-path", "s", (char *) g_object_get_data (G_OBJECT (row), "path"));
}

static void
dispose (GObject *object)
{
  g_clear_pointer (&PJU_START_PAGE (object)->scroll, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_start_page_parent_class)->dispose (object);
}

static void
pju_start_page_class_init (PjuStartPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/start-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PjuStartPage, scroll);
  gtk_widget_class_bind_template_child (widget_class, PjuStartPage, recent_box);
  gtk_widget_class_bind_template_child (widget_class, PjuStartPage, recent);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
}

static void
pju_start_page_init (PjuStartPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  pju_start_page_refresh (self);
}
