/* SPDX-License-Identifier: MIT */
/* PjuStudio: what the pages of one window share: the project, and the layer that all of them show. */
#pragma once

#include <gtk/gtk.h>

#include "model/project.h"

G_BEGIN_DECLS

#define PJU_TYPE_STUDIO (pju_studio_get_type ())
G_DECLARE_FINAL_TYPE (PjuStudio, pju_studio, PJU, STUDIO, GObject)

/* Properties: "layer" PjmLayer (nullable): the selected layer.
 * Signals: "message" (text: string): something worth a toast;
 *          "problem" (headline: string, detail: string): something worth a banner. */
PjuStudio *pju_studio_new (PjmProject *project);
PjmProject *pju_studio_get_project (PjuStudio *self);
PjmLayer *pju_studio_get_layer (PjuStudio *self);
void pju_studio_set_layer (PjuStudio *self, PjmLayer *layer);
void pju_studio_say (PjuStudio *self, const char *text);
void pju_studio_complain (PjuStudio *self, const char *headline, const char *detail);

/* Sets action and target, in the order that does not warn: GtkActionable checks each change by itself. */
void pju_set_action (GtkWidget *actionable, const char *detailed_action);

/* Like gtk_widget_set_tooltip_text(), but free where the text is the one that is there: GTK asks the display for the
 * pointer at each call, which a table with hundreds of cells cannot afford. */
void pju_set_tooltip (GtkWidget *widget, const char *text);

/* Names a menu button or drop-down, and the button inside it that takes the focus, for screen readers. */
void pju_set_label (GtkWidget *widget, const char *label);

/* --- convenience readers of model properties --- */

double pju_get_double (gpointer object, const char *property);
guint64 pju_get_uint64 (gpointer object, const char *property);
guint pju_get_uint (gpointer object, const char *property);
gboolean pju_get_boolean (gpointer object, const char *property);
char *pju_get_string (gpointer object, const char *property);   /* (transfer full) */

G_END_DECLS
