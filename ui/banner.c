/* SPDX-License-Identifier: MIT */
/* A headline in the person's language, the engine's facts under it, one button for the way out.  It stays
 * until it is dismissed or another problem takes its place. */
#include <glib/gi18n-lib.h>

#include "banner.h"
#include "studio.h"
#include "style.h"

struct _PjuBanner {
  GtkWidget parent;
  GtkWidget *revealer, *box, *icon, *headline, *detail, *button;
};

G_DEFINE_FINAL_TYPE (PjuBanner, pju_banner, GTK_TYPE_WIDGET)

void
pju_banner_hide (PjuBanner *self)
{
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), FALSE);
}

static void
show (PjuBanner *self, gboolean offer, const char *headline, const char *detail, const char *button, const char *action)
{
  g_autofree char *all = g_strdup_printf ("%s. %s", headline, detail ? detail : "");
  if (offer)
    gtk_widget_add_css_class (self->box, "offer");
  else
    gtk_widget_remove_css_class (self->box, "offer");
  gtk_image_set_from_icon_name (GTK_IMAGE (self->icon), offer ? "dialog-information-symbolic" : "dialog-warning-symbolic");
  gtk_label_set_text (GTK_LABEL (self->headline), headline);
  gtk_label_set_text (GTK_LABEL (self->detail), detail ? detail : "");
  gtk_widget_set_visible (self->detail, detail && *detail);
  gtk_widget_set_visible (self->button, button != NULL);
  if (button) {
    gtk_button_set_label (GTK_BUTTON (self->button), button);
    pju_set_action (self->button, action);
  }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, all, -1);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), TRUE);
}

void
pju_banner_show (PjuBanner *self, const char *headline, const char *detail, const char *button, const char *action)
{
  show (self, FALSE, headline, detail, button, action);
}

void
pju_banner_offer (PjuBanner *self, const char *headline, const char *detail, const char *button, const char *action)
{
  show (self, TRUE, headline, detail, button, action);
}

static void
dispose (GObject *object)
{
  g_clear_pointer (&PJU_BANNER (object)->revealer, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_banner_parent_class)->dispose (object);
}

static void
pju_banner_class_init (PjuBannerClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_ALERT);
  gtk_widget_class_set_css_name (widget_class, "banner");
}

static GtkWidget *
wrapped_label (void)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_set_focusable (label, FALSE);
  return label;
}

static void
pju_banner_init (PjuBanner *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12), *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *close = gtk_button_new_from_icon_name ("window-close-symbolic");

  self->box = box;
  self->icon = gtk_image_new ();
  self->headline = wrapped_label ();
  self->detail = wrapped_label ();
  self->button = gtk_button_new ();
  gtk_widget_add_css_class (self->headline, "heading");
  gtk_widget_set_hexpand (texts, TRUE);
  gtk_box_append (GTK_BOX (texts), self->headline);
  gtk_box_append (GTK_BOX (texts), self->detail);
  gtk_widget_set_valign (self->button, GTK_ALIGN_CENTER);
  gtk_widget_set_valign (close, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (close, "flat");
  gtk_widget_add_css_class (close, "circular");
  pju_set_tooltip (close, _("Dismiss"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (close), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Dismiss"), -1);
  g_signal_connect_swapped (close, "clicked", G_CALLBACK (pju_banner_hide), self);
  g_signal_connect_swapped (self->button, "clicked", G_CALLBACK (pju_banner_hide), self);
  gtk_box_append (GTK_BOX (box), self->icon);
  gtk_box_append (GTK_BOX (box), texts);
  gtk_box_append (GTK_BOX (box), self->button);
  gtk_box_append (GTK_BOX (box), close);
  gtk_widget_add_css_class (box, "banner-body");
  self->revealer = gtk_revealer_new ();
  if (!pju_style_animates ())
    gtk_revealer_set_transition_type (GTK_REVEALER (self->revealer), GTK_REVEALER_TRANSITION_TYPE_NONE);
  gtk_revealer_set_child (GTK_REVEALER (self->revealer), box);
  gtk_widget_set_parent (self->revealer, GTK_WIDGET (self));
}
