/* SPDX-License-Identifier: MIT */
/* PjuJobCurves: the curves of a job as they grow: one chart for each quantity, under one another. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_JOB_CURVES (pju_job_curves_get_type ())
G_DECLARE_FINAL_TYPE (PjuJobCurves, pju_job_curves, PJU, JOB_CURVES, GtkWidget)

GtkWidget *pju_job_curves_new (PjuStudio *studio);
void pju_job_curves_set_job (PjuJobCurves *self, PjmJob *job);

G_END_DECLS
