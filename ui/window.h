/* SPDX-License-Identifier: MIT */
/* PjuWindow: one project in one window. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_WINDOW (pju_window_get_type ())
G_DECLARE_FINAL_TYPE (PjuWindow, pju_window, PJU, WINDOW, GtkApplicationWindow)

GtkWidget *pju_window_new (GtkApplication *application);
/* Opens a network, a session, a data folder, or with NULL the sample. */
void pju_window_open (PjuWindow *self, const char *path);
/* TRUE while nothing is open or being opened. */
gboolean pju_window_is_empty (PjuWindow *self);

G_END_DECLS
