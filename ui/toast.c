/* SPDX-License-Identifier: MIT */
/* A revealer at the bottom of an overlay.  A new message replaces the one on screen; the time starts again
 * while the pointer rests on it, so that nobody has to race for the button.  Screen readers hear it as an
 * alert. */
#include <glib/gi18n-lib.h>

#include "studio.h"
#include "style.h"
#include "toast.h"

#define SECONDS 5

struct _PjuToast {
  GtkWidget parent;
  GtkWidget *revealer, *label, *button;
  guint timeout;
  gboolean hovered;
};

G_DEFINE_FINAL_TYPE (PjuToast, pju_toast, GTK_TYPE_WIDGET)

static void
hide (PjuToast *self)
{
  g_clear_handle_id (&self->timeout, g_source_remove);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), FALSE);
}

static gboolean
timeout_cb (gpointer data)
{
  PjuToast *self = data;
  if (self->hovered)
    return G_SOURCE_CONTINUE;
  self->timeout = 0;
  hide (self);
  return G_SOURCE_REMOVE;
}

static void
enter_cb (GtkEventControllerMotion *motion, double x, double y, PjuToast *self)
{
  self->hovered = TRUE;
}

static void
leave_cb (GtkEventControllerMotion *motion, PjuToast *self)
{
  self->hovered = FALSE;
}

static void
child_revealed_cb (PjuToast *self)
{
  /* A hidden toast must not swallow clicks on what lies under it. */
  if (!gtk_revealer_get_child_revealed (GTK_REVEALER (self->revealer))
      && !gtk_revealer_get_reveal_child (GTK_REVEALER (self->revealer)))
    gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

void
pju_toast_show (PjuToast *self, const char *text, const char *button, const char *action)
{
  gtk_label_set_text (GTK_LABEL (self->label), text);
  gtk_widget_set_visible (self->button, button != NULL);
  if (button) {
    gtk_button_set_label (GTK_BUTTON (self->button), button);
    pju_set_action (self->button, action);
  }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  gtk_widget_set_visible (GTK_WIDGET (self), TRUE);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), TRUE);
  g_clear_handle_id (&self->timeout, g_source_remove);
  self->timeout = g_timeout_add_seconds (SECONDS, timeout_cb, self);
}

static void
dispose (GObject *object)
{
  PjuToast *self = PJU_TOAST (object);
  g_clear_handle_id (&self->timeout, g_source_remove);
  g_clear_pointer (&self->revealer, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_toast_parent_class)->dispose (object);
}

static void
pju_toast_class_init (PjuToastClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_ALERT);
  gtk_widget_class_set_css_name (widget_class, "toast");
}

static void
pju_toast_init (PjuToast *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *close = gtk_button_new_from_icon_name ("window-close-symbolic");
  GtkEventController *motion = gtk_event_controller_motion_new ();

  self->label = gtk_label_new (NULL);
  gtk_label_set_ellipsize (GTK_LABEL (self->label), PANGO_ELLIPSIZE_END);
  gtk_label_set_max_width_chars (GTK_LABEL (self->label), 80);
  self->button = gtk_button_new ();
  g_signal_connect_swapped (self->button, "clicked", G_CALLBACK (hide), self);
  pju_set_tooltip (close, _("Dismiss"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (close), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Dismiss"), -1);
  gtk_widget_add_css_class (close, "flat");
  gtk_widget_add_css_class (close, "circular");
  g_signal_connect_swapped (close, "clicked", G_CALLBACK (hide), self);
  gtk_box_append (GTK_BOX (box), self->label);
  gtk_box_append (GTK_BOX (box), self->button);
  gtk_box_append (GTK_BOX (box), close);
  gtk_widget_add_css_class (box, "toast-body");

  self->revealer = gtk_revealer_new ();
  gtk_revealer_set_transition_type (GTK_REVEALER (self->revealer), pju_style_animates ()
    ? GTK_REVEALER_TRANSITION_TYPE_SLIDE_UP : GTK_REVEALER_TRANSITION_TYPE_NONE);
  gtk_revealer_set_child (GTK_REVEALER (self->revealer), box);
  gtk_widget_set_parent (self->revealer, GTK_WIDGET (self));
  g_signal_connect_swapped (self->revealer, "notify::child-revealed", G_CALLBACK (child_revealed_cb), self);

  g_signal_connect (motion, "enter", G_CALLBACK (enter_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_set_halign (GTK_WIDGET (self), GTK_ALIGN_CENTER);
  gtk_widget_set_valign (GTK_WIDGET (self), GTK_ALIGN_END);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}
