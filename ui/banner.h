/* SPDX-License-Identifier: MIT */
/* PjuBanner: a problem and what would help, or an offer, over the content until it is dismissed. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define PJU_TYPE_BANNER (pju_banner_get_type ())
G_DECLARE_FINAL_TYPE (PjuBanner, pju_banner, PJU, BANNER, GtkWidget)

/* @detail, @button, @action: (nullable). */
void pju_banner_show (PjuBanner *self, const char *headline, const char *detail, const char *button,
                      const char *action);
/* The same in calm colours: nothing is wrong, something can be had. */
void pju_banner_offer (PjuBanner *self, const char *headline, const char *detail, const char *button,
                       const char *action);
void pju_banner_hide (PjuBanner *self);

G_END_DECLS
