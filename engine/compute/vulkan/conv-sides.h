/* SPDX-License-Identifier: MIT */
/* What conv.c and conv-tiled.c share: the two sides of a product and the tile that a group computes.  Private to them. */
#pragma once

#include "compute/vulkan/conv.h"

G_BEGIN_DECLS

/* A variant of conv_depthwise_patch.comp: pixels of an invocation. */
typedef struct {
  PjVkShader shader;
  uint32_t width, height;
} PjVkPatch;

/* A variant of conv_tiled.comp or, in half precision, of conv_matrix.comp: what a group of 256 computes. */
typedef struct {
  const char *name;
  PjVkShader shader;
  uint32_t channels, pixels;
  gboolean half;
} PjVkTile;

/**
 * PjVkSides: a product as the shaders see it.
 * @source, @result: slots, with layouts @x and @y
 * @group_results, @group_sources: channels of a group
 * @tile: result channels of a group of invocations; @n_blocks: source blocks that they sum; @n_tiles: how many
 * @patch: of a depthwise one, or NULL: strips
 * @variant: of the tiled family
 * @packed: the weights in the order of conv.glsl
 */
typedef struct {
  const PjVkProduct *product;
  gboolean backward, depthwise, texel;
  int source, result;
  PjVkLayout x, y;
  uint32_t group_results, group_sources;
  uint32_t tile, n_blocks, n_tiles;
  const PjVkTile *variant;
  const PjVkPatch *patch;
  PjVkRegion packed;
} PjVkSides;

/* What a variant is measured for, and remembered by. */
char *pj_vk_sides_describe (const PjVkSides *self);
/* FALSE with PJ_ERROR_UNSUPPORTED if the device cannot take so many groups. */
gboolean pj_vk_sides_check (PjVkEmit *emit, const PjVkSides *self, const PjVkDispatch *dispatch, GError **error);

/* Sets @variant and @tile. */
void pj_vk_tiled_choose (PjVkEmit *emit, PjVkSides *self);
/* Completes @dispatch, whose operands and constants 1 and 2 are set, and emits it, in parts where pixels are few. */
gboolean pj_vk_tiled_emit (PjVkEmit *emit, const PjVkSides *self, const PjVkPushConv *push, PjVkDispatch *dispatch, GError **error);

G_END_DECLS
