/* SPDX-License-Identifier: MIT */
/* How the networks of the tables were cut.  Each recipe reads the widths or the ratio of its row.  Private to this
 * folder. */
#pragma once

#include "train/tables.h"

G_BEGIN_DECLS

/* 13 widths of the convolutions of VGG-16. */
PjGraph *pj_recipe_vgg (const PjTableRow *row, const PjGraph *graph, GError **error);
/* The first ten of them keep the ratio. */
PjGraph *pj_recipe_vgg_ratio (const PjTableRow *row, const PjGraph *graph, GError **error);
/* Both inner widths of the bottlenecks of a ResNet-50 keep the ratio; of all, or of all but the last. */
PjGraph *pj_recipe_inner_ratio (const PjTableRow *row, const PjGraph *graph, GError **error);
PjGraph *pj_recipe_inner_ratio_but_last (const PjTableRow *row, const PjGraph *graph, GError **error);
/* By stage of a ResNet-50: the width of its stream, then both inner widths of each block. */
PjGraph *pj_recipe_wallet (const PjTableRow *row, const PjGraph *graph, GError **error);
/* By block of a ResNet-50: how many channels of the stream its first convolution reads, and both inner widths. */
PjGraph *pj_recipe_sampled (const PjTableRow *row, const PjGraph *graph, GError **error);
/* Numbers of the blocks of a ResNet-50 whose branch is removed, ended by -1. */
PjGraph *pj_recipe_branches (const PjTableRow *row, const PjGraph *graph, GError **error);
/* 16 hidden widths of MobileNetV2. */
PjGraph *pj_recipe_hidden (const PjTableRow *row, const PjGraph *graph, GError **error);
/* By stage of a MobileNetV2: the width of its stream, then the hidden width of each block, but for the first block of
 * all, whose hidden width is the stem's. */
PjGraph *pj_recipe_hidden_wallet (const PjTableRow *row, const PjGraph *graph, GError **error);
/* The same list between the widths of the stem and of the last convolution. */
PjGraph *pj_recipe_hidden_all (const PjTableRow *row, const PjGraph *graph, GError **error);

G_END_DECLS
