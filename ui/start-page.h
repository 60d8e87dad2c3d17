/* SPDX-License-Identifier: MIT */
/* PjuStartPage: no network is open: open one, or the sample. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define PJU_TYPE_START_PAGE (pju_start_page_get_type ())
G_DECLARE_FINAL_TYPE (PjuStartPage, pju_start_page, PJU, START_PAGE, GtkWidget)

/* Reads the recent files again. */
void pju_start_page_refresh (PjuStartPage *self);

G_END_DECLS
