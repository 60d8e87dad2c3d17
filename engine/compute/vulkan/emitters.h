/* SPDX-License-Identifier: MIT */
/* All emitters; each is documented by its kernel in compute/program.h. */
#pragma once

#include "compute/vulkan/kernel.h"

G_BEGIN_DECLS

#define PJ_VK_EMITTER(name) gboolean pj_vk_##name (PjVkEmit *emit, const PjCall *call, GError **error)

/* conv.c */
PJ_VK_EMITTER (conv);
PJ_VK_EMITTER (conv_bwd_input);
PJ_VK_EMITTER (conv_bwd_weight);

/* elementwise.c */
PJ_VK_EMITTER (relu);
PJ_VK_EMITTER (relu_bwd);
PJ_VK_EMITTER (add);
PJ_VK_EMITTER (gate);
PJ_VK_EMITTER (reshape);
PJ_VK_EMITTER (sgd);
/* y = relu? (affine (x)): see shaders/affine.comp; @ceiling: see pj_call_ceiling(). */
gboolean pj_vk_emit_affine (PjVkEmit *emit, int x, PjVkRegion coefficients, gboolean full, float ceiling, int y, GError **error);

/* norm.c */
PJ_VK_EMITTER (norm_train);
PJ_VK_EMITTER (norm_eval);
PJ_VK_EMITTER (norm_apply);
PJ_VK_EMITTER (norm_bwd);
PJ_VK_EMITTER (norm_eval_bwd);
PJ_VK_EMITTER (gate_bwd);

/* pool.c */
PJ_VK_EMITTER (max_pool);
PJ_VK_EMITTER (max_pool_bwd);
PJ_VK_EMITTER (avg_pool);
PJ_VK_EMITTER (avg_pool_bwd);

/* loss.c */
PJ_VK_EMITTER (softmax);
PJ_VK_EMITTER (cross_entropy);
PJ_VK_EMITTER (kl);
PJ_VK_EMITTER (channel_stats);

/* fold.c */
PJ_VK_EMITTER (fold_norm);
PJ_VK_EMITTER (fold_gate);

/* gemm.c */
PJ_VK_EMITTER (gemm);
PJ_VK_EMITTER (gemm_bwd_input);
PJ_VK_EMITTER (gemm_bwd_weight);

/* arithmetic.c */
PJ_VK_EMITTER (unary);
PJ_VK_EMITTER (unary_bwd);
PJ_VK_EMITTER (binary);
PJ_VK_EMITTER (sum_to);

/* arrange.c */
PJ_VK_EMITTER (view);
PJ_VK_EMITTER (view_bwd);
PJ_VK_EMITTER (concat);
PJ_VK_EMITTER (gather);
PJ_VK_EMITTER (gather_bwd);

/* without.c */
PJ_VK_EMITTER (conv_without);

/* local.c */
PJ_VK_EMITTER (lrn);
PJ_VK_EMITTER (lrn_bwd);
PJ_VK_EMITTER (resize);
PJ_VK_EMITTER (resize_bwd);
PJ_VK_EMITTER (instance_norm);
PJ_VK_EMITTER (instance_norm_bwd);

G_END_DECLS
