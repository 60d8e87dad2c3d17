/* SPDX-License-Identifier: MIT */
/* Follows the studio's layer.  Without one it gives the verdict on the network: what can be pruned and what
 * is locked, and why.  Everything shown is read from the layer when it changes; everything changed goes
 * through the project. */
#include <glib/gi18n-lib.h>

#include "channel-map.h"
#include "gallery.h"
#include "inspector-private.h"
#include "ratio.h"

G_DEFINE_FINAL_TYPE (PjuInspector, pju_inspector, GTK_TYPE_WIDGET)

void
pju_inspector_text (GtkWidget *label, const char *text)
{
  gtk_label_set_text (GTK_LABEL (label), text ? text : "");
  gtk_widget_set_visible (label, text && *text);
}

void
pju_inspector_clear (GtkWidget *box)
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

  if (self->told)
    return;
  self->told = TRUE;
  pju_inspector_clear (self->locked_list);
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
  pju_inspector_text (self->network_name, network);
  pju_inspector_text (self->verdict, text);
  gtk_widget_set_visible (self->locked_box, locked > 0);
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
      pju_inspector_text (self->about, choices[i].about && *choices[i].about ? choices[i].about : NULL);
      pju_inspector_text (self->source, choices[i].source);
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

static gboolean
update_cb (gpointer data)
{
  PjuInspector *self = data;
  self->idle = 0;
  self->stale = !gtk_widget_get_mapped (GTK_WIDGET (self));
  if (self->stale)
    return G_SOURCE_REMOVE;
  if (self->layer) {
    pju_inspector_show_layer (self);
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

/* Another network, or another name of it. */
static void
network_changed_cb (PjuInspector *self)
{
  self->told = FALSE;
  queue_update (self);
}

/* What changed meanwhile is there before the first frame. */
static void
map (GtkWidget *widget)
{
  PjuInspector *self = PJU_INSPECTOR (widget);
  GTK_WIDGET_CLASS (pju_inspector_parent_class)->map (widget);
  if (self->stale)
    queue_update (self);
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
  pju_inspector_text (self->hover, " ");
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
    pju_inspector_text (self->hover, " ");
    return;
  }
  gboolean kept = !mask || mask[channel];
  if (scores)
    text = g_strdup_printf (kept ? _("Channel %d · score %.4g · kept") : _("Channel %d · score %.4g · cut"), channel,
                            scores[channel]);
  else
    text = g_strdup_printf (kept ? _("Channel %d · kept") : _("Channel %d · cut"), channel);
  pju_inspector_text (self->hover, text);
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
  pju_inspector_make_look (self);
  pju_gallery_set_studio (PJU_GALLERY (self->gallery), studio);
  pju_inspector_gallery_mode_cb (self);
  g_signal_connect_object (project, "sensitivity-changed", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (studio, "notify::layer", G_CALLBACK (layer_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "notify", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "graph-changed", G_CALLBACK (network_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "notify::name", G_CALLBACK (network_changed_cb), self, G_CONNECT_SWAPPED);
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
  widget_class->map = map;
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
  gtk_widget_class_bind_template_callback (widget_class, pju_inspector_gallery_mode_cb);
  gtk_widget_class_bind_template_callback (widget_class, pju_inspector_save_gallery_cb);
  gtk_widget_class_bind_template_callback (widget_class, pju_inspector_save_sensitivity_cb);
  gtk_widget_class_bind_template_callback (widget_class, ratio_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, channel_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, remove_block_cb);
  gtk_widget_class_bind_template_callback (widget_class, remove_layer_cb);
  gtk_widget_class_bind_template_callback (widget_class, hovered_cb);
  gtk_widget_class_bind_template_callback (widget_class, criterion_selected_cb);
  gtk_widget_class_bind_template_callback (widget_class, mode_cb);
  gtk_widget_class_bind_template_callback (widget_class, pju_inspector_save_channels_cb);
  gtk_widget_class_set_css_name (widget_class, "inspector");
}

static void
pju_inspector_init (PjuInspector *self)
{
  self->criteria = g_ptr_array_new ();
  self->other_maps = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
