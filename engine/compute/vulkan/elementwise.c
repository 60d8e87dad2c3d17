/* SPDX-License-Identifier: MIT */
/* Kernels that look at one element at a time and do not care about channels. */
#include "compute/vulkan/emitters.h"

#define QUADS_PER_INVOCATION 4

static gboolean
flat (PjVkEmit *emit, PjVkShader shader, const int *slots, unsigned n_slots, GError **error)
{
  uint32_t batch = pj_vk_layout (emit, slots[0]).n, step = pj_vk_images_per_dispatch (emit, slots, n_slots);

  for (uint32_t first = 0; first < batch; first += step) {
    uint32_t n = MIN (step, batch - first), group = pj_vk_group_size (emit);
    PjVkPushFlat push = { .n = n * pj_vk_layout (emit, slots[0]).image_quads };
    PjVkDispatch d = { .shader = shader, .spec = { group }, .n_spec = 1, PJ_VK_PUSH (push) };
    for (unsigned i = 0; i < n_slots; i++)
      d.operands[i] = pj_vk_images (emit, slots[i], first, n);
    pj_vk_fold_groups (emit, push.n, group * QUADS_PER_INVOCATION, d.groups);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

PJ_VK_EMITTER (relu)
{
  return flat (emit, PJ_VK_FAMILY (emit, relu), (int[]) { call->in[0], call->out[0] }, 2, error);
}
