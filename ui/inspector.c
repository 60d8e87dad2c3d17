/* SPDX-License-Identifier: MIT */
/* Follows the studio's layer.  Without one it gives the verdict on the network: what can be pruned and what
 * is locked, and why.  Everything shown is read from the layer when it changes; everything changed goes
 * through the project. */
#include <glib/gi18n-lib.h>

#include "channel-map.h"
#include "chart-view.h"
#include "format.h"
#include "gallery.h"
#include "inspector.h"
#include "ratio.h"
#include "save.h"

struct _PjuInspector {
  GtkWidget parent;
  GtkWidget *stack, *network_name, *verdict, *locked_box, *locked_list;
  GtkWidget *name, *kind, *detail, *shape, *macs, *params, *facts, *lock_card, *lock_reason, *lock_hint, *tie_card, *ties;
  GtkWidget *keep_box, *kept, *ratio, *effect_macs, *effect_params, *effect_accuracy, *criterion_box, *criterion, *about, *source;
  GtkWidget *whole_box, *whole_note, *remove_block, *remove_layer;
  GtkWidget *channels_box, *cells_toggle, *map, *hover, *refusal, *others_box, *others;
  GtkWidget *sensitivity_box, *sensitivity_button, *sensitivity_save, *reading, *curve;
  GtkWidget *gallery_box, *gallery_mode, *gallery, *gallery_about;
  PjuStudio *studio;
  PjmLayer *layer;
  GPtrArray *criteria;             /* names, in the order of the drop-down */
  GPtrArray *other_maps;           /* PjuChannelMap, not owned */
  char *others_key;                /* what the maps are for */
  gboolean filling;
  guint idle;
};

G_DEFINE_FINAL_TYPE (PjuInspector, pju_inspector, GTK_TYPE_WIDGET)

static void
show_text (GtkWidget *label, const char *text)
{
  gtk_label_set_text (GTK_LABEL (label), text ? text : "");
  gtk_widget_set_visible (label, text && *text);
}

static char *
before_after (guint64 before, guint64 after)
{
  g_autofree char *b = pju_format_count (before), *a = pju_format_count (after);
  return before == after ? g_steal_pointer (&b) : g_strdup_printf ("%s → %s", b, a);
}

static void
clear_box (GtkWidget *box)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (box)))
    gtk_box_remove (GTK_BOX (box), child);
}

static void
add_locked (PjuInspector *self, PjmLayer *layer)
{
  g_autofree char *reason = pju_get_string (layer, "lock-reason");
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *name = gtk_label_new (pjm_layer_get_name (layer)), *why = gtk_label_new (reason);

  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_xalign (GTK_LABEL (why), 0);
  gtk_label_set_wrap (GTK_LABEL (why), TRUE);
  gtk_widget_add_css_class (why, "dim-label");
  gtk_box_append (GTK_BOX (row), name);
  gtk_box_append (GTK_BOX (row), why);
  gtk_box_append (GTK_BOX (self->locked_list), row);
}

static void
show_verdict (PjuInspector *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  GListModel *layers = pjm_project_get_layers (project);
  g_autofree char *network = pju_get_string (project, "name");
  guint free_layers = 0, locked = 0, channels = 0;

  clear_box (self->locked_list);
  for (guint i = 0; i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    if (pjm_layer_get_channels (layer) == 0)
      continue;
    if (pjm_layer_get_locked (layer)) {
      if (locked++ < 12)
        add_locked (self, layer);
    } else {
      free_layers++;
      channels += pjm_layer_get_channels (layer);
    }
  }
  g_autofree char *what = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u layer can be pruned", "%u layers can be pruned",
                                                        free_layers), free_layers);
  g_autofree char *how = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u channel", "%u channels", channels), channels);
  g_autofree char *text = g_strdup_printf (_("%s, with %s in all."), what, how);
  show_text (self->network_name, network);
  show_text (self->verdict, text);
  gtk_widget_set_visible (self->locked_box, locked > 0);
}

static void
show_effect (PjuInspector *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  double accuracy = pju_get_double (project, "preview-accuracy"), error = pju_get_double (project, "preview-error");
  g_autofree char *macs = pju_format_change (pju_get_uint64 (project, "macs"), pju_get_uint64 (project, "macs-after"));
  g_autofree char *params = pju_format_change (pju_get_uint64 (project, "params"), pju_get_uint64 (project, "params-after"));
  g_autofree char *percent = pju_format_percent (accuracy, 1);
  g_autofree char *right = accuracy < 0 ? g_strdup ("–") : g_strdup_printf ("%s ± %.1f", percent, error * 100);

  gtk_label_set_text (GTK_LABEL (self->effect_macs), macs);
  gtk_label_set_text (GTK_LABEL (self->effect_params), params);
  gtk_label_set_text (GTK_LABEL (self->effect_accuracy), right);
  if (pju_get_boolean (project, "preview-stale"))
    gtk_widget_add_css_class (self->effect_accuracy, "stale");
  else
    gtk_widget_remove_css_class (self->effect_accuracy, "stale");
}

static void
show_criterion (PjuInspector *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  g_autofree char *name = pju_get_string (project, "criterion");
  guint n;
  const PjmChoice *choices = pjm_project_get_methods (project, &n);

  self->filling = TRUE;
  for (guint i = 0; i < self->criteria->len; i++) {
    if (g_strcmp0 (self->criteria->pdata[i], name) == 0)
      gtk_drop_down_set_selected (GTK_DROP_DOWN (self->criterion), i);
  }
  self->filling = FALSE;
  for (guint i = 0; i < n; i++) {
    if (g_strcmp0 (choices[i].name, name) == 0) {
      show_text (self->about, choices[i].about && *choices[i].about ? choices[i].about : NULL);
      show_text (self->source, choices[i].source);
    }
  }
}

static void
fill_criteria (PjuInspector *self)
{
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  guint n;
  const PjmChoice *choices = pjm_project_get_methods (pju_studio_get_project (self->studio), &n);

  g_ptr_array_set_size (self->criteria, 0);
  for (guint i = 0; i < n; i++) {
    if (!choices[i].is_criterion)
      continue;
    gtk_string_list_append (titles, choices[i].title);
    g_ptr_array_add (self->criteria, (gpointer) choices[i].name);
  }
  self->filling = TRUE;
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->criterion), G_LIST_MODEL (titles));
  self->filling = FALSE;
}

static const char *
title_of (PjuInspector *self, const char *name)
{
  guint n;
  const PjmChoice *choices = pjm_project_get_methods (pju_studio_get_project (self->studio), &n);
  for (guint i = 0; i < n; i++) {
    if (g_strcmp0 (choices[i].name, name) == 0)
      return choices[i].title;
  }
  return name;
}

/* One label and one map for each other criterion; made anew only for another layer or another set. */
static void
make_others (PjuInspector *self, GPtrArray *names)
{
  clear_box (self->others);
  g_ptr_array_set_size (self->other_maps, 0);
  for (guint i = 0; i < names->len; i++) {
    GtkWidget *label = gtk_label_new (title_of (self, names->pdata[i])), *map = pju_channel_map_new (FALSE);
    gtk_label_set_xalign (GTK_LABEL (label), 0);
    gtk_box_append (GTK_BOX (self->others), label);
    gtk_box_append (GTK_BOX (self->others), map);
    g_ptr_array_add (self->other_maps, map);
  }
}

static void
show_others (PjuInspector *self)
{
  g_autofree char *present = pju_get_string (pju_studio_get_project (self->studio), "criterion");
  g_autoptr (GPtrArray) names = g_ptr_array_new (), all = g_ptr_array_new ();

  for (guint i = 0; i < pjm_layer_n_criteria (self->layer); i++) {
    const double *scores;
    const char *name = pjm_layer_get_criterion (self->layer, i, &scores);
    if (scores && g_strcmp0 (name, present) != 0) {
      g_ptr_array_add (names, (gpointer) name);
      g_ptr_array_add (all, (gpointer) scores);
    }
  }
  g_autofree char *key = g_strdup_printf ("%p %s", (void *) self->layer, present);
  for (guint i = 0; i < names->len; i++) {
    char *longer = g_strconcat (key, " ", names->pdata[i], NULL);
    g_free (key);
    key = longer;
  }
  if (g_strcmp0 (key, self->others_key) != 0) {
    make_others (self, names);
    g_free (self->others_key);
    self->others_key = g_steal_pointer (&key);
  }
  for (guint i = 0; i < names->len; i++)
    pju_channel_map_set (self->other_maps->pdata[i], title_of (self, names->pdata[i]),
                         pjm_layer_get_channels (self->layer), all->pdata[i], pjm_layer_get_mask (self->layer), NULL);
  gtk_widget_set_visible (self->others_box, names->len > 0);
}

static void
show_channels (PjuInspector *self)
{
  guint n = pjm_layer_get_channels (self->layer), kept = pjm_layer_get_kept (self->layer);
  const char *refusal = pjm_layer_get_refusal (self->layer);
  const double *scores = pjm_layer_get_scores (self->layer);
  g_autofree char *count = g_strdup_printf (_("%u of %u channels"), kept, n);

  gtk_label_set_text (GTK_LABEL (self->kept), count);
  pju_ratio_set (PJU_RATIO (self->ratio), pjm_layer_get_keep_ratio (self->layer));
  pju_channel_map_set (PJU_CHANNEL_MAP (self->map), pjm_layer_get_name (self->layer), n, scores,
                       pjm_layer_get_mask (self->layer), NULL);
  show_text (self->refusal, refusal ? refusal : !scores ? _("Not scored by this criterion yet.") : NULL);
  show_others (self);
}

/* The curve and its one line; a button where nothing was measured. */
static void
show_sensitivity (PjuInspector *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  PjuChart *chart = pju_chart_view_get_chart (PJU_CHART_VIEW (self->curve));
  g_autofree char *reading = NULL;
  guint n, n_pictures = 0;
  double base = 0;
  const double *points = pjm_project_get_sensitivity (project, self->layer, &n, &base, &n_pictures, &reading);

  gtk_widget_set_visible (self->curve, points != NULL);
  gtk_widget_set_visible (self->sensitivity_save, points != NULL);
  gtk_widget_set_visible (self->sensitivity_button, points == NULL);
  if (!points) {
    show_text (self->reading, _("Not measured yet."));
    return;
  }
  pju_chart_clear (chart);
  PjuSeries *series = pju_chart_series (chart, _("Accuracy"));
  for (guint i = 0; i < n; i++)
    pju_series_add (series, points[2 * i], points[2 * i + 1], NULL);
  chart->rule = base;
  g_free (chart->title);
  chart->title = g_strdup (pjm_layer_get_name (self->layer));
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s %s (measured on %u picture).",
                                                        "%s %s (measured on %u pictures).", n_pictures),
                                           pjm_layer_get_name (self->layer), reading, n_pictures);
  show_text (self->reading, text);
  pju_chart_view_changed (PJU_CHART_VIEW (self->curve), text);
}

/* What can be removed whole: the block around the layer, and the layer. */
static void
show_whole (PjuInspector *self)
{
  const char *block = pjm_layer_get_block (self->layer), *reason = pjm_layer_get_block_reason (self->layer);
  gboolean layer = pjm_layer_can_go (self->layer), editable = !pju_get_boolean (pju_studio_get_project (self->studio), "read-only");
  g_autofree char *share = pjm_layer_describe_block (self->layer), *text = NULL;

  if (block && reason)
    text = g_strdup_printf (_("The block %s cannot be removed: %s."), block, reason);
  else if (block)
    text = g_strdup_printf (_("The block %s has a shortcut, which stays without it. It makes up %s."), block, share);
  else if (layer)
    text = g_strdup (_("The output of this layer has the shape of its input, so the network works without it."));
  show_text (self->whole_note, text);
  gtk_widget_set_visible (self->whole_box, text != NULL);
  gtk_widget_set_visible (self->remove_block, block && !reason);
  gtk_widget_set_visible (self->remove_layer, layer);
  gtk_widget_set_sensitive (self->remove_block, editable);
  gtk_widget_set_sensitive (self->remove_layer, editable);
}

static void
show_layer (PjuInspector *self)
{
  gboolean prunable = pjm_layer_get_channels (self->layer) > 0, locked = pjm_layer_get_locked (self->layer);
  g_autofree char *kind = pju_get_string (self->layer, "kind"), *detail = pju_get_string (self->layer, "detail");
  g_autofree char *shape = pju_get_string (self->layer, "shape"), *ties = pju_get_string (self->layer, "ties");
  g_autofree char *reason = pju_get_string (self->layer, "lock-reason");
  g_autofree char *macs = before_after (pju_get_uint64 (self->layer, "macs"), pju_get_uint64 (self->layer, "macs-after"));
  g_autofree char *params = before_after (pju_get_uint64 (self->layer, "params"),
                                          pju_get_uint64 (self->layer, "params-after"));
  g_autofree char *label = g_strdup_printf (_("Share of channels to keep in %s"), pjm_layer_get_name (self->layer));

  show_text (self->name, pjm_layer_get_name (self->layer));
  show_text (self->kind, kind);
  show_text (self->detail, detail);
  show_text (self->shape, shape);
  show_text (self->macs, macs);
  show_text (self->params, params);
  show_text (self->lock_reason, reason);
  show_text (self->ties, ties);
  g_autofree char *hint = pjm_project_get_unlock_hint (pju_studio_get_project (self->studio), self->layer);
  g_autofree char *help = hint ? g_strdup_printf (_("To unlock it: %s"), hint) : NULL;
  show_text (self->lock_hint, help);
  gtk_widget_set_visible (self->sensitivity_box, prunable && !locked);
  gtk_widget_set_visible (self->gallery_box, prunable);
  pju_gallery_set_layer (PJU_GALLERY (self->gallery), prunable ? self->layer : NULL);
  pju_gallery_refresh (PJU_GALLERY (self->gallery));
  if (prunable && !locked)
    show_sensitivity (self);
  gtk_widget_set_visible (self->lock_card, reason != NULL);
  gtk_widget_set_visible (self->tie_card, ties != NULL);
  gtk_widget_set_visible (self->keep_box, prunable && !locked);
  gtk_widget_set_visible (self->criterion_box, prunable && !locked);
  gtk_widget_set_visible (self->channels_box, prunable && (!locked || pjm_layer_get_scores (self->layer)));
  g_object_set (self->map, "editable", prunable && !locked, NULL);
  pju_ratio_set_label (PJU_RATIO (self->ratio), label);
  show_whole (self);
  if (prunable)
    show_channels (self);
  else
    gtk_widget_set_visible (self->others_box, FALSE);
  show_effect (self);
}

static gboolean
update_cb (gpointer data)
{
  PjuInspector *self = data;
  self->idle = 0;
  if (self->layer) {
    show_layer (self);
    show_criterion (self);
  } else {
    show_verdict (self);
  }
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), self->layer ? "layer" : "none");
  return G_SOURCE_REMOVE;
}

static void
queue_update (PjuInspector *self)
{
  if (self->idle == 0)
    self->idle = g_idle_add_full (G_PRIORITY_HIGH_IDLE, update_cb, self, NULL);
}

static void
layer_changed_cb (PjuInspector *self)
{
  PjmLayer *layer = pju_studio_get_layer (self->studio);
  if (self->layer)
    g_signal_handlers_disconnect_by_data (self->layer, self);
  g_set_object (&self->layer, layer);
  if (layer) {
    g_signal_connect_object (layer, "notify", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (layer, "scores-changed", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
    g_signal_connect_object (layer, "mask-changed", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  }
  show_text (self->hover, " ");
  queue_update (self);
}

static void
ratio_changed_cb (PjuInspector *self, double ratio, gboolean final)
{
  if (self->layer)
    pjm_project_set_ratio (pju_studio_get_project (self->studio), self->layer, ratio, final);
}

static void
remove_block_cb (PjuInspector *self)
{
  if (self->layer)
    pjm_project_remove_block (pju_studio_get_project (self->studio), self->layer);
}

static void
remove_layer_cb (PjuInspector *self)
{
  if (self->layer)
    pjm_project_remove_layer (pju_studio_get_project (self->studio), self->layer);
}

static void
channel_toggled_cb (PjuInspector *self, guint channel)
{
  if (self->layer)
    pjm_project_toggle_channel (pju_studio_get_project (self->studio), self->layer, channel);
}

static void
hovered_cb (PjuInspector *self, int channel)
{
  const double *scores = self->layer ? pjm_layer_get_scores (self->layer) : NULL;
  const guint8 *mask = self->layer ? pjm_layer_get_mask (self->layer) : NULL;
  g_autofree char *text = NULL;

  if (!self->layer || channel < 0 || channel >= (int) pjm_layer_get_channels (self->layer)) {
    show_text (self->hover, " ");
    return;
  }
  gboolean kept = !mask || mask[channel];
  if (scores)
    text = g_strdup_printf (kept ? _("Channel %d · score %.4g · kept") : _("Channel %d · score %.4g · cut"), channel,
                            scores[channel]);
  else
    text = g_strdup_printf (kept ? _("Channel %d · kept") : _("Channel %d · cut"), channel);
  show_text (self->hover, text);
}

static void
criterion_selected_cb (PjuInspector *self)
{
  guint i = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->criterion));
  g_autofree char *present = NULL;

  if (self->filling || !self->studio || i >= self->criteria->len)
    return;
  present = pju_get_string (pju_studio_get_project (self->studio), "criterion");
  if (g_strcmp0 (present, self->criteria->pdata[i]) != 0)
    pjm_project_set_criterion (pju_studio_get_project (self->studio), self->criteria->pdata[i]);
}

static void
mode_cb (PjuInspector *self)
{
  gboolean cells = gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (self->cells_toggle));
  pju_channel_map_set_mode (PJU_CHANNEL_MAP (self->map), cells ? PJU_CHANNELS_CELLS : PJU_CHANNELS_SORTED);
}

static void
save_cb (PjuInspector *self)
{
  if (!self->layer)
    return;
  g_autofree char *name = g_strdup_printf ("%s-channels.svg", pjm_layer_get_name (self->layer));
  g_strdelimit (name, "/\\:", '-');
  pju_picture_save (self->studio, GTK_WIDGET (self), name, pju_channel_map_paint, g_object_ref (self->map),
                    g_object_unref, 640, 360);
}

static void
gallery_mode_cb (PjuInspector *self)
{
  guint mode = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->gallery_mode));
  if (!self->studio || self->filling || mode >= PJU_N_GALLERIES)
    return;
  pju_gallery_set_mode (PJU_GALLERY (self->gallery), (PjuGalleryMode) mode);
  show_text (self->gallery_about, pju_gallery_mode_about ((PjuGalleryMode) mode));
}

static char *
file_name (PjuInspector *self, const char *what)
{
  char *name = g_strdup_printf ("%s-%s.svg", pjm_layer_get_name (self->layer), what);
  return g_strdelimit (name, "/\\:", '-');
}

static void
save_gallery_cb (PjuInspector *self)
{
  if (!self->layer)
    return;
  g_autofree char *name = file_name (self, "look");
  double width = 640;
  pju_picture_save (self->studio, GTK_WIDGET (self), name, pju_gallery_paint, g_object_ref (self->gallery), g_object_unref,
                    width, pju_gallery_height (PJU_GALLERY (self->gallery), width));
}

static void
save_sensitivity_cb (PjuInspector *self)
{
  if (!self->layer)
    return;
  g_autofree char *name = file_name (self, "sensitivity");
  pju_chart_view_save (PJU_CHART_VIEW (self->curve), self->studio, name);
}

static void
make_look (PjuInspector *self)
{
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  PjuChart *chart = pju_chart_new (NULL, _("Share of channels kept"), NULL);
  for (guint i = 0; i < PJU_N_GALLERIES; i++)
    gtk_string_list_append (titles, pju_gallery_mode_title ((PjuGalleryMode) i));
  self->filling = TRUE;
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->gallery_mode), G_LIST_MODEL (titles));
  self->filling = FALSE;
  pju_set_label (self->gallery_mode, _("What to see of the channels"));
  chart->x_unit = chart->y_unit = PJU_CHART_PERCENT;
  chart->x_min = 0;
  chart->x_max = 1;
  chart->rule_name = g_strdup (_("whole"));
  self->curve = pju_chart_view_new (chart);
  gtk_widget_set_size_request (self->curve, -1, 170);
  gtk_box_append (GTK_BOX (self->sensitivity_box), self->curve);
}

void
pju_inspector_focus_ratio (PjuInspector *self)
{
  gtk_widget_child_focus (self->ratio, GTK_DIR_TAB_FORWARD);
}

void
pju_inspector_set_studio (PjuInspector *self, PjuStudio *studio)
{
  PjmProject *project = pju_studio_get_project (studio);
  self->studio = g_object_ref (studio);
  pju_set_label (self->criterion, _("Importance by"));
  fill_criteria (self);
  make_look (self);
  pju_gallery_set_studio (PJU_GALLERY (self->gallery), studio);
  gallery_mode_cb (self);
  g_signal_connect_object (project, "sensitivity-changed", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (studio, "notify::layer", G_CALLBACK (layer_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "notify", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "graph-changed", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  layer_changed_cb (self);
}

static void
dispose (GObject *object)
{
  PjuInspector *self = PJU_INSPECTOR (object);
  g_clear_handle_id (&self->idle, g_source_remove);
  if (self->layer)
    g_signal_handlers_disconnect_by_data (self->layer, self);
  g_clear_object (&self->layer);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->stack, gtk_widget_unparent);
  g_clear_pointer (&self->criteria, g_ptr_array_unref);
  g_clear_pointer (&self->other_maps, g_ptr_array_unref);
  g_clear_pointer (&self->others_key, g_free);
  G_OBJECT_CLASS (pju_inspector_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuInspector, name)

static void
pju_inspector_class_init (PjuInspectorClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  g_type_ensure (PJU_TYPE_RATIO);
  g_type_ensure (PJU_TYPE_CHANNEL_MAP);
  g_type_ensure (PJU_TYPE_GALLERY);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/inspector.ui");
  CHILD (stack); CHILD (network_name); CHILD (verdict); CHILD (locked_box); CHILD (locked_list);
  CHILD (name); CHILD (kind); CHILD (detail); CHILD (shape); CHILD (macs); CHILD (params); CHILD (facts);
  CHILD (lock_card); CHILD (lock_reason); CHILD (lock_hint); CHILD (tie_card); CHILD (ties);
  CHILD (keep_box); CHILD (kept); CHILD (ratio); CHILD (effect_macs); CHILD (effect_params);
  CHILD (effect_accuracy);
  CHILD (criterion_box); CHILD (criterion); CHILD (about); CHILD (source);
  CHILD (channels_box); CHILD (cells_toggle); CHILD (map); CHILD (hover); CHILD (refusal);
  CHILD (whole_box); CHILD (whole_note); CHILD (remove_block); CHILD (remove_layer);
  CHILD (others_box); CHILD (others);
  CHILD (sensitivity_box); CHILD (sensitivity_button); CHILD (sensitivity_save); CHILD (reading);
  CHILD (gallery_box); CHILD (gallery_mode); CHILD (gallery); CHILD (gallery_about);
  gtk_widget_class_bind_template_callback (widget_class, gallery_mode_cb);
  gtk_widget_class_bind_template_callback (widget_class, save_gallery_cb);
  gtk_widget_class_bind_template_callback (widget_class, save_sensitivity_cb);
  gtk_widget_class_bind_template_callback (widget_class, ratio_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, channel_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, remove_block_cb);
  gtk_widget_class_bind_template_callback (widget_class, remove_layer_cb);
  gtk_widget_class_bind_template_callback (widget_class, hovered_cb);
  gtk_widget_class_bind_template_callback (widget_class, criterion_selected_cb);
  gtk_widget_class_bind_template_callback (widget_class, mode_cb);
  gtk_widget_class_bind_template_callback (widget_class, save_cb);
  gtk_widget_class_set_css_name (widget_class, "inspector");
}

static void
pju_inspector_init (PjuInspector *self)
{
  self->criteria = g_ptr_array_new ();
  self->other_maps = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
