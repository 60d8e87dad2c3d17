/* SPDX-License-Identifier: MIT */
/* PjuOverviewPage: what was opened: the verdict on the network, and its pictures with their preparation. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_OVERVIEW_PAGE (pju_overview_page_get_type ())
G_DECLARE_FINAL_TYPE (PjuOverviewPage, pju_overview_page, PJU, OVERVIEW_PAGE, GtkWidget)

void pju_overview_page_set_studio (PjuOverviewPage *self, PjuStudio *studio);

G_END_DECLS
