/* SPDX-License-Identifier: MIT */
/* PjuSettingForm: the settings of a method's own, made from the registry: a list for words, a field for numbers, each with
 * what it is beside it. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_SETTING_FORM (pju_setting_form_get_type ())
G_DECLARE_FINAL_TYPE (PjuSettingForm, pju_setting_form, PJU, SETTING_FORM, GtkWidget)

/* Signal: "changed". */
GtkWidget *pju_setting_form_new (void);
/* The form of @settings (element-type PjmSetting), at the usual values; returns how many there are. */
guint pju_setting_form_set (PjuSettingForm *self, const GArray *settings);
/* What differs from the usual: "name=value", NULL-terminated. (transfer full) */
char **pju_setting_form_get (PjuSettingForm *self);

/* --- for forms beside it --- */

/* A line of a form: @text wraps at the start, @control stands at the end and is named by it; @tip: (nullable). */
void pju_form_add (GtkWidget *grid, int row, const char *text, GtkWidget *control, const char *tip);
/* A grid for such lines. */
GtkWidget *pju_form_new (void);
/* A field for a number. */
GtkWidget *pju_form_spin (double value, double least, double most, double step, guint digits);
/* Shows @word for 0, where that is no amount; typing the word, or nothing, is 0 again. */
void pju_form_name_zero (GtkWidget *spin, const char *word);
/* A list of titles. */
GtkWidget *pju_form_list (const PjmChoice *rows, guint n);

G_END_DECLS
