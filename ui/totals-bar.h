/* SPDX-License-Identifier: MIT */
/* PjuTotalsBar: what the whole network costs and how well it does, before and with the present masks. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_TOTALS_BAR (pju_totals_bar_get_type ())
G_DECLARE_FINAL_TYPE (PjuTotalsBar, pju_totals_bar, PJU, TOTALS_BAR, GtkWidget)

void pju_totals_bar_set_studio (PjuTotalsBar *self, PjuStudio *studio);

G_END_DECLS
