/* SPDX-License-Identifier: MIT */
/* PjuWorkflowBar: the steps of pruning from left to right: ratio, choice, cut, recovery, measurement. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_WORKFLOW_BAR (pju_workflow_bar_get_type ())
G_DECLARE_FINAL_TYPE (PjuWorkflowBar, pju_workflow_bar, PJU, WORKFLOW_BAR, GtkWidget)

void pju_workflow_bar_set_studio (PjuWorkflowBar *self, PjuStudio *studio);

G_END_DECLS
