/* SPDX-License-Identifier: MIT */
/* One colour, dash and marker for each method, on all pages and in all saved pictures. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

/* A series index for the palette: the place of the method among all of the registry; random is grey. */
guint pju_method_color (PjmProject *project, const char *method);

G_END_DECLS
