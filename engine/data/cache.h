/* SPDX-License-Identifier: MIT */
/* Decoded pictures kept in memory at the sizes that were asked for: epochs and evaluations read the same
 * photos again and again, and decoding costs more than a small network.  Any thread.  Private to this folder. */
#pragma once

#include "data/dataset.h"

G_BEGIN_DECLS

typedef struct _PjCache PjCache;

/* For items 0 … @n_items - 1; keeps at most @max_bytes of pixels. */
PjCache *pj_cache_new (uint32_t n_items, size_t max_bytes);
void pj_cache_free (PjCache *self);
/* Copies the picture to @out if it is there. */
gboolean pj_cache_get (PjCache *self, uint32_t item, const PjFormat *format, guint8 *out);
/* Keeps a copy while there is room; never fails. */
void pj_cache_put (PjCache *self, uint32_t item, const PjFormat *format, const guint8 *pixels);

G_END_DECLS
