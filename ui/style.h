/* SPDX-License-Identifier: MIT */
/* Light, dark and high contrast: follows the desktop's setting, or the person's own choice. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef enum { PJU_STYLE_SYSTEM, PJU_STYLE_LIGHT, PJU_STYLE_DARK } PjuStyleChoice;

/* Loads the style sheets and starts following; once, after GTK was initialised. */
void pju_style_init (void);
void pju_style_set (PjuStyleChoice choice);
/* "system", "light", "dark" */
PjuStyleChoice pju_style_parse (const char *name);
const char *pju_style_name (PjuStyleChoice choice);
/* FALSE when the person asked for less motion. */
gboolean pju_style_animates (void);

G_END_DECLS
