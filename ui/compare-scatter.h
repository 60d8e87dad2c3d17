/* SPDX-License-Identifier: MIT */
/* PjuCompareScatter: accuracy against cost of all rows of a comparison, with whiskers and the front that nothing beats. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_COMPARE_SCATTER (pju_compare_scatter_get_type ())
G_DECLARE_FINAL_TYPE (PjuCompareScatter, pju_compare_scatter, PJU, COMPARE_SCATTER, GtkBox)

GtkWidget *pju_compare_scatter_new (PjuStudio *studio);
/* Shows @comparison (nullable) as it is now. */
void pju_compare_scatter_show (PjuCompareScatter *self, PjmComparison *comparison);

G_END_DECLS
