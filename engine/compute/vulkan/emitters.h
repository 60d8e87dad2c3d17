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

/* gemm.c */
PJ_VK_EMITTER (gemm);
PJ_VK_EMITTER (gemm_bwd_input);
PJ_VK_EMITTER (gemm_bwd_weight);

G_END_DECLS
