/* SPDX-License-Identifier: MIT */
/* PjuCompareChannels: the channels that two or three rows keep in one layer, side by side, and where they differ. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_COMPARE_CHANNELS (pju_compare_channels_get_type ())
G_DECLARE_FINAL_TYPE (PjuCompareChannels, pju_compare_channels, PJU, COMPARE_CHANNELS, GtkBox)

GtkWidget *pju_compare_channels_new (PjuStudio *studio);
/* Shows @rows of @comparison (both nullable): (element-type PjmCompareRow): two or three. */
void pju_compare_channels_show (PjuCompareChannels *self, PjmComparison *comparison, GPtrArray *rows);

G_END_DECLS
