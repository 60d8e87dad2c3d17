/* SPDX-License-Identifier: MIT */
/* Convolutions and matrix products in the family for hardware: which tile a group computes, and into how many parts
 * a sum over many channels is split where there are too few pixels to fill the card. */
#include "compute/vulkan/conv-sides.h"

#define WANTED_GROUPS 512       /* of the reference tile: fills a graphics card three or four times over */
#define REFERENCE_TILE 64       /* channels and pixels */
#define BLOCKS 4                /* K of conv_tiled.comp */
#define BLOCKS_HALF 8           /* K of conv_matrix.comp */
#define LEAST_HALF 48           /* result channels: with fewer, memory is the limit anyway */
#define GRADIENT_SCALE 4096.0f  /* SCALE of conv_matrix.comp */
#define STEPS_PER_PART 8        /* at least: fewer are not worth their partial sums */
#define MOST_PARTS 16

static const PjVkTile tile_16x256 = { "16×256", PJ_VK_SHADER_conv_tiled_16x256, 16, 256, FALSE };
static const PjVkTile tile_32x128 = { "32×128", PJ_VK_SHADER_conv_tiled_32x128, 32, 128, FALSE };
static const PjVkTile tile_32x256 = { "32×256", PJ_VK_SHADER_conv_tiled_32x256, 32, 256, FALSE };
static const PjVkTile tile_64x64 = { "64×64", PJ_VK_SHADER_conv_tiled_64x64, 64, 64, FALSE };
static const PjVkTile tile_64x128 = { "64×128", PJ_VK_SHADER_conv_tiled_64x128, 64, 128, FALSE };
static const PjVkTile tile_128x128 = { "128×128", PJ_VK_SHADER_conv_tiled_128x128, 128, 128, FALSE };
static const PjVkTile half_64x128 = { "64×128", PJ_VK_SHADER_conv_matrix_64x128, 64, 128, TRUE };
static const PjVkTile half_128x128 = { "128×128", PJ_VK_SHADER_conv_matrix_128x128, 128, 128, TRUE };

/* For so many result channels: the tiles worth measuring, the guess first. */
static const struct {
  uint32_t most_channels;
  const PjVkTile *tiles[3];
} candidates[] = {
  { 16, { &tile_16x256, &tile_32x128, &tile_64x64 } },
  { 32, { &tile_32x128, &tile_32x256, &tile_16x256 } },
  { 64, { &tile_64x64, &tile_64x128, &tile_32x128 } },
  { G_MAXUINT32, { &tile_64x128, &tile_128x128, &tile_64x64 } },
};

static void
choose (PjVkEmit *emit, PjVkSides *self)
{
  g_autofree char *what = pj_vk_sides_describe (self);
  const PjVkTile *const *tiles;
  const char *names[G_N_ELEMENTS (candidates[0].tiles)];
  unsigned row = 0;

  while (self->y.c > candidates[row].most_channels)
    row++;
  tiles = candidates[row].tiles;
  for (unsigned i = 0; i < G_N_ELEMENTS (names); i++)
    names[i] = tiles[i]->name;
  /* A software driver takes minutes for these kernels, and nobody waits for it. */
  self->variant = tiles[pj_vk_caps (emit)->software ? 0 : pj_vk_variant (emit, what, names, G_N_ELEMENTS (names))];
}

void
pj_vk_tiled_choose (PjVkEmit *emit, PjVkSides *self)
{
  if (pj_vk_caps (emit)->half && self->y.c >= LEAST_HALF)
    self->variant = self->y.c > 64 ? &half_128x128 : &half_64x128;
  else
    choose (emit, self);
  self->tile = self->variant->channels;
}

/* Parts of the sum.  By shapes alone, so that all tiles give the same bits. */
static uint32_t
n_parts (const PjVkSides *self, const PjVkPushConv *push)
{
  uint64_t pixels = (uint64_t) push->images * (uint64_t) push->rows * (uint64_t) push->columns;
  uint64_t groups = (pixels + REFERENCE_TILE - 1) / REFERENCE_TILE * ((self->y.c + REFERENCE_TILE - 1) / REFERENCE_TILE);
  uint32_t sources = (self->group_sources + 3) / 4, steps = (uint32_t) (push->taps_y * push->taps_x) * sources / BLOCKS;

  if (groups == 0 || groups > WANTED_GROUPS / 2)
    return 1;
  return MAX (MIN (MIN ((uint32_t) (WANTED_GROUPS / groups), steps / STEPS_PER_PART), MOST_PARTS), 1);
}

/* Adds the parts and stores the result as @whole would have. */
static gboolean
emit_sum (PjVkEmit *emit, const PjVkPushConv *push, const PjVkDispatch *whole, PjVkRegion partial, uint32_t parts, uint32_t y_blocks,
          GError **error)
{
  PjVkPushConvSplitSum sum = {
    .n_splits = (int32_t) parts, .y_blocks = (int32_t) y_blocks,
    .images = push->images, .rows = push->rows, .columns = push->columns,
    .y_n = push->y_n, .y_c = push->y_c, .y_y = push->y_y, .y_x = push->y_x, .y_first = push->y_first,
    .y_channels = push->y_channels, .ceiling = push->ceiling,
  };
  PjVkDispatch d = {
    .shader = PJ_VK_SHADER_conv_split_sum, .spec = { pj_vk_group_size (emit), whole->spec[1], whole->spec[2] }, .n_spec = 3,
    PJ_VK_PUSH (sum),
    .operands = { PJ_VK_WHOLE (partial), whole->operands[2], whole->operands[3], whole->operands[4] },
  };

  pj_vk_fold_groups (emit, (uint64_t) y_blocks * (uint64_t) (push->images * push->rows * push->columns), d.spec[0], d.groups);
  return pj_vk_emit (emit, &d, error);
}

gboolean
pj_vk_tiled_emit (PjVkEmit *emit, const PjVkSides *self, const PjVkPushConv *push, PjVkDispatch *d, GError **error)
{
  const PjVkCaps *caps = pj_vk_caps (emit);
  const PjVkTile *tile = self->variant;
  uint32_t group = caps->max_group >= 256 ? 256 : 128, pixels = tile->pixels * group / 256, blocks = tile->half ? BLOCKS_HALF : BLOCKS;
  uint32_t n_pixels = (uint32_t) (push->images * push->rows * push->columns), parts = n_parts (self, push);
  PjVkDispatch whole = *d;

  while (!tile->half && blocks > 1 && 32 * blocks * (self->tile + pixels) > caps->max_shared_bytes)
    blocks /= 2;
  d->shader = tile->shader;
  d->spec[0] = group;
  d->spec[3] = push->n_blocks % (int32_t) blocks == 0;
  d->spec[4] = parts > 1;
  d->spec[5] = tile->half ? pj_vk_float_bits (self->backward ? GRADIENT_SCALE : 1.0f) : blocks;
  d->n_spec = 6;
  d->groups[0] = (n_pixels + pixels - 1) / pixels;
  d->groups[1] = self->n_tiles;
  d->groups[2] = parts;
  if (!pj_vk_sides_check (emit, self, d, error))
    return FALSE;
  if (parts == 1)
    return pj_vk_emit (emit, d, error);

  uint32_t y_blocks = self->n_tiles * self->tile / 4;
  PjVkRegion partial = pj_vk_scratch (emit, (size_t) parts * y_blocks * n_pixels * 16);
  d->operands[4] = PJ_VK_WHOLE (partial);
  return pj_vk_emit (emit, d, error) && emit_sum (emit, push, &whole, partial, parts, y_blocks, error);
}
