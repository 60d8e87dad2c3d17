/* SPDX-License-Identifier: MIT */
/* PjuMatrix: a table of numbers whose cells are shaded by their value, with its title inside, so that a saved picture
 * explains itself. */
#pragma once

#include "palette.h"
#include "studio.h"

G_BEGIN_DECLS

typedef enum { PJU_MATRIX_PERCENT, PJU_MATRIX_NUMBER, PJU_MATRIX_THOUSANDTHS } PjuMatrixFormat;

#define PJU_TYPE_MATRIX (pju_matrix_get_type ())
G_DECLARE_FINAL_TYPE (PjuMatrix, pju_matrix, PJU, MATRIX, GtkWidget)

GtkWidget *pju_matrix_new (const char *title, PjuMatrixFormat format);
/* @rows, @columns: NULL-terminated names; @values: row by row, NaN where there is none; @shades: (nullable): -1 … 1 for the
 * colours, else the values; @marked: (nullable): a column of each row to frame, -1 for none.  All are copied. */
void pju_matrix_set (PjuMatrix *self, const char *const *rows, const char *const *columns, const double *values,
                     const double *shades, const int *marked);
/* A PjuPainter with the widget as data. */
void pju_matrix_paint (gpointer self, cairo_t *cr, double width, double height, const PjuPalette *palette);
char *pju_matrix_to_csv (PjuMatrix *self);
/* Asks for a name and saves it as a picture or a table. */
void pju_matrix_save (PjuMatrix *self, PjuStudio *studio, const char *name);

G_END_DECLS
