/* SPDX-License-Identifier: MIT */
/* Descriptors and command buffers of the steps of an executable. */
#pragma once

#include "compute/vulkan/private.h"

G_BEGIN_DECLS

/* Where an operand is.  @hazard: FALSE for the zeros, which nobody writes.  @slack_bytes: behind it, of no one else. */
typedef struct {
  PjVkMemory *memory;
  size_t offset_bytes, size_bytes;
  gboolean hazard;
  size_t slack_bytes;
} PjVkRange;

typedef void (*PjVkResolve) (gpointer user_data, const PjVkOperand *operand, PjVkRange *range);

typedef struct {
  VkDescriptorPool pool;
  GArray *views;                      /* VkBufferView */
  VkDescriptorSet *sets;              /* by step */
  PjVkPipeline **pipelines;           /* by step */
  PjVkRange *ranges;                  /* by step and binding: PJ_VK_MAX_BINDINGS each */
} PjVkBindings;

typedef struct {
  GArray *commands;                   /* VkCommandBuffer; NULL before it is recorded */
} PjVkRecording;

gboolean pj_vk_bindings_init (PjVkDevice *device, PjVkBindings *self, const PjVkSteps *steps, PjVkResolve resolve,
                              gpointer user_data, GError **error);
void pj_vk_bindings_clear (PjVkDevice *device, PjVkBindings *self);

/* Records all steps of @segments with the barriers they need and no others. */
gboolean pj_vk_record (PjVkDevice *device, PjVkRecording *self, const PjVkSteps *steps, const PjVkBindings *bindings,
                       unsigned segments, GError **error);
void pj_vk_recording_clear (PjVkDevice *device, PjVkRecording *self);
/* Runs them once, each alone and with a clock around it; adds the milliseconds to @ms by call. */
gboolean pj_vk_record_timed (PjVkDevice *device, const PjVkSteps *steps, const PjVkBindings *bindings, unsigned segments,
                             double *ms, GError **error);

G_END_DECLS
