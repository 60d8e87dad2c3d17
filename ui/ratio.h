/* SPDX-License-Identifier: MIT */
/* PjuRatio: a slider with its number, for the share of channels that is kept. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define PJU_TYPE_RATIO (pju_ratio_get_type ())
G_DECLARE_FINAL_TYPE (PjuRatio, pju_ratio, PJU, RATIO, GtkWidget)

/* Property: "compact" boolean, at construction: a number instead of a spin button.
 * Signal: "changed" (ratio: double, final: boolean): a person moved it; final once the hand is still. */
GtkWidget *pju_ratio_new (gboolean compact);
/* Shows a value without telling anybody. */
void pju_ratio_set (PjuRatio *self, double ratio);
double pju_ratio_get (PjuRatio *self);
void pju_ratio_set_label (PjuRatio *self, const char *label);
/* For tables: leaves out the buttons of the spin button; the slider and the arrow keys do the same. */
void pju_ratio_make_narrow (PjuRatio *self);

G_END_DECLS
