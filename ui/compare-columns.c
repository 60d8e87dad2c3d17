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

static char *
text_cut (PjmCompareRow *row)
{
  return pju_format_percent (pju_get_double (row, "cut"), 1);
}

static char *
text_recalibrated (PjmCompareRow *row)
{
  return pju_format_percent (pju_get_double (row, "recalibrated"), 1);
}

static char *
text_tuned (PjmCompareRow *row)
{
  return pju_format_percent (pju_get_double (row, "tuned"), 1);
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
  return refusal ? refusal : g_strdup ("");
}

static const Column columns[] = {
  { N_("Method"), "title", text_method, FALSE, FALSE },
  { N_("Keep"), "ratio", text_ratio, FALSE, TRUE },
  { N_("MACs"), "macs", text_macs, FALSE, TRUE },
  { N_("Parameters"), "params", text_params, FALSE, TRUE },
  { N_("After the cut"), "cut", text_cut, FALSE, TRUE },
  { N_("Recalibrated"), "recalibrated", text_recalibrated, FALSE, TRUE },
  { N_("Fine-tuned"), "tuned", text_tuned, FALSE, TRUE },
  { N_("Images/s"), "speed", text_speed, FALSE, TRUE },
  { N_("Note"), NULL, text_note, TRUE, FALSE },
};

char *
pju_compare_row_title (PjmCompareRow *row)
{
  g_autofree char *method = text_method (row), *ratio = text_ratio (row);
  return g_strdup_printf ("%s, %s", method, ratio);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, const Column *column)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), column->number ? 1 : 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), column->expand ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
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
  gtk_widget_set_tooltip_text (label, column->expand && *text ? text : NULL);
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
  return g_str_equal (property, "title") ? GTK_SORTER (gtk_string_sorter_new (value))
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
