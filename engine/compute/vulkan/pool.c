/* SPDX-License-Identifier: MIT */
/* Pooling.  Every kernel gathers: one invocation writes one quad. */
#include "compute/vulkan/emitters.h"

/* More taps than one byte can number. */
static gboolean
is_wide (const PjPoolParams *pool)
{
  return (int64_t) pool->kernel[0] * pool->kernel[1] > 256;
}

/* @x: the larger map, @y: the smaller one, whichever is input; @written: the one that is output. */
static gboolean
emit_window (PjVkEmit *emit, const PjCall *call, PjVkShader shader, const uint32_t *flags, unsigned n_flags, int x, int y,
             int index, gboolean backward, GError **error)
{
  PjVkLayout lx = pj_vk_layout (emit, x), ly = pj_vk_layout (emit, y), *written = backward ? &lx : &ly;
  uint32_t step = pj_vk_images_per_dispatch (emit, (int[]) { x, y }, 2);
  const PjPoolParams *p = &call->pool;
  /* Something to bind where a shader does not write indices. */
  PjVkRegion unused = index < 0 ? pj_vk_scratch (emit, 16) : -1;
  size_t index_image = (size_t) ly.image_quads * (is_wide (p) ? 8 : 4);

  if (index >= 0 && step < lx.n)
    step = pj_vk_align_images (emit, step, index_image);
  for (uint32_t first = 0; first < lx.n; first += step) {
    uint32_t n = MIN (step, lx.n - first);
    PjVkPushWindow push = {
      .n = n * written->image_quads, .h = (int32_t) lx.h, .w = (int32_t) lx.w, .oh = (int32_t) ly.h, .ow = (int32_t) ly.w,
      .pad = { p->pad[0], p->pad[1], p->pad[2], p->pad[3] },
    };
    PjVkOperand larger = pj_vk_images (emit, x, first, n), smaller = pj_vk_images (emit, y, first, n);
    PjVkOperand taps = index < 0 ? PJ_VK_WHOLE (unused) : (PjVkOperand) { index, first * index_image, n * index_image };
    PjVkDispatch d = {
      .shader = shader, .n_spec = 5 + n_flags, PJ_VK_PUSH (push),
      .spec = { pj_vk_group_size (emit), (uint32_t) p->kernel[0], (uint32_t) p->kernel[1], (uint32_t) p->stride[0], (uint32_t) p->stride[1] },
    };
    for (unsigned i = 0; i < n_flags; i++)
      d.spec[5 + i] = flags[i];
    d.operands[0] = backward ? smaller : larger;
    d.operands[1] = backward ? taps : smaller;
    d.operands[2] = backward ? larger : taps;
    if (call->kernel == PJ_KERNEL_AVG_POOL_BWD)
      d.operands[1] = larger;
    pj_vk_flat_groups (emit, &d, push.n);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

PJ_VK_EMITTER (max_pool)
{
  PjVkLayout y = pj_vk_layout (emit, call->out[0]);
  int index = call->out[1];
  size_t index_bytes = (size_t) y.n * y.image_quads * (is_wide (&call->pool) ? 8 : 4);
  const uint32_t flags[] = { index >= 0, is_wide (&call->pool) };

  if (index >= 0)
    pj_vk_set_opaque_size (emit, index, index_bytes);
  return emit_window (emit, call, PJ_VK_FAMILY (emit, max_pool), flags, 2, call->in[0], call->out[0], index, FALSE, error);
}

PJ_VK_EMITTER (max_pool_bwd)
{
  const uint32_t flags[] = { is_wide (&call->pool) };
  return emit_window (emit, call, PJ_VK_FAMILY (emit, max_pool_bwd), flags, 1, call->out[0], call->in[0], call->in[1], TRUE, error);
}

PJ_VK_EMITTER (avg_pool)
{
  const uint32_t flags[] = { call->pool.count_include_pad };
  return emit_window (emit, call, PJ_VK_FAMILY (emit, avg_pool), flags, 1, call->in[0], call->out[0], -1, FALSE, error);
}

PJ_VK_EMITTER (avg_pool_bwd)
{
  const uint32_t flags[] = { call->pool.count_include_pad };
  return emit_window (emit, call, PJ_VK_FAMILY (emit, avg_pool_bwd), flags, 1, call->out[0], call->in[0], -1, TRUE, error);
}
