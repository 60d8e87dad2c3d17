/* SPDX-License-Identifier: MIT */
/* Only the fields of the chosen way are shown. */
#include <glib/gi18n-lib.h>

#include "setting-form.h"
#include "tune-form.h"

/* Lines of the form. */
enum { EPOCHS, EPOCHS_B, LR, TEACHER, WEIGHT, TEMPERATURE, BATCH, STEPS, N_LINES };

static const struct { PjmTuneKind kind; const char *title, *about, *source; guint lines; } ways[] = {
  { PJM_TUNE_NOT, N_("No training"), N_("The network stays as the cut leaves it."), NULL, 0 },
  { PJM_TUNE_PLAIN, N_("On the labels"),
    N_("Trains on the labels of the training part, as the network was trained at first. The step size falls along a cosine to zero."),
    NULL, 1 << EPOCHS | 1 << LR | 1 << BATCH | 1 << STEPS },
  { PJM_TUNE_DISTILL, N_("With a teacher"),
    N_("Trains on the labels and on the answers of a larger network. How sure the teacher is of the other classes helps the smaller one."),
    "Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, 2015",
    1 << EPOCHS | 1 << LR | 1 << TEACHER | 1 << WEIGHT | 1 << TEMPERATURE | 1 << BATCH | 1 << STEPS },
  { PJM_TUNE_CURL, N_("CURL, two stages"),
    N_("First imitates a teacher on mixed pictures, then refines the label of every picture of an expanded data set. Made for few training pictures."),
    "Luo, Wu: Neural Network Pruning with Residual-Connections and Limited-Data, CVPR 2020",
    1 << EPOCHS | 1 << EPOCHS_B | 1 << LR | 1 << TEACHER | 1 << STEPS },
};

struct _PjuTuneForm {
  GtkWidget parent;
  GtkWidget *box, *way, *about, *source, *grid, *fields[N_LINES];
  PjuStudio *studio;
  GArray *teachers;                /* guint: index in the history */
  gboolean follows;
};

G_DEFINE_FINAL_TYPE (PjuTuneForm, pju_tune_form, GTK_TYPE_WIDGET)

enum { CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static guint
chosen_way (PjuTuneForm *self)
{
  guint first = self->follows ? 0 : 1;
  return MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (self->way)) + first, (guint) G_N_ELEMENTS (ways) - 1);
}

static double
number (PjuTuneForm *self, int line)
{
  return gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->fields[line]));
}

static void
changed_cb (PjuTuneForm *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

/* A line is shown with its label. */
static void
show_line (PjuTuneForm *self, int line, gboolean visible)
{
  gtk_widget_set_visible (self->fields[line], visible);
  gtk_widget_set_visible (gtk_grid_get_child_at (GTK_GRID (self->grid), 0, line), visible);
}

static void
way_cb (PjuTuneForm *self)
{
  guint way = chosen_way (self);
  gboolean curl = ways[way].kind == PJM_TUNE_CURL;
  gtk_label_set_text (GTK_LABEL (self->about), _(ways[way].about));
  gtk_label_set_text (GTK_LABEL (self->source), ways[way].source ? ways[way].source : "");
  gtk_widget_set_visible (self->source, ways[way].source != NULL);
  for (int line = 0; line < N_LINES; line++)
    show_line (self, line, (ways[way].lines & 1u << line) && !(line == TEACHER && self->follows));
  gtk_widget_set_visible (self->grid, ways[way].lines != 0);
  gtk_label_set_text (GTK_LABEL (gtk_grid_get_child_at (GTK_GRID (self->grid), 0, EPOCHS)),
                      curl ? _("Epochs of mixup and distillation") : _("Epochs"));
  gtk_spin_button_set_range (GTK_SPIN_BUTTON (self->fields[EPOCHS]), curl ? 0 : 1, 500);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (self->fields[EPOCHS]), curl ? 10 : 1);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (self->fields[LR]), curl ? .01 : .02);
  changed_cb (self);
}

void
pju_tune_form_refresh (PjuTuneForm *self)
{
  GListModel *history = pjm_project_get_history (pju_studio_get_project (self->studio));
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  g_array_set_size (self->teachers, 0);
  for (guint i = 0; i < g_list_model_get_n_items (history); i++) {
    g_autoptr (PjmStep) step = g_list_model_get_item (history, i);
    g_autofree char *title = pju_get_string (step, "title"), *name = pju_get_string (step, "name");
    if (!pjm_step_has_network (step) || pju_get_boolean (step, "deleted"))
      continue;
    g_autofree char *text = name ? g_strdup (name) : g_strdup_printf ("%u  %s", i + 1, title);
    gtk_string_list_append (titles, text);
    g_array_append_val (self->teachers, i);
  }
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->fields[TEACHER]), G_LIST_MODEL (titles));
}

void
pju_tune_form_get (PjuTuneForm *self, PjmTuneOptions *options)
{
  guint teacher = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->fields[TEACHER]));
  pjm_tune_options_init (options);
  options->kind = ways[chosen_way (self)].kind;
  options->epochs = (guint) number (self, EPOCHS);
  options->epochs_b = (guint) number (self, EPOCHS_B);
  options->lr = number (self, LR);
  options->batch = (guint) number (self, BATCH);
  options->max_steps = (guint) number (self, STEPS);
  options->distill = number (self, WEIGHT) / 100;
  options->temperature = number (self, TEMPERATURE);
  options->teacher = teacher < self->teachers->len ? g_array_index (self->teachers, guint, teacher) : 0;
}

gboolean
pju_tune_form_is_asked (PjuTuneForm *self)
{
  PjmTuneOptions options;
  pju_tune_form_get (self, &options);
  return options.kind != PJM_TUNE_NOT && (options.epochs > 0 || (options.kind == PJM_TUNE_CURL && options.epochs_b > 0));
}

static void
dispose (GObject *object)
{
  PjuTuneForm *self = PJU_TUNE_FORM (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_pointer (&self->teachers, g_array_unref);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_tune_form_parent_class)->dispose (object);
}

static void
pju_tune_form_class_init (PjuTuneFormClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
  signals[CHANGED] = g_signal_new ("changed", PJU_TYPE_TUNE_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
text_label (const char *css)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  /* The same at least and at most: a popover asks how high it is at the width that it would like. */
  gtk_label_set_width_chars (GTK_LABEL (label), 34);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 34);
  gtk_widget_add_css_class (label, css);
  return label;
}

static void
add_fields (PjuTuneForm *self)
{
  static const struct { const char *text, *tip; double value, least, most, step; guint digits; } lines[N_LINES] = {
    [EPOCHS] = { N_("Epochs"), N_("How often every training picture is seen"), 1, 1, 500, 1, 0 },
    [EPOCHS_B] = { N_("Epochs of label refinement"),
                   N_("Stage B: every picture is seen in several altered forms, and its label follows the network"), 2, 0, 500, 1, 0 },
    [LR] = { N_("Learning rate"), N_("The first step size; it falls along a cosine to zero"), .02, .0001, 1, .005, 4 },
    [WEIGHT] = { N_("Weight of the teacher, percent"), N_("The rest is the weight of the labels"), 50, 1, 100, 5, 0 },
    [TEMPERATURE] = { N_("Temperature"), N_("Higher softens the answers of the teacher: the unlikely classes count more"), 2, 1, 20, .5, 1 },
    [BATCH] = { N_("Pictures per step"), N_("More need more memory and give a steadier direction"), 64, 2, 1024, 16, 0 },
    [STEPS] = { N_("At most so many steps"), N_("0: whole epochs"), 0, 0, 1e6, 50, 0 },
  };
  for (int line = 0; line < N_LINES; line++) {
    gboolean list = line == TEACHER;
    self->fields[line] = list ? pju_form_list (NULL, 0)
                              : pju_form_spin (lines[line].value, lines[line].least, lines[line].most, lines[line].step, lines[line].digits);
    if (line == STEPS)
      pju_form_name_zero (self->fields[line], _("No limit"));
    pju_form_add (self->grid, line, list ? _("Teacher") : _(lines[line].text), self->fields[line],
                  list ? _("The step of the history whose network is imitated; the first one is the network as it was opened") : _(lines[line].tip));
    g_signal_connect_object (self->fields[line], list ? "notify::selected" : "value-changed", G_CALLBACK (changed_cb), self,
                             G_CONNECT_SWAPPED);
  }
}

static void
pju_tune_form_init (PjuTuneForm *self)
{
  self->teachers = g_array_new (FALSE, FALSE, sizeof (guint));
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);
  self->about = text_label ("choice-about");
  self->source = text_label ("choice-source");
  self->grid = pju_form_new ();
  add_fields (self);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
pju_tune_form_new (PjuStudio *studio, gboolean follows)
{
  PjuTuneForm *self = g_object_new (PJU_TYPE_TUNE_FORM, NULL);
  guint first = follows ? 0 : 1, n = G_N_ELEMENTS (ways) - first;
  PjmChoice rows[G_N_ELEMENTS (ways)] = { 0 };

  self->studio = g_object_ref (studio);
  self->follows = follows;
  for (guint i = 0; i < n; i++)
    rows[i].title = _(ways[first + i].title);
  self->way = pju_form_list (rows, n);
  gtk_widget_set_halign (self->way, GTK_ALIGN_FILL);
  pju_set_label (self->way, _("How it is trained"));
  gtk_box_append (GTK_BOX (self->box), self->way);
  gtk_box_append (GTK_BOX (self->box), self->about);
  gtk_box_append (GTK_BOX (self->box), self->source);
  gtk_box_append (GTK_BOX (self->box), self->grid);
  pju_tune_form_refresh (self);
  g_signal_connect_object (self->way, "notify::selected", G_CALLBACK (way_cb), self, G_CONNECT_SWAPPED);
  way_cb (self);
  return GTK_WIDGET (self);
}
