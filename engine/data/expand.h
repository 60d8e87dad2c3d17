/* SPDX-License-Identifier: MIT */
/* Data expansion: several pictures from one (Luo, Wu: Neural Network Pruning with
 * Residual-Connections and Limited-Data, CVPR 2020).  All work on bytes C x H x W of the prepared size. */
#pragma once

#include "data/dataset.h"

G_BEGIN_DECLS

/**
 * PjExpand: how a training part grows.
 * @PJ_EXPAND_NO: it does not
 * @PJ_EXPAND_ERASE: six pictures from each: itself; its tiles shuffled in a grid of 2, 3 and 4; a rectangle erased; turned
 * @PJ_EXPAND_CROP: the same with a part of the picture at full size in place of the erased rectangle
 */
typedef enum { PJ_EXPAND_NO, PJ_EXPAND_ERASE, PJ_EXPAND_CROP } PjExpand;

#define PJ_EXPAND_VARIANTS 6

/**
 * pj_dataset_expand:
 * @how: PJ_EXPAND_NO gives @self, referenced
 * @seed: tiles, rectangles and angles are drawn once for each picture; they are the same in every epoch
 *
 * Picture i of the training part becomes pictures 6·i … 6·i+5 with the label of i; the test part stays as it is.  Nothing
 * is stored: variants are made when they are read.  Any thread may read.  A subset of an expanded set is one of its
 * originals.
 *
 * Returns: (transfer full)
 */
PjDataset *pj_dataset_expand (PjDataset *self, PjExpand how, uint64_t seed);

/* Puts tile @order[d] of a grid of @k x @k in the place of tile d, both row by row.  Sizes that @k does not divide are
 * resized to the next smaller ones that it does, and back. @out may not be @in. PJ_ERROR_NO_MEMORY. */
gboolean pj_expand_shuffle (const guint8 *in, int c, int h, int w, int k, const uint32_t *order, guint8 *out, GError **error);
/* Makes a rectangle black, in place. */
void pj_expand_erase (guint8 *pixels, int c, int h, int w, int top, int left, int height, int width);
/* The rectangle at full size, bilinear. @out may not be @in. */
void pj_expand_crop (const guint8 *in, int c, int h, int w, int top, int left, int height, int width, guint8 *out);
/* Turned by @degrees against the clock about the centre, bilinear; what comes from outside is black. */
void pj_expand_rotate (const guint8 *in, int c, int h, int w, int degrees, guint8 *out);

/* Variant @variant (0 … 5) of picture @index. @out may not be @in. */
gboolean pj_expand_variant (const guint8 *in, int c, int h, int w, PjExpand how, uint64_t seed, unsigned index,
                            unsigned variant, guint8 *out, GError **error);

G_END_DECLS
