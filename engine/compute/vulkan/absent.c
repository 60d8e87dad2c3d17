/* SPDX-License-Identifier: MIT */
/* Stands for the Vulkan device in a build that has none: lists nothing, opens nothing, says why. */
#include "compute/device.h"

#define REASON "this build has no Vulkan device"

static GPtrArray *
list (char **why)
{
  *why = g_strdup (REASON);
  return g_ptr_array_new_with_free_func ((GDestroyNotify) pj_device_info_free);
}

static PjDevice *
open_device (unsigned index, GError **error)
{
  g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE, "there is no device “vulkan:%u”: %s", index, REASON);
  return NULL;
}

const PjDeviceClass pj_device_vulkan = { .kind = "vulkan", .list = list, .open = open_device };
