/* SPDX-License-Identifier: MIT */
/* What the studio remembers between starts that belongs to the person and not to a session: style,
 * window size, view switches.  A key file in the user's configuration folder. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *pju_settings_get_string (const char *key, const char *fallback);
void pju_settings_set_string (const char *key, const char *value);
int pju_settings_get_int (const char *key, int fallback);
void pju_settings_set_int (const char *key, int value);
/* (transfer full): files opened lately, newest first, at most eight, only those that still exist. */
char **pju_settings_get_recent (void);
void pju_settings_add_recent (const char *path);

G_END_DECLS
