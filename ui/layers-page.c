/* SPDX-License-Identifier: MIT */
/* The accessible twin of the canvas: the same layers and the same selection, in rows.  Sorting and
 * filtering are views; the project's list stays in graph order.
 *
 * A list view makes the widgets of up to 200 rows at once, also of those out of sight, and a row here has dozens: of a
 * large network that would keep the window from answering.  So the table begins with the rows that fill a screen once it
 * is shown, and grows frame by frame. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "layer-columns.h"
#include "layers-page.h"
#include "ratio.h"
#include "save.h"

/* Rows at first and for each frame after it; more than BUILT are only counted by the list. */
#define FIRST_ROWS 12
#define MORE_ROWS 2
#define BUILT_ROWS 240

struct _PjuLayersPage {
  GtkWidget parent;
  GtkWidget *box, *search, *prunable, *count, *view, *several, *several_label, *several_ratio;
  PjuStudio *studio;
  GtkFilterListModel *filtered;
  GtkCustomFilter *filter;
  GtkSliceListModel *shown;
  GtkMultiSelection *selection;
  gboolean selecting;
  guint growing;                   /* tick callback */
};

G_DEFINE_FINAL_TYPE (PjuLayersPage, pju_layers_page, GTK_TYPE_WIDGET)

static gboolean
filter_func (gpointer item, gpointer data)
{
  PjuLayersPage *self = data;
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search));

  if (gtk_check_button_get_active (GTK_CHECK_BUTTON (self->prunable)) && pjm_layer_get_channels (item) == 0)
    return FALSE;
  if (!*text)
    return TRUE;
  g_autofree char *kind = pju_get_string (item, "kind");
  g_autofree char *hay = g_strconcat (pjm_layer_get_name (item), " ", kind, NULL);
  g_autofree char *folded = g_utf8_casefold (hay, -1), *needle = g_utf8_casefold (text, -1);
  return strstr (folded, needle) != NULL;
}

static void
show_count (PjuLayersPage *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->filtered));
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u layer", "%u layers", n), n);
  gtk_label_set_text (GTK_LABEL (self->count), text);
}

/* (element-type PjmLayer) */
static GPtrArray *
selected_layers (PjuLayersPage *self)
{
  GPtrArray *layers = g_ptr_array_new_with_free_func (g_object_unref);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  for (guint i = 0; i < n; i++)
    if (gtk_selection_model_is_selected (GTK_SELECTION_MODEL (self->selection), i))
      g_ptr_array_add (layers, g_list_model_get_item (G_LIST_MODEL (self->selection), i));
  return layers;
}

/* With more than one row selected, one slider moves them all; layers that are tied to them move along. */
static void
show_several (PjuLayersPage *self)
{
  g_autoptr (GPtrArray) layers = selected_layers (self);
  guint n = 0, tied = 0;
  double sum = 0;
  for (guint i = 0; i < layers->len; i++) {
    PjmLayer *layer = layers->pdata[i];
    if (pjm_layer_get_channels (layer) == 0 || pjm_layer_get_locked (layer))
      continue;
    g_autofree char *ties = pju_get_string (layer, "ties");
    sum += pjm_layer_get_keep_ratio (layer);
    tied += ties != NULL;
    n++;
  }
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->several), layers->len > 1 && n > 0);
  if (n == 0)
    return;
  g_autofree char *count = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u selected layer keeps", "%u selected layers keep", n), n);
  g_autofree char *text = tied > 0 ? g_strdup_printf (_("%s (layers tied to them move along)"), count) : g_strdup (count);
  gtk_label_set_text (GTK_LABEL (self->several_label), text);
  pju_ratio_set (PJU_RATIO (self->several_ratio), sum / n);
}

static void
show_selection (PjuLayersPage *self)
{
  PjmLayer *layer = pju_studio_get_layer (self->studio);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->selection)), found = GTK_INVALID_LIST_POSITION;

  for (guint i = 0; layer && i < n; i++) {
    g_autoptr (PjmLayer) item = g_list_model_get_item (G_LIST_MODEL (self->selection), i);
    if (item == layer)
      found = i;
  }
  /* A selection of several rows that holds the layer stays as it is. */
  if (self->selecting || (found != GTK_INVALID_LIST_POSITION
                          && gtk_selection_model_is_selected (GTK_SELECTION_MODEL (self->selection), found)))
    return;
  self->selecting = TRUE;
  if (found == GTK_INVALID_LIST_POSITION)
    gtk_selection_model_unselect_all (GTK_SELECTION_MODEL (self->selection));
  else
    gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), found, TRUE);
  self->selecting = FALSE;
  show_several (self);
}

static gboolean
grow_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  PjuLayersPage *self = PJU_LAYERS_PAGE (widget);
  guint size = gtk_slice_list_model_get_size (self->shown);
  guint n = g_list_model_get_n_items (gtk_slice_list_model_get_model (self->shown));
  gboolean all = size >= BUILT_ROWS || size >= n;
  gtk_slice_list_model_set_size (self->shown, all ? G_MAXUINT : size + MORE_ROWS);
  if (!all)
    return G_SOURCE_CONTINUE;
  self->growing = 0;
  show_selection (self);
  return G_SOURCE_REMOVE;
}

static void
show_rows (PjuLayersPage *self)
{
  gboolean mapped = gtk_widget_get_mapped (GTK_WIDGET (self));
  gtk_slice_list_model_set_size (self->shown, mapped ? FIRST_ROWS : 0);
  if (mapped && self->growing == 0)
    self->growing = gtk_widget_add_tick_callback (GTK_WIDGET (self), grow_cb, NULL, NULL);
}

static void
map (GtkWidget *widget)
{
  PjuLayersPage *self = PJU_LAYERS_PAGE (widget);
  GTK_WIDGET_CLASS (pju_layers_page_parent_class)->map (widget);
  if (self->shown && gtk_slice_list_model_get_size (self->shown) == 0)
    show_rows (self);
}

/* Before the lists on it hear of it: another network starts from few rows again. */
static void
layers_changed_cb (PjuLayersPage *self)
{
  show_rows (self);
}

static void
selected_cb (PjuLayersPage *self, guint position, guint n)
{
  PjmLayer *present = pju_studio_get_layer (self->studio);
  g_autoptr (GPtrArray) layers = selected_layers (self);
  guint at;
  show_several (self);
  if (self->selecting || layers->len == 0 || (present && g_ptr_array_find (layers, present, &at)))
    return;
  self->selecting = TRUE;
  pju_studio_set_layer (self->studio, layers->pdata[0]);
  self->selecting = FALSE;
}

static void
several_changed_cb (PjuLayersPage *self, double ratio, gboolean final)
{
  g_autoptr (GPtrArray) layers = selected_layers (self);
  if (layers->len > 0)
    pjm_project_set_ratio_some (pju_studio_get_project (self->studio), layers, ratio, final);
}

static void
filter_changed_cb (PjuLayersPage *self)
{
  if (!self->filter)
    return;
  gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  show_selection (self);
  show_count (self);
}

static void
append_quoted (GString *out, const char *text)
{
  g_autofree char *doubled = NULL;
  if (text) {
    g_auto (GStrv) parts = g_strsplit (text, "\"", -1);
    doubled = g_strjoinv ("\"\"", parts);
  }
  g_string_append_printf (out, "\"%s\"", doubled ? doubled : "");
}

char *
pju_layers_to_csv (PjmProject *project)
{
  GListModel *layers = pjm_project_get_layers (project);
  GString *out = g_string_new ("layer,kind,output,channels,kept,keep_ratio,params,params_after,macs,macs_after,note\n");

  for (guint i = 0; i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    g_autofree char *kind = pju_get_string (layer, "kind"), *shape = pju_get_string (layer, "shape");
    g_autofree char *reason = pju_get_string (layer, "lock-reason"), *ties = pju_get_string (layer, "ties");
    char ratio[G_ASCII_DTOSTR_BUF_SIZE];

    append_quoted (out, pjm_layer_get_name (layer));
    g_string_append_c (out, ',');
    append_quoted (out, kind);
    g_string_append_c (out, ',');
    append_quoted (out, shape);
    g_string_append_printf (out, ",%u,%u,%s,%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT
                            ",%" G_GUINT64_FORMAT ",", pjm_layer_get_channels (layer), pjm_layer_get_kept (layer),
                            g_ascii_formatd (ratio, sizeof ratio, "%.4g", pjm_layer_get_keep_ratio (layer)),
                            pju_get_uint64 (layer, "params"), pju_get_uint64 (layer, "params-after"),
                            pju_get_uint64 (layer, "macs"), pju_get_uint64 (layer, "macs-after"));
    append_quoted (out, reason ? reason : ties);
    g_string_append_c (out, '\n');
  }
  return g_string_free (out, FALSE);
}

static void
copy_cb (PjuLayersPage *self)
{
  g_autofree char *csv = pju_layers_to_csv (pju_studio_get_project (self->studio));
  pju_text_copy (self->studio, GTK_WIDGET (self), csv);
}

static void
save_cb (PjuLayersPage *self)
{
  pju_text_save (self->studio, GTK_WIDGET (self), "layers.csv", pju_layers_to_csv (pju_studio_get_project (self->studio)));
}

void
pju_layers_page_find (PjuLayersPage *self)
{
  gtk_widget_grab_focus (self->search);
}

void
pju_layers_page_set_studio (PjuLayersPage *self, PjuStudio *studio)
{
  GtkSortListModel *sorted;
  PjmProject *project = pju_studio_get_project (studio);

  self->studio = g_object_ref (studio);
  pju_layer_columns_add (GTK_COLUMN_VIEW (self->view), studio);
  /* Connected before the lists are. */
  g_signal_connect_object (pjm_project_get_layers (project), "items-changed", G_CALLBACK (layers_changed_cb), self, G_CONNECT_SWAPPED);
  self->filter = gtk_custom_filter_new (filter_func, self, NULL);
  self->filtered = gtk_filter_list_model_new (g_object_ref (pjm_project_get_layers (project)),
                                              g_object_ref (GTK_FILTER (self->filter)));
  sorted = gtk_sort_list_model_new (g_object_ref (G_LIST_MODEL (self->filtered)),
                                    g_object_ref (gtk_column_view_get_sorter (GTK_COLUMN_VIEW (self->view))));
  self->shown = gtk_slice_list_model_new (G_LIST_MODEL (sorted), 0, 0);
  self->selection = gtk_multi_selection_new (g_object_ref (G_LIST_MODEL (self->shown)));
  pju_ratio_set_label (PJU_RATIO (self->several_ratio), _("Share of channels to keep in the selected layers"));
  gtk_column_view_set_model (GTK_COLUMN_VIEW (self->view), GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_object (self->selection, "selection-changed", G_CALLBACK (selected_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->filtered, "items-changed", G_CALLBACK (show_count), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (studio, "notify::layer", G_CALLBACK (show_selection), self, G_CONNECT_SWAPPED);
  show_count (self);
}

static void
dispose (GObject *object)
{
  PjuLayersPage *self = PJU_LAYERS_PAGE (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->selection);
  g_clear_object (&self->shown);
  g_clear_object (&self->filtered);
  g_clear_object (&self->filter);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_layers_page_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuLayersPage, name)
#define CALLBACK(name) gtk_widget_class_bind_template_callback (widget_class, name)

static void
pju_layers_page_class_init (PjuLayersPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  widget_class->map = map;
  g_type_ensure (PJU_TYPE_RATIO);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/layers-page.ui");
  CHILD (box); CHILD (search); CHILD (prunable); CHILD (count); CHILD (view);
  CHILD (several); CHILD (several_label); CHILD (several_ratio);
  CALLBACK (filter_changed_cb); CALLBACK (copy_cb); CALLBACK (save_cb); CALLBACK (several_changed_cb);
}

static void
pju_layers_page_init (PjuLayersPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
