/* SPDX-License-Identifier: MIT */
/* A convolution's result less the share of one input channel. */
#include "compute/vulkan/emitters.h"

PJ_VK_EMITTER (conv_without)
{
  PjVkLayout x = pj_vk_layout (emit, call->in[0]), y = pj_vk_layout (emit, call->out[0]);
  const PjConvParams *p = &call->conv;
  PjVkPushWithout push = {
    .x_c = x.c, .x_c4 = x.c4, .y_c = y.c, .y_c4 = y.c4, .h = (int32_t) x.h, .w = (int32_t) x.w, .oh = (int32_t) y.h, .ow = (int32_t) y.w,
    .pad_top = p->pad[0], .pad_left = p->pad[1], .ceiling = pj_call_ceiling (call),
  };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, conv_without), .n_spec = 7, PJ_VK_PUSH (push),
    .spec = {
      0, (uint32_t) p->kernel[0], (uint32_t) p->kernel[1], (uint32_t) p->stride[0], (uint32_t) p->stride[1],
      (uint32_t) p->dilation[0], (uint32_t) p->dilation[1],
    },
    .operands = {
      PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->in[1]), PJ_VK_WHOLE (call->in[2]), PJ_VK_WHOLE (call->in[3]), PJ_VK_WHOLE (call->out[0]),
    },
  };
  return pj_vk_emit_images (emit, &d, call->out[0], error);
}
