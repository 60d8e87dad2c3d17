/* SPDX-License-Identifier: MIT */
/* The op table: who makes the dispatches of each kernel. */
#include "compute/vulkan/emitters.h"

const PjVkEmitter pj_vk_emitters[PJ_N_KERNELS] = {
  [PJ_KERNEL_RELU] = pj_vk_relu,
};
