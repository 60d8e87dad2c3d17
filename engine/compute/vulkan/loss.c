/* SPDX-License-Identifier: MIT */
/* Softmax, losses and channel statistics: one invocation per image, or per image and block of channels. */
#include "compute/vulkan/emitters.h"

/* Images are few and their work is long: small groups spread it over all cores. */
static void
per_image (PjVkEmit *emit, PjVkDispatch *d, uint32_t n)
{
  d->spec[0] = MIN (pj_vk_group_size (emit), 32);
  pj_vk_fold_groups (emit, n, d->spec[0], d->groups);
}

PJ_VK_EMITTER (softmax)
{
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  PjVkPushClasses push = { l.n, l.c, l.c4 };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, softmax), .spec = { 0, call->softmax.log }, .n_spec = 2, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->out[0]) },
  };
  per_image (emit, &d, l.n);
  return pj_vk_emit (emit, &d, error);
}

/* The gradient, or something to bind. */
static PjVkOperand
gradient (PjVkEmit *emit, int slot)
{
  return PJ_VK_WHOLE (slot >= 0 ? slot : pj_vk_scratch (emit, 16));
}

PJ_VK_EMITTER (cross_entropy)
{
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  PjVkPushCrossEntropy push = { l.n, l.c, l.c4, call->loss.weight };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, cross_entropy), .spec = { 0, call->out[1] >= 0 }, .n_spec = 2, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->in[1]), PJ_VK_WHOLE (call->out[0]), gradient (emit, call->out[1]) },
  };
  per_image (emit, &d, l.n);
  return pj_vk_emit (emit, &d, error);
}

PJ_VK_EMITTER (kl)
{
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  PjVkPushKl push = { l.n, l.c, l.c4, call->kl.weight, call->kl.temperature };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, kl), .spec = { 0, call->out[1] >= 0, call->kl.reverse }, .n_spec = 3, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->in[1]), PJ_VK_WHOLE (call->out[0]), gradient (emit, call->out[1]) },
  };
  per_image (emit, &d, l.n);
  return pj_vk_emit (emit, &d, error);
}

PJ_VK_EMITTER (channel_stats)
{
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  uint32_t step = pj_vk_images_per_dispatch (emit, call->in, 1);
  size_t image_bytes = (size_t) l.c * PJ_N_STATS * sizeof (float);

  if (step < l.n)
    step = pj_vk_align_images (emit, step, image_bytes);
  for (uint32_t first = 0; first < l.n; first += step) {
    uint32_t n = MIN (step, l.n - first);
    PjVkPushStats push = { n, l.c, l.c4, l.plane };
    PjVkDispatch d = {
      .shader = PJ_VK_FAMILY (emit, channel_stats), .n_spec = 1, PJ_VK_PUSH (push),
      .operands = { pj_vk_images (emit, call->in[0], first, n), { call->out[0], first * image_bytes, n * image_bytes } },
    };
    per_image (emit, &d, n * l.c4);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}
