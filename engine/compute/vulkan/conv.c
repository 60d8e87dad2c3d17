/* SPDX-License-Identifier: MIT */
/* Convolutions and matrix products: the forward pass and the gradient by the input.
 *
 * Weights are packed in the prologue, then one dispatch per phase does the rest: bias, residual and ReLU are
 * part of the store.  The gradient by the input of a strided convolution has stride_y·stride_x phases, see
 * Axis; everything else has one. */
#include "compute/vulkan/conv-sides.h"

#include "base/error.h"

/* --- geometry --- */

PjVkMap
pj_vk_map (const PjVkLayout *l, uint32_t images)
{
  return (PjVkMap) {
    .n = (int32_t) l->image_quads, .c = (int32_t) l->plane, .y = (int32_t) l->w, .x = 1,
    .images = (int32_t) images, .h = (int32_t) l->h, .w = (int32_t) l->w,
  };
}

void
pj_vk_map_flatten (PjVkMap *map)
{
  if (map->h * map->w == 1) {   /* the rows of a matrix */
    map->w = map->images;
    map->x = map->n;
    map->images = 1;
  } else {
    map->w *= map->h;
  }
  map->h = 1;
  map->y = 0;
}

gboolean
pj_vk_product_is_pointwise (const PjVkProduct *product)
{
  const PjConvParams *c = &product->conv;

  for (int i = 0; i < 2; i++)
    if (c->kernel[i] != 1 || c->stride[i] != 1 || c->pad[i] != 0 || c->pad[i + 2] != 0)
      return FALSE;
  return TRUE;
}

gboolean
pj_vk_product_is_depthwise (const PjVkEmit *emit, const PjVkProduct *product)
{
  uint32_t groups = (uint32_t) product->conv.groups;
  return groups > 1 && pj_vk_layout (emit, product->in).c == groups
         && pj_vk_layout (emit, product->out).c == groups;
}

gboolean
pj_vk_product_texel (const PjVkEmit *emit)
{
  const PjVkCaps *caps = pj_vk_caps (emit);
  return caps->texel && caps->texel_zero && caps->subgroup_size >= 8
         && (caps->subgroup_ops & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) != 0;
}

uint32_t
pj_vk_blocks_of_tile (uint32_t results, uint32_t tile, uint32_t group_results, uint32_t group_sources,
                      uint32_t source_blocks)
{
  uint32_t most = 1;

  for (uint32_t first = 0; first < results; first += tile) {
    uint32_t last = MIN (first + tile, results) - 1;
    uint32_t begin = first / group_results * group_sources / 4;
    uint32_t end = ((last / group_results + 1) * group_sources + 3) / 4;
    most = MAX (most, MIN (end, source_blocks) - begin);
  }
  return most;
}

/* The taps of one phase along one axis: pixels @phase, @phase + @scale_out, … of the result meet taps @tap,
 * @tap + @tap_step, … at source pixels q·@scale + @first + t·@step, q being the pixel's number in the phase.
 *
 * Of the gradient by the input: pixel i of the input met tap k of output pixel (i + pad − k·dilation) / stride,
 * if that is whole.  Which taps divide depends on i mod stride alone. */
typedef struct {
  int phase, scale_out, pixels;
  int taps, tap, tap_step;
  int scale, first, step;
} Axis;

static Axis
forward_axis (const PjConvParams *c, int i, int pixels)
{
  return (Axis) {
    .scale_out = 1, .pixels = pixels, .taps = c->kernel[i], .tap_step = 1,
    .scale = c->stride[i], .first = -c->pad[i], .step = c->dilation[i],
  };
}

static int
greatest_common_divisor (int a, int b)
{
  return b == 0 ? a : greatest_common_divisor (b, a % b);
}

static Axis
backward_axis (const PjConvParams *c, int i, int pixels, int phase)
{
  int stride = c->stride[i], dilation = c->dilation[i];
  int period = stride / greatest_common_divisor (stride, dilation);
  Axis axis = {
    .phase = phase, .scale_out = stride, .pixels = (pixels - phase + stride - 1) / stride, .scale = 1,
  };

  for (int k = 0; k < MIN (period, c->kernel[i]); k++) {
    int at = phase + c->pad[i] - k * dilation;
    if (at % stride != 0)
      continue;
    axis.tap = k;
    axis.tap_step = period;
    axis.taps = (c->kernel[i] - 1 - k) / period + 1;
    axis.first = at / stride;
    axis.step = -dilation * period / stride;
  }
  /* Walk the source forwards: the fast paths look for taps side by side. */
  if (axis.step < 0) {
    axis.first += (axis.taps - 1) * axis.step;
    axis.step = -axis.step;
    axis.tap += (axis.taps - 1) * axis.tap_step;
    axis.tap_step = -axis.tap_step;
  }
  return axis;
}

/* --- the sides of a product --- */

char *
pj_vk_sides_describe (const PjVkSides *self)
{
  const PjConvParams *c = &self->product->conv;
  return g_strdup_printf ("%s %dx%d s%d,%d d%d,%d p%d,%d g%d %ux%ux%u to %ux%ux%u n%u", self->backward ? "conv_bwd_input" : "conv", c->kernel[0],
                          c->kernel[1], c->stride[0], c->stride[1], c->dilation[0], c->dilation[1], c->pad[0], c->pad[1], c->groups,
                          self->x.c, self->x.h, self->x.w, self->y.c, self->y.h, self->y.w, self->y.n);
}

static const PjVkPatch wide_patch = { PJ_VK_SHADER_conv_depthwise_patch_7x2_texel, 7, 2 };
static const PjVkPatch square_patch = { PJ_VK_SHADER_conv_depthwise_patch_4x4_texel, 4, 4 };
static const PjVkPatch half_patch = { PJ_VK_SHADER_conv_depthwise_patch_half_texel, 4, 2 };

/* Relative cost of all multiply-adds with tiles of @tile channels, @n_blocks each. */
static double
tile_cost (const PjVkSides *self, uint32_t tile, double per_channel)
{
  uint32_t blocks = pj_vk_blocks_of_tile (self->y.c, tile, self->group_results, self->group_sources, self->x.c4);
  return (double) ((self->y.c + tile - 1) / tile * tile) * blocks * per_channel;
}

/* Tiles of the texel family: the guess first, which a start without measurements takes. */
static void
choose_texel (PjVkEmit *emit, PjVkSides *self)
{
  static const char *const wide_first[] = { "16 channels", "8 channels" }, *const narrow_first[] = { "8 channels", "16 channels" };
  /* A tile of 16 channels is a sixth faster per channel than one of 8, where it is not half empty. */
  gboolean wide = tile_cost (self, 16, 1.0) <= tile_cost (self, 8, 1.15);
  g_autofree char *what = pj_vk_sides_describe (self);
  /* With a single tile of 8 there is nothing to choose. */
  unsigned other = self->y.c <= 8 ? 0 : pj_vk_variant (emit, what, wide ? wide_first : narrow_first, 2);
  self->tile = wide == (other == 0) ? 16 : 8;
}

static uint32_t
patches (const PjVkLayout *y, const PjVkPatch *patch)
{
  return (y->h + patch->height - 1) / patch->height * ((y->w + patch->width - 1) / patch->width);
}

/* Filters of 3 × 3 of one channel in the texel family; others go strip by strip. */
static void
choose_patch (PjVkEmit *emit, PjVkSides *self)
{
  static const char *const wide_first[] = { "7×2 pixels", "4×4 pixels" }, *const square_first[] = { "4×4 pixels", "7×2 pixels" };
  const PjConvParams *c = &self->product->conv;

  for (int i = 0; i < 2; i++)
    if (c->kernel[i] != 3 || c->dilation[i] != 1 || c->stride[i] != c->stride[0])
      return;
  if (self->texel && c->stride[0] == 2 && !self->backward)
    self->patch = &half_patch;
  if (!self->texel || c->stride[0] != 1)
    return;
  /* A pixel of a wide patch is a tenth cheaper, where the patches do not hang over the map. */
  gboolean wide = 14 * patches (&self->y, &wide_patch) <= 1.1 * 16 * patches (&self->y, &square_patch);
  g_autofree char *what = pj_vk_sides_describe (self);
  unsigned other = pj_vk_variant (emit, what, wide ? wide_first : square_first, 2);
  self->patch = wide == (other == 0) ? &wide_patch : &square_patch;
}

static void
choose_tile (PjVkEmit *emit, PjVkSides *self)
{
  if (self->depthwise) {
    choose_patch (emit, self);
    self->tile = 4;
    self->n_blocks = 1;
  } else {
    if (self->texel)
      choose_texel (emit, self);
    else
      pj_vk_tiled_choose (emit, self);
    self->n_blocks = pj_vk_blocks_of_tile (self->y.c, self->tile, self->group_results, self->group_sources,
                                           self->x.c4);
  }
  self->n_tiles = (self->y.c + self->tile - 1) / self->tile;
}

static PjVkSides
sides_of (PjVkEmit *emit, const PjVkProduct *product, gboolean backward)
{
  PjVkSides self = {
    .product = product, .backward = backward, .texel = pj_vk_product_texel (emit),
    .depthwise = pj_vk_product_is_depthwise (emit, product),
    .source = backward ? product->out : product->in, .result = backward ? product->in : product->out,
  };
  uint32_t groups = (uint32_t) product->conv.groups;

  self.x = pj_vk_layout (emit, self.source);
  self.y = pj_vk_layout (emit, self.result);
  self.group_results = self.y.c / groups;
  self.group_sources = self.x.c / groups;
  choose_tile (emit, &self);
  return self;
}

/* Tiles whose packed weights one dispatch may write, all if they fit; parts start at allowed offsets. */
static uint32_t
tiles_per_part (PjVkEmit *emit, const PjVkSides *self, size_t tile_quads)
{
  size_t fits = pj_vk_caps (emit)->max_buffer_bytes / 16 / tile_quads;
  /* A tile of the texel family is 8 channels or more: 16 of them are a multiple of any alignment. */
  return fits >= self->n_tiles ? self->n_tiles : MAX ((uint32_t) fits / 16 * 16, 1);
}

static gboolean
pack (PjVkEmit *emit, PjVkSides *self, GError **error)
{
  uint32_t taps = (uint32_t) (self->product->conv.kernel[0] * self->product->conv.kernel[1]);
  size_t tile_quads = taps * (self->depthwise ? 1 : (size_t) self->n_blocks * self->tile);
  uint32_t step = tiles_per_part (emit, self, tile_quads);

  self->packed = pj_vk_scratch (emit, self->n_tiles * tile_quads * 16);
  for (uint32_t first = 0; first < self->n_tiles; first += step) {
    uint32_t n = MIN (step, self->n_tiles - first);
    PjVkPushConvPack push = {
      .n = (int32_t) (n * tile_quads), .first_quad = (int32_t) (first * tile_quads), .tile = (int32_t) self->tile,
      .taps = (int32_t) taps, .n_blocks = (int32_t) self->n_blocks,
      .results = (int32_t) self->y.c, .sources = (int32_t) self->x.c, .source_blocks = (int32_t) self->x.c4,
      .group_results = (int32_t) self->group_results, .group_sources = (int32_t) self->group_sources,
      .transposed = self->backward,
    };
    PjVkDispatch d = {
      .shader = self->depthwise ? PJ_VK_FAMILY (emit, conv_pack_planes) : PJ_VK_FAMILY (emit, conv_pack),
      .spec = { pj_vk_group_size (emit) }, .n_spec = 1, PJ_VK_PUSH (push),
      .operands = {
        PJ_VK_WHOLE (self->product->w), { self->packed, first * tile_quads * 16, n * tile_quads * 16 },
      },
    };
    pj_vk_fold_groups (emit, n * tile_quads, d.spec[0], d.groups);
    if (!pj_vk_emit_prologue (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

/* --- dispatches --- */

#define STRIP 4                 /* pixels of an invocation of conv_texel.comp and conv_depthwise.comp */
#define TEXEL_GROUP 32
#define DEPTHWISE_GROUP 64

static PjVkPushConv
geometry (const PjVkSides *self, uint32_t images, const Axis *y, const Axis *x)
{
  PjVkMap from = pj_vk_map (&self->x, images), to = pj_vk_map (&self->y, images);
  int32_t tap = self->depthwise ? 1 : (int32_t) (self->n_blocks * self->tile);
  int32_t width = self->product->conv.kernel[1];
  int32_t rows = y->pixels, columns = x->pixels;

  if (pj_vk_product_is_pointwise (self->product)) {
    pj_vk_map_flatten (&from);
    pj_vk_map_flatten (&to);
    rows = to.h;
    columns = to.w;
  }
  return (PjVkPushConv) {
    .x_n = from.n, .x_c = from.c, .x_y = from.y, .x_x = from.x, .x_h = from.h, .x_w = from.w,
    .y_n = to.n, .y_c = to.c, .y_y = to.y * y->scale_out, .y_x = to.x * x->scale_out,
    .y_first = y->phase * to.y + x->phase * to.x,
    .images = to.images, .rows = rows, .columns = columns,
    .taps_y = y->taps, .taps_x = x->taps, .scale_y = y->scale, .scale_x = x->scale,
    .first_y = y->first, .first_x = x->first, .step_y = y->step, .step_x = x->step,
    .w_tile = tap * width * self->product->conv.kernel[0],
    .w_y = tap * width * y->tap_step, .w_x = tap * x->tap_step,
    .w_first = tap * (width * y->tap + x->tap),
    .n_blocks = (int32_t) self->n_blocks, .x_c4 = (int32_t) self->x.c4, .y_channels = (int32_t) self->y.c,
    .group_out = (int32_t) self->group_results, .group_in = (int32_t) self->group_sources,
    .ceiling = self->backward ? -1.0f : self->product->ceiling,
  };
}

static void
shape_texel (const PjVkSides *self, const PjVkPushConv *push, PjVkDispatch *d)
{
  gboolean row = push->taps_x == 3 && push->scale_x == 1 && push->step_x == 1;
  uint32_t strips = (uint32_t) (push->images * push->rows * ((push->columns + STRIP - 1) / STRIP));

  if (self->patch != NULL)
    strips = (uint32_t) push->images * patches (&self->y, self->patch);
  if (self->patch != NULL)
    d->shader = self->patch->shader;
  else if (self->depthwise && self->texel)
    d->shader = row ? PJ_VK_SHADER_conv_depthwise_row_texel : PJ_VK_SHADER_conv_depthwise_texel;
  else if (self->depthwise)
    d->shader = row ? PJ_VK_SHADER_conv_depthwise_row : PJ_VK_SHADER_conv_depthwise;
  else if (self->tile == 16)
    d->shader = row ? PJ_VK_SHADER_conv_texel_16_row : PJ_VK_SHADER_conv_texel_16;
  else
    d->shader = row ? PJ_VK_SHADER_conv_texel_8_row : PJ_VK_SHADER_conv_texel_8;
  d->spec[0] = self->depthwise ? DEPTHWISE_GROUP : TEXEL_GROUP;
  d->n_spec = 3;
  d->groups[0] = self->n_tiles;
  d->groups[1] = (strips + d->spec[0] - 1) / d->spec[0];
  d->groups[2] = 1;
}

gboolean
pj_vk_sides_check (PjVkEmit *emit, const PjVkSides *self, const PjVkDispatch *d, GError **error)
{
  for (int i = 0; i < 3; i++)
    if (d->groups[i] > pj_vk_caps (emit)->max_groups[i]) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED,
                   "a map of %u×%u pixels with %u channels is too large for this device", self->y.h, self->y.w, self->y.c);
      return FALSE;
    }
  return TRUE;
}

static gboolean
emit_phase (PjVkEmit *emit, const PjVkSides *self, uint32_t first, uint32_t images, const Axis *y, const Axis *x,
            GError **error)
{
  PjVkPushConv push = geometry (self, images, y, x);
  PjVkDispatch d = { PJ_VK_PUSH (push) };

  d.spec[1] = self->product->b >= 0;
  d.spec[2] = self->product->r >= 0;
  d.operands[0] = pj_vk_images (emit, self->source, first, images);
  d.operands[1] = PJ_VK_WHOLE (self->packed);
  d.operands[2] = PJ_VK_WHOLE (self->product->b);
  d.operands[3] = pj_vk_images (emit, self->product->r, first, images);
  d.operands[4] = pj_vk_images (emit, self->result, first, images);
  if (!self->depthwise && !self->texel)
    return pj_vk_tiled_emit (emit, self, &push, &d, error);
  shape_texel (self, &push, &d);
  return pj_vk_sides_check (emit, self, &d, error) && pj_vk_emit (emit, &d, error);
}

static gboolean
emit_images (PjVkEmit *emit, const PjVkSides *self, uint32_t first, uint32_t images, GError **error)
{
  const PjConvParams *c = &self->product->conv;

  if (!self->backward) {
    Axis y = forward_axis (c, 0, (int) self->y.h), x = forward_axis (c, 1, (int) self->y.w);
    return emit_phase (emit, self, first, images, &y, &x, error);
  }
  for (int i = 0; i < MIN (c->stride[0], (int) self->y.h); i++)
    for (int k = 0; k < MIN (c->stride[1], (int) self->y.w); k++) {
      Axis y = backward_axis (c, 0, (int) self->y.h, i), x = backward_axis (c, 1, (int) self->y.w, k);
      if (!emit_phase (emit, self, first, images, &y, &x, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
emit_sides (PjVkEmit *emit, PjVkSides *self, GError **error)
{
  int slots[] = { self->source, self->result };
  uint32_t step = pj_vk_images_per_dispatch (emit, slots, G_N_ELEMENTS (slots));

  if (!pack (emit, self, error))
    return FALSE;
  for (uint32_t first = 0; first < self->y.n; first += step)
    if (!emit_images (emit, self, first, MIN (step, self->y.n - first), error))
      return FALSE;
  return TRUE;
}

gboolean
pj_vk_product (PjVkEmit *emit, const PjVkProduct *product, GError **error)
{
  PjVkSides sides = sides_of (emit, product, FALSE);
  return emit_sides (emit, &sides, error);
}

gboolean
pj_vk_product_bwd_input (PjVkEmit *emit, const PjVkProduct *product, GError **error)
{
  PjVkSides sides = sides_of (emit, product, TRUE);
  return emit_sides (emit, &sides, error);
}

/* --- kernels --- */

PJ_VK_EMITTER (conv)
{
  PjVkProduct product = {
    .conv = call->conv, .in = call->in[0], .w = call->in[1], .b = call->in[2], .r = call->in[3],
    .out = call->out[0], .ceiling = pj_call_ceiling (call),
  };
  return pj_vk_product (emit, &product, error);
}

PJ_VK_EMITTER (conv_bwd_input)
{
  PjVkProduct product = {
    .conv = call->conv, .out = call->in[0], .w = call->in[1], .b = -1, .r = -1, .in = call->out[0],
  };
  return pj_vk_product_bwd_input (emit, &product, error);
}

PJ_VK_EMITTER (conv_bwd_weight)
{
  PjVkProduct product = {
    .conv = call->conv, .in = call->in[0], .out = call->in[1], .w = -1, .b = -1, .r = -1,
  };
  return pj_vk_product_bwd_weight (emit, &product, call->out[0], call->out[1], call->accumulate, error);
}
