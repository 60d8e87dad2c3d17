/* SPDX-License-Identifier: MIT */
/* Large host memory.  GLib aborts when memory runs out; tensors, arenas and images therefore come
 * from here, where a failure is a GError that names the size. */
#pragma once

#include <glib.h>
#include <stddef.h>

G_BEGIN_DECLS

/* Alignment of every block: a cache line, and enough for any vector load. */
#define PJ_ALIGN 64

/**
 * pj_alloc:
 * @size_bytes: size; 0 is taken as 1
 * @what: (nullable): what it is for, for the message: "activations of batch 64"
 * @error: PJ_ERROR_NO_MEMORY
 *
 * Zeroed memory aligned to PJ_ALIGN.  Any thread.
 *
 * Returns: (transfer full) (nullable): memory for pj_free()
 */
void *pj_alloc (size_t size_bytes, const char *what, GError **error);

/* Frees memory of pj_alloc(); NULL is allowed. */
void pj_free (void *memory);

G_END_DECLS
