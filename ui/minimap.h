/* SPDX-License-Identifier: MIT */
/* PjuMinimap: the whole network, small, with the visible part framed; a click or drag moves there. */
#pragma once

#include "canvas.h"

G_BEGIN_DECLS

#define PJU_TYPE_MINIMAP (pju_minimap_get_type ())
G_DECLARE_FINAL_TYPE (PjuMinimap, pju_minimap, PJU, MINIMAP, GtkWidget)

void pju_minimap_set_canvas (PjuMinimap *self, PjuCanvas *canvas);

G_END_DECLS
