/* SPDX-License-Identifier: MIT */
/* The gradients of a product by its weights and bias: sums over all pixels of the batch.
 *
 * The pixels are split into parts, whose partial sums go to scratch memory; a second dispatch adds the parts
 * in order.  The number of parts depends on shapes and device alone, so equal runs give equal bits. */
#include "compute/vulkan/conv.h"

#include "base/error.h"

#define STRIP 4                 /* pixels that an invocation of the texel shaders takes at a time */
#define WANTED_GROUPS_TEXEL 16  /* enough to keep the threads of a software driver busy to the end */
#define WANTED_GROUPS_TILED 2048
#define DEPTHWISE_GROUP 64
#define PARTS_PER_LANE 8        /* that an invocation adds before another one helps */
#define TILED_GROUP 64
#define TILED_PIXELS 16         /* PIXELS of conv_bwd_weight_tiled.comp */

/* How one gradient by the weights is computed. */
typedef struct {
  const PjVkProduct *product;
  gboolean depthwise, texel;
  PjVkLayout x, y;
  uint32_t group_out, group_in;
  PjVkShader shader;
  uint32_t row_taps;            /* taps side by side that a group computes together */
  uint32_t tap_groups;
  uint32_t out_quads, in_quads; /* tile, in blocks of channels */
  uint32_t tiles, in_tiles, n_blocks;
  uint32_t n_splits;            /* of one range of images */
  uint32_t part_quads;          /* partial sums of one split */
  uint32_t spec[4];
  unsigned n_spec;
} Weights;

static gboolean
has_side_by_side_taps (const PjConvParams *c)
{
  return c->kernel[1] == 3 && c->stride[1] == 1 && c->dilation[1] == 1;
}

/* The least one that is not below @n, at most 16. */
static uint32_t
power_of_two (uint32_t n)
{
  uint32_t power = 1;
  while (power < MIN (n, 16))
    power *= 2;
  return power;
}

static void
choose_depthwise (Weights *self)
{
  const PjConvParams *c = &self->product->conv;
  gboolean square = has_side_by_side_taps (c) && c->kernel[0] == 3;

  if (self->texel)
    self->shader = square ? PJ_VK_SHADER_conv_depthwise_bwd_weight_3_texel
                          : PJ_VK_SHADER_conv_depthwise_bwd_weight_texel;
  else
    self->shader = square ? PJ_VK_SHADER_conv_depthwise_bwd_weight_3 : PJ_VK_SHADER_conv_depthwise_bwd_weight;
  self->tap_groups = square ? 1 : (uint32_t) (c->kernel[0] * c->kernel[1]);
  self->tiles = self->x.c4;
  self->in_tiles = 1;
  self->n_blocks = 1;
  self->part_quads = self->x.c4 * (uint32_t) (c->kernel[0] * c->kernel[1]);
  self->spec[0] = DEPTHWISE_GROUP;
  self->n_spec = 1;
}

static void
choose_tile (const PjVkCaps *caps, Weights *self)
{
  const PjConvParams *c = &self->product->conv;

  if (self->texel) {
    gboolean row = has_side_by_side_taps (c);
    self->shader = row ? PJ_VK_SHADER_conv_bwd_weight_texel_row : PJ_VK_SHADER_conv_bwd_weight_texel;
    self->row_taps = row ? 3 : 1;
    self->out_quads = 4;
    self->in_quads = row ? 1 : 2;
    self->spec[0] = caps->subgroup_size;
    self->n_spec = 1;
  } else {
    /* Invocations along output and input channels; the rest of a group's shares pixels. */
    uint32_t quads = MIN (self->y.c, self->group_in) >= 64 ? 2 : 1;
    uint32_t group_o = quads == 2 ? 8 : power_of_two (self->y.c4), group_i = quads == 2 ? 8 : power_of_two ((self->group_in + 3) / 4);
    while (group_o * group_i > TILED_GROUP)
      *(group_o >= group_i ? &group_o : &group_i) /= 2;
    while (group_o * group_i * TILED_PIXELS < TILED_GROUP)      /* each must have a pixel of a step */
      group_o *= 2;
    self->shader = quads == 2 ? PJ_VK_SHADER_conv_bwd_weight_tiled_2 : PJ_VK_SHADER_conv_bwd_weight_tiled_1;
    self->out_quads = quads * group_o;
    self->in_quads = quads * group_i;
    self->spec[0] = TILED_GROUP;
    self->spec[1] = group_o;
    self->spec[2] = group_i;
    self->n_spec = 3;
  }
  self->n_blocks = pj_vk_blocks_of_tile (self->y.c, 4 * self->out_quads, self->group_out, self->group_in, self->x.c4);
  self->in_tiles = (self->n_blocks + self->in_quads - 1) / self->in_quads;
  self->tiles = (self->y.c4 + self->out_quads - 1) / self->out_quads * self->in_tiles;
  self->tap_groups = (uint32_t) (c->kernel[0] * c->kernel[1]) / self->row_taps;
  self->part_quads = self->tiles * self->tap_groups * self->row_taps * 4 * self->out_quads * self->in_quads;
}

/* As few parts as keep the device busy; each long enough to be worth its partial sums. */
static void
choose_splits (const PjVkCaps *caps, Weights *self, uint32_t images)
{
  uint64_t pixels = (uint64_t) images * self->y.plane, groups = (uint64_t) self->tiles * self->tap_groups;
  uint64_t wanted, most;

  if (self->depthwise) {
    /* Here a split is one invocation. */
    uint64_t wanted_lanes = DEPTHWISE_GROUP * (self->texel ? WANTED_GROUPS_TEXEL : WANTED_GROUPS_TILED);
    wanted = (wanted_lanes + groups - 1) / groups;
    wanted = (wanted + DEPTHWISE_GROUP - 1) / DEPTHWISE_GROUP * DEPTHWISE_GROUP;
    most = MAX (pixels / (8 * STRIP), 1);
  } else {
    wanted = ((self->texel ? WANTED_GROUPS_TEXEL : WANTED_GROUPS_TILED) + groups - 1) / groups;
    most = MAX (pixels / (self->texel ? 32 * STRIP * self->spec[0] : 256), 1);
  }
  /* Neither the dispatch nor the scratch memory may grow without bounds. */
  most = MIN (most, MAX (caps->max_groups[2] / self->tap_groups, 1));
  most = MIN (most, MAX (((size_t) 64 << 20) / 16 / self->part_quads, 1));
  self->n_splits = (uint32_t) MIN (wanted, most);
}

static Weights
weights_of (PjVkEmit *emit, const PjVkProduct *product)
{
  Weights self = {
    .product = product, .depthwise = pj_vk_product_is_depthwise (emit, product),
    .texel = pj_vk_product_texel (emit),
    .x = pj_vk_layout (emit, product->in), .y = pj_vk_layout (emit, product->out),
    .row_taps = 1, .out_quads = 1, .in_quads = 1,
  };

  self.group_out = self.y.c / (uint32_t) product->conv.groups;
  self.group_in = self.x.c / (uint32_t) product->conv.groups;
  if (self.depthwise)
    choose_depthwise (&self);
  else
    choose_tile (pj_vk_caps (emit), &self);
  return self;
}

/* --- dispatches --- */

static PjVkPushConvBwdWeight
geometry (const Weights *self, uint32_t images, uint32_t first_split)
{
  const PjConvParams *c = &self->product->conv;
  PjVkMap x = pj_vk_map (&self->x, images), y = pj_vk_map (&self->y, images);

  if (pj_vk_product_is_pointwise (self->product)) {
    pj_vk_map_flatten (&x);
    pj_vk_map_flatten (&y);
  }
  return (PjVkPushConvBwdWeight) {
    .x_n = x.n, .x_c = x.c, .x_y = x.y, .x_x = x.x, .x_h = x.h, .x_w = x.w,
    .y_n = y.n, .y_c = y.c, .y_y = y.y, .y_x = y.x, .images = y.images, .rows = y.h, .columns = y.w,
    .taps_x = c->kernel[1], .scale_y = c->stride[0], .scale_x = c->stride[1],
    .first_y = -c->pad[0], .first_x = -c->pad[1], .step_y = c->dilation[0], .step_x = c->dilation[1],
    .n_splits = (int32_t) self->n_splits, .first_split = (int32_t) first_split,
    .tiles = (int32_t) self->tiles, .in_tiles = (int32_t) self->in_tiles, .tap_groups = (int32_t) self->tap_groups,
    .n_blocks = (int32_t) self->n_blocks, .x_c4 = (int32_t) self->x.c4, .y_c4 = (int32_t) self->y.c4,
    .group_out = (int32_t) self->group_out, .group_in = (int32_t) self->group_in,
  };
}

static gboolean
emit_parts (PjVkEmit *emit, const Weights *self, PjVkRegion partial, uint32_t first, uint32_t images,
            uint32_t first_split, GError **error)
{
  PjVkPushConvBwdWeight push = geometry (self, images, first_split);
  PjVkDispatch d = { .shader = self->shader, .n_spec = self->n_spec, PJ_VK_PUSH (push) };

  for (unsigned i = 0; i < self->n_spec; i++)
    d.spec[i] = self->spec[i];
  d.operands[0] = pj_vk_images (emit, self->product->in, first, images);
  d.operands[1] = pj_vk_images (emit, self->product->out, first, images);
  d.operands[2] = PJ_VK_WHOLE (partial);
  if (self->depthwise) {
    d.groups[0] = (self->n_splits + DEPTHWISE_GROUP - 1) / DEPTHWISE_GROUP;
    d.groups[1] = self->tap_groups;
    d.groups[2] = self->tiles;
  } else {
    pj_vk_fold_groups (emit, self->tiles, 1, d.groups);
    d.groups[2] = self->n_splits * self->tap_groups;
  }
  return pj_vk_emit (emit, &d, error);
}

/* Groups of a dispatch of conv_bwd_weight_sum.comp for @n weights. */
static void
shape_sum (PjVkEmit *emit, PjVkDispatch *d, uint32_t n, uint32_t n_splits)
{
  uint32_t lanes = 1;

  d->spec[0] = pj_vk_group_size (emit);
  if (!pj_vk_caps (emit)->texel)
    while (lanes < d->spec[0] && PARTS_PER_LANE * lanes < n_splits)
      lanes *= 2;
  d->spec[1] = lanes;
  d->n_spec = 2;
  pj_vk_fold_groups (emit, (uint64_t) n * lanes, d->spec[0], d->groups);
}

static gboolean
emit_sum (PjVkEmit *emit, const Weights *self, PjVkRegion partial, uint32_t n_splits, int dw, gboolean accumulate,
          GError **error)
{
  uint32_t taps = (uint32_t) (self->product->conv.kernel[0] * self->product->conv.kernel[1]);
  uint32_t n = self->y.c * self->group_in * taps;
  PjVkPushConvBwdWeightSum push = {
    .n = (int32_t) n, .taps = (int32_t) taps, .n_splits = (int32_t) n_splits, .split = (int32_t) self->part_quads,
    .out_quads = (int32_t) self->out_quads, .in_quads = (int32_t) self->in_quads,
    .in_tiles = (int32_t) self->in_tiles,
    .n_blocks = (int32_t) self->n_blocks, .x_c4 = (int32_t) self->x.c4,
    .group_out = (int32_t) self->group_out, .group_in = (int32_t) self->group_in,
    .accumulate = accumulate, .row_taps = (int32_t) self->row_taps,
  };
  PjVkDispatch d = {
    .shader = self->depthwise ? PJ_VK_FAMILY (emit, conv_bwd_weight_sum_planes)
                              : PJ_VK_FAMILY (emit, conv_bwd_weight_sum),
    PJ_VK_PUSH (push), .operands = { PJ_VK_WHOLE (partial), PJ_VK_WHOLE (dw) },
  };

  shape_sum (emit, &d, n, n_splits);
  return pj_vk_emit (emit, &d, error);
}

/* --- bias --- */

static gboolean
emit_bias (PjVkEmit *emit, int dy, int db, gboolean accumulate, GError **error)
{
  PjVkLayout l = pj_vk_layout (emit, dy);
  uint32_t step = pj_vk_images_per_dispatch (emit, &dy, 1), ranges = (l.n + step - 1) / step;
  uint32_t group = pj_vk_group_size (emit), splits = MIN (l.plane, 64);
  PjVkRegion partial = pj_vk_scratch (emit, (size_t) ranges * splits * l.c4 * 16);

  for (uint32_t i = 0; i < ranges; i++) {
    uint32_t images = MIN (step, l.n - i * step);
    PjVkPushConvBwdBias push = {
      .n_splits = (int32_t) splits, .first_split = (int32_t) (i * splits), .images = (int32_t) images,
      .c4 = (int32_t) l.c4, .plane = (int32_t) l.plane, .image_quads = (int32_t) l.image_quads,
    };
    PjVkDispatch d = {
      .shader = PJ_VK_FAMILY (emit, conv_bwd_bias), .spec = { group }, .n_spec = 1, PJ_VK_PUSH (push),
      .operands = { pj_vk_images (emit, dy, i * step, images), PJ_VK_WHOLE (partial) },
    };
    pj_vk_fold_groups (emit, (uint64_t) splits * l.c4, group, d.groups);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  PjVkPushConvBwdWeightSum push = {
    .n = (int32_t) l.c, .taps = 1, .n_splits = (int32_t) (ranges * splits), .split = (int32_t) l.c4,
    .accumulate = accumulate,
  };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, conv_bwd_weight_sum_planes), PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (partial), PJ_VK_WHOLE (db) },
  };
  shape_sum (emit, &d, l.c, ranges * splits);
  return pj_vk_emit (emit, &d, error);
}

gboolean
pj_vk_product_bwd_weight (PjVkEmit *emit, const PjVkProduct *product, int dw, int db, gboolean accumulate,
                          GError **error)
{
  Weights self = weights_of (emit, product);
  int slots[] = { product->in, product->out };
  uint32_t step = pj_vk_images_per_dispatch (emit, slots, G_N_ELEMENTS (slots));
  uint32_t ranges = (self.y.n + step - 1) / step;

  choose_splits (pj_vk_caps (emit), &self, MIN (step, self.y.n));
  PjVkRegion partial = pj_vk_scratch (emit, (size_t) ranges * self.n_splits * self.part_quads * 16);
  for (uint32_t i = 0; i < ranges; i++)
    if (!emit_parts (emit, &self, partial, i * step, MIN (step, self.y.n - i * step), i * self.n_splits, error))
      return FALSE;
  if (!emit_sum (emit, &self, partial, ranges * self.n_splits, dw, accumulate, error))
    return FALSE;
  return db < 0 || emit_bias (emit, product->out, db, accumulate, error);
}
