/* SPDX-License-Identifier: MIT */
/* PjuFlameBar: where the time of a network goes: one bar, a piece per kernel call in the order in which they run, as wide as
 * its time, coloured by kind, and filled as high as its share of what the device can do at most. */
#pragma once

#include "palette.h"
#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_FLAME_BAR (pju_flame_bar_get_type ())
G_DECLARE_FINAL_TYPE (PjuFlameBar, pju_flame_bar, PJU, FLAME_BAR, GtkWidget)

GtkWidget *pju_flame_bar_new (void);
/* @profile: borrowed until the next call, NULL for none */
void pju_flame_bar_set (PjuFlameBar *self, const PjmProfile *profile);
/* "conv · conv1 …": all that is known of one call. (transfer full) */
char *pju_kernel_text (const PjmProfile *profile, const PjmKernel *kernel);
/* "0.96 ms for one picture on …": all that is known of the whole. (transfer full) */
char *pju_profile_text (const PjmProfile *profile);
char *pju_profile_to_csv (const PjmProfile *profile);
/* Asks for a name and saves it as a picture or a table. */
void pju_flame_bar_save (PjuFlameBar *self, PjuStudio *studio, const char *name);

G_END_DECLS
