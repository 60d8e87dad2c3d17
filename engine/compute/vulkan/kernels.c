/* SPDX-License-Identifier: MIT */
/* The op table: who makes the dispatches of each kernel. */
#include "compute/vulkan/emitters.h"

const PjVkEmitter pj_vk_emitters[PJ_N_KERNELS] = {
  [PJ_KERNEL_CONV] = pj_vk_conv,
  [PJ_KERNEL_CONV_BWD_INPUT] = pj_vk_conv_bwd_input,
  [PJ_KERNEL_CONV_BWD_WEIGHT] = pj_vk_conv_bwd_weight,
  [PJ_KERNEL_GEMM] = pj_vk_gemm,
  [PJ_KERNEL_GEMM_BWD_INPUT] = pj_vk_gemm_bwd_input,
  [PJ_KERNEL_GEMM_BWD_WEIGHT] = pj_vk_gemm_bwd_weight,
  [PJ_KERNEL_RELU] = pj_vk_relu,
};
