/* SPDX-License-Identifier: MIT */
/* PjuGatesView: the gates of a method that trains them, one row per layer as they stand: how many are closed, open or in
 * between, the share that is open against the share to keep, how sharp they are; and what a person may do while it runs:
 * freeze a layer, or stop here and go on by hand.  Hidden while a job has no gates. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_GATES_VIEW (pju_gates_view_get_type ())
G_DECLARE_FINAL_TYPE (PjuGatesView, pju_gates_view, PJU, GATES_VIEW, GtkWidget)

GtkWidget *pju_gates_view_new (void);
/* @job: (nullable) */
void pju_gates_view_set_job (PjuGatesView *self, PjmJob *job);
/* TRUE for a curve that is shown here and is no chart of its own. */
gboolean pju_gates_view_takes (const char *series);

G_END_DECLS
