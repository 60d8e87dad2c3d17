/* SPDX-License-Identifier: MIT */
/* All emitters; each is documented by its kernel in compute/program.h. */
#pragma once

#include "compute/vulkan/kernel.h"

G_BEGIN_DECLS

#define PJ_VK_EMITTER(name) gboolean pj_vk_##name (PjVkEmit *emit, const PjCall *call, GError **error)

/* elementwise.c */
PJ_VK_EMITTER (relu);

G_END_DECLS
