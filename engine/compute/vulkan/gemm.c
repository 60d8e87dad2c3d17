/* SPDX-License-Identifier: MIT */
/* Fully connected layers: products of one tap, whose pixels are the rows of the batch (see conv.h). */
#include "compute/vulkan/conv.h"

static const PjConvParams one_tap = { .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };

PJ_VK_EMITTER (gemm)
{
  PjVkProduct product = {
    .conv = one_tap, .in = call->in[0], .w = call->in[1], .b = call->in[2], .r = -1, .out = call->out[0],
    .ceiling = pj_call_ceiling (call),
  };
  return pj_vk_product (emit, &product, error);
}

PJ_VK_EMITTER (gemm_bwd_input)
{
  PjVkProduct product = {
    .conv = one_tap, .out = call->in[0], .w = call->in[1], .b = -1, .r = -1, .in = call->out[0],
  };
  return pj_vk_product_bwd_input (emit, &product, error);
}

PJ_VK_EMITTER (gemm_bwd_weight)
{
  PjVkProduct product = { .conv = one_tap, .in = call->in[0], .out = call->in[1], .w = -1, .b = -1, .r = -1 };
  return pj_vk_product_bwd_weight (emit, &product, call->out[0], call->out[1], call->accumulate, error);
}
