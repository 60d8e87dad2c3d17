/* SPDX-License-Identifier: MIT */
/* Kernels that look at one element at a time: ReLU, sums, gates, reshapes and the optimiser. */
#include "compute/vulkan/emitters.h"

/* One dispatch per group of images over all quads of @slots, which have the same shape. */
static gboolean
flat (PjVkEmit *emit, PjVkShader shader, gboolean relu, const int *slots, unsigned n_slots, GError **error)
{
  PjVkLayout l = pj_vk_layout (emit, slots[0]);
  uint32_t step = pj_vk_images_per_dispatch (emit, slots, n_slots);

  for (uint32_t first = 0; first < l.n; first += step) {
    uint32_t n = MIN (step, l.n - first);
    PjVkPushFlat push = { .n = n * l.image_quads };
    PjVkDispatch d = { .shader = shader, .spec = { pj_vk_group_size (emit), relu }, .n_spec = 2, PJ_VK_PUSH (push) };
    for (unsigned i = 0; i < n_slots; i++)
      d.operands[i] = pj_vk_images (emit, slots[i], first, n);
    pj_vk_flat_groups (emit, &d, push.n);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

PJ_VK_EMITTER (relu)
{
  return flat (emit, PJ_VK_FAMILY (emit, relu), FALSE, (int[]) { call->in[0], call->out[0] }, 2, error);
}

PJ_VK_EMITTER (relu_bwd)
{
  return flat (emit, PJ_VK_FAMILY (emit, relu_bwd), FALSE, (int[]) { call->in[0], call->in[1], call->out[0] }, 3, error);
}

PJ_VK_EMITTER (add)
{
  return flat (emit, PJ_VK_FAMILY (emit, add), call->relu, (int[]) { call->in[0], call->in[1], call->out[0] }, 3, error);
}

gboolean
pj_vk_emit_affine (PjVkEmit *emit, int x, PjVkRegion coefficients, gboolean full, float ceiling, int y, GError **error)
{
  PjVkLayout l = pj_vk_layout (emit, x);
  uint32_t step = pj_vk_images_per_dispatch (emit, (int[]) { x, y }, 2);

  for (uint32_t first = 0; first < l.n; first += step) {
    uint32_t n = MIN (step, l.n - first);
    PjVkPushChannels push = { .n = n * l.image_quads, .plane = l.plane, .c4 = l.c4 };
    PjVkDispatch d = {
      .shader = PJ_VK_FAMILY (emit, affine), .spec = { pj_vk_group_size (emit), ceiling >= 0.0f, full, pj_vk_float_bits (ceiling) }, .n_spec = 4, PJ_VK_PUSH (push),
      .operands = { pj_vk_images (emit, x, first, n), PJ_VK_WHOLE (coefficients), pj_vk_images (emit, y, first, n) },
    };
    pj_vk_flat_groups (emit, &d, push.n);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

PJ_VK_EMITTER (gate)
{
  return pj_vk_emit_affine (emit, call->in[0], call->in[1], FALSE, pj_call_ceiling (call), call->out[0], error);
}

PJ_VK_EMITTER (reshape)
{
  PjVkLayout x = pj_vk_layout (emit, call->in[0]), y = pj_vk_layout (emit, call->out[0]);
  uint32_t step = pj_vk_images_per_dispatch (emit, (int[]) { call->in[0], call->out[0] }, 2);

  for (uint32_t first = 0; first < y.n; first += step) {
    uint32_t n = MIN (step, y.n - first);
    PjVkPushReshape push = {
      .n = n * y.image_quads, .x_c4 = x.c4, .x_plane = x.plane, .y_c = y.c, .y_c4 = y.c4, .y_plane = y.plane,
    };
    PjVkDispatch d = {
      .shader = PJ_VK_FAMILY (emit, reshape), .spec = { pj_vk_group_size (emit) }, .n_spec = 1, PJ_VK_PUSH (push),
      .operands = { pj_vk_images (emit, call->in[0], first, n), pj_vk_images (emit, call->out[0], first, n) },
    };
    pj_vk_flat_groups (emit, &d, push.n);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

/* --- optimiser --- */

/* Elements @first … @end - 1 of all three stores, in pieces that can be bound. */
static gboolean
sgd_range (PjVkEmit *emit, const PjCall *call, const PjVkRegion *stores, size_t first, size_t end, gboolean decay, GError **error)
{
  const PjVkCaps *caps = pj_vk_caps (emit);
  size_t most = MIN (MIN (caps->max_buffer_bytes, caps->max_texel_bytes) / 4, PJ_VK_MAX_QUADS * 4) / 64 * 64;

  for (size_t at = first; at < end; at += most) {
    size_t n_elems = MIN (most, end - at);
    PjVkPushFlat push = { .n = (uint32_t) (n_elems / 4) };
    PjVkOperand part[3];
    for (int i = 0; i < 3; i++)
      part[i] = (PjVkOperand) { stores[i], at * sizeof (float), n_elems * sizeof (float) };
    PjVkDispatch d = {
      .shader = PJ_VK_FAMILY (emit, sgd), .spec = { pj_vk_group_size (emit), decay }, .n_spec = 2, PJ_VK_PUSH (push),
      .operands = { PJ_VK_WHOLE (call->in[0]), part[0], part[1], part[2], part[0], part[2] },
    };
    pj_vk_flat_groups (emit, &d, push.n);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

PJ_VK_EMITTER (sgd)
{
  const PjVkRegion stores[] = {
    pj_vk_store (emit, PJ_STORE_PARAMS), pj_vk_store (emit, PJ_STORE_GRADS), pj_vk_store (emit, PJ_STORE_MOMENTUM),
  };
  size_t n_decay = call->sgd.n_decay;
  return sgd_range (emit, call, stores, 0, n_decay, TRUE, error)
         && sgd_range (emit, call, stores, n_decay, n_decay + call->sgd.n_plain, FALSE, error);
}
