/* SPDX-License-Identifier: MIT */
/* Results of Vulkan calls as errors that name them. */
#include "compute/vulkan/private.h"

const char *
pj_vk_result_name (VkResult result)
{
#define NAME(r) case r: return #r
  switch (result) {
  NAME (VK_SUCCESS);
  NAME (VK_NOT_READY);
  NAME (VK_TIMEOUT);
  NAME (VK_INCOMPLETE);
  NAME (VK_ERROR_OUT_OF_HOST_MEMORY);
  NAME (VK_ERROR_OUT_OF_DEVICE_MEMORY);
  NAME (VK_ERROR_INITIALIZATION_FAILED);
  NAME (VK_ERROR_DEVICE_LOST);
  NAME (VK_ERROR_MEMORY_MAP_FAILED);
  NAME (VK_ERROR_LAYER_NOT_PRESENT);
  NAME (VK_ERROR_EXTENSION_NOT_PRESENT);
  NAME (VK_ERROR_FEATURE_NOT_PRESENT);
  NAME (VK_ERROR_INCOMPATIBLE_DRIVER);
  NAME (VK_ERROR_TOO_MANY_OBJECTS);
  NAME (VK_ERROR_FRAGMENTED_POOL);
  NAME (VK_ERROR_OUT_OF_POOL_MEMORY);
  NAME (VK_ERROR_UNKNOWN);
  default: return "an unknown VkResult";
  }
#undef NAME
}

static PjGpuError
code (VkResult result)
{
  switch (result) {
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
  case VK_ERROR_OUT_OF_HOST_MEMORY:
  case VK_ERROR_TOO_MANY_OBJECTS:
    return PJ_GPU_ERROR_MEMORY;
  case VK_ERROR_DEVICE_LOST:
    return PJ_GPU_ERROR_LOST;
  case VK_ERROR_LAYER_NOT_PRESENT:
  case VK_ERROR_EXTENSION_NOT_PRESENT:
  case VK_ERROR_FEATURE_NOT_PRESENT:
  case VK_ERROR_INCOMPATIBLE_DRIVER:
    return PJ_GPU_ERROR_UNAVAILABLE;
  default:
    return PJ_GPU_ERROR_FAILED;
  }
}

static void
set_error (VkResult result, GError **error, const char *format, va_list args)
{
  g_autofree char *call = g_strdup_vprintf (format, args);
  g_set_error (error, PJ_GPU_ERROR, code (result), "%s: %s%s", call, pj_vk_result_name (result),
               result == VK_ERROR_DEVICE_LOST ? "; the graphics device was lost" : "");
}

gboolean
pj_vk_check (VkResult result, GError **error, const char *format, ...)
{
  va_list args;
  if (result == VK_SUCCESS)
    return TRUE;
  va_start (args, format);
  set_error (result, error, format, args);
  va_end (args);
  return FALSE;
}

gboolean
pj_vk_device_check (PjVkDevice *device, VkResult result, GError **error, const char *format, ...)
{
  va_list args;
  if (result == VK_SUCCESS)
    return TRUE;
  if (result == VK_ERROR_DEVICE_LOST)
    device->lost = TRUE;
  va_start (args, format);
  set_error (result, error, format, args);
  va_end (args);
  return FALSE;
}

gboolean
pj_vk_is_alive (PjVkDevice *device, GError **error)
{
  if (!device->lost)
    return TRUE;
  g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_LOST,
               "the graphics device “%s” was lost; open it again or go on with the CPU device", device->base.info.name);
  return FALSE;
}
