/* SPDX-License-Identifier: MIT */
/* The steps, newest on top, as a line with a dot for each.  Going back is itself undoable, for the steps
 * are a tree in the session and only the mark moves. */
#include <glib/gi18n-lib.h>

#include "format.h"
#include "history-page.h"

struct _PjuHistoryPage {
  GtkWidget parent;
  GtkWidget *scroll, *list;
  PjuStudio *studio;
};

G_DEFINE_FINAL_TYPE (PjuHistoryPage, pju_history_page, GTK_TYPE_WIDGET)

static GtkWidget *
left_label (const char *css)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  if (css)
    gtk_widget_add_css_class (label, css);
  return label;
}

static void
show_step (GtkWidget *row)
{
  PjmStep *step = g_object_get_data (G_OBJECT (row), "step");
  GtkWidget **parts = g_object_get_data (G_OBJECT (row), "parts");
  g_autofree char *title = pju_get_string (step, "title"), *detail = pju_get_string (step, "detail");
  gboolean current = pju_get_boolean (step, "current");
  gint64 time = 0;

  g_object_get (step, "time", &time, NULL);
  g_autofree char *when = pju_format_time (time);
  gtk_label_set_text (GTK_LABEL (parts[0]), title);
  gtk_label_set_text (GTK_LABEL (parts[1]), detail ? detail : "");
  gtk_widget_set_visible (parts[1], detail && *detail);
  gtk_label_set_text (GTK_LABEL (parts[2]), when);
  gtk_widget_set_visible (parts[3], current);
  if (current)
    gtk_widget_add_css_class (row, "current");
  else
    gtk_widget_remove_css_class (row, "current");
  g_autofree char *label = g_strdup_printf (current ? _("%s, %s, present step") : "%s, %s", title ? title : "", when);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
}

static GtkWidget *
make_row (PjmStep *step)
{
  GtkWidget *row = gtk_list_box_row_new (), *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2), *dot = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget **parts = g_new (GtkWidget *, 4);

  parts[0] = left_label ("step-title");
  parts[1] = left_label ("dim-label");
  parts[2] = gtk_label_new (NULL);
  gtk_widget_add_css_class (parts[2], "dim-label");
  gtk_widget_add_css_class (parts[2], "numeric");
  parts[3] = gtk_label_new (_("Now"));
  gtk_widget_add_css_class (parts[3], "tag");
  gtk_widget_set_valign (parts[3], GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (dot, "dot");
  gtk_widget_set_valign (dot, GTK_ALIGN_CENTER);
  gtk_widget_set_hexpand (texts, TRUE);
  gtk_box_append (GTK_BOX (texts), parts[0]);
  gtk_box_append (GTK_BOX (texts), parts[1]);
  gtk_box_append (GTK_BOX (box), dot);
  gtk_box_append (GTK_BOX (box), texts);
  gtk_box_append (GTK_BOX (box), parts[3]);
  gtk_box_append (GTK_BOX (box), parts[2]);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  g_object_set_data_full (G_OBJECT (row), "step", g_object_ref (step), g_object_unref);
  g_object_set_data_full (G_OBJECT (row), "parts", parts, g_free);
  g_signal_connect_object (step, "notify", G_CALLBACK (show_step), row, G_CONNECT_SWAPPED);
  show_step (row);
  return row;
}

/* The model has the oldest first, the page has the newest on top. */
static void
items_changed_cb (GListModel *steps, guint position, guint removed, guint added, PjuHistoryPage *self)
{
  guint before = g_list_model_get_n_items (steps) - added + removed;

  for (guint i = 0; i < removed; i++)
    gtk_list_box_remove (GTK_LIST_BOX (self->list), GTK_WIDGET (gtk_list_box_get_row_at_index (
      GTK_LIST_BOX (self->list), before - removed - position)));
  for (guint i = 0; i < added; i++) {
    g_autoptr (PjmStep) step = g_list_model_get_item (steps, position + i);
    gtk_list_box_insert (GTK_LIST_BOX (self->list), make_row (step), before - removed - position);
  }
}

static void
row_activated_cb (PjuHistoryPage *self, GtkListBoxRow *row)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  guint n = g_list_model_get_n_items (pjm_project_get_history (project));
  pjm_project_go_to (project, n - 1 - gtk_list_box_row_get_index (row));
}

void
pju_history_page_set_studio (PjuHistoryPage *self, PjuStudio *studio)
{
  GListModel *steps = pjm_project_get_history (pju_studio_get_project (studio));
  self->studio = g_object_ref (studio);
  g_signal_connect_object (steps, "items-changed", G_CALLBACK (items_changed_cb), self, 0);
  items_changed_cb (steps, 0, 0, g_list_model_get_n_items (steps), self);
}

static void
dispose (GObject *object)
{
  PjuHistoryPage *self = PJU_HISTORY_PAGE (object);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->scroll, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_history_page_parent_class)->dispose (object);
}

static void
pju_history_page_class_init (PjuHistoryPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/history-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PjuHistoryPage, scroll);
  gtk_widget_class_bind_template_child (widget_class, PjuHistoryPage, list);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
}

static void
pju_history_page_init (PjuHistoryPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
