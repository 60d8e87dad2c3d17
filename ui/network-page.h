/* SPDX-License-Identifier: MIT */
/* PjuNetworkPage: the graph with its legend, overview and search, and the inspector beside it. */
#pragma once

#include "studio.h"
#include "tint.h"

G_BEGIN_DECLS

#define PJU_TYPE_NETWORK_PAGE (pju_network_page_get_type ())
G_DECLARE_FINAL_TYPE (PjuNetworkPage, pju_network_page, PJU, NETWORK_PAGE, GtkWidget)

typedef enum { PJU_ZOOM_IN, PJU_ZOOM_OUT, PJU_ZOOM_NORMAL, PJU_ZOOM_FIT } PjuZoom;

void pju_network_page_set_studio (PjuNetworkPage *self, PjuStudio *studio);
void pju_network_page_zoom (PjuNetworkPage *self, PjuZoom zoom);
void pju_network_page_find (PjuNetworkPage *self);
void pju_network_page_save (PjuNetworkPage *self);
void pju_network_page_set_inspector (PjuNetworkPage *self, gboolean visible);

/* Signal "view-changed": zoom, place or colours.  FALSE before the page was ever shown. */
gboolean pju_network_page_get_view (PjuNetworkPage *self, double *scale, double *x, double *y);
void pju_network_page_set_view (PjuNetworkPage *self, double scale, double x, double y);
PjuTint pju_network_page_get_tint (PjuNetworkPage *self);
/* What the colours of the boxes mean. */
void pju_network_page_set_tint (PjuNetworkPage *self, PjuTint tint);

G_END_DECLS
