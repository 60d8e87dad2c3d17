/* SPDX-License-Identifier: MIT */
/* The table first, then what it means: accuracy against cost, the channels that two or three rows keep, who agrees with whom,
 * and the answers that changed.  A method has one colour and one marker in all of them.  Rows selected in the table are what
 * the other views show. */
#include <glib/gi18n-lib.h>

#include "compare-agreement.h"
#include "compare-answers.h"
#include "compare-channels.h"
#include "compare-columns.h"
#include "compare-page.h"
#include "compare-run.h"
#include "compare-scatter.h"
#include "empty-page.h"
#include "save.h"

struct _PjuComparePage {
  GtkWidget parent;
  GtkWidget *box, *new_button, *chooser, *switcher, *copy, *save, *stack, *views, *view, *figures, *channels, *agreement, *answers;
  GtkWidget *row_a, *row_b, *row_c, *row, *run;
  GtkWidget *scatter_view, *channels_view, *agreement_view, *answers_view;
  PjuStudio *studio;
  PjmComparison *comparison;
  GtkMultiSelection *selection;
  guint n_named;               /* rows in the drop-downs */
  gboolean filling, rows_chosen;
  guint idle;
};

G_DEFINE_FINAL_TYPE (PjuComparePage, pju_compare_page, GTK_TYPE_WIDGET)

static guint
n_rows (PjuComparePage *self)
{
  return self->comparison ? g_list_model_get_n_items (G_LIST_MODEL (self->comparison)) : 0;
}

/* --- which rows the views show --- */

static guint
row_index (PjuComparePage *self, PjmCompareRow *row)
{
  for (guint i = 0; i < n_rows (self); i++) {
    g_autoptr (PjmCompareRow) item = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
    if (item == row)
      return i;
  }
  return GTK_INVALID_LIST_POSITION;
}

/* Nothing chosen yet: another method at the ratio of the first row says most. */
static guint
partner_of (PjuComparePage *self, guint first)
{
  g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), first);
  g_autofree char *method = pju_get_string (row, "method");

  for (guint i = 0; i < n_rows (self); i++) {
    g_autoptr (PjmCompareRow) other = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
    g_autofree char *name = pju_get_string (other, "method");
    if (i != first && g_strcmp0 (method, name) != 0 && pjm_comparison_is_choice (self->comparison, i)
        && pju_get_double (other, "ratio") == pju_get_double (row, "ratio"))
      return i;
  }
  return first == 0 ? 1 : 0;
}

/* The first row whose choice of channels says something, and that is no control if there is one. */
static guint
first_choice (PjuComparePage *self)
{
  guint first = 0;
  for (int controls = 1; controls >= 0; controls--)
    for (guint i = n_rows (self); i-- > 0;) {
      g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
      if (pju_get_boolean (row, "control") == controls && pjm_comparison_is_choice (self->comparison, i))
        first = i;
    }
  return first;
}

/* The names of all rows, in the drop-downs; the third also has none. */
static void
fill_names (PjuComparePage *self)
{
  GtkWidget *const lists[] = { self->row_a, self->row_b, self->row, self->row_c };
  if (self->n_named == n_rows (self))
    return;
  self->filling = TRUE;
  for (guint d = 0; d < G_N_ELEMENTS (lists); d++) {
    g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
    guint selected = gtk_drop_down_get_selected (GTK_DROP_DOWN (lists[d]));
    if (lists[d] == self->row_c)
      gtk_string_list_append (names, _("No third row"));
    for (guint i = 0; i < n_rows (self); i++) {
      g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
      g_autofree char *title = pju_compare_row_title (row);
      gtk_string_list_append (names, title);
    }
    gtk_drop_down_set_model (GTK_DROP_DOWN (lists[d]), G_LIST_MODEL (names));
    if (selected < g_list_model_get_n_items (G_LIST_MODEL (names)))
      gtk_drop_down_set_selected (GTK_DROP_DOWN (lists[d]), selected);
  }
  self->n_named = n_rows (self);
  if (!self->rows_chosen && self->n_named > 1) {
    guint first = first_choice (self);
    gtk_drop_down_set_selected (GTK_DROP_DOWN (self->row_a), first);
    gtk_drop_down_set_selected (GTK_DROP_DOWN (self->row_b), partner_of (self, first));
    gtk_drop_down_set_selected (GTK_DROP_DOWN (self->row_c), 0);
    gtk_drop_down_set_selected (GTK_DROP_DOWN (self->row), first);
  }
  self->filling = FALSE;
}

static void
show_channels (PjuComparePage *self)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_object_unref);
  guint at[3] = { gtk_drop_down_get_selected (GTK_DROP_DOWN (self->row_a)), gtk_drop_down_get_selected (GTK_DROP_DOWN (self->row_b)),
                  gtk_drop_down_get_selected (GTK_DROP_DOWN (self->row_c)) };
  at[2] = at[2] == 0 || at[2] == GTK_INVALID_LIST_POSITION ? GTK_INVALID_LIST_POSITION : at[2] - 1;
  for (guint i = 0; i < 3; i++)
    if (at[i] < n_rows (self))
      g_ptr_array_add (rows, g_list_model_get_item (G_LIST_MODEL (self->comparison), at[i]));
  pju_compare_channels_show (PJU_COMPARE_CHANNELS (self->channels_view), self->comparison, rows);
}

/* Only the view that is seen is brought up to date; the others when they come up. */
static void
show_view (PjuComparePage *self)
{
  const char *name = gtk_stack_get_visible_child_name (GTK_STACK (self->views));
  if (g_strcmp0 (name, "figures") == 0)
    pju_compare_scatter_show (PJU_COMPARE_SCATTER (self->scatter_view), self->comparison);
  else if (g_strcmp0 (name, "channels") == 0)
    show_channels (self);
  else if (g_strcmp0 (name, "agreement") == 0)
    pju_compare_agreement_show (PJU_COMPARE_AGREEMENT (self->agreement_view), self->comparison);
  else if (g_strcmp0 (name, "answers") == 0)
    pju_compare_answers_show (PJU_COMPARE_ANSWERS (self->answers_view), self->comparison,
                              gtk_drop_down_get_selected (GTK_DROP_DOWN (self->row)));
}

static gboolean
update_cb (gpointer data)
{
  PjuComparePage *self = data;
  self->idle = 0;
  if (self->comparison) {
    fill_names (self);
    show_view (self);
  }
  return G_SOURCE_REMOVE;
}

static void
queue_update (PjuComparePage *self)
{
  if (self->idle == 0)
    self->idle = g_idle_add (update_cb, self);
}

/* Which view is seen is kept with the session. */
static void
view_cb (PjuComparePage *self)
{
  if (!self->comparison)
    return;
  pjm_project_set_view (pju_studio_get_project (self->studio), "compare", gtk_stack_get_visible_child_name (GTK_STACK (self->views)));
  show_view (self);
}

static void
restore_view (PjuComparePage *self)
{
  g_autofree char *name = pjm_project_get_view (pju_studio_get_project (self->studio), "compare");
  if (name && gtk_stack_get_child_by_name (GTK_STACK (self->views), name))
    gtk_stack_set_visible_child_name (GTK_STACK (self->views), name);
}

static void
rows_cb (PjuComparePage *self)
{
  if (self->filling || !self->comparison)
    return;
  self->rows_chosen = TRUE;
  show_channels (self);
}

static void
row_cb (PjuComparePage *self)
{
  if (self->filling || !self->comparison)
    return;
  self->rows_chosen = TRUE;
  show_view (self);
}

/* The rows selected in the table become those of the other views. */
static void
selection_cb (PjuComparePage *self)
{
  GListModel *rows = G_LIST_MODEL (self->selection);
  guint at[3], found = 0;
  for (guint i = 0; i < g_list_model_get_n_items (rows) && found < 3; i++) {
    if (!gtk_selection_model_is_selected (GTK_SELECTION_MODEL (self->selection), i))
      continue;
    g_autoptr (PjmCompareRow) row = g_list_model_get_item (rows, i);
    at[found++] = row_index (self, row);
  }
  if (found == 0)
    return;
  fill_names (self);
  self->filling = TRUE;
  self->rows_chosen = TRUE;
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->row_a), at[0]);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->row_b), found > 1 ? at[1] : partner_of (self, at[0]));
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->row_c), found > 2 ? at[2] + 1 : 0);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->row), at[0]);
  self->filling = FALSE;
}

/* --- which comparison --- */

static void
row_changed_cb (PjmCompareRow *row, GParamSpec *pspec, PjuComparePage *self)
{
  queue_update (self);
}

/* More seeds change the figures of a row. */
static void
watch_rows (PjuComparePage *self, guint position, guint removed, guint added, GListModel *list)
{
  for (guint i = position; i < position + added; i++) {
    g_autoptr (PjmCompareRow) row = g_list_model_get_item (list, i);
    g_signal_connect_object (row, "notify::seeds", G_CALLBACK (row_changed_cb), self, 0);
  }
  queue_update (self);
}

static void
set_comparison (PjuComparePage *self, PjmComparison *comparison)
{
  if (self->comparison == comparison)
    return;
  if (self->comparison) {
    g_signal_handlers_disconnect_by_func (self->comparison, queue_update, self);
    g_signal_handlers_disconnect_by_func (self->comparison, watch_rows, self);
    for (guint i = 0; i < n_rows (self); i++) {
      g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->comparison), i);
      g_signal_handlers_disconnect_by_func (row, row_changed_cb, self);
    }
  }
  g_set_object (&self->comparison, comparison);
  gtk_column_view_set_model (GTK_COLUMN_VIEW (self->view), NULL);
  g_clear_object (&self->selection);
  self->rows_chosen = FALSE;
  self->n_named = G_MAXUINT;
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), comparison ? "table" : "empty");
  gtk_widget_set_visible (self->switcher, comparison != NULL);
  gtk_widget_set_sensitive (self->copy, comparison != NULL);
  gtk_widget_set_sensitive (self->save, comparison != NULL);
  if (!comparison)
    return;
  GtkSortListModel *sorted = gtk_sort_list_model_new (G_LIST_MODEL (g_object_ref (comparison)),
    g_object_ref (gtk_column_view_get_sorter (GTK_COLUMN_VIEW (self->view))));
  self->selection = gtk_multi_selection_new (G_LIST_MODEL (sorted));
  gtk_column_view_set_model (GTK_COLUMN_VIEW (self->view), GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_object (self->selection, "selection-changed", G_CALLBACK (selection_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (comparison, "items-changed", G_CALLBACK (watch_rows), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (comparison, "notify", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  watch_rows (self, 0, 0, n_rows (self), G_LIST_MODEL (comparison));
  restore_view (self);
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

/* --- the page --- */

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
add_views (PjuComparePage *self)
{
  self->scatter_view = pju_compare_scatter_new (self->studio);
  self->channels_view = pju_compare_channels_new (self->studio);
  self->agreement_view = pju_compare_agreement_new (self->studio);
  self->answers_view = pju_compare_answers_new (self->studio);
  gtk_widget_set_vexpand (self->scatter_view, TRUE);
  gtk_widget_set_vexpand (self->answers_view, TRUE);
  gtk_box_append (GTK_BOX (self->figures), self->scatter_view);
  gtk_box_append (GTK_BOX (self->channels), self->channels_view);
  gtk_box_append (GTK_BOX (self->agreement), self->agreement_view);
  gtk_box_append (GTK_BOX (self->answers), self->answers_view);
}

static void
name_parts (PjuComparePage *self)
{
  pju_set_label (self->new_button, _("New Comparison"));
  pju_set_label (self->chooser, _("Comparison shown"));
  pju_set_label (self->row_a, _("First row"));
  pju_set_label (self->row_b, _("Second row"));
  pju_set_label (self->row_c, _("Third row"));
  pju_set_label (self->row, _("The row whose answers are shown"));
}

void
pju_compare_page_set_studio (PjuComparePage *self, PjuStudio *studio)
{
  static const char *const watched[] = { "notify::ready", "notify::read-only", "notify::data-name" };
  PjmProject *project = pju_studio_get_project (studio);
  GListModel *comparisons = pjm_project_get_comparisons (project);

  self->studio = g_object_ref (studio);
  name_parts (self);
  pju_compare_columns_add (GTK_COLUMN_VIEW (self->view));
  add_views (self);
  gtk_stack_add_named (GTK_STACK (self->stack),
    pju_empty_page_new ("penjing-compare-symbolic", _("Nothing Compared Yet"),
      _("Let several methods cut the same network at the same ratios, and see which keeps most of the accuracy, "
        "which channels each keeps, and where they disagree."), _("New Comparison"), "win.compare"), "empty");
  pju_compare_run_set_studio (PJU_COMPARE_RUN (self->run), studio);
  g_autoptr (GtkExpression) title = gtk_property_expression_new (PJM_TYPE_COMPARISON, NULL, "title");
  gtk_drop_down_set_expression (GTK_DROP_DOWN (self->chooser), title);
  pju_drop_down_limit (self->chooser, 24);
  pju_drop_down_limit (self->row_a, 24);
  pju_drop_down_limit (self->row_b, 24);
  pju_drop_down_limit (self->row_c, 24);
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->chooser), comparisons);
  g_signal_connect_object (comparisons, "items-changed", G_CALLBACK (comparisons_changed_cb), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    g_signal_connect_object (project, watched[i], G_CALLBACK (update_sensitivity), self, G_CONNECT_SWAPPED);
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "empty");
  gtk_widget_set_visible (self->switcher, FALSE);
  gtk_widget_set_sensitive (self->copy, FALSE);
  gtk_widget_set_sensitive (self->save, FALSE);
  update_sensitivity (self);
  comparisons_changed_cb (self, 0, 0, g_list_model_get_n_items (comparisons), comparisons);
}

static void
dispose (GObject *object)
{
  PjuComparePage *self = PJU_COMPARE_PAGE (object);
  g_clear_handle_id (&self->idle, g_source_remove);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->selection);
  g_clear_object (&self->comparison);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_compare_page_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuComparePage, name)
#define CALLBACK(name) gtk_widget_class_bind_template_callback (widget_class, name)

static void
pju_compare_page_class_init (PjuComparePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  g_type_ensure (PJU_TYPE_COMPARE_RUN);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/compare-page.ui");
  CHILD (box); CHILD (new_button); CHILD (chooser); CHILD (switcher); CHILD (copy); CHILD (save); CHILD (stack); CHILD (views);
  CHILD (view); CHILD (figures); CHILD (channels); CHILD (agreement); CHILD (answers); CHILD (row_a); CHILD (row_b);
  CHILD (row_c); CHILD (row); CHILD (run);
  CALLBACK (chosen_cb); CALLBACK (copy_cb); CALLBACK (save_cb); CALLBACK (view_cb); CALLBACK (rows_cb); CALLBACK (row_cb);
}

static void
pju_compare_page_init (PjuComparePage *self)
{
  self->filling = TRUE;
  self->n_named = G_MAXUINT;
  gtk_widget_init_template (GTK_WIDGET (self));
  self->filling = FALSE;
}
