/* SPDX-License-Identifier: MIT */
/* PjuCompareRun: what is asked before a comparison: methods, ratios, seeds, budget, controls. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_COMPARE_RUN (pju_compare_run_get_type ())
G_DECLARE_FINAL_TYPE (PjuCompareRun, pju_compare_run, PJU, COMPARE_RUN, GtkWidget)

void pju_compare_run_set_studio (PjuCompareRun *self, PjuStudio *studio);

G_END_DECLS
