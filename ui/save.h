/* SPDX-License-Identifier: MIT */
/* Saving what is on screen: pictures by the painter that drew them, tables as CSV. */
#pragma once

#include <gtk/gtk.h>

#include "palette.h"
#include "studio.h"

G_BEGIN_DECLS

/* Writes by the ending of @path: .svg, .pdf, or .png at twice the size. FALSE with @error; a file that was there is then
 * as it was. */
gboolean pju_picture_write (const char *path, PjuPainter painter, gpointer data, double width, double height,
                            GError **error);
/* Asks for a name and writes; @data is released by @destroy when done. */
void pju_picture_save (PjuStudio *studio, GtkWidget *parent, const char *name, PjuPainter painter, gpointer data,
                       GDestroyNotify destroy, double width, double height);
/* The same, and as a table if the name ends in .csv. @csv: (transfer full) */
void pju_plot_save (PjuStudio *studio, GtkWidget *parent, const char *name, PjuPainter painter, gpointer data,
                    GDestroyNotify destroy, double width, double height, char *csv);
/* Asks for a name and writes @text (transfer full). */
void pju_text_save (PjuStudio *studio, GtkWidget *parent, const char *name, char *text);
void pju_text_copy (PjuStudio *studio, GtkWidget *parent, const char *text);

G_END_DECLS
