/* SPDX-License-Identifier: MIT */
/* PjuExportPage: writing the network to a file, with its certificate. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_EXPORT_PAGE (pju_export_page_get_type ())
G_DECLARE_FINAL_TYPE (PjuExportPage, pju_export_page, PJU, EXPORT_PAGE, GtkWidget)

void pju_export_page_set_studio (PjuExportPage *self, PjuStudio *studio);
/* Asks for a file name and exports. */
void pju_export_page_ask (PjuExportPage *self);

G_END_DECLS
