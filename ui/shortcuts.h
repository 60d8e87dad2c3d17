/* SPDX-License-Identifier: MIT */
/* The one table of keys: accelerators and the shortcuts window are made from it. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

void pju_shortcuts_apply (GtkApplication *application);
GtkWidget *pju_shortcuts_window_new (void);

G_END_DECLS
