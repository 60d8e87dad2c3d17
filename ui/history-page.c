/* SPDX-License-Identifier: MIT */
/* The steps, newest on top, as a tree: a lane for each branch.  Going back is itself undoable, for the steps are a
 * tree in the session and only the mark moves.  Steps can be named, compared two by two, deleted and brought back. */
#include <glib/gi18n-lib.h>

#include "format.h"
#include "history-page.h"
#include "step-diff.h"
#include "step-lanes.h"

struct _PjuHistoryPage {
  GtkWidget parent;
  GtkWidget *scroll, *list, *deleted, *chosen, *compare;
  PjuStudio *studio;
  PjuStepLanes *lanes;
  GPtrArray *shown;                /* PjmStep, oldest first */
  PjmStep *marked[2];              /* to be compared, the older mark first */
  guint idle;
  gboolean stale;                  /* changed while nobody saw it */
};

G_DEFINE_FINAL_TYPE (PjuHistoryPage, pju_history_page, GTK_TYPE_WIDGET)

typedef struct {
  PjuHistoryPage *page;
  PjmStep *step;
  GtkWidget *row, *lanes, *title, *detail, *tag, *time, *mark, *name, *remove, *entry;
} Row;

static PjmProject *
project_of (PjuHistoryPage *self)
{
  return pju_studio_get_project (self->studio);
}

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

static char *
title_of (PjmStep *step)
{
  g_autofree char *name = pju_get_string (step, "name"), *title = pju_get_string (step, "title");
  return name ? g_strdup_printf ("%s — %s", name, title) : g_steal_pointer (&title);
}

static void
show_step (Row *row)
{
  g_autofree char *title = title_of (row->step), *detail = pju_get_string (row->step, "detail");
  gboolean current = pju_get_boolean (row->step, "current"), deleted = pju_get_boolean (row->step, "deleted");
  gint64 time = 0;

  g_object_get (row->step, "time", &time, NULL);
  g_autofree char *when = pju_format_time (time);
  gtk_label_set_text (GTK_LABEL (row->title), title);
  gtk_label_set_text (GTK_LABEL (row->detail), detail ? detail : "");
  gtk_widget_set_visible (row->detail, detail && *detail);
  gtk_label_set_text (GTK_LABEL (row->time), when);
  gtk_widget_set_visible (row->tag, current);
  (current ? gtk_widget_add_css_class : gtk_widget_remove_css_class) (row->row, "current");
  (deleted ? gtk_widget_add_css_class : gtk_widget_remove_css_class) (row->row, "deleted");
  gtk_widget_queue_draw (row->lanes);
  gtk_button_set_icon_name (GTK_BUTTON (row->remove), deleted ? "edit-undo-symbolic" : "user-trash-symbolic");
  const char *verb = deleted ? _("Bring it back, with what leads to it") : _("Delete this step and what follows it");
  pju_set_tooltip (row->remove, verb);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->remove), GTK_ACCESSIBLE_PROPERTY_LABEL, verb, -1);
  gtk_widget_set_visible (row->remove, pjm_step_get_parent (row->step) != NULL);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row->row), !deleted);
  g_autofree char *label = current ? g_strdup_printf (_("%s, %s, present step"), title, when)
                           : deleted ? g_strdup_printf (_("%s, %s, deleted"), title, when)
                                     : g_strdup_printf ("%s, %s", title, when);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->row), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
}

/* --- hands --- */

static void
show_chosen (PjuHistoryPage *self)
{
  gboolean both = self->marked[0] && self->marked[1];
  g_autofree char *a = self->marked[0] ? title_of (self->marked[0]) : NULL, *b = self->marked[1] ? title_of (self->marked[1]) : NULL;
  g_autofree char *text = both ? g_strdup_printf (_("%s and %s"), a, b) : a ? g_strdup_printf (_("%s and another one"), a) : NULL;
  gtk_label_set_text (GTK_LABEL (self->chosen), text ? text : "");
  gtk_widget_set_sensitive (self->compare, both);
}

static void queue_refill (PjuHistoryPage *self);

/* A third mark takes the place of the oldest one. */
static void
marked_cb (GtkToggleButton *button, Row *row)
{
  PjuHistoryPage *self = row->page;
  gboolean on = gtk_toggle_button_get_active (button);
  gboolean known = self->marked[0] == row->step || self->marked[1] == row->step;
  if (on == known)
    return;
  if (on && !self->marked[0]) {
    self->marked[0] = row->step;
  } else if (on) {
    if (self->marked[1])
      self->marked[0] = self->marked[1];
    self->marked[1] = row->step;
    queue_refill (self);
  } else {
    if (self->marked[0] == row->step)
      self->marked[0] = self->marked[1];
    self->marked[1] = NULL;
  }
  show_chosen (self);
}

static void
compare_cb (PjuHistoryPage *self)
{
  guint at[2];
  if (!self->marked[0] || !self->marked[1])
    return;
  /* The older one stands at the left, whichever was marked first. */
  for (guint k = 0; k < 2; k++)
    if (!g_ptr_array_find (self->shown, self->marked[k], &at[k]))
      return;
  guint first = at[0] > at[1];
  pju_step_diff_show (self->studio, GTK_WIDGET (self), self->marked[first], self->marked[!first]);
}

static guint
index_of (PjuHistoryPage *self, PjmStep *step)
{
  GListModel *steps = pjm_project_get_history (project_of (self));
  guint n = g_list_model_get_n_items (steps);
  for (guint i = 0; i < n; i++) {
    g_autoptr (PjmStep) other = g_list_model_get_item (steps, i);
    if (other == step)
      return i;
  }
  return GTK_INVALID_LIST_POSITION;
}

static void
remove_cb (GtkButton *button, Row *row)
{
  gboolean deleted = pju_get_boolean (row->step, "deleted");
  gtk_widget_activate_action (GTK_WIDGET (row->page), deleted ? "win.restore-step" : "win.delete-step", "u",
                              index_of (row->page, row->step));
}

static void
named_cb (GtkEntry *entry, Row *row)
{
  pjm_project_name_step (project_of (row->page), row->step, gtk_editable_get_text (GTK_EDITABLE (entry)));
  gtk_menu_button_popdown (GTK_MENU_BUTTON (row->name));
}

static void
naming_cb (GtkWidget *popover, Row *row)
{
  g_autofree char *name = pju_get_string (row->step, "name");
  gtk_editable_set_text (GTK_EDITABLE (row->entry), name ? name : "");
  gtk_widget_grab_focus (row->entry);
}

static void
row_activated_cb (PjuHistoryPage *self, GtkListBoxRow *list_row)
{
  Row *row = g_object_get_data (G_OBJECT (list_row), "row");
  pjm_project_go_to (project_of (self), index_of (self, row->step));
}

/* --- rows --- */

static void
draw_lanes (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  Row *row = data;
  PjuPalette palette;
  guint at;
  if (!row->page->lanes || !g_ptr_array_find (row->page->shown, row->step, &at))
    return;
  pju_palette_from_widget (&palette, GTK_WIDGET (area));
  pju_step_lanes_paint (row->page->lanes, at, pju_get_boolean (row->step, "current"), cr, height, &palette);
}

static GtkWidget *
small_button (GtkWidget *button, const char *tooltip)
{
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_add_css_class (button, "circular");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  pju_set_tooltip (button, tooltip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, tooltip, -1);
  return button;
}

static void
make_naming (Row *row)
{
  GtkWidget *popover = gtk_popover_new ();
  row->name = small_button (gtk_menu_button_new (), _("Name this version"));
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (row->name), "document-edit-symbolic");
  pju_set_label (row->name, _("Name this version"));
  row->entry = gtk_entry_new ();
  gtk_entry_set_placeholder_text (GTK_ENTRY (row->entry), _("Name of this version"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->entry), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Name of this version"), -1);
  gtk_editable_set_width_chars (GTK_EDITABLE (row->entry), 26);
  gtk_popover_set_child (GTK_POPOVER (popover), row->entry);
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (row->name), popover);
  g_signal_connect (row->entry, "activate", G_CALLBACK (named_cb), row);
  g_signal_connect (popover, "show", G_CALLBACK (naming_cb), row);
}

static void
row_free (gpointer data)
{
  Row *row = data;
  g_signal_handlers_disconnect_by_data (row->step, row);
  g_object_unref (row->step);
  g_free (row);
}

static GtkWidget *
make_row (PjuHistoryPage *self, PjmStep *step)
{
  Row *row = g_new0 (Row, 1);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);

  row->page = self;
  row->step = g_object_ref (step);
  row->row = gtk_list_box_row_new ();
  row->lanes = gtk_drawing_area_new ();
  gtk_drawing_area_set_content_width (GTK_DRAWING_AREA (row->lanes), PJU_LANE_WIDTH * (int) MIN (8u, pju_step_lanes_n (self->lanes)));
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (row->lanes), draw_lanes, row, NULL);
  row->title = left_label ("step-title");
  row->detail = left_label ("dim-label");
  row->time = gtk_label_new (NULL);
  gtk_widget_add_css_class (row->time, "dim-label");
  gtk_widget_add_css_class (row->time, "numeric");
  row->tag = gtk_label_new (_("Now"));
  gtk_widget_add_css_class (row->tag, "tag");
  gtk_widget_set_valign (row->tag, GTK_ALIGN_CENTER);
  row->mark = small_button (gtk_toggle_button_new (), _("Mark for comparing"));
  gtk_button_set_icon_name (GTK_BUTTON (row->mark), "penjing-compare-symbolic");
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (row->mark), self->marked[0] == step || self->marked[1] == step);
  g_signal_connect (row->mark, "toggled", G_CALLBACK (marked_cb), row);
  row->remove = small_button (gtk_button_new (), "");
  g_signal_connect (row->remove, "clicked", G_CALLBACK (remove_cb), row);
  make_naming (row);
  gtk_widget_set_hexpand (texts, TRUE);
  gtk_widget_set_valign (texts, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (texts, "step-texts");
  /* A box that is asked how narrow it can be where there is height enough gives that height to what expands.  With labels that
   * wrap and do not, it answers more than its least width, which GTK calls a mistake. */
  gtk_widget_set_vexpand (row->title, TRUE);
  gtk_widget_set_vexpand (row->detail, TRUE);
  gtk_widget_set_vexpand (texts, FALSE);
  gtk_box_append (GTK_BOX (texts), row->title);
  gtk_box_append (GTK_BOX (texts), row->detail);
  GtkWidget *parts[] = { row->lanes, texts, row->tag, row->time, row->name, row->mark, row->remove };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    gtk_box_append (GTK_BOX (box), parts[i]);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row->row), box);
  g_object_set_data_full (G_OBJECT (row->row), "row", row, row_free);
  g_signal_connect_swapped (step, "notify", G_CALLBACK (show_step), row);
  show_step (row);
  return row->row;
}

/* All rows anew: a history has tens of steps, and a new branch moves the lanes of all of them. */
static void
refill (PjuHistoryPage *self)
{
  GtkWidget *child;
  if (!self->studio)
    return;
  GListModel *steps = pjm_project_get_history (project_of (self));
  gboolean all = gtk_check_button_get_active (GTK_CHECK_BUTTON (self->deleted));

  while ((child = gtk_widget_get_first_child (self->list)))
    gtk_list_box_remove (GTK_LIST_BOX (self->list), child);
  g_clear_pointer (&self->lanes, pju_step_lanes_free);
  g_ptr_array_set_size (self->shown, 0);
  for (guint i = 0; i < g_list_model_get_n_items (steps); i++) {
    g_autoptr (PjmStep) step = g_list_model_get_item (steps, i);
    g_signal_handlers_disconnect_by_func (step, queue_refill, self);
    g_signal_connect_object (step, "notify::deleted", G_CALLBACK (queue_refill), self, G_CONNECT_SWAPPED);
    if (all || !pju_get_boolean (step, "deleted"))
      g_ptr_array_add (self->shown, g_object_ref (step));
  }
  for (int k = 0; k < 2; k++) {
    guint at;
    if (self->marked[k] && !g_ptr_array_find (self->shown, self->marked[k], &at))
      self->marked[k] = NULL;
  }
  if (!self->marked[0]) {
    self->marked[0] = self->marked[1];
    self->marked[1] = NULL;
  }
  self->lanes = pju_step_lanes_new (self->shown);
  for (guint i = self->shown->len; i-- > 0;)
    gtk_list_box_append (GTK_LIST_BOX (self->list), make_row (self, self->shown->pdata[i]));
  show_chosen (self);
}

/* Rows that nobody sees are made when the page is shown. */
static gboolean
idle_cb (gpointer data)
{
  PjuHistoryPage *self = data;
  self->idle = 0;
  self->stale = !gtk_widget_get_mapped (GTK_WIDGET (self));
  if (!self->stale)
    refill (self);
  return G_SOURCE_REMOVE;
}

static void
queue_refill (PjuHistoryPage *self)
{
  if (self->idle == 0)
    self->idle = g_idle_add_full (G_PRIORITY_HIGH_IDLE, idle_cb, self, NULL);
}

static void
map (GtkWidget *widget)
{
  PjuHistoryPage *self = PJU_HISTORY_PAGE (widget);
  GTK_WIDGET_CLASS (pju_history_page_parent_class)->map (widget);
  if (self->stale)
    queue_refill (self);
}

void
pju_history_page_set_studio (PjuHistoryPage *self, PjuStudio *studio)
{
  GListModel *steps = pjm_project_get_history (pju_studio_get_project (studio));
  self->studio = g_object_ref (studio);
  g_signal_connect_object (steps, "items-changed", G_CALLBACK (queue_refill), self, G_CONNECT_SWAPPED);
  refill (self);
}

static void
dispose (GObject *object)
{
  PjuHistoryPage *self = PJU_HISTORY_PAGE (object);
  g_clear_handle_id (&self->idle, g_source_remove);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->scroll, gtk_widget_unparent);
  g_clear_pointer (&self->lanes, pju_step_lanes_free);
  g_clear_pointer (&self->shown, g_ptr_array_unref);
  G_OBJECT_CLASS (pju_history_page_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuHistoryPage, name)

static void
pju_history_page_class_init (PjuHistoryPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  widget_class->map = map;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/history-page.ui");
  CHILD (scroll); CHILD (list); CHILD (deleted); CHILD (chosen); CHILD (compare);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
  gtk_widget_class_bind_template_callback (widget_class, refill);
  gtk_widget_class_bind_template_callback (widget_class, compare_cb);
}

static void
pju_history_page_init (PjuHistoryPage *self)
{
  self->shown = g_ptr_array_new_with_free_func (g_object_unref);
  gtk_widget_init_template (GTK_WIDGET (self));
}
