/* SPDX-License-Identifier: MIT */
/* The slider edits the project directly; everything that takes time is a window action, which knows whether
 * it may start.  The slider shows the mean of the layers' ratios when they differ. */
#include <glib/gi18n-lib.h>

#include "choice-list.h"
#include "ratio.h"
#include "tune-form.h"
#include "workflow-bar.h"

struct _PjuWorkflowBar {
  GtkWidget parent;
  GtkWidget *box, *ratio, *choose_button, *choose_popover, *choose_start, *methods, *tune_button, *tune_popover;
  GtkWidget *tune_box, *tune_heading, *tune_start, *tune;
  PjuStudio *studio;
  guint idle;
};

G_DEFINE_FINAL_TYPE (PjuWorkflowBar, pju_workflow_bar, GTK_TYPE_WIDGET)

static gboolean
show_ratio (gpointer data)
{
  PjuWorkflowBar *self = data;
  GListModel *layers = pjm_project_get_layers (pju_studio_get_project (self->studio));
  double sum = 0;
  guint n = 0;

  self->idle = 0;
  for (guint i = 0; i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    if (pjm_layer_get_channels (layer) > 0 && !pjm_layer_get_locked (layer)) {
      sum += pjm_layer_get_keep_ratio (layer);
      n++;
    }
  }
  if (n > 0)
    pju_ratio_set (PJU_RATIO (self->ratio), sum / n);
  return G_SOURCE_REMOVE;
}

/* Of the thousands that one edit may change, the mean is taken once. */
static void
queue_ratio (PjuWorkflowBar *self)
{
  if (self->idle == 0)
    self->idle = g_idle_add_full (G_PRIORITY_HIGH_IDLE, show_ratio, self, NULL);
}

static void
graph_changed_cb (PjuWorkflowBar *self)
{
  GListModel *layers = pjm_project_get_layers (pju_studio_get_project (self->studio));
  for (guint i = 0; i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    g_signal_handlers_disconnect_by_func (layer, queue_ratio, self);
    g_signal_connect_object (layer, "notify::keep-ratio", G_CALLBACK (queue_ratio), self, G_CONNECT_SWAPPED);
  }
  queue_ratio (self);
}

static void
ratio_changed_cb (PjuWorkflowBar *self, double ratio, gboolean final)
{
  pjm_project_set_ratio_all (pju_studio_get_project (self->studio), ratio, final);
}

static void
method_changed_cb (PjuWorkflowBar *self)
{
  g_autoptr (GPtrArray) chosen = pju_choice_list_get (PJU_CHOICE_LIST (self->methods));
  gtk_widget_set_sensitive (self->choose_start, chosen->len > 0);
}

static void
choose_cb (PjuWorkflowBar *self)
{
  g_autoptr (GPtrArray) chosen = pju_choice_list_get (PJU_CHOICE_LIST (self->methods));
  gtk_popover_popdown (GTK_POPOVER (self->choose_popover));
  if (chosen->len > 0)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.choose", "s", chosen->pdata[0]);
}

static void
more_cb (PjuWorkflowBar *self)
{
  gtk_popover_popdown (GTK_POPOVER (self->choose_popover));
  gtk_widget_activate_action (GTK_WIDGET (self), "win.prune", NULL);
}

static void
tune_changed_cb (PjuWorkflowBar *self)
{
  gtk_widget_set_sensitive (self->tune_start, pju_tune_form_is_asked (PJU_TUNE_FORM (self->tune)));
}

static void
tune_cb (PjuWorkflowBar *self)
{
  PjmTuneOptions options;
  pju_tune_form_get (PJU_TUNE_FORM (self->tune), &options);
  gtk_popover_popdown (GTK_POPOVER (self->tune_popover));
  gtk_widget_activate_action (GTK_WIDGET (self), "win.tune", "(uuuduuddu)", (guint) options.kind, options.epochs, options.epochs_b,
                              options.lr, options.batch, options.max_steps, options.distill, options.temperature, options.teacher);
}

static void
add_tune_form (PjuWorkflowBar *self)
{
  self->tune = pju_tune_form_new (self->studio, FALSE);
  gtk_box_insert_child_after (GTK_BOX (self->tune_box), self->tune, self->tune_heading);
  g_signal_connect_object (self->tune, "changed", G_CALLBACK (tune_changed_cb), self, G_CONNECT_SWAPPED);
  /* The history has grown since it was open last. */
  g_signal_connect_object (self->tune_popover, "show", G_CALLBACK (pju_tune_form_refresh), self->tune, G_CONNECT_SWAPPED);
}

static void
fill_methods (PjuWorkflowBar *self)
{
  pju_choice_list_set_methods (PJU_CHOICE_LIST (self->methods), pju_studio_get_project (self->studio));
  pju_choice_list_select (PJU_CHOICE_LIST (self->methods), "thinet", TRUE);
  method_changed_cb (self);
}

static void
update_sensitivity (PjuWorkflowBar *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  gboolean editable = pju_get_boolean (project, "ready") && !pju_get_boolean (project, "read-only");
  g_autofree char *data = pju_get_string (project, "data-name");

  gtk_widget_set_sensitive (self->ratio, editable);
  gtk_widget_set_sensitive (self->choose_button, editable);
  gtk_widget_set_sensitive (self->tune_button, editable && data);
}

void
pju_workflow_bar_set_studio (PjuWorkflowBar *self, PjuStudio *studio)
{
  static const char *const watched[] = { "notify::ready", "notify::read-only", "notify::data-name" };
  PjmProject *project = pju_studio_get_project (studio);

  self->studio = g_object_ref (studio);
  pju_ratio_set_label (PJU_RATIO (self->ratio), _("Share of channels to keep in all layers"));
  pju_set_label (self->choose_button, _("Choose Channels"));
  pju_set_label (self->tune_button, _("Fine-Tune"));
  fill_methods (self);
  add_tune_form (self);
  g_signal_connect_object (project, "graph-changed", G_CALLBACK (graph_changed_cb), self, G_CONNECT_SWAPPED);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    g_signal_connect_object (project, watched[i], G_CALLBACK (update_sensitivity), self, G_CONNECT_SWAPPED);
  graph_changed_cb (self);
  update_sensitivity (self);
}

static void
dispose (GObject *object)
{
  PjuWorkflowBar *self = PJU_WORKFLOW_BAR (object);
  g_clear_handle_id (&self->idle, g_source_remove);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_workflow_bar_parent_class)->dispose (object);
}

static void
pju_workflow_bar_class_init (PjuWorkflowBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  g_type_ensure (PJU_TYPE_RATIO);
  g_type_ensure (PJU_TYPE_CHOICE_LIST);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/workflow-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, box);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, ratio);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, choose_button);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, choose_popover);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, choose_start);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, methods);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, tune_button);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, tune_popover);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, tune_box);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, tune_heading);
  gtk_widget_class_bind_template_child (widget_class, PjuWorkflowBar, tune_start);
  gtk_widget_class_bind_template_callback (widget_class, ratio_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, method_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, choose_cb);
  gtk_widget_class_bind_template_callback (widget_class, more_cb);
  gtk_widget_class_bind_template_callback (widget_class, tune_cb);
  gtk_widget_class_set_css_name (widget_class, "workflow");
}

static void
pju_workflow_bar_init (PjuWorkflowBar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
