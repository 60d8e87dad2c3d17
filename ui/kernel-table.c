/* SPDX-License-Identifier: MIT */
/* One entry per column says how a call is written and by which number or word it is sorted. */
#include <glib/gi18n-lib.h>

#include "format.h"
#include "kernel-table.h"

#define PJU_TYPE_KERNEL_ROW (pju_kernel_row_get_type ())
G_DECLARE_FINAL_TYPE (PjuKernelRow, pju_kernel_row, PJU, KERNEL_ROW, GObject)

typedef enum { KERNEL, LAYER, OUTPUT, PASS, MS, PART, FLOPS, BYTES, SHARE, N_COLUMNS } ColumnId;

/* @number: what a column of numbers is sorted by */
struct _PjuKernelRow {
  GObject parent;
  char *text[N_COLUMNS];
  double number[N_COLUMNS];
};

G_DEFINE_FINAL_TYPE (PjuKernelRow, pju_kernel_row, G_TYPE_OBJECT)

static const char *const columns[N_COLUMNS] = {
  [KERNEL] = N_("Kernel"),
  [LAYER] = N_("Layer"),
  [OUTPUT] = N_("Output"),
  [PASS] = N_("Pass"),
  [MS] = N_("Time"),
  [PART] = N_("Of all"),
  [FLOPS] = "GFLOP/s",
  [BYTES] = "GB/s",
  [SHARE] = N_("Of the limit"),
};

static void
finalize (GObject *object)
{
  PjuKernelRow *self = PJU_KERNEL_ROW (object);
  for (int i = 0; i < N_COLUMNS; i++)
    g_free (self->text[i]);
  G_OBJECT_CLASS (pju_kernel_row_parent_class)->finalize (object);
}

static void
pju_kernel_row_class_init (PjuKernelRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = finalize;
}

static void
pju_kernel_row_init (PjuKernelRow *self)
{
}

static PjuKernelRow *
make_row (const PjmProfile *profile, const PjmKernel *kernel)
{
  PjuKernelRow *self = g_object_new (PJU_TYPE_KERNEL_ROW, NULL);
  self->number[MS] = kernel->ms;
  self->number[PART] = profile->ms > 0 ? kernel->ms / profile->ms : 0;
  self->number[FLOPS] = kernel->ms > 0 ? kernel->flops / kernel->ms / 1e6 : 0;
  self->number[BYTES] = kernel->ms > 0 ? kernel->bytes / kernel->ms / 1e6 : 0;
  self->number[SHARE] = kernel->share;
  self->text[KERNEL] = g_strdup (kernel->kernel);
  self->text[LAYER] = g_strdup (kernel->layer);
  self->text[OUTPUT] = g_strdup (kernel->output);
  self->text[PASS] = g_strdup (kernel->segment);
  self->text[MS] = pju_format_milliseconds (kernel->ms);
  self->text[PART] = pju_format_percent (self->number[PART], 1);
  self->text[FLOPS] = g_strdup_printf ("%.1f", self->number[FLOPS]);
  self->text[BYTES] = g_strdup_printf ("%.1f", self->number[BYTES]);
  self->text[SHARE] = pju_format_percent (kernel->share, 0);
  return self;
}

/* --- columns --- */

static int
compare (gconstpointer a, gconstpointer b, gpointer column)
{
  const PjuKernelRow *x = a, *y = b;
  int c = GPOINTER_TO_INT (column);
  if (c < MS)
    return g_strcmp0 (x->text[c], y->text[c]);
  return x->number[c] < y->number[c] ? -1 : x->number[c] > y->number[c];
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer column)
{
  GtkWidget *label = gtk_label_new (NULL);
  int c = GPOINTER_TO_INT (column);
  gtk_label_set_xalign (GTK_LABEL (label), c >= MS ? 1 : 0);
  if (c >= MS)
    gtk_widget_add_css_class (label, "numeric");
  if (c == LAYER)
    gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_list_item_set_child (item, label);
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer column)
{
  PjuKernelRow *row = gtk_list_item_get_item (item);
  int c = GPOINTER_TO_INT (column);
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (item)), row->text[c]);
  pju_set_tooltip (gtk_list_item_get_child (item), c == LAYER ? row->text[c] : NULL);
}

GtkWidget *
pju_kernel_table_new (void)
{
  GtkWidget *view = gtk_column_view_new (NULL);
  GListStore *rows = g_list_store_new (PJU_TYPE_KERNEL_ROW);
  for (int c = 0; c < N_COLUMNS; c++) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
    g_autoptr (GtkSorter) sorter = GTK_SORTER (gtk_custom_sorter_new (compare, GINT_TO_POINTER (c), NULL));
    g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), GINT_TO_POINTER (c));
    g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), GINT_TO_POINTER (c));
    g_autoptr (GtkColumnViewColumn) column = gtk_column_view_column_new (_(columns[c]), factory);
    gtk_column_view_column_set_sorter (column, sorter);
    gtk_column_view_column_set_resizable (column, TRUE);
    gtk_column_view_column_set_expand (column, c == LAYER);
    gtk_column_view_append_column (GTK_COLUMN_VIEW (view), column);
  }
  g_object_set_data_full (G_OBJECT (view), "rows", rows, g_object_unref);
  GtkSortListModel *sorted = gtk_sort_list_model_new (G_LIST_MODEL (g_object_ref (rows)),
                                                      g_object_ref (gtk_column_view_get_sorter (GTK_COLUMN_VIEW (view))));
  g_autoptr (GtkNoSelection) selection = gtk_no_selection_new (G_LIST_MODEL (sorted));
  gtk_column_view_set_model (GTK_COLUMN_VIEW (view), GTK_SELECTION_MODEL (selection));
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Kernels"), -1);
  return view;
}

void
pju_kernel_table_set (GtkWidget *table, const PjmProfile *profile)
{
  GListStore *rows = g_object_get_data (G_OBJECT (table), "rows");
  g_list_store_remove_all (rows);
  for (guint i = 0; profile && i < profile->kernels->len; i++) {
    g_autoptr (PjuKernelRow) row = make_row (profile, &g_array_index (profile->kernels, PjmKernel, i));
    g_list_store_append (rows, row);
  }
}
