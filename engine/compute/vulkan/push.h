/* SPDX-License-Identifier: MIT */
/* Push constants.  Each struct mirrors the block of the shader it is named after: 32-bit fields in the
 * same order.  128 bytes is what every device has. */
#pragma once

#include <stdint.h>

#define PJ_VK_PUSH_MAX 128
#define PJ_VK_CHECK_PUSH(type) \
  _Static_assert (sizeof (type) <= PJ_VK_PUSH_MAX && sizeof (type) % 4 == 0, #type " is too large")

typedef struct {
  uint32_t n;             /* quads */
} PjVkPushFlat;
PJ_VK_CHECK_PUSH (PjVkPushFlat);
