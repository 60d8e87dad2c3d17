/* SPDX-License-Identifier: MIT */
/* Every page that can be empty says what would stand there and offers the way to it. */
#include "empty-page.h"
#include "studio.h"

GtkWidget *
pju_empty_page_new (const char *icon, const char *title, const char *text, const char *button, const char *action)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *image = gtk_image_new_from_icon_name (icon);
  GtkWidget *head = gtk_label_new (title), *body = gtk_label_new (text);

  gtk_image_set_pixel_size (GTK_IMAGE (image), 96);
  gtk_widget_add_css_class (image, "empty-icon");
  gtk_widget_add_css_class (head, "title-2");
  gtk_widget_add_css_class (body, "dim-label");
  gtk_label_set_wrap (GTK_LABEL (body), TRUE);
  gtk_label_set_wrap (GTK_LABEL (head), TRUE);
  gtk_label_set_justify (GTK_LABEL (body), GTK_JUSTIFY_CENTER);
  gtk_label_set_max_width_chars (GTK_LABEL (body), 56);
  gtk_box_append (GTK_BOX (box), image);
  gtk_box_append (GTK_BOX (box), head);
  gtk_box_append (GTK_BOX (box), body);
  if (button) {
    GtkWidget *go = gtk_button_new_with_label (button);
    pju_set_action (go, action);
    gtk_widget_add_css_class (go, "suggested-action");
    gtk_widget_add_css_class (go, "pill");
    gtk_widget_set_halign (go, GTK_ALIGN_CENTER);
    gtk_widget_set_margin_top (go, 12);
    gtk_box_append (GTK_BOX (box), go);
  }
  gtk_widget_set_valign (box, GTK_ALIGN_CENTER);
  gtk_widget_set_halign (box, GTK_ALIGN_CENTER);
  gtk_widget_set_vexpand (box, TRUE);
  gtk_widget_add_css_class (box, "empty-page");
  return box;
}
