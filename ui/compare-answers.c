/* SPDX-License-Identifier: MIT */
/* The classes as bars at the left, the wall of pictures at the right.  Pictures are decoded on another thread, a page of them
 * at a time; a newer request cancels the one before. */
#include <glib/gi18n-lib.h>

#include "class-bars.h"
#include "compare-answers.h"
#include "compare-columns.h"

#define PAGE 48
#define SIZE 64

struct _PjuCompareAnswers {
  GtkBox parent;
  PjuStudio *studio;
  PjmComparison *comparison;
  guint row, seeds;
  GtkWidget *title, *counts, *bars, *which, *wall, *more, *trouble;
  GArray *changed;             /* PjmChangedAnswer: those that are shown */
  guint n_shown;
  GCancellable *loading;
};

G_DEFINE_FINAL_TYPE (PjuCompareAnswers, pju_compare_answers, GTK_TYPE_BOX)

enum { ALL, LOST, WON };

/* --- the wall --- */

static GtkWidget *
make_picture (GBytes *pixels, const PjmChangedAnswer *answer)
{
  GtkWidget *tile = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3), *image, *label;
  g_autoptr (GdkTexture) texture = gdk_memory_texture_new (SIZE, SIZE, GDK_MEMORY_R8G8B8, pixels, 3 * SIZE);
  /* Translators: what a picture is taken for: before and now */
  g_autofree char *text = g_strdup_printf (_("%s → %s"), answer->before, answer->now);
  g_autofree char *tip = g_strdup_printf (_("Test picture %u is “%s”. The uncut network said “%s”, this one says “%s”."), answer->picture,
                                          answer->label, answer->before, answer->now);
  image = gtk_picture_new_for_paintable (GDK_PAINTABLE (texture));
  gtk_widget_set_size_request (image, SIZE, SIZE);
  gtk_picture_set_can_shrink (GTK_PICTURE (image), FALSE);
  gtk_widget_set_halign (image, GTK_ALIGN_CENTER);
  gtk_picture_set_alternative_text (GTK_PICTURE (image), tip);
  label = gtk_label_new (text);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_justify (GTK_LABEL (label), GTK_JUSTIFY_CENTER);
  gtk_label_set_width_chars (GTK_LABEL (label), 14);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 14);
  gtk_widget_add_css_class (label, "caption");
  gtk_widget_add_css_class (tile, "answer");
  gtk_widget_add_css_class (tile, answer->was_right ? "lost" : answer->is_right ? "won" : "other");
  pju_set_tooltip (tile, tip);
  gtk_box_append (GTK_BOX (tile), image);
  gtk_box_append (GTK_BOX (tile), label);
  return tile;
}

static void
show_more (PjuCompareAnswers *self)
{
  guint left = self->changed->len - self->n_shown;
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "Show More (%u Is Left)", "Show More (%u Are Left)", left), left);
  gtk_button_set_label (GTK_BUTTON (self->more), text);
  gtk_widget_set_visible (self->more, left > 0);
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (PjuCompareAnswers) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) pictures = pjm_project_load_pictures_finish (PJM_PROJECT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->loading);
  gtk_widget_set_visible (self->trouble, error != NULL);
  if (error) {
    gtk_label_set_text (GTK_LABEL (self->trouble), error->message);
    gtk_widget_set_visible (self->more, FALSE);
    return;
  }
  for (guint i = 0; i < pictures->len; i++)
    gtk_flow_box_append (GTK_FLOW_BOX (self->wall),
                         make_picture (pictures->pdata[i], &g_array_index (self->changed, PjmChangedAnswer, self->n_shown + i)));
  self->n_shown += pictures->len;
  show_more (self);
}

static void
load_more (PjuCompareAnswers *self)
{
  guint pictures[PAGE], n = MIN (self->changed->len - self->n_shown, PAGE);
  if (self->loading || n == 0)
    return;
  for (guint i = 0; i < n; i++)
    pictures[i] = g_array_index (self->changed, PjmChangedAnswer, self->n_shown + i).picture;
  self->loading = g_cancellable_new ();
  pjm_project_load_pictures_async (pju_studio_get_project (self->studio), pictures, n, SIZE, self->loading, loaded_cb,
                                   g_object_ref (self));
}

static void
clear_wall (PjuCompareAnswers *self)
{
  GtkWidget *child;
  if (self->loading)
    g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  while ((child = gtk_widget_get_first_child (self->wall)))
    gtk_flow_box_remove (GTK_FLOW_BOX (self->wall), child);
  self->n_shown = 0;
  gtk_widget_set_visible (self->more, FALSE);
  gtk_widget_set_visible (self->trouble, FALSE);
}

static void
fill_wall (PjuCompareAnswers *self)
{
  guint which = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->which));
  g_autoptr (GArray) all = pjm_comparison_get_changed (self->comparison, self->row);
  guint lost = 0, won = 0;

  clear_wall (self);
  g_array_set_size (self->changed, 0);
  for (guint i = 0; i < all->len; i++) {
    const PjmChangedAnswer *answer = &g_array_index (all, PjmChangedAnswer, i);
    lost += answer->was_right;
    won += answer->is_right;
    if (which == ALL || (which == LOST && answer->was_right) || (which == WON && answer->is_right))
      g_array_append_val (self->changed, *answer);
  }
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
    "%u of %u answers changed: %u newly wrong, %u newly right", "%u of %u answers changed: %u newly wrong, %u newly right",
    all->len), all->len, pju_get_uint (self->comparison, "n-test"), lost, won);
  gtk_label_set_text (GTK_LABEL (self->counts), text);
  load_more (self);
}

void
pju_compare_answers_show (PjuCompareAnswers *self, PjmComparison *comparison, guint i)
{
  if (!comparison || i >= g_list_model_get_n_items (G_LIST_MODEL (comparison)))
    return;
  g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (comparison), i);
  /* Further seeds change nothing here: the wall stays where a person has scrolled it. */
  if (!g_set_object (&self->comparison, comparison) && self->row == i && self->seeds > 0)
    return;
  self->row = i;
  self->seeds = pju_get_uint (row, "seeds");
  g_autofree char *title = pju_compare_row_title (row);
  g_autofree char *of_classes = g_strdup_printf (_("Accuracy of each class: uncut (ring) and %s"), title);
  g_autoptr (GArray) classes = pjm_comparison_get_classes (comparison, i);
  gtk_label_set_text (GTK_LABEL (self->title), title);
  pju_class_bars_set (PJU_CLASS_BARS (self->bars), of_classes, classes);
  fill_wall (self);
  if (classes->len == 0)
    gtk_label_set_text (GTK_LABEL (self->counts), _("The answers of this row are not stored."));
}

static void
which_cb (PjuCompareAnswers *self)
{
  if (self->comparison)
    fill_wall (self);
}

static void
save_cb (PjuCompareAnswers *self)
{
  pju_class_bars_save (PJU_CLASS_BARS (self->bars), self->studio, "classes.svg");
}

/* --- the widget --- */

static void
dispose (GObject *object)
{
  PjuCompareAnswers *self = PJU_COMPARE_ANSWERS (object);
  if (self->loading)
    g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  g_clear_object (&self->comparison);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->changed, g_array_unref);
  G_OBJECT_CLASS (pju_compare_answers_parent_class)->dispose (object);
}

static void
pju_compare_answers_class_init (PjuCompareAnswersClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
}

static GtkWidget *
make_scroller (GtkWidget *child)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), child);
  gtk_widget_set_vexpand (scroller, TRUE);
  return scroller;
}

static GtkWidget *
make_card (GtkWidget *head, GtkWidget *line, GtkWidget *body)
{
  GtkWidget *card = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);
  gtk_widget_add_css_class (card, "card");
  gtk_widget_add_css_class (card, "padded");
  gtk_box_append (GTK_BOX (card), head);
  if (line)
    gtk_box_append (GTK_BOX (card), line);
  gtk_box_append (GTK_BOX (card), make_scroller (body));
  return card;
}

static GtkWidget *
make_wall (PjuCompareAnswers *self)
{
  const char *const names[] = { _("All that changed"), _("Newly wrong"), _("Newly right"), NULL };
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8), *body = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *right = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);

  self->which = gtk_drop_down_new_from_strings (names);
  pju_set_tooltip (self->which, _("Which pictures the wall shows"));
  pju_set_label (self->which, _("Which pictures the wall shows"));
  g_signal_connect_swapped (self->which, "notify::selected", G_CALLBACK (which_cb), self);
  gtk_box_append (GTK_BOX (head), pju_heading_new (_("Pictures whose answer changed")));
  gtk_box_append (GTK_BOX (head), self->which);
  self->counts = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->counts), 0);
  gtk_widget_add_css_class (self->counts, "dim-label");
  self->trouble = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->trouble), TRUE);
  gtk_label_set_xalign (GTK_LABEL (self->trouble), 0);
  self->wall = gtk_flow_box_new ();
  gtk_flow_box_set_selection_mode (GTK_FLOW_BOX (self->wall), GTK_SELECTION_NONE);
  gtk_flow_box_set_max_children_per_line (GTK_FLOW_BOX (self->wall), 12);
  gtk_flow_box_set_homogeneous (GTK_FLOW_BOX (self->wall), TRUE);
  gtk_widget_set_valign (self->wall, GTK_ALIGN_START);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->wall), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Pictures whose answer changed"), -1);
  self->more = gtk_button_new_with_label ("");
  gtk_widget_set_halign (self->more, GTK_ALIGN_CENTER);
  g_signal_connect_swapped (self->more, "clicked", G_CALLBACK (load_more), self);
  gtk_box_append (GTK_BOX (body), self->trouble);
  gtk_box_append (GTK_BOX (body), self->wall);
  gtk_box_append (GTK_BOX (body), self->more);
  gtk_box_append (GTK_BOX (right), self->counts);
  return make_card (head, right, body);
}

static void
pju_compare_answers_init (PjuCompareAnswers *self)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8), *left, *wall;

  self->changed = g_array_new (FALSE, FALSE, sizeof (PjmChangedAnswer));
  gtk_box_set_spacing (GTK_BOX (self), 12);
  self->title = pju_heading_new (NULL);
  self->bars = pju_class_bars_new ();
  gtk_box_append (GTK_BOX (head), self->title);
  gtk_box_append (GTK_BOX (head), pju_save_button_new (_("Save the accuracy of the classes"), G_CALLBACK (save_cb), self));
  left = make_card (head, NULL, self->bars);
  wall = make_wall (self);
  gtk_widget_set_hexpand (wall, TRUE);
  gtk_widget_set_size_request (left, 400, -1);
  gtk_box_append (GTK_BOX (self), left);
  gtk_box_append (GTK_BOX (self), wall);
}

GtkWidget *
pju_compare_answers_new (PjuStudio *studio)
{
  PjuCompareAnswers *self = g_object_new (PJU_TYPE_COMPARE_ANSWERS, NULL);
  self->studio = g_object_ref (studio);
  return GTK_WIDGET (self);
}
