/* SPDX-License-Identifier: MIT */
/* The op table: who makes the dispatches of each kernel. */
#include "compute/vulkan/emitters.h"

const PjVkEmitter pj_vk_emitters[PJ_N_KERNELS] = {
  [PJ_KERNEL_ADD] = pj_vk_add,
  [PJ_KERNEL_AVG_POOL] = pj_vk_avg_pool,
  [PJ_KERNEL_AVG_POOL_BWD] = pj_vk_avg_pool_bwd,
  [PJ_KERNEL_CHANNEL_STATS] = pj_vk_channel_stats,
  [PJ_KERNEL_CONV] = pj_vk_conv,
  [PJ_KERNEL_CONV_BWD_INPUT] = pj_vk_conv_bwd_input,
  [PJ_KERNEL_CONV_BWD_WEIGHT] = pj_vk_conv_bwd_weight,
  [PJ_KERNEL_CROSS_ENTROPY] = pj_vk_cross_entropy,
  [PJ_KERNEL_FOLD_GATE] = pj_vk_fold_gate,
  [PJ_KERNEL_FOLD_NORM] = pj_vk_fold_norm,
  [PJ_KERNEL_GATE] = pj_vk_gate,
  [PJ_KERNEL_GATE_BWD] = pj_vk_gate_bwd,
  [PJ_KERNEL_GEMM] = pj_vk_gemm,
  [PJ_KERNEL_GEMM_BWD_INPUT] = pj_vk_gemm_bwd_input,
  [PJ_KERNEL_GEMM_BWD_WEIGHT] = pj_vk_gemm_bwd_weight,
  [PJ_KERNEL_KL] = pj_vk_kl,
  [PJ_KERNEL_MAX_POOL] = pj_vk_max_pool,
  [PJ_KERNEL_MAX_POOL_BWD] = pj_vk_max_pool_bwd,
  [PJ_KERNEL_NORM_BWD] = pj_vk_norm_bwd,
  [PJ_KERNEL_NORM_EVAL] = pj_vk_norm_eval,
  [PJ_KERNEL_NORM_EVAL_BWD] = pj_vk_norm_eval_bwd,
  [PJ_KERNEL_NORM_TRAIN] = pj_vk_norm_train,
  [PJ_KERNEL_RELU] = pj_vk_relu,
  [PJ_KERNEL_RELU_BWD] = pj_vk_relu_bwd,
  [PJ_KERNEL_RESHAPE] = pj_vk_reshape,
  [PJ_KERNEL_SGD] = pj_vk_sgd,
  [PJ_KERNEL_SOFTMAX] = pj_vk_softmax,
};
