/* SPDX-License-Identifier: MIT */
/* A window with two steps of the history against each other. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

void pju_step_diff_show (PjuStudio *studio, GtkWidget *parent, PjmStep *a, PjmStep *b);

G_END_DECLS
