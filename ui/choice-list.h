/* SPDX-License-Identifier: MIT */
/* PjuChoiceList: methods, criteria or formats to pick from, each with its explanation and source. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_CHOICE_LIST (pju_choice_list_get_type ())
G_DECLARE_FINAL_TYPE (PjuChoiceList, pju_choice_list, PJU, CHOICE_LIST, GtkWidget)

/* Property: "multiple" boolean, at construction.  Signal: "changed". */
void pju_choice_list_set (PjuChoiceList *self, const PjmChoice *choices, guint n);
/* The methods of @project: those that choose by more than a score first, the baseline last. */
void pju_choice_list_set_methods (PjuChoiceList *self, PjmProject *project);
/* Selects by name. */
void pju_choice_list_select (PjuChoiceList *self, const char *name, gboolean selected);
/* (transfer container): names that are selected, in the list's order. */
GPtrArray *pju_choice_list_get (PjuChoiceList *self);

G_END_DECLS
