/* SPDX-License-Identifier: MIT */
/* PjuLayersPage: the network as a table: every figure of every layer, every ratio in reach. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_LAYERS_PAGE (pju_layers_page_get_type ())
G_DECLARE_FINAL_TYPE (PjuLayersPage, pju_layers_page, PJU, LAYERS_PAGE, GtkWidget)

void pju_layers_page_set_studio (PjuLayersPage *self, PjuStudio *studio);
void pju_layers_page_find (PjuLayersPage *self);
/* The table, all layers in graph order, as comma-separated values. */
char *pju_layers_to_csv (PjmProject *project);

G_END_DECLS
