/* SPDX-License-Identifier: MIT */
/* What operators share that only move numbers: each describes its output as a strided view of its input
 * (PjView), and one kernel copies, one copies back.  Private to this folder. */
#pragma once

#include "ops/util.h"

G_BEGIN_DECLS

/* The view that makes @y from @x, shapes with the real batch. */
typedef void (*PjViewFunc) (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view);

/* The view that copies @y's shape from @x's front corner. */
void pj_view_plain (const PjShape *x, const PjShape *y, PjView *view);
/* Add the call of the forward and of the backward pass. */
void pj_view_lower (PjLower *lower, int index, PjViewFunc func);
void pj_view_lower_backward (PjLower *lower, int index, PjViewFunc func);

G_END_DECLS
