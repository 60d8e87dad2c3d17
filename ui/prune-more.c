/* SPDX-License-Identifier: MIT */
/* One line each, its list or field at the end; a list is followed by what its entry means. */
#include <glib/gi18n-lib.h>

#include "prune-more.h"
#include "setting-form.h"

/* A list with the meaning of what is chosen below it.  @rows: the first one is the usual */
typedef struct {
  GtkWidget *list, *about;
  const PjmChoice *rows;
  guint n;
} Words;

struct _PjuPruneMore {
  GtkWidget parent;
  GtkWidget *box, *grid, *floor, *multiple, *blocks, *images, *seed, *mends;
  Words tied, widths, constants;
  int n_lines;
};

G_DEFINE_FINAL_TYPE (PjuPruneMore, pju_prune_more, GTK_TYPE_WIDGET)

enum { CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* Tiled kernels like 8 or 16. */
static const int multiples[] = { 1, 2, 4, 8, 16, 32, 64, PJM_ROUND_AMC };

/* --- lines --- */

static void
changed_cb (PjuPruneMore *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
show_line (PjuPruneMore *self, GtkWidget *control, gboolean visible)
{
  int column, row;
  gtk_grid_query_child (GTK_GRID (self->grid), control, &column, &row, NULL, NULL);
  gtk_widget_set_visible (control, visible);
  gtk_widget_set_visible (gtk_grid_get_child_at (GTK_GRID (self->grid), 0, row), visible);
}

static guint
chosen_of (GtkWidget *list, guint n)
{
  return MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (list)), n - 1);
}

/* NULL for the usual. */
static const char *
word_of (const Words *words)
{
  guint chosen = chosen_of (words->list, words->n);
  return chosen > 0 ? words->rows[chosen].name : NULL;
}

static void
show_abouts (PjuPruneMore *self)
{
  const Words *const all[] = { &self->tied, &self->widths, &self->constants };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    gtk_label_set_text (GTK_LABEL (all[i]->about), all[i]->rows[chosen_of (all[i]->list, all[i]->n)].about);
}

static void
word_cb (PjuPruneMore *self)
{
  show_abouts (self);
  changed_cb (self);
}

static GtkWidget *
add_spin (PjuPruneMore *self, const char *text, const char *tip, double value, double most, double step)
{
  GtkWidget *spin = pju_form_spin (value, 0, most, step, 0);
  pju_form_add (self->grid, self->n_lines++, text, spin, tip);
  g_signal_connect_object (spin, "value-changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  return spin;
}

static void
add_words (PjuPruneMore *self, Words *words, const char *text, const char *tip)
{
  words->list = pju_form_list (words->rows, words->n);
  words->about = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (words->about), TRUE);
  gtk_label_set_xalign (GTK_LABEL (words->about), 0);
  gtk_label_set_max_width_chars (GTK_LABEL (words->about), 46);
  gtk_widget_add_css_class (words->about, "form-about");
  pju_form_add (self->grid, self->n_lines++, text, words->list, tip);
  gtk_grid_attach (GTK_GRID (self->grid), words->about, 0, self->n_lines++, 2, 1);
  g_signal_connect_object (words->list, "notify::selected", G_CALLBACK (word_cb), self, G_CONNECT_SWAPPED);
}

static void
add_multiple (PjuPruneMore *self)
{
  PjmChoice rows[G_N_ELEMENTS (multiples)] = { 0 };
  char *titles[G_N_ELEMENTS (multiples)];
  for (guint i = 0; i < G_N_ELEMENTS (multiples); i++) {
    titles[i] = multiples[i] == PJM_ROUND_AMC ? g_strdup (_("AMC’s rule")) : multiples[i] == 1 ? g_strdup (_("Do not round"))
                                              : g_strdup_printf (_("Multiples of %d"), multiples[i]);
    rows[i].title = titles[i];
  }
  self->multiple = pju_form_list (rows, G_N_ELEMENTS (multiples));
  for (guint i = 0; i < G_N_ELEMENTS (multiples); i++)
    g_free (titles[i]);
  pju_form_add (self->grid, self->n_lines++, _("Round kept channels up"), self->multiple,
                _("Kernels of graphics cards like multiples of 8 or 16. AMC’s rule takes the nearest whole number first, then "
                  "a multiple of 8."));
  g_signal_connect_object (self->multiple, "notify::selected", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
}

/* --- the form --- */

void
pju_prune_more_show (PjuPruneMore *self, gboolean budget, gboolean mends)
{
  show_line (self, self->floor, budget);
  gtk_widget_set_visible (self->mends, mends);
}

void
pju_prune_more_get (PjuPruneMore *self, PjmPruneOptions *options)
{
  options->floor = gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->floor)) / 100;
  options->multiple = multiples[chosen_of (self->multiple, G_N_ELEMENTS (multiples))];
  options->drop_blocks = (guint) gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->blocks));
  options->tied = word_of (&self->tied);
  options->widths = word_of (&self->widths);
  options->constants = word_of (&self->constants);
  options->n_images = (guint) gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->images));
  options->seed = (guint64) gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->seed));
  options->mends = gtk_check_button_get_active (GTK_CHECK_BUTTON (self->mends));
}

static void
fill (PjuPruneMore *self, PjmProject *project)
{
  guint n_blocks = pjm_project_count_blocks (project);
  self->tied.rows = pjm_project_get_tied (project, &self->tied.n);
  self->widths.rows = pjm_project_get_widths (project, &self->widths.n);
  self->constants.rows = pjm_project_get_constants (project, &self->constants.n);

  self->floor = add_spin (self, _("Smallest share of a layer, percent"),
                          _("Under a budget no layer keeps less; 0 leaves at least one channel"), 0, 100, 5);
  add_multiple (self);
  self->blocks = add_spin (self, _("Residual blocks that go whole first"),
                           _("Each block is left out in turn; those that the answers miss least go, and their shortcuts stay"),
                           0, n_blocks, 1);
  show_line (self, self->blocks, n_blocks > 0);
  pju_form_name_zero (self->blocks, _("None"));
  add_words (self, &self->tied, _("Layers that are cut together"), _("How their scores are joined into one"));
  add_words (self, &self->widths, _("Widths of residual stages"), _("Which of them are cut"));
  add_words (self, &self->constants, _("What removed channels always add"),
             _("Behind a norm, even a channel that is always off adds the same number to the next layer"));
  self->images = add_spin (self, _("Pictures to judge by"),
                           _("Training pictures that channels are measured on; 0 takes the method’s own number"), 0, 1e6, 64);
  pju_form_name_zero (self->images, _("The method’s own"));
  self->seed = add_spin (self, _("Seed"), _("Of everything that is drawn by lot; the same seed gives the same choice"), 1, 1e6, 1);
  show_abouts (self);
}

static void
dispose (GObject *object)
{
  g_clear_pointer (&PJU_PRUNE_MORE (object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_prune_more_parent_class)->dispose (object);
}

static void
pju_prune_more_class_init (PjuPruneMoreClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
  signals[CHANGED] = g_signal_new ("changed", PJU_TYPE_PRUNE_MORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
pju_prune_more_init (PjuPruneMore *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);
  self->grid = pju_form_new ();
  self->mends = gtk_check_button_new_with_label (_("Make up for what goes with least squares"));
  pju_set_tooltip (self->mends, _("Factors or weights of the next layer are fitted again, so that it computes nearly what it did"));
  gtk_check_button_set_active (GTK_CHECK_BUTTON (self->mends), TRUE);
  g_signal_connect_object (self->mends, "toggled", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self->box), self->grid);
  gtk_box_append (GTK_BOX (self->box), self->mends);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
pju_prune_more_new (PjmProject *project)
{
  PjuPruneMore *self = g_object_new (PJU_TYPE_PRUNE_MORE, NULL);
  fill (self, project);
  return GTK_WIDGET (self);
}
