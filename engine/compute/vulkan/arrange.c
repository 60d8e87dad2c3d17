/* SPDX-License-Identifier: MIT */
/* Kernels that move numbers: strided views, concatenation, channels by a list. */
#include "compute/vulkan/emitters.h"

static uint32_t
n_elems (PjVkEmit *emit, int slot)
{
  return (uint32_t) pj_shape_n_elems (&pj_program_slot (pj_vk_program (emit), slot)->shape);
}

/* @whole: the slot that is looked at, @seen: the one that has the shape of the view. */
static PjVkPushView
push_view (PjVkEmit *emit, const PjView *view, int whole, int seen)
{
  PjVkLayout lw = pj_vk_layout (emit, whole), ls = pj_vk_layout (emit, seen);
  PjVkPushView push = {
    .n = (uint32_t) (ls.size_bytes / 16), .n_elems = n_elems (emit, seen), .offset = (int32_t) view->offset, .fill = view->fill,
    .whole_c = lw.c, .whole_plane = lw.plane, .view_c = ls.c, .view_plane = ls.plane,
    .dim = { 1, 1, 1, 1, 1, 1 }, .extent = { 1, 1, 1, 1, 1, 1 },
  };
  for (unsigned i = 0; i < view->rank; i++) {
    unsigned to = 6 - view->rank + i;
    push.dim[to] = (int32_t) view->dim[i];
    push.before[to] = (int32_t) view->before[i];
    push.extent[to] = (int32_t) view->extent[i];
    push.stride[to] = (int32_t) view->stride[i];
  }
  return push;
}

static gboolean
emit_view (PjVkEmit *emit, PjVkShader shader, const PjView *view, int whole, int seen, int in, int out, GError **error)
{
  PjVkPushView push = push_view (emit, view, whole, seen);
  PjVkDispatch d = {
    .shader = shader, .spec = { pj_vk_group_size (emit) }, .n_spec = 1, PJ_VK_PUSH (push), .operands = { PJ_VK_WHOLE (in), PJ_VK_WHOLE (out) },
  };
  pj_vk_flat_groups (emit, &d, push.n);
  return pj_vk_emit (emit, &d, error);
}

static gboolean
emit_zero (PjVkEmit *emit, int slot, GError **error)
{
  PjVkPushFlat push = { (uint32_t) (pj_vk_layout (emit, slot).size_bytes / 16) };
  PjVkDispatch d = {
    .shader = PJ_VK_SHADER_zero, .spec = { pj_vk_group_size (emit) }, .n_spec = 1, PJ_VK_PUSH (push), .operands = { PJ_VK_WHOLE (slot) },
  };
  pj_vk_flat_groups (emit, &d, push.n);
  return pj_vk_emit (emit, &d, error);
}

PJ_VK_EMITTER (view)
{
  return emit_view (emit, PJ_VK_FAMILY (emit, view), &call->view, call->in[0], call->out[0], call->in[0], call->out[0], error);
}

PJ_VK_EMITTER (view_bwd)
{
  return emit_zero (emit, call->out[0], error)
         && emit_view (emit, PJ_VK_FAMILY (emit, scatter), &call->view, call->out[0], call->in[0], call->in[0], call->out[0], error);
}

/* --- concatenation --- */

/* Every part but the last fills its blocks of channels. */
static gboolean
fits_blocks (PjVkEmit *emit, const PjCall *call)
{
  if (call->concat.axis != 1)
    return FALSE;
  for (int k = 0; k < PJ_CALL_MAX_IN && call->in[k] >= 0; k++)
    if (!pj_vk_layout (emit, call->in[k]).blocked
        || (k + 1 < PJ_CALL_MAX_IN && call->in[k + 1] >= 0 && pj_vk_layout (emit, call->in[k]).c % 4 != 0))
      return FALSE;
  return pj_vk_layout (emit, call->out[0]).blocked;
}

static gboolean
concat_blocks (PjVkEmit *emit, const PjCall *call, GError **error)
{
  PjVkLayout y = pj_vk_layout (emit, call->out[0]);
  uint32_t first_block = 0;

  for (int k = 0; k < PJ_CALL_MAX_IN && call->in[k] >= 0; k++) {
    PjVkLayout x = pj_vk_layout (emit, call->in[k]);
    PjVkPushCopyBlocks push = { .plane = x.plane, .x_c4 = x.c4, .y_c4 = y.c4, .first_block = first_block };
    PjVkDispatch d = {
      .shader = PJ_VK_FAMILY (emit, copy_blocks), .n_spec = 1, PJ_VK_PUSH (push),
      .operands = { PJ_VK_WHOLE (call->in[k]), PJ_VK_WHOLE (call->out[0]) },
    };
    if (!pj_vk_emit_images (emit, &d, call->in[k], error))
      return FALSE;
    first_block += x.c4;
  }
  return TRUE;
}

PJ_VK_EMITTER (concat)
{
  const PjShape *y = &pj_program_slot (pj_vk_program (emit), call->out[0])->shape;
  int64_t inner = 1, at = 0;

  if (fits_blocks (emit, call))
    return concat_blocks (emit, call, error);
  if (pj_vk_layout (emit, call->out[0]).c % 4 != 0 && !emit_zero (emit, call->out[0], error))
    return FALSE;
  for (unsigned i = (unsigned) call->concat.axis + 1; i < y->rank; i++)
    inner *= y->dim[i];
  for (int k = 0; k < PJ_CALL_MAX_IN && call->in[k] >= 0; k++) {
    int64_t size = pj_program_slot (pj_vk_program (emit), call->in[k])->shape.dim[call->concat.axis] * inner;
    int64_t outer = n_elems (emit, call->in[k]) / size;
    PjView place = { .rank = 2, .dim = { outer, size }, .extent = { outer, size }, .stride = { y->dim[call->concat.axis] * inner, 1 }, .offset = at };
    if (!emit_view (emit, PJ_VK_FAMILY (emit, scatter), &place, call->out[0], call->in[k], call->in[k], call->out[0], error))
      return FALSE;
    at += size;
  }
  return TRUE;
}

/* --- channels by a list --- */

PJ_VK_EMITTER (gather)
{
  PjVkLayout x = pj_vk_layout (emit, call->in[0]), y = pj_vk_layout (emit, call->out[0]);
  PjVkPushGather push = { .plane = y.plane, .x_c4 = x.c4, .y_c = y.c, .y_c4 = y.c4 };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, gather), .n_spec = 1, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->in[1]), PJ_VK_WHOLE (call->out[0]) },
  };
  return pj_vk_emit_images (emit, &d, call->out[0], error);
}

PJ_VK_EMITTER (gather_bwd)
{
  PjVkLayout y = pj_vk_layout (emit, call->in[0]), x = pj_vk_layout (emit, call->out[0]);
  PjVkPushGatherBwd push = { .plane = x.plane, .x_c = x.c, .x_c4 = x.c4, .y_c = y.c, .y_c4 = y.c4 };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, gather_bwd), .n_spec = 1, PJ_VK_PUSH (push),
    .operands = { PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->in[1]), PJ_VK_WHOLE (call->out[0]) },
  };
  return pj_vk_emit_images (emit, &d, call->out[0], error);
}
