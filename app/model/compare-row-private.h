/* SPDX-License-Identifier: MIT */
/* How a comparison makes its rows. */
#pragma once

#include "graph/groups.h"
#include "model/comparison.h"
#include "session/session.h"

G_BEGIN_DECLS

/* Copies @record, sorted by the ids of @groups. */
PjmCompareRow *pjm_compare_row_new (const PjComparisonRowRecord *record, const PjGroups *groups, guint64 base_macs);
/* Channels kept by both and by either, over the groups that at least one of them cuts. */
void pjm_compare_row_count_common (PjmCompareRow *self, PjmCompareRow *other, guint64 *both, guint64 *either);

G_END_DECLS
