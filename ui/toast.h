/* SPDX-License-Identifier: MIT */
/* PjuToast: a short message over the content, with an optional action, that goes away by itself. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define PJU_TYPE_TOAST (pju_toast_get_type ())
G_DECLARE_FINAL_TYPE (PjuToast, pju_toast, PJU, TOAST, GtkWidget)

/* @action (nullable): detailed action name behind @button. */
void pju_toast_show (PjuToast *self, const char *text, const char *button, const char *action);

G_END_DECLS
