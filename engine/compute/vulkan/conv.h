/* SPDX-License-Identifier: MIT */
/* What the emitters of convolutions and matrix products share.
 *
 * To the shaders both are one thing, a "product": a sum over taps and blocks of channels (see
 * shaders/include/conv.glsl for the formula).  A PjVkProduct says which product in the words of the network;
 * conv.c turns it into geometry for the forward pass and the gradient by the input (conv-tiled.c: for hardware), conv-weight.c for the
 * gradient by the weights. */
#pragma once

#include "compute/vulkan/emitters.h"

G_BEGIN_DECLS

/**
 * PjVkProduct:
 * @conv: kernel, stride, dilation, pads, groups; a matrix product is a kernel of 1 × 1
 * @in, @out: the layer's input and output, or their gradients
 * @w: weights [O][I / groups][kh][kw], plain; unused by the gradient by the weights
 * @b, @r: bias and residual, or -1
 * @ceiling: see pj_call_ceiling(); only read by the forward pass
 */
typedef struct {
  PjConvParams conv;
  int in, out, w, b, r;
  float ceiling;
} PjVkProduct;

/* out = relu? (product (in, w) + b + r) */
gboolean pj_vk_product (PjVkEmit *emit, const PjVkProduct *product, GError **error);
/* in = gradient by the input, where @out is the gradient by the output. */
gboolean pj_vk_product_bwd_input (PjVkEmit *emit, const PjVkProduct *product, GError **error);
/* dw, and db unless -1, are written or with @accumulate added to; @out is the gradient by the output. */
gboolean pj_vk_product_bwd_weight (PjVkEmit *emit, const PjVkProduct *product, int dw, int db, gboolean accumulate,
                                   GError **error);

/* --- geometry, shared by conv.c and conv-weight.c --- */

/* A map of quads in memory: strides of image, block of channels, row and pixel; its size. */
typedef struct {
  int32_t n, c, y, x;
  int32_t images, h, w;
} PjVkMap;

PjVkMap pj_vk_map (const PjVkLayout *layout, uint32_t images);
/* TRUE if every pixel of the output meets the one pixel of the input at its own place. */
gboolean pj_vk_product_is_pointwise (const PjVkProduct *product);
/* Makes rows as long as they can be for a pointwise product, whose pixels have no neighbours. */
void pj_vk_map_flatten (PjVkMap *map);
/* One filter per channel. */
gboolean pj_vk_product_is_depthwise (const PjVkEmit *emit, const PjVkProduct *product);
/* The texel family of these kernels needs more of the driver than reading through texel buffers. */
gboolean pj_vk_product_texel (const PjVkEmit *emit);
/* Most blocks of source channels that any tile of @tile result channels reaches. */
uint32_t pj_vk_blocks_of_tile (uint32_t results, uint32_t tile, uint32_t group_results, uint32_t group_sources,
                               uint32_t source_blocks);

/* --- push constants --- */

/* shaders/include/conv.glsl */
typedef struct {
  int32_t x_n, x_c, x_y, x_x, x_h, x_w;
  int32_t y_n, y_c, y_y, y_x, y_first;
  int32_t images, rows, columns;
  int32_t taps_y, taps_x, scale_y, scale_x, first_y, first_x, step_y, step_x;
  int32_t w_tile, w_y, w_x, w_first;
  int32_t n_blocks, x_c4, y_channels, group_out, group_in;
  float ceiling;
} PjVkPushConv;
PJ_VK_CHECK_PUSH (PjVkPushConv);

/* shaders/conv_split_sum.comp */
typedef struct {
  int32_t n_splits, y_blocks;
  int32_t images, rows, columns;
  int32_t y_n, y_c, y_y, y_x, y_first, y_channels;
  float ceiling;
} PjVkPushConvSplitSum;
PJ_VK_CHECK_PUSH (PjVkPushConvSplitSum);

/* shaders/conv_pack.comp */
typedef struct {
  int32_t n, first_quad;
  int32_t tile, taps, n_blocks;
  int32_t results, sources, source_blocks;
  int32_t group_results, group_sources;
  int32_t transposed;
} PjVkPushConvPack;
PJ_VK_CHECK_PUSH (PjVkPushConvPack);

/* shaders/include/conv_bwd_weight.glsl */
typedef struct {
  int32_t x_n, x_c, x_y, x_x, x_h, x_w;
  int32_t y_n, y_c, y_y, y_x;
  int32_t images, rows, columns;
  int32_t taps_x;
  int32_t scale_y, scale_x, first_y, first_x, step_y, step_x;
  int32_t n_splits, first_split;
  int32_t tiles, in_tiles, tap_groups;
  int32_t n_blocks, x_c4, y_c4, group_out, group_in;
} PjVkPushConvBwdWeight;
PJ_VK_CHECK_PUSH (PjVkPushConvBwdWeight);

/* shaders/conv_bwd_weight_sum.comp */
typedef struct {
  int32_t n, taps;
  int32_t n_splits, split;
  int32_t out_quads, in_quads;
  int32_t in_tiles, n_blocks, x_c4;
  int32_t group_out, group_in;
  int32_t accumulate;
  int32_t row_taps;
} PjVkPushConvBwdWeightSum;
PJ_VK_CHECK_PUSH (PjVkPushConvBwdWeightSum);

/* shaders/conv_bwd_bias.comp */
typedef struct {
  int32_t n_splits, first_split;
  int32_t images, c4, plane, image_quads;
} PjVkPushConvBwdBias;
PJ_VK_CHECK_PUSH (PjVkPushConvBwdBias);

G_END_DECLS
