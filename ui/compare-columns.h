/* SPDX-License-Identifier: MIT */
/* The columns of the comparison table. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

void pju_compare_columns_add (GtkColumnView *view);
/* "ThiNet, 50 %" */
char *pju_compare_row_title (PjmCompareRow *row);

G_END_DECLS
