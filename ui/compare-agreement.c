/* SPDX-License-Identifier: MIT */
/* Three matrices: overlap of the kept sets, rank correlation of the scores, and the divergence of the output when one layer
 * alone is cut, with the method framed that disturbs it least. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "compare-agreement.h"
#include "compare-columns.h"
#include "format.h"
#include "matrix.h"

struct _PjuCompareAgreement {
  GtkBox parent;
  PjuStudio *studio;
  PjmComparison *comparison;
  GtkWidget *ratio, *overlap, *correlation, *layers, *said;
  GArray *ratios;              /* double */
  gboolean filling;
};

G_DEFINE_FINAL_TYPE (PjuCompareAgreement, pju_compare_agreement, GTK_TYPE_BOX)

static PjmCompareRow *
get_row (PjuCompareAgreement *self, guint i)
{
  return g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
}

static guint
n_rows (PjuCompareAgreement *self)
{
  return self->comparison ? g_list_model_get_n_items (G_LIST_MODEL (self->comparison)) : 0;
}

/* Rows at the chosen ratio whose choice says something. (element-type guint) */
static GArray *
find_choices (PjuCompareAgreement *self, GPtrArray *names)
{
  GArray *choices = g_array_new (FALSE, FALSE, sizeof (guint));
  guint at = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->ratio));
  for (guint i = 0; i < n_rows (self) && at < self->ratios->len; i++) {
    g_autoptr (PjmCompareRow) row = get_row (self, i);
    g_autofree char *title = pju_get_string (row, "title");
    if (pju_get_double (row, "ratio") != g_array_index (self->ratios, double, at) || !pjm_comparison_is_choice (self->comparison, i))
      continue;
    g_array_append_val (choices, i);
    g_ptr_array_add (names, g_strdup (title && *title ? _(title) : ""));
  }
  g_ptr_array_add (names, NULL);
  return choices;
}

static void
show_pairs (PjuCompareAgreement *self, GtkWidget *matrix, GArray *choices, GPtrArray *names,
            double (*measure) (PjmComparison *comparison, guint a, guint b))
{
  const char *const *titles = (const char *const *) names->pdata;
  g_autofree double *values = g_new (double, MAX (choices->len * choices->len, 1u));
  for (guint a = 0; a < choices->len; a++)
    for (guint b = 0; b < choices->len; b++)
      values[a * choices->len + b] = measure (self->comparison, g_array_index (choices, guint, a), g_array_index (choices, guint, b));
  pju_matrix_set (PJU_MATRIX (matrix), titles, titles, values, NULL, NULL);
}

/* The least divergence of a row of the matrix is shaded most. */
static void
show_layers (PjuCompareAgreement *self, GArray *choices, GPtrArray *names)
{
  guint n = pjm_comparison_get_n_layers (self->comparison), n_wins = 0, best_wins = 0, best = 0;
  g_autoptr (GPtrArray) layers = g_ptr_array_new ();
  g_autofree double *values = g_new (double, MAX (n * choices->len, 1u)), *shades = g_new (double, MAX (n * choices->len, 1u));
  g_autofree int *marked = g_new (int, MAX (n, 1u));
  g_autofree guint *wins = g_new0 (guint, MAX (choices->len, 1u));
  for (guint l = 0; l < n; l++) {
    int group;
    double least = INFINITY;
    g_ptr_array_add (layers, (gpointer) pjm_comparison_get_layer (self->comparison, l, &group));
    marked[l] = -1;
    for (guint c = 0; c < choices->len; c++) {
      g_autoptr (PjmCompareRow) row = get_row (self, g_array_index (choices, guint, c));
      double kl = pjm_compare_row_get_layer_kl (row, group);
      values[l * choices->len + c] = kl >= 0 ? kl : NAN;
      if (kl < 0 || kl >= least)
        continue;
      least = kl;
      marked[l] = (int) c;
    }
    for (guint c = 0; c < choices->len; c++)
      shades[l * choices->len + c] = values[l * choices->len + c] > 0 ? .8 * least / values[l * choices->len + c] : 0;
    if (marked[l] >= 0) {
      n_wins++;
      wins[marked[l]]++;
    }
  }
  g_ptr_array_add (layers, NULL);
  pju_matrix_set (PJU_MATRIX (self->layers), (const char *const *) layers->pdata, (const char *const *) names->pdata, values, shades,
                  marked);
  for (guint c = 0; c < choices->len; c++)
    if (wins[c] > best_wins) {
      best_wins = wins[c];
      best = c;
    }
  g_autofree char *text = n_wins > 0
    ? g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s disturbs the output least in %u of %u layer.",
                                    "%s disturbs the output least in %u of %u layers.", n_wins),
                       (char *) names->pdata[best], best_wins, n_wins)
    : g_strdup (_("The layers were not judged one by one."));
  gtk_label_set_text (GTK_LABEL (self->said), text);
}

static void
show (PjuCompareAgreement *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) choices = find_choices (self, names);
  if (!self->comparison)
    return;
  show_pairs (self, self->overlap, choices, names, pjm_comparison_overlap);
  show_pairs (self, self->correlation, choices, names, pjm_comparison_correlation);
  show_layers (self, choices, names);
}

static void
ratio_cb (PjuCompareAgreement *self)
{
  if (!self->filling)
    show (self);
}

static void
fill_ratios (PjuCompareAgreement *self)
{
  g_autoptr (GArray) ratios = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < n_rows (self); i++) {
    g_autoptr (PjmCompareRow) row = get_row (self, i);
    double ratio = pju_get_double (row, "ratio");
    gboolean known = FALSE;
    for (guint r = 0; r < ratios->len; r++)
      known = known || g_array_index (ratios, double, r) == ratio;
    if (!known)
      g_array_append_val (ratios, ratio);
  }
  if (ratios->len == self->ratios->len)
    return;
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  for (guint r = 0; r < ratios->len; r++) {
    g_autofree char *percent = pju_format_percent (g_array_index (ratios, double, r), 0);
    g_autofree char *name = g_strdup_printf (_("Keep %s"), percent);
    gtk_string_list_append (names, name);
  }
  guint selected = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->ratio));
  g_array_unref (self->ratios);
  self->ratios = g_steal_pointer (&ratios);
  self->filling = TRUE;
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->ratio), G_LIST_MODEL (names));
  if (selected < self->ratios->len)
    gtk_drop_down_set_selected (GTK_DROP_DOWN (self->ratio), selected);
  self->filling = FALSE;
}

void
pju_compare_agreement_show (PjuCompareAgreement *self, PjmComparison *comparison)
{
  if (g_set_object (&self->comparison, comparison))
    g_array_set_size (self->ratios, 0);
  fill_ratios (self);
  show (self);
}

/* --- the widget --- */

static void
save_overlap_cb (PjuCompareAgreement *self)
{
  pju_matrix_save (PJU_MATRIX (self->overlap), self->studio, "overlap.svg");
}

static void
save_correlation_cb (PjuCompareAgreement *self)
{
  pju_matrix_save (PJU_MATRIX (self->correlation), self->studio, "rank-correlation.svg");
}

static void
save_layers_cb (PjuCompareAgreement *self)
{
  pju_matrix_save (PJU_MATRIX (self->layers), self->studio, "layers.svg");
}

static void
dispose (GObject *object)
{
  PjuCompareAgreement *self = PJU_COMPARE_AGREEMENT (object);
  g_clear_object (&self->comparison);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->ratios, g_array_unref);
  G_OBJECT_CLASS (pju_compare_agreement_parent_class)->dispose (object);
}

static void
pju_compare_agreement_class_init (PjuCompareAgreementClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
}

/* A matrix in a card with a line that explains it and a button that saves it. */
static GtkWidget *
make_card (PjuCompareAgreement *self, GtkWidget *matrix, GtkWidget *line, const char *save, GCallback save_cb)
{
  GtkWidget *card = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8), *foot = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  gtk_widget_add_css_class (card, "card");
  gtk_widget_add_css_class (card, "padded");
  gtk_widget_set_valign (card, GTK_ALIGN_START);
  gtk_widget_set_hexpand (line, TRUE);
  gtk_label_set_xalign (GTK_LABEL (line), 0);
  gtk_label_set_wrap (GTK_LABEL (line), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (line), 40);
  gtk_widget_add_css_class (line, "dim-label");
  gtk_box_append (GTK_BOX (foot), line);
  gtk_box_append (GTK_BOX (foot), pju_save_button_new (save, save_cb, self));
  gtk_box_append (GTK_BOX (card), matrix);
  gtk_box_append (GTK_BOX (card), foot);
  return card;
}

static void
pju_compare_agreement_init (PjuCompareAgreement *self)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8), *flow = gtk_flow_box_new ();

  self->ratios = g_array_new (FALSE, FALSE, sizeof (double));
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 12);
  self->ratio = gtk_drop_down_new (NULL, NULL);
  pju_set_tooltip (self->ratio, _("Rows of this ratio are compared"));
  pju_set_label (self->ratio, _("Ratio whose rows are compared"));
  g_signal_connect_swapped (self->ratio, "notify::selected", G_CALLBACK (ratio_cb), self);
  gtk_box_append (GTK_BOX (head), pju_heading_new (_("Who agrees with whom")));
  gtk_box_append (GTK_BOX (head), self->ratio);
  self->overlap = pju_matrix_new (_("Overlap of the kept channels"), PJU_MATRIX_PERCENT);
  self->correlation = pju_matrix_new (_("Rank correlation of the importance"), PJU_MATRIX_NUMBER);
  self->layers = pju_matrix_new (_("Damage of each layer’s cut alone"), PJU_MATRIX_THOUSANDTHS);
  self->said = gtk_label_new (NULL);
  gtk_flow_box_set_selection_mode (GTK_FLOW_BOX (flow), GTK_SELECTION_NONE);
  gtk_flow_box_set_max_children_per_line (GTK_FLOW_BOX (flow), 3);
  gtk_flow_box_set_column_spacing (GTK_FLOW_BOX (flow), 12);
  gtk_flow_box_set_row_spacing (GTK_FLOW_BOX (flow), 12);
  gtk_flow_box_append (GTK_FLOW_BOX (flow), make_card (self, self->overlap,
    gtk_label_new (_("Channels kept by both among those kept by either, over all layers and the mean over the seeds.")),
    _("Save the overlap matrix"), G_CALLBACK (save_overlap_cb)));
  gtk_flow_box_append (GTK_FLOW_BOX (flow), make_card (self, self->correlation,
    gtk_label_new (_("Spearman’s correlation: 1 the same order, 0 nothing in common, −1 the opposite; mean over the layers.")),
    _("Save the matrix of rank correlations"), G_CALLBACK (save_correlation_cb)));
  GtkWidget *layers = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0), *explained;
  explained = gtk_label_new (_("KL divergence of the output in thousandths of a nat when this layer alone is cut; the frame marks the winner."));
  gtk_label_set_xalign (GTK_LABEL (self->said), 0);
  gtk_label_set_wrap (GTK_LABEL (self->said), TRUE);
  gtk_box_append (GTK_BOX (layers), self->said);
  GtkWidget *card = make_card (self, self->layers, explained, _("Save the matrix of layers"), G_CALLBACK (save_layers_cb));
  gtk_box_insert_child_after (GTK_BOX (card), layers, self->layers);
  gtk_flow_box_append (GTK_FLOW_BOX (flow), card);
  gtk_box_append (GTK_BOX (self), head);
  gtk_box_append (GTK_BOX (self), flow);
}

GtkWidget *
pju_compare_agreement_new (PjuStudio *studio)
{
  PjuCompareAgreement *self = g_object_new (PJU_TYPE_COMPARE_AGREEMENT, NULL);
  self->studio = g_object_ref (studio);
  return GTK_WIDGET (self);
}
