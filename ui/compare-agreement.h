/* SPDX-License-Identifier: MIT */
/* PjuCompareAgreement: at one ratio, who agrees with whom, and who wins which layer. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_COMPARE_AGREEMENT (pju_compare_agreement_get_type ())
G_DECLARE_FINAL_TYPE (PjuCompareAgreement, pju_compare_agreement, PJU, COMPARE_AGREEMENT, GtkBox)

GtkWidget *pju_compare_agreement_new (PjuStudio *studio);
/* Shows @comparison (nullable) as it is now. */
void pju_compare_agreement_show (PjuCompareAgreement *self, PjmComparison *comparison);

G_END_DECLS
