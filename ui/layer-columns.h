/* SPDX-License-Identifier: MIT */
/* The columns of the layer table. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

void pju_layer_columns_add (GtkColumnView *view, PjuStudio *studio);

G_END_DECLS
