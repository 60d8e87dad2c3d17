/* SPDX-License-Identifier: MIT */
/* Files that are built into the engine, so that there is always something to work on. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The file @name of resources/sample ("vgg-mini.onnx"), uncopied. Any thread.
 * Returns: (transfer full) (nullable): NULL if there is none */
GBytes *pj_sample_bytes (const char *name);

G_END_DECLS
