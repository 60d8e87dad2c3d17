/* SPDX-License-Identifier: MIT */
/* One row per choice: a check mark (round where only one can be chosen), the name, two sentences in plain
 * words, and where the method comes from.  Rows come from the registry, so a new method shows up here
 * by itself. */
#include <glib/gi18n-lib.h>

#include "choice-list.h"

struct _PjuChoiceList {
  GtkWidget parent;
  GtkWidget *box;
  gboolean multiple;
  GPtrArray *checks;               /* GtkCheckButton, not owned */
  GPtrArray *names;                /* static strings of the registry */
};

G_DEFINE_FINAL_TYPE (PjuChoiceList, pju_choice_list, GTK_TYPE_WIDGET)

enum { CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
toggled_cb (PjuChoiceList *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

static GtkWidget *
text_label (const char *text, const char *css)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_width_chars (GTK_LABEL (label), 44);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 44);
  if (css)
    gtk_widget_add_css_class (label, css);
  return label;
}

static GtkWidget *
make_row (PjuChoiceList *self, const PjmChoice *choice)
{
  GtkWidget *check = gtk_check_button_new (), *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  const char *title = choice->title;

  if (!self->multiple && self->checks->len > 0)
    gtk_check_button_set_group (GTK_CHECK_BUTTON (check), self->checks->pdata[0]);
  gtk_box_append (GTK_BOX (texts), text_label (title, "choice-title"));
  if (choice->about && *choice->about)
    gtk_box_append (GTK_BOX (texts), text_label (choice->about, "choice-about"));
  if (choice->source && *choice->source)
    gtk_box_append (GTK_BOX (texts), text_label (choice->source, "choice-source"));
  gtk_widget_set_margin_start (texts, 6);
  /* The mark stands beside the name, not beside the middle of the text. */
  gtk_widget_set_valign (gtk_widget_get_first_child (check), GTK_ALIGN_START);
  gtk_check_button_set_child (GTK_CHECK_BUTTON (check), texts);
  gtk_accessible_update_property (GTK_ACCESSIBLE (check), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  gtk_widget_add_css_class (check, "choice");
  g_signal_connect_swapped (check, "toggled", G_CALLBACK (toggled_cb), self);
  g_ptr_array_add (self->checks, check);
  g_ptr_array_add (self->names, (gpointer) choice->name);
  return check;
}

void
pju_choice_list_set (PjuChoiceList *self, const PjmChoice *choices, guint n)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (self->box)))
    gtk_box_remove (GTK_BOX (self->box), child);
  g_ptr_array_set_size (self->checks, 0);
  g_ptr_array_set_size (self->names, 0);
  for (guint i = 0; i < n; i++)
    gtk_box_append (GTK_BOX (self->box), make_row (self, &choices[i]));
}

void
pju_choice_list_set_methods (PjuChoiceList *self, PjmProject *project)
{
  guint n, n_rows = 0;
  const PjmChoice *methods = pjm_project_get_methods (project, &n);
  g_autofree PjmChoice *rows = g_new (PjmChoice, n);

  /* A control that trains from scratch can be compared with; there is nothing of it to see in the network at hand. */
  for (int rank = 0; rank < 3; rank++) {
    for (guint i = 0; i < n; i++) {
      gboolean is_baseline = methods[i].is_control || g_str_equal (methods[i].name, "random")
                             || g_str_equal (methods[i].name, "uniform-thin");
      int own = is_baseline ? 2 : methods[i].is_criterion ? 1 : 0;
      if (own == rank && (self->multiple || !methods[i].is_control))
        rows[n_rows++] = methods[i];
    }
  }
  pju_choice_list_set (self, rows, n_rows);
}

void
pju_choice_list_select (PjuChoiceList *self, const char *name, gboolean selected)
{
  for (guint i = 0; i < self->names->len; i++) {
    if (g_strcmp0 (self->names->pdata[i], name) == 0)
      gtk_check_button_set_active (self->checks->pdata[i], selected);
  }
}

GPtrArray *
pju_choice_list_get (PjuChoiceList *self)
{
  GPtrArray *names = g_ptr_array_new ();
  for (guint i = 0; i < self->checks->len; i++) {
    if (gtk_check_button_get_active (self->checks->pdata[i]))
      g_ptr_array_add (names, self->names->pdata[i]);
  }
  return names;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PJU_CHOICE_LIST (object)->multiple = g_value_get_boolean (value);
}

static void
dispose (GObject *object)
{
  PjuChoiceList *self = PJU_CHOICE_LIST (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_pointer (&self->checks, g_ptr_array_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  G_OBJECT_CLASS (pju_choice_list_parent_class)->dispose (object);
}

static void
pju_choice_list_class_init (PjuChoiceListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->set_property = set_property;
  object_class->dispose = dispose;
  g_object_class_install_property (object_class, 1,
    g_param_spec_boolean ("multiple", NULL, NULL, FALSE,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
  signals[CHANGED] = g_signal_new ("changed", PJU_TYPE_CHOICE_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_GROUP);
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (klass), "choicelist");
}

static void
pju_choice_list_init (PjuChoiceList *self)
{
  self->checks = g_ptr_array_new ();
  self->names = g_ptr_array_new ();
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}
