/* SPDX-License-Identifier: MIT */
/* An empty state: a picture, what is missing, and what to do about it. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @button, @action (nullable): detailed action behind a button. */
GtkWidget *pju_empty_page_new (const char *icon, const char *title, const char *text, const char *button,
                               const char *action);

G_END_DECLS
