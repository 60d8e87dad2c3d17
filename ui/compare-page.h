/* SPDX-License-Identifier: MIT */
/* PjuComparePage: methods against each other on one network, one data set, one budget. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_COMPARE_PAGE (pju_compare_page_get_type ())
G_DECLARE_FINAL_TYPE (PjuComparePage, pju_compare_page, PJU, COMPARE_PAGE, GtkWidget)

void pju_compare_page_set_studio (PjuComparePage *self, PjuStudio *studio);
/* Opens the popover that starts a comparison. */
void pju_compare_page_ask (PjuComparePage *self);

G_END_DECLS
