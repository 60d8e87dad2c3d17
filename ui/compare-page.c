/* SPDX-License-Identifier: MIT */
/* The table first, the pictures under it: accuracy against cost for all rows, and for two chosen rows the
 * channels that each keeps in one layer.  A method has one colour and one marker in all of them.  Rows are
 * chosen in the table: with one row selected it is set against the row before it. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "channel-map.h"
#include "chart-view.h"
#include "choice-list.h"
#include "compare-columns.h"
#include "compare-page.h"
#include "empty-page.h"
#include "format.h"
#include "save.h"

struct _PjuComparePage {
  GtkWidget parent;
  GtkWidget *box, *new_button, *chooser, *base, *copy, *save, *stack, *view, *scatter_card, *measure;
  GtkWidget *pair, *layer, *overlap, *title_a, *title_b, *map_a, *map_b;
  GtkWidget *run_popover, *methods, *ratios, *epochs, *steps, *plan, *start;
  GtkWidget *scatter;
  PjuStudio *studio;
  PjmComparison *comparison;
  GtkMultiSelection *selection;
  GArray *groups;                  /* int: group of each entry of the layer drop-down */
  gboolean filling, measure_chosen;
  guint idle;
};

G_DEFINE_FINAL_TYPE (PjuComparePage, pju_compare_page, GTK_TYPE_WIDGET)

static const char *const measures[] = { "cut", "recalibrated", "tuned" };

/* --- the two rows --- */

static guint
row_index (PjuComparePage *self, PjmCompareRow *row)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->comparison));
  for (guint i = 0; i < n; i++) {
    g_autoptr (PjmCompareRow) item = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
    if (item == row)
      return i;
  }
  return GTK_INVALID_LIST_POSITION;
}

/* Nothing chosen yet: another method at the ratio of the first row says most. */
static guint
partner_of_first (GListModel *rows)
{
  g_autoptr (PjmCompareRow) first = g_list_model_get_item (rows, 0);
  g_autofree char *method = pju_get_string (first, "method");

  for (guint i = g_list_model_get_n_items (rows); i-- > 1;) {
    g_autoptr (PjmCompareRow) row = g_list_model_get_item (rows, i);
    g_autofree char *other = pju_get_string (row, "method");
    if (g_strcmp0 (method, other) != 0 && pju_get_double (row, "ratio") == pju_get_double (first, "ratio"))
      return i;
  }
  return 1;
}

static gboolean
chosen_rows (PjuComparePage *self, PjmCompareRow **a, PjmCompareRow **b)
{
  GListModel *rows = G_LIST_MODEL (self->selection);
  guint n = g_list_model_get_n_items (rows), found = 0, at[2] = { 0, 1 };

  for (guint i = 0; i < n && found < 2; i++) {
    if (gtk_selection_model_is_selected (GTK_SELECTION_MODEL (self->selection), i))
      at[found++] = i;
  }
  if (n < 2)
    return FALSE;
  if (found == 0)
    at[1] = partner_of_first (rows);
  if (found == 1) {
    at[1] = at[0];
    at[0] = at[1] > 0 ? at[1] - 1 : 1;
  }
  *a = g_list_model_get_item (rows, at[0]);
  *b = g_list_model_get_item (rows, at[1]);
  return TRUE;
}

static void
show_map (PjuComparePage *self, GtkWidget *map, GtkWidget *title, PjmCompareRow *row, PjmCompareRow *other)
{
  guint i = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->layer));
  g_autofree char *text = pju_compare_row_title (row);
  gtk_label_set_text (GTK_LABEL (title), text);
  if (i >= self->groups->len)
    return;
  int group = g_array_index (self->groups, int, i);
  const guint8 *mask = pjm_compare_row_get_mask (row, group), *against = pjm_compare_row_get_mask (other, group);
  pju_channel_map_set (PJU_CHANNEL_MAP (map), text, pjm_compare_row_get_n_channels (row, group),
                       pjm_compare_row_get_scores (row, group), mask, mask ? against : NULL);
}

static void
show_pair (PjuComparePage *self)
{
  g_autoptr (PjmCompareRow) a = NULL, b = NULL;

  if (!self->comparison || !chosen_rows (self, &a, &b)) {
    gtk_label_set_text (GTK_LABEL (self->overlap), _("Two rows are needed to compare their channels."));
    pju_channel_map_set (PJU_CHANNEL_MAP (self->map_a), NULL, 0, NULL, NULL, NULL);
    pju_channel_map_set (PJU_CHANNEL_MAP (self->map_b), NULL, 0, NULL, NULL, NULL);
    gtk_label_set_text (GTK_LABEL (self->title_a), "");
    gtk_label_set_text (GTK_LABEL (self->title_b), "");
    return;
  }
  show_map (self, self->map_a, self->title_a, a, b);
  show_map (self, self->map_b, self->title_b, b, a);
  double share = pjm_comparison_overlap (self->comparison, row_index (self, a), row_index (self, b));
  g_autofree char *percent = pju_format_percent (share, 0);
  g_autofree char *text = g_strdup_printf (_("They agree on %s of the channels that either keeps."), percent);
  gtk_label_set_text (GTK_LABEL (self->overlap), text);
}

static void
fill_layers (PjuComparePage *self)
{
  GListModel *layers = pjm_project_get_layers (pju_studio_get_project (self->studio));
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  g_array_set_size (self->groups, 0);
  for (guint i = 0; i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    int group = pjm_layer_get_group (layer);
    guint n = pjm_layer_get_channels (layer);
    if (n == 0 || group < 0 || pjm_layer_get_locked (layer) || !g_hash_table_add (seen, GINT_TO_POINTER (group + 1)))
      continue;
    gtk_string_list_append (names, pjm_layer_get_name (layer));
    g_array_append_val (self->groups, group);
  }
  self->filling = TRUE;
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->layer), G_LIST_MODEL (names));
  self->filling = FALSE;
}

/* --- the scatter plot --- */

/* The last stage that was measured says most. */
static void
choose_measure (PjuComparePage *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->comparison)), best = 0;
  for (guint i = 0; i < n; i++) {
    g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
    for (guint m = 0; m < G_N_ELEMENTS (measures); m++) {
      if (pju_get_double (row, measures[m]) >= 0)
        best = MAX (best, m);
    }
  }
  self->filling = TRUE;
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->measure), best);
  self->filling = FALSE;
}

/* The place of a method among all, so that it has one colour and one marker everywhere; the baseline is grey. */
static guint
method_color (PjuComparePage *self, const char *method)
{
  guint n, rank = 0;
  const PjmChoice *methods = pjm_project_get_methods (pju_studio_get_project (self->studio), &n);

  if (g_strcmp0 (method, "random") == 0)
    return PJU_N_SERIES - 1;
  for (int own = 1; own >= 0; own--) {
    for (guint i = 0; i < n; i++) {
      if (methods[i].is_criterion == own || g_str_equal (methods[i].name, "random"))
        continue;
      if (g_strcmp0 (methods[i].name, method) == 0)
        return rank;
      rank++;
      if (rank % PJU_N_SERIES == PJU_N_SERIES - 1)
        rank++;
    }
  }
  return rank;
}

static void
show_scatter (PjuComparePage *self)
{
  PjuChart *chart = pju_chart_view_get_chart (PJU_CHART_VIEW (self->scatter));
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->comparison)), points = 0;
  const char *measure = measures[MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (self->measure)), 2u)];

  pju_chart_clear (chart);
  for (guint i = 0; i < n; i++) {
    g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
    double accuracy = pju_get_double (row, measure), share = pju_get_double (row, "macs-share");
    g_autofree char *method = pju_get_string (row, "method"), *title = pju_get_string (row, "title");
    g_autofree char *name = pju_compare_row_title (row), *percent = pju_format_percent (accuracy, 1);
    g_autofree char *macs = pju_format_percent (share, 0);
    g_autofree char *label = g_strdup_printf (_("%s\naccuracy %s at %s of the MACs"), name, percent, macs);
    if (accuracy < 0 || share < 0)
      continue;
    PjuSeries *series = pju_chart_series (chart, title && *title ? _(title) : method);
    series->scatter = TRUE;
    series->color = method_color (self, method);
    pju_series_add (series, share, accuracy, label);
    points++;
  }
  double base = pju_get_double (self->comparison, "base-accuracy");
  chart->rule = base >= 0 ? base : NAN;
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u measured point", "%u measured points", points),
                                           points);
  pju_chart_view_changed (PJU_CHART_VIEW (self->scatter), text);
}

static void
show_base (PjuComparePage *self)
{
  g_autofree char *accuracy = pju_format_percent (pju_get_double (self->comparison, "base-accuracy"), 1);
  g_autofree char *macs = pju_format_count (pju_get_uint64 (self->comparison, "base-macs"));
  guint n = pju_get_uint (self->comparison, "n-test");
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
    "Uncut: %s accuracy, %s MACs, measured on %u test picture", "Uncut: %s accuracy, %s MACs, measured on %u test pictures",
    n), accuracy, macs, n);
  gtk_label_set_text (GTK_LABEL (self->base), text);
  gtk_widget_set_tooltip_text (self->base, text);
}

static gboolean
update_cb (gpointer data)
{
  PjuComparePage *self = data;
  self->idle = 0;
  if (!self->comparison)
    return G_SOURCE_REMOVE;
  if (!self->measure_chosen)
    choose_measure (self);
  show_base (self);
  show_scatter (self);
  show_pair (self);
  return G_SOURCE_REMOVE;
}

static void
queue_update (PjuComparePage *self)
{
  if (self->idle == 0)
    self->idle = g_idle_add (update_cb, self);
}

static void
measure_cb (PjuComparePage *self)
{
  if (self->filling || !self->comparison)
    return;
  self->measure_chosen = TRUE;
  show_scatter (self);
}

static void
layer_cb (PjuComparePage *self)
{
  if (!self->filling && self->comparison)
    show_pair (self);
}

static void
graph_changed_cb (PjuComparePage *self)
{
  fill_layers (self);
  queue_update (self);
}

/* --- which comparison --- */

static void
set_comparison (PjuComparePage *self, PjmComparison *comparison)
{
  if (self->comparison == comparison)
    return;
  if (self->comparison)
    g_signal_handlers_disconnect_by_func (self->comparison, queue_update, self);
  g_set_object (&self->comparison, comparison);
  self->measure_chosen = FALSE;
  if (comparison) {
    GtkSortListModel *sorted = gtk_sort_list_model_new (
      G_LIST_MODEL (g_object_ref (comparison)), g_object_ref (gtk_column_view_get_sorter (GTK_COLUMN_VIEW (self->view))));
    g_clear_object (&self->selection);
    self->selection = gtk_multi_selection_new (G_LIST_MODEL (sorted));
    g_signal_connect_object (self->selection, "selection-changed", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (comparison, "items-changed", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (comparison, "notify", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
    gtk_column_view_set_model (GTK_COLUMN_VIEW (self->view), GTK_SELECTION_MODEL (self->selection));
    queue_update (self);
  }
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), comparison ? "table" : "empty");
  gtk_widget_set_sensitive (self->copy, comparison != NULL);
  gtk_widget_set_sensitive (self->save, comparison != NULL);
  if (!comparison)
    gtk_label_set_text (GTK_LABEL (self->base), "");
}

static void
chosen_cb (PjuComparePage *self)
{
  gpointer item = gtk_drop_down_get_selected_item (GTK_DROP_DOWN (self->chooser));
  set_comparison (self, item && PJM_IS_COMPARISON (item) ? item : NULL);
}

/* A new comparison is what a person wants to see. */
static void
comparisons_changed_cb (PjuComparePage *self, guint position, guint removed, guint added, GListModel *list)
{
  guint n = g_list_model_get_n_items (list);
  gtk_widget_set_visible (self->chooser, n > 0);
  if (added > 0)
    gtk_drop_down_set_selected (GTK_DROP_DOWN (self->chooser), n - 1);
  chosen_cb (self);
}

/* --- running one --- */

static GArray *
parse_ratios (PjuComparePage *self)
{
  g_auto (GStrv) words = g_strsplit_set (gtk_editable_get_text (GTK_EDITABLE (self->ratios)), " ,;%/", -1);
  g_autoptr (GArray) ratios = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; words[i]; i++) {
    char *end;
    double value = g_ascii_strtod (words[i], &end);
    if (!*words[i])
      continue;
    if (*end || !(value >= 1 && value <= 100))
      return NULL;
    value /= 100;
    g_array_append_val (ratios, value);
  }
  return ratios->len > 0 ? g_steal_pointer (&ratios) : NULL;
}

static void
check_cb (PjuComparePage *self)
{
  g_autoptr (GPtrArray) methods = NULL;
  g_autoptr (GArray) ratios = NULL;

  if (!self->studio)
    return;
  methods = pju_choice_list_get (PJU_CHOICE_LIST (self->methods));
  ratios = parse_ratios (self);
  if (ratios)
    gtk_widget_remove_css_class (self->ratios, "error");
  else
    gtk_widget_add_css_class (self->ratios, "error");
  gtk_widget_set_sensitive (self->start, ratios && methods->len > 0);
  if (!ratios) {
    gtk_label_set_text (GTK_LABEL (self->plan), _("Write one or more numbers from 1 to 100."));
  } else {
    guint n = methods->len * ratios->len;
    g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
      "%u network will be cut and measured with the same data, seed and budget.",
      "%u networks will be cut and measured with the same data, seed and budget.", n), n);
    gtk_label_set_text (GTK_LABEL (self->plan), text);
  }
}

static void
start_cb (PjuComparePage *self)
{
  g_autoptr (GPtrArray) methods = pju_choice_list_get (PJU_CHOICE_LIST (self->methods));
  g_autoptr (GArray) ratios = parse_ratios (self);

  if (!ratios || methods->len == 0)
    return;
  g_ptr_array_add (methods, NULL);
  gtk_popover_popdown (GTK_POPOVER (self->run_popover));
  gtk_widget_activate_action (GTK_WIDGET (self), "win.run-comparison", "(^as@aduu)", methods->pdata,
                              g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, ratios->data, ratios->len, sizeof (double)),
                              (guint) gtk_spin_button_get_value_as_int (GTK_SPIN_BUTTON (self->epochs)),
                              (guint) gtk_spin_button_get_value_as_int (GTK_SPIN_BUTTON (self->steps)));
}

static void
fill_methods (PjuComparePage *self)
{
  static const char *const first[] = { "thinet", "weight-sum", "apoz", "random" };
  pju_choice_list_set_methods (PJU_CHOICE_LIST (self->methods), pju_studio_get_project (self->studio));
  for (guint i = 0; i < G_N_ELEMENTS (first); i++)
    pju_choice_list_select (PJU_CHOICE_LIST (self->methods), first[i], TRUE);
  check_cb (self);
}

void
pju_compare_page_ask (PjuComparePage *self)
{
  gtk_menu_button_popup (GTK_MENU_BUTTON (self->new_button));
}

static void
update_sensitivity (PjuComparePage *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  g_autofree char *data = pju_get_string (project, "data-name");
  gtk_widget_set_sensitive (self->new_button, pju_get_boolean (project, "ready") && data
                                              && !pju_get_boolean (project, "read-only"));
}

static void
copy_cb (PjuComparePage *self)
{
  g_autofree char *csv = pjm_comparison_to_csv (self->comparison);
  pju_text_copy (self->studio, GTK_WIDGET (self), csv);
}

static void
save_cb (PjuComparePage *self)
{
  pju_text_save (self->studio, GTK_WIDGET (self), "comparison.csv", pjm_comparison_to_csv (self->comparison));
}

static void
save_scatter_cb (PjuComparePage *self)
{
  pju_chart_view_save (PJU_CHART_VIEW (self->scatter), self->studio, "comparison.svg");
}

static void
add_scatter (PjuComparePage *self)
{
  PjuChart *chart = pju_chart_new (NULL, _("Share of the multiply-accumulates"), NULL);
  chart->x_unit = chart->y_unit = PJU_CHART_PERCENT;
  chart->rule_name = g_strdup (_("uncut"));
  self->scatter = pju_chart_view_new (chart);
  gtk_widget_set_vexpand (self->scatter, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->scatter), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Accuracy against cost"), -1);
  gtk_box_append (GTK_BOX (self->scatter_card), self->scatter);
}

void
pju_compare_page_set_studio (PjuComparePage *self, PjuStudio *studio)
{
  static const char *const watched[] = { "notify::ready", "notify::read-only", "notify::data-name" };
  PjmProject *project = pju_studio_get_project (studio);
  GListModel *comparisons = pjm_project_get_comparisons (project);

  self->studio = g_object_ref (studio);
  pju_set_label (self->new_button, _("New Comparison"));
  pju_set_label (self->chooser, _("Comparison shown"));
  pju_set_label (self->measure, _("Accuracy shown in the picture"));
  pju_set_label (self->layer, _("Layer whose channels are shown"));
  pju_compare_columns_add (GTK_COLUMN_VIEW (self->view));
  add_scatter (self);
  gtk_stack_add_named (GTK_STACK (self->stack),
    pju_empty_page_new ("penjing-compare-symbolic", _("Nothing Compared Yet"),
      _("Let several methods cut the same network at the same ratios, and see which keeps most of the accuracy, "
        "which channels each keeps, and where they disagree."), _("New Comparison"), "win.compare"), "empty");
  fill_methods (self);
  gtk_drop_down_set_expression (GTK_DROP_DOWN (self->chooser),
                                gtk_property_expression_new (PJM_TYPE_COMPARISON, NULL, "title"));
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->chooser), comparisons);
  g_signal_connect_object (comparisons, "items-changed", G_CALLBACK (comparisons_changed_cb), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (project, "graph-changed", G_CALLBACK (graph_changed_cb), self, G_CONNECT_SWAPPED);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    g_signal_connect_object (project, watched[i], G_CALLBACK (update_sensitivity), self, G_CONNECT_SWAPPED);
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "empty");
  gtk_widget_set_sensitive (self->copy, FALSE);
  gtk_widget_set_sensitive (self->save, FALSE);
  fill_layers (self);
  update_sensitivity (self);
  comparisons_changed_cb (self, 0, 0, g_list_model_get_n_items (comparisons), comparisons);
}

static void
dispose (GObject *object)
{
  PjuComparePage *self = PJU_COMPARE_PAGE (object);
  g_clear_handle_id (&self->idle, g_source_remove);
  if (self->comparison)
    g_signal_handlers_disconnect_by_func (self->comparison, queue_update, self);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->selection);
  g_clear_object (&self->comparison);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->groups, g_array_unref);
  G_OBJECT_CLASS (pju_compare_page_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuComparePage, name)
#define CALLBACK(name) gtk_widget_class_bind_template_callback (widget_class, name)

static void
pju_compare_page_class_init (PjuComparePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  g_type_ensure (PJU_TYPE_CHANNEL_MAP);
  g_type_ensure (PJU_TYPE_CHOICE_LIST);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/compare-page.ui");
  CHILD (box); CHILD (new_button); CHILD (chooser); CHILD (base); CHILD (copy); CHILD (save); CHILD (stack);
  CHILD (view); CHILD (scatter_card); CHILD (measure); CHILD (pair); CHILD (layer); CHILD (overlap);
  CHILD (title_a); CHILD (title_b); CHILD (map_a); CHILD (map_b);
  CHILD (run_popover); CHILD (methods); CHILD (ratios); CHILD (epochs); CHILD (steps); CHILD (plan); CHILD (start);
  CALLBACK (chosen_cb); CALLBACK (copy_cb); CALLBACK (save_cb); CALLBACK (measure_cb); CALLBACK (save_scatter_cb);
  CALLBACK (layer_cb); CALLBACK (check_cb); CALLBACK (start_cb);
}

static void
pju_compare_page_init (PjuComparePage *self)
{
  self->groups = g_array_new (FALSE, FALSE, sizeof (int));
  self->filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  self->filling = FALSE;
}
