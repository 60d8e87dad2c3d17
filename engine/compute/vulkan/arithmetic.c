/* SPDX-License-Identifier: MIT */
/* Functions of one number, arithmetic with repeated dimensions, and sums over dimensions.  The common cases (a
 * number per channel, sums over pictures and pixels) work on quads; the rest goes element by element. */
#include "compute/vulkan/emitters.h"

static const PjShape *
shape_of (PjVkEmit *emit, int slot)
{
  return &pj_program_slot (pj_vk_program (emit), slot)->shape;
}

/* --- functions of one number --- */

static gboolean
emit_unary (PjVkEmit *emit, const PjCall *call, PjVkShader shader, int x, int dy, int out, GError **error)
{
  PjVkLayout l = pj_vk_layout (emit, out);
  const PjUnaryParams *p = &call->unary;
  PjVkPushUnary push = { .c = l.c, .c4 = l.c4, .plane = l.plane, .alpha = p->alpha, .beta = p->beta };
  PjVkDispatch d = {
    .shader = shader, .spec = { 0, p->function, l.c % 4 != 0 }, .n_spec = 3, PJ_VK_PUSH (push), .operands = { PJ_VK_WHOLE (x) },
  };
  d.operands[1] = PJ_VK_WHOLE (dy >= 0 ? dy : out);
  if (dy >= 0)
    d.operands[2] = PJ_VK_WHOLE (out);
  return pj_vk_emit_images (emit, &d, out, error);
}

PJ_VK_EMITTER (unary)
{
  return emit_unary (emit, call, PJ_VK_FAMILY (emit, unary), call->in[0], -1, call->out[0], error);
}

PJ_VK_EMITTER (unary_bwd)
{
  return emit_unary (emit, call, PJ_VK_FAMILY (emit, unary_bwd), call->in[0], call->in[1], call->out[0], error);
}

/* --- two operands --- */

/* Steps of an operand in quads by image, block and pixel of @y; FALSE if it repeats in another way. */
static gboolean
quad_steps (PjVkEmit *emit, int slot, int y, uint32_t steps[3])
{
  const PjShape *s = shape_of (emit, slot), *t = shape_of (emit, y);
  PjVkLayout l = pj_vk_layout (emit, slot);
  size_t plane = 1;
  gboolean same = TRUE;

  for (unsigned i = 2; i < s->rank; i++) {
    plane *= (size_t) s->dim[i];
    same = same && s->dim[i] == t->dim[i];
  }
  if (s->rank < 2 || s->dim[1] != t->dim[1] || (plane != 1 && !same))
    return FALSE;
  /* A plain parameter with a number per channel reads like a blocked tensor of one picture. */
  if (!l.blocked && (s->dim[0] != 1 || plane != 1))
    return FALSE;
  steps[0] = s->dim[0] == 1 ? 0 : l.image_quads;
  steps[1] = l.blocked ? l.plane : 1;
  steps[2] = plane == 1 ? 0 : 1;
  return TRUE;
}

/* Row-major strides of a tensor of @s seen in the shape @y of rank <= 6, 0 where it repeats; filled from the end. */
static void
logical_strides (const PjShape *s, const PjShape *y, uint32_t dim[6], uint32_t stride[6])
{
  uint32_t step = 1;
  for (unsigned i = 0; i < 6; i++) {
    dim[i] = 1;
    stride[i] = 0;
  }
  for (unsigned k = 0; k < y->rank; k++) {
    unsigned from = y->rank - 1 - k, to = 5 - k;
    dim[to] = (uint32_t) y->dim[from];
    stride[to] = s->dim[from] == 1 ? 0 : step;
    step *= (uint32_t) s->dim[from];
  }
}

static gboolean
binary_any (PjVkEmit *emit, const PjCall *call, GError **error)
{
  int a = call->in[0], b = call->in[1], y = call->out[0];
  PjVkLayout la = pj_vk_layout (emit, a), lb = pj_vk_layout (emit, b), ly = pj_vk_layout (emit, y);
  PjVkPushBinaryAny push = {
    .n = (uint32_t) (ly.size_bytes / 16), .n_elems = (uint32_t) pj_shape_n_elems (shape_of (emit, y)), .y_c = ly.c, .y_plane = ly.plane,
    .a_c = la.c, .a_plane = la.plane, .b_c = lb.c, .b_plane = lb.plane,
  };
  logical_strides (shape_of (emit, a), shape_of (emit, y), push.dim, push.a_stride);
  logical_strides (shape_of (emit, b), shape_of (emit, y), push.dim, push.b_stride);
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, binary_any), .spec = { pj_vk_group_size (emit), call->binary.op }, .n_spec = 2, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (a), PJ_VK_WHOLE (b), PJ_VK_WHOLE (y) },
  };
  pj_vk_flat_groups (emit, &d, push.n);
  return pj_vk_emit (emit, &d, error);
}

PJ_VK_EMITTER (binary)
{
  int a = call->in[0], b = call->in[1], y = call->out[0];
  PjVkLayout l = pj_vk_layout (emit, y);
  PjVkPushBinary push = { .c = l.c, .c4 = l.c4, .plane = l.plane };

  if (!l.blocked || !quad_steps (emit, a, y, push.a) || !quad_steps (emit, b, y, push.b))
    return binary_any (emit, call, error);
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, binary), .spec = { 0, call->binary.op }, .n_spec = 2, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (a), PJ_VK_WHOLE (b), PJ_VK_WHOLE (y) },
  };
  return pj_vk_emit_images (emit, &d, y, error);
}

/* --- sums --- */

/* The channels stay, all pixels are summed, and the pictures either all or not. */
static gboolean
keeps_channels (PjVkEmit *emit, int x, int y)
{
  const PjShape *s = shape_of (emit, x), *t = shape_of (emit, y);
  if (!pj_vk_layout (emit, x).blocked || t->rank != s->rank || t->dim[1] != s->dim[1] || (t->dim[0] != 1 && !pj_vk_layout (emit, y).blocked))
    return FALSE;
  for (unsigned i = 2; i < s->rank; i++)
    if (t->dim[i] != 1)
      return FALSE;
  return TRUE;
}

static gboolean
sum_planes (PjVkEmit *emit, const PjCall *call, GError **error)
{
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  uint32_t out_images = (uint32_t) shape_of (emit, call->out[0])->dim[0], group = MIN (pj_vk_group_size (emit), 64);
  PjVkPushSumPlanes push = { out_images, l.n / out_images, l.c4, l.plane, call->sum.scale };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, sum_planes), .spec = { group, call->accumulate }, .n_spec = 2, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->out[0]) },
  };
  pj_vk_fold_groups (emit, (uint64_t) out_images * l.c4, group, d.groups);
  return pj_vk_emit (emit, &d, error);
}

PJ_VK_EMITTER (sum_to)
{
  int x = call->in[0], y = call->out[0];
  if (keeps_channels (emit, x, y))
    return sum_planes (emit, call, error);

  const PjShape *s = shape_of (emit, x), *t = shape_of (emit, y);
  PjVkLayout lx = pj_vk_layout (emit, x), ly = pj_vk_layout (emit, y);
  PjVkPushSumTo push = {
    .n = (uint32_t) (ly.size_bytes / 16), .n_elems = (uint32_t) pj_shape_n_elems (t), .x_c = lx.c, .x_plane = lx.plane,
    .y_c = ly.c, .y_plane = ly.plane, .scale = call->sum.scale, .count = { 1, 1, 1 },
  };
  uint32_t ignored[6], group = MIN (pj_vk_group_size (emit), 64);
  logical_strides (s, t, push.dim, push.stride);
  logical_strides (s, s, ignored, push.stride);
  /* Neighbouring reduced dimensions are one run; six dimensions hold three at most. */
  int run = 3;
  uint32_t step = 1;
  gboolean open = FALSE;
  for (unsigned i = s->rank; i-- > 0;) {
    gboolean reduced = t->dim[i] == 1 && s->dim[i] != 1;
    if (reduced && !open) {
      push.step[--run] = step;
      push.count[run] = 1;
    }
    if (reduced)
      push.count[run] *= (uint32_t) s->dim[i];
    open = reduced || (open && s->dim[i] == 1);
    step *= (uint32_t) s->dim[i];
  }
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, sum_to), .spec = { group, call->accumulate }, .n_spec = 2, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (x), PJ_VK_WHOLE (y) },
  };
  pj_vk_fold_groups (emit, push.n, group, d.groups);
  return pj_vk_emit (emit, &d, error);
}
