/* SPDX-License-Identifier: MIT */
/* The columns of the comparison table. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

void pju_compare_columns_add (GtkColumnView *view);
/* "ThiNet, 50 %" */
char *pju_compare_row_title (PjmCompareRow *row);
/* "ThiNet", or "ThiNet (norms again)" where @comparison has the method from both starts. */
char *pju_compare_row_name (PjmComparison *comparison, PjmCompareRow *row);
/* "84.2 % ±0.6" of the property @figure and its "-spread"; "–" where it was not measured. */
char *pju_compare_row_figure (PjmCompareRow *row, const char *figure);

/* Long names do not make the button of a drop-down (of strings or comparisons) wider than @most characters. */
void pju_drop_down_limit (GtkWidget *drop_down, int most);
/* A heading that takes the room there is, and a flat button that saves; small parts that the views of the page share. */
GtkWidget *pju_heading_new (const char *text);
GtkWidget *pju_save_button_new (const char *label, GCallback clicked, gpointer self);

G_END_DECLS
