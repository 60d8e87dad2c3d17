/* SPDX-License-Identifier: MIT */
/* PjuClassBars: how the accuracy of each class moved: a mark for before, a mark for now, and a bar between them. */
#pragma once

#include "palette.h"
#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_CLASS_BARS (pju_class_bars_get_type ())
G_DECLARE_FINAL_TYPE (PjuClassBars, pju_class_bars, PJU, CLASS_BARS, GtkWidget)

GtkWidget *pju_class_bars_new (void);
/* @changes: (element-type PjmClassChange): copied, sorted by what was lost; @title: stands above */
void pju_class_bars_set (PjuClassBars *self, const char *title, const GArray *changes);
void pju_class_bars_save (PjuClassBars *self, PjuStudio *studio, const char *name);

G_END_DECLS
