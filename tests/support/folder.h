/* SPDX-License-Identifier: MIT */
/* Folders that tests leave behind as they found them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Removes @path and all below it; links are removed, not followed. */
void folder_remove (const char *path);

G_END_DECLS
