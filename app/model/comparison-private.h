/* SPDX-License-Identifier: MIT */
/* How the project fills its comparisons. */
#pragma once

#include "graph/groups.h"
#include "model/comparison.h"
#include "session/session.h"

G_BEGIN_DECLS

/* @title: copied. Empty until pjm_comparison_update(). */
PjmComparison *pjm_comparison_new (const char *title);
/* Takes over the base figures and appends the rows that are not there yet. @groups: of the network compared,
 * referenced. */
void pjm_comparison_update (PjmComparison *self, const PjComparisonRecord *record, PjGroups *groups);
/* The job that fills it, 0 while that is not known. */
gint64 pjm_comparison_get_job (PjmComparison *self);

G_END_DECLS
