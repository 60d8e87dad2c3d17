/* SPDX-License-Identifier: MIT */
/* How a comparison makes its rows. */
#pragma once

#include "graph/groups.h"
#include "model/comparison.h"
#include "prune/compare/jury.h"

G_BEGIN_DECLS

PjmCompareRow *pjm_compare_row_new (const PjVerdict *verdict);
/* Copies what @verdict says; "notify" for what is new. */
void pjm_compare_row_update (PjmCompareRow *self, const PjVerdict *verdict, const PjGroups *groups, guint64 base_macs,
                             guint n_test, gboolean on_front);
/* What its first seed took each test picture for, as many as were measured; NULL if that is not stored. */
const uint16_t *pjm_compare_row_get_answers (PjmCompareRow *self, guint *n);

G_END_DECLS
