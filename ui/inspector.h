/* SPDX-License-Identifier: MIT */
/* PjuInspector: everything about the selected layer, and the hands to change it. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_INSPECTOR (pju_inspector_get_type ())
G_DECLARE_FINAL_TYPE (PjuInspector, pju_inspector, PJU, INSPECTOR, GtkWidget)

void pju_inspector_set_studio (PjuInspector *self, PjuStudio *studio);
/* Moves the focus to the ratio of the layer. */
void pju_inspector_focus_ratio (PjuInspector *self);

G_END_DECLS
