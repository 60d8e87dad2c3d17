/* SPDX-License-Identifier: MIT */
/* One entry per column: how a row of the comparison is written and sorted. */
#include <glib/gi18n-lib.h>

#include "compare-columns.h"
#include "format.h"

typedef struct {
  const char *title, *sort;
  char *(*text) (PjmCompareRow *row);
  gboolean expand, number;
} Column;

static char *
text_method (PjmCompareRow *row)
{
  g_autofree char *title = pju_get_string (row, "title");
  return g_strdup (title && *title ? _(title) : "");
}

static char *
text_ratio (PjmCompareRow *row)
{
  return pju_format_percent (pju_get_double (row, "ratio"), 0);
}

static char *
text_macs (PjmCompareRow *row)
{
  g_autofree char *count = pju_format_count (pju_get_uint64 (row, "macs"));
  g_autofree char *share = pju_format_percent (pju_get_double (row, "macs-share"), 0);
  return pju_get_uint64 (row, "macs") == 0 ? g_strdup ("–") : g_strdup_printf ("%s (%s)", count, share);
}

static char *
text_params (PjmCompareRow *row)
{
  guint64 params = pju_get_uint64 (row, "params");
  return params == 0 ? g_strdup ("–") : pju_format_count (params);
}

char *
pju_compare_row_figure (PjmCompareRow *row, const char *figure)
{
  g_autofree char *name = g_strdup_printf ("%s-spread", figure);
  g_autofree char *mean = pju_format_percent (pju_get_double (row, figure), 1);
  double spread = pju_get_double (row, name);
  return spread >= 0 ? g_strdup_printf ("%s ±%.1f", mean, 100 * spread) : g_strdup (mean);
}

static char *
text_cut (PjmCompareRow *row)
{
  return pju_compare_row_figure (row, "cut");
}

static char *
text_recalibrated (PjmCompareRow *row)
{
  return pju_compare_row_figure (row, "recalibrated");
}

static char *
text_tuned (PjmCompareRow *row)
{
  return pju_compare_row_figure (row, "tuned");
}

static char *
text_seeds (PjmCompareRow *row)
{
  return g_strdup_printf ("%u", pju_get_uint (row, "seeds"));
}

static char *
text_start (PjmCompareRow *row)
{
  g_autofree char *start = pju_get_string (row, "start");
  /* Translators: what fine-tuning began with: the network as the method left it; with norms measured again; anew */
  return g_strdup (g_strcmp0 (start, "own") == 0 ? _("as left") : g_strcmp0 (start, "recalibrated") == 0 ? _("norms again")
                   : g_strcmp0 (start, "initial") == 0 ? _("initial weights") : "");
}

static char *
text_speed (PjmCompareRow *row)
{
  double speed = pju_get_double (row, "speed");
  return speed > 0 ? pju_format_count (speed) : g_strdup ("–");
}

static char *
text_note (PjmCompareRow *row)
{
  char *refusal = pju_get_string (row, "refusal");
  if (refusal)
    return refusal;
  if (pju_get_boolean (row, "on-front"))
    return g_strdup (_("nothing beats it"));
  return g_strdup (pju_get_boolean (row, "control") ? _("control") : "");
}

static const Column columns[] = {
  { N_("Method"), "title", text_method, FALSE, FALSE },
  { N_("Keep"), "ratio", text_ratio, FALSE, TRUE },
  { N_("MACs"), "macs", text_macs, FALSE, TRUE },
  { N_("Parameters"), "params", text_params, FALSE, TRUE },
  { N_("After the cut"), "cut", text_cut, FALSE, TRUE },
  { N_("Recalibrated"), "recalibrated", text_recalibrated, FALSE, TRUE },
  { N_("Fine-tuned"), "tuned", text_tuned, FALSE, TRUE },
  { N_("Tuned from"), "start", text_start, FALSE, FALSE },
  { N_("Seeds"), "seeds", text_seeds, FALSE, TRUE },
  { N_("Note"), NULL, text_note, TRUE, FALSE },
  { N_("Images/s"), "speed", text_speed, FALSE, TRUE },
};

char *
pju_compare_row_title (PjmCompareRow *row)
{
  g_autofree char *method = text_method (row), *ratio = text_ratio (row);
  /* Translators: a row of a comparison: a method and the share that it keeps, "ThiNet, 50 %" */
  return g_strdup_printf (C_("row", "%s, %s"), method, ratio);
}

/* TRUE if another row differs from @row only in its start. */
static gboolean
has_both_starts (PjmComparison *comparison, PjmCompareRow *row)
{
  g_autofree char *method = pju_get_string (row, "method"), *start = pju_get_string (row, "start");
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (comparison)); i++) {
    g_autoptr (PjmCompareRow) other = g_list_model_get_item (G_LIST_MODEL (comparison), i);
    g_autofree char *other_method = pju_get_string (other, "method"), *other_start = pju_get_string (other, "start");
    if (g_strcmp0 (method, other_method) == 0 && g_strcmp0 (start, other_start) != 0)
      return TRUE;
  }
  return FALSE;
}

char *
pju_compare_row_name (PjmComparison *comparison, PjmCompareRow *row)
{
  g_autofree char *method = text_method (row), *start = text_start (row);
  return *start && has_both_starts (comparison, row) ? g_strdup_printf ("%s (%s)", method, start) : g_strdup (method);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, const Column *column)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), column->number ? 1 : 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), column->expand ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
  if (column->expand)
    gtk_label_set_width_chars (GTK_LABEL (label), 15);
  if (column->number)
    gtk_widget_add_css_class (label, "numeric");
  g_object_set_data (G_OBJECT (item), "column", (gpointer) column);
  gtk_list_item_set_child (item, label);
}

static void
update_cb (PjmCompareRow *row, GParamSpec *pspec, GtkListItem *item)
{
  const Column *column = g_object_get_data (G_OBJECT (item), "column");
  GtkWidget *label = gtk_list_item_get_child (item);
  g_autofree char *text = column->text (row);
  gtk_label_set_text (GTK_LABEL (label), text);
  pju_set_tooltip (label, column->expand && *text ? text : NULL);
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, const Column *column)
{
  PjmCompareRow *row = gtk_list_item_get_item (item);
  g_signal_connect (row, "notify", G_CALLBACK (update_cb), item);
  update_cb (row, NULL, item);
}

static void
unbind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, const Column *column)
{
  PjmCompareRow *row = gtk_list_item_get_item (item);
  if (row)
    g_signal_handlers_disconnect_by_data (row, item);
}

static GtkSorter *
make_sorter (const char *property)
{
  GtkExpression *value;
  if (!property)
    return NULL;
  value = gtk_property_expression_new (PJM_TYPE_COMPARE_ROW, NULL, property);
  return g_str_equal (property, "title") || g_str_equal (property, "start") ? GTK_SORTER (gtk_string_sorter_new (value))
                                         : GTK_SORTER (gtk_numeric_sorter_new (value));
}

void
pju_compare_columns_add (GtkColumnView *view)
{
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
    g_autoptr (GtkColumnViewColumn) column = NULL;
    g_autoptr (GtkSorter) sorter = make_sorter (columns[i].sort);

    g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), (gpointer) &columns[i]);
    g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), (gpointer) &columns[i]);
    g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cb), (gpointer) &columns[i]);
    column = gtk_column_view_column_new (_(columns[i].title), factory);
    gtk_column_view_column_set_expand (column, columns[i].expand);
    gtk_column_view_column_set_resizable (column, TRUE);
    gtk_column_view_column_set_sorter (column, sorter);
    gtk_column_view_append_column (view, column);
  }
}

static void
setup_name_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer most)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (label), 8);
  gtk_label_set_max_width_chars (GTK_LABEL (label), GPOINTER_TO_INT (most));
  gtk_list_item_set_child (item, label);
}

static void
bind_name_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer most)
{
  gpointer object = gtk_list_item_get_item (item);
  g_autofree char *name = GTK_IS_STRING_OBJECT (object) ? g_strdup (gtk_string_object_get_string (object))
                                                        : pju_get_string (object, "title");
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (item)), name);
  pju_set_tooltip (gtk_list_item_get_child (item), name);
}

void
pju_drop_down_limit (GtkWidget *drop_down, int most)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new (), *list = gtk_signal_list_item_factory_new ();
  g_signal_connect (factory, "setup", G_CALLBACK (setup_name_cb), GINT_TO_POINTER (most));
  g_signal_connect (factory, "bind", G_CALLBACK (bind_name_cb), NULL);
  g_signal_connect (list, "setup", G_CALLBACK (setup_name_cb), GINT_TO_POINTER (90));
  g_signal_connect (list, "bind", G_CALLBACK (bind_name_cb), NULL);
  gtk_drop_down_set_factory (GTK_DROP_DOWN (drop_down), factory);
  gtk_drop_down_set_list_factory (GTK_DROP_DOWN (drop_down), list);
  g_object_unref (factory);
  g_object_unref (list);
}

GtkWidget *
pju_heading_new (const char *text)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_add_css_class (label, "heading");
  return label;
}

GtkWidget *
pju_save_button_new (const char *label, GCallback clicked, gpointer self)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("document-save-symbolic");
  pju_set_tooltip (button, _("Save as picture or table"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  g_signal_connect_swapped (button, "clicked", clicked, self);
  return button;
}
