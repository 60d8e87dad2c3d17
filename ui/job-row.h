/* SPDX-License-Identifier: MIT */
/* PjuJobRow: one job: what it does, how far it is, how long it still takes, and the hands to stop it. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_JOB_ROW (pju_job_row_get_type ())
G_DECLARE_FINAL_TYPE (PjuJobRow, pju_job_row, PJU, JOB_ROW, GtkWidget)

/* @compact: for narrow places, without the icon. */
GtkWidget *pju_job_row_new (PjuStudio *studio, gboolean compact);
/* @job (nullable): none. */
void pju_job_row_set_job (PjuJobRow *self, PjmJob *job);
PjmJob *pju_job_row_get_job (PjuJobRow *self);
/* TRUE if the end of the program cut it off, or what was to follow it, and it can go on: a person is asked. */
gboolean pju_job_is_offered (PjmJob *job);
/* A word for a state, translated. */
const char *pju_job_state_title (PjmJobState state);

G_END_DECLS
