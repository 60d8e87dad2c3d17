/* SPDX-License-Identifier: MIT */
/* What was measured belongs to the network and the device it was measured on: another one empties the card. */
#include <glib/gi18n-lib.h>

#include "compare-columns.h"
#include "flame-bar.h"
#include "format.h"
#include "kernel-table.h"
#include "setting-form.h"
#include "speed-card.h"

struct _PjuSpeedCard {
  GtkWidget parent;
  GtkWidget *box, *what, *measure, *stop, *save, *hint, *bar, *limits, *expander, *table;
  PjuStudio *studio;
  PjmProfile *profile;
  GCancellable *asking;            /* NULL: nothing is being measured */
};

G_DEFINE_FINAL_TYPE (PjuSpeedCard, pju_speed_card, GTK_TYPE_WIDGET)

static const struct { const char *title; gboolean train; guint batch; } runs[] = {
  { N_("One picture"), FALSE, 1 },
  { N_("64 pictures"), FALSE, 64 },
  { N_("A training step of 64"), TRUE, 64 },
};

static void
show (PjuSpeedCard *self)
{
  gboolean there = self->profile != NULL, busy = self->asking != NULL;
  gtk_widget_set_visible (self->bar, there);
  gtk_widget_set_visible (self->limits, there);
  gtk_widget_set_visible (self->expander, there);
  gtk_widget_set_visible (self->save, there);
  gtk_widget_set_visible (self->hint, !there || busy);
  gtk_widget_set_visible (self->stop, busy);
  gtk_widget_set_visible (self->measure, !busy);
  gtk_widget_set_sensitive (self->what, !busy);
}

static void
say (PjuSpeedCard *self, const char *text, gboolean failed)
{
  gtk_label_set_text (GTK_LABEL (self->hint), text);
  if (failed)
    gtk_widget_add_css_class (self->hint, "error");
  else
    gtk_widget_remove_css_class (self->hint, "error");
}

static void
take (PjuSpeedCard *self, PjmProfile *profile)
{
  pju_flame_bar_set (PJU_FLAME_BAR (self->bar), profile);
  pju_kernel_table_set (self->table, profile);
  g_clear_pointer (&self->profile, pjm_profile_free);
  self->profile = profile;
  if (profile) {
    g_autofree char *flops = pju_format_count (profile->peak_flops), *bytes = pju_format_count (profile->peak_bytes);
    g_autofree char *text = g_strdup_printf (_("As high as its colour is solid, a kernel uses the device: at most %sFLOP/s and %sB/s, measured too."), flops, bytes);
    gtk_label_set_text (GTK_LABEL (self->limits), text);
  }
  show (self);
}

static void
forget (PjuSpeedCard *self)
{
  if (self->asking)
    g_cancellable_cancel (self->asking);
  say (self, _("Runs the network on seeded noise and times every kernel: where the time goes, and what could still be won."), FALSE);
  take (self, NULL);
}

static void
profiled_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  g_autoptr (PjuSpeedCard) self = data;
  g_autoptr (GError) error = NULL;
  PjmProfile *profile = pjm_project_profile_finish (PJM_PROJECT (project), result, &error);
  if (!self->studio) {
    g_clear_pointer (&profile, pjm_profile_free);
    return;
  }
  gboolean stopped = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_object (&self->asking);
  if (profile) {
    take (self, profile);
    return;
  }
  if (stopped)
    say (self, _("Stopped."), FALSE);
  else
    say (self, error->message, TRUE);
  show (self);
}

void
pju_speed_card_measure (PjuSpeedCard *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  guint run = MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (self->what)), (guint) G_N_ELEMENTS (runs) - 1);
  if (self->asking)
    return;
  self->asking = g_cancellable_new ();
  say (self, pju_get_boolean (project, "busy") ? _("Measures once the running job has ended…") : _("Measuring…"), FALSE);
  show (self);
  pjm_project_profile_async (project, runs[run].train, runs[run].batch, self->asking, profiled_cb, g_object_ref (self));
}

static void
stop_cb (PjuSpeedCard *self)
{
  if (self->asking)
    g_cancellable_cancel (self->asking);
}

static void
save_cb (PjuSpeedCard *self)
{
  pju_flame_bar_save (PJU_FLAME_BAR (self->bar), self->studio, "kernels");
}

static void
update_sensitivity (PjuSpeedCard *self)
{
  gtk_widget_set_sensitive (self->measure, pju_get_boolean (pju_studio_get_project (self->studio), "ready"));
}

static void
dispose (GObject *object)
{
  PjuSpeedCard *self = PJU_SPEED_CARD (object);
  if (self->asking)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  g_clear_object (&self->studio);
  if (self->bar)
    pju_flame_bar_set (PJU_FLAME_BAR (self->bar), NULL);
  self->bar = NULL;
  g_clear_pointer (&self->profile, pjm_profile_free);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_speed_card_parent_class)->dispose (object);
}

static void
pju_speed_card_class_init (PjuSpeedCardClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
text_label (const char *css)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_widget_add_css_class (label, css);
  return label;
}

static GtkWidget *
make_head (PjuSpeedCard *self)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  PjmChoice rows[G_N_ELEMENTS (runs)] = { 0 };
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    rows[i].title = _(runs[i].title);
  self->what = pju_form_list (rows, G_N_ELEMENTS (runs));
  pju_set_label (self->what, _("What is timed"));
  self->measure = gtk_button_new_with_label (_("Measure Speed"));
  pju_set_tooltip (self->measure, _("Times every kernel on the device at the top, after the jobs that run"));
  g_signal_connect_object (self->measure, "clicked", G_CALLBACK (pju_speed_card_measure), self, G_CONNECT_SWAPPED);
  self->stop = gtk_button_new_with_label (_("Stop"));
  g_signal_connect_object (self->stop, "clicked", G_CALLBACK (stop_cb), self, G_CONNECT_SWAPPED);
  self->save = pju_save_button_new (_("Save the times of the kernels"), G_CALLBACK (save_cb), self);
  gtk_box_append (GTK_BOX (head), pju_heading_new (_("Speed")));
  gtk_box_append (GTK_BOX (head), self->save);
  gtk_box_append (GTK_BOX (head), self->what);
  gtk_box_append (GTK_BOX (head), self->measure);
  gtk_box_append (GTK_BOX (head), self->stop);
  return head;
}

static GtkWidget *
make_table (PjuSpeedCard *self)
{
  GtkWidget *scroll = gtk_scrolled_window_new ();
  self->table = pju_kernel_table_new ();
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), self->table);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroll), 260);
  gtk_widget_set_margin_top (scroll, 8);
  self->expander = gtk_expander_new (_("All kernels"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->expander), GTK_ACCESSIBLE_PROPERTY_LABEL, _("All kernels"), -1);
  gtk_expander_set_child (GTK_EXPANDER (self->expander), scroll);
  return self->expander;
}

static void
pju_speed_card_init (PjuSpeedCard *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  gtk_widget_add_css_class (self->box, "card");
  gtk_widget_add_css_class (self->box, "padded");
  gtk_box_append (GTK_BOX (self->box), make_head (self));
  self->hint = text_label ("dim-label");
  self->bar = pju_flame_bar_new ();
  self->limits = text_label ("dim-label");
  gtk_box_append (GTK_BOX (self->box), self->hint);
  gtk_box_append (GTK_BOX (self->box), self->bar);
  gtk_box_append (GTK_BOX (self->box), self->limits);
  gtk_box_append (GTK_BOX (self->box), make_table (self));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
pju_speed_card_new (PjuStudio *studio)
{
  PjuSpeedCard *self = g_object_new (PJU_TYPE_SPEED_CARD, NULL);
  PjmProject *project = pju_studio_get_project (studio);
  self->studio = g_object_ref (studio);
  g_signal_connect_object (project, "graph-changed", G_CALLBACK (forget), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "notify::device", G_CALLBACK (forget), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "notify::ready", G_CALLBACK (update_sensitivity), self, G_CONNECT_SWAPPED);
  forget (self);
  update_sensitivity (self);
  return GTK_WIDGET (self);
}
