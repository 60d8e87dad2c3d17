/* SPDX-License-Identifier: MIT */
/* PjuCompareAnswers: what a row's network says that the uncut one did not: class by class, and picture by picture. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_COMPARE_ANSWERS (pju_compare_answers_get_type ())
G_DECLARE_FINAL_TYPE (PjuCompareAnswers, pju_compare_answers, PJU, COMPARE_ANSWERS, GtkBox)

GtkWidget *pju_compare_answers_new (PjuStudio *studio);
/* Shows the row @i of @comparison (nullable). */
void pju_compare_answers_show (PjuCompareAnswers *self, PjmComparison *comparison, guint i);

G_END_DECLS
