/* SPDX-License-Identifier: MIT */
/* PjuHistoryPage: the steps that led here; a click goes back to one. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_HISTORY_PAGE (pju_history_page_get_type ())
G_DECLARE_FINAL_TYPE (PjuHistoryPage, pju_history_page, PJU, HISTORY_PAGE, GtkWidget)

void pju_history_page_set_studio (PjuHistoryPage *self, PjuStudio *studio);

G_END_DECLS
