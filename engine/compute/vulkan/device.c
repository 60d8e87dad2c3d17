/* SPDX-License-Identifier: MIT */
/* The Vulkan device: what there is, opening, closing, submitting. */
#include "compute/vulkan/tune.h"

#include <string.h>

#include "base/fault.h"

/* --- listing --- */

static uint64_t
local_bytes (VkPhysicalDevice physical)
{
  VkPhysicalDeviceMemoryProperties memory;
  uint64_t sum = 0;
  vkGetPhysicalDeviceMemoryProperties (physical, &memory);
  for (uint32_t i = 0; i < memory.memoryHeapCount; i++)
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      sum = MAX (sum, memory.memoryHeaps[i].size);
  return sum;
}

gboolean
pj_vk_has_extension (VkPhysicalDevice physical, const char *name)
{
  uint32_t n = 0;
  if (vkEnumerateDeviceExtensionProperties (physical, NULL, &n, NULL) != VK_SUCCESS || n == 0)
    return FALSE;
  g_autofree VkExtensionProperties *all = g_new (VkExtensionProperties, n);
  if (vkEnumerateDeviceExtensionProperties (physical, NULL, &n, all) < 0)
    return FALSE;
  for (uint32_t i = 0; i < n; i++)
    if (strcmp (all[i].extensionName, name) == 0)
      return TRUE;
  return FALSE;
}

static void
describe (VkPhysicalDevice physical, unsigned index, gboolean half, PjDeviceInfo *info)
{
  VkPhysicalDeviceDriverPropertiesKHR driver = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES_KHR };
  VkPhysicalDeviceProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2 };
  const VkPhysicalDeviceProperties *p = &properties.properties;

  if (pj_vk_has_extension (physical, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME))
    properties.pNext = &driver;
  vkGetPhysicalDeviceProperties2 (physical, &properties);
  info->id = g_strdup_printf (half ? "vulkan:%u:" PJ_DEVICE_HALF : "vulkan:%u", index);
  info->name = half ? g_strdup_printf ("%s, float16", p->deviceName) : g_strdup (p->deviceName);
  if (driver.driverName[0] != '\0')
    info->driver = g_strdup_printf ("%s %s, Vulkan %u.%u", driver.driverName, driver.driverInfo,
                                    VK_API_VERSION_MAJOR (p->apiVersion), VK_API_VERSION_MINOR (p->apiVersion));
  else
    info->driver = g_strdup_printf ("driver %#x, Vulkan %u.%u", p->driverVersion,
                                    VK_API_VERSION_MAJOR (p->apiVersion), VK_API_VERSION_MINOR (p->apiVersion));
  info->memory_bytes = local_bytes (physical);
  info->is_software = p->deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

static GPtrArray *
list (char **why)
{
  GPtrArray *infos = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  const PjVkInstance *instance = pj_vk_instance_get (&error);

  if (why != NULL)
    *why = NULL;
  if (instance != NULL) {
    g_autoptr (GArray) devices = pj_vk_instance_devices (instance, &error);
    for (guint i = 0; devices != NULL && i < devices->len; i++) {
      VkPhysicalDevice physical = g_array_index (devices, VkPhysicalDevice, i);
      int most = pj_vk_has_half (instance, physical);
      for (int half = 0; half <= most; half++) {
        PjDeviceInfo *info = g_new0 (PjDeviceInfo, 1);
        describe (physical, i, half != 0, info);
        g_ptr_array_add (infos, info);
      }
    }
  }
  if (error != NULL && why != NULL)
    *why = g_strdup (error->message);
  return infos;
}

/* --- opening --- */

static size_t
texel_bytes (const VkPhysicalDeviceLimits *limits)
{
  return (size_t) limits->maxTexelBufferElements * 16;
}

/* Software drivers use the texel family if their texel buffers are large enough to be of use. */
static gboolean
wants_texel (const PjVkDevice *self)
{
  const char *family = g_getenv ("PENJING_VULKAN_FAMILY");
  if (g_strcmp0 (family, "texel") == 0)
    return TRUE;
  if (g_strcmp0 (family, "tiled") == 0)
    return FALSE;
  return self->base.info.is_software && texel_bytes (&self->properties.limits) >= (64u << 20);
}

static void
read_caps (PjVkDevice *self)
{
  VkPhysicalDeviceSubgroupProperties subgroup = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES };
  VkPhysicalDeviceIDProperties id = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES, .pNext = &subgroup };
  VkPhysicalDeviceProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &id };

  vkGetPhysicalDeviceProperties2 (self->physical, &properties);
  self->properties = properties.properties;
  memcpy (self->driver_uuid, id.driverUUID, VK_UUID_SIZE);
  const VkPhysicalDeviceLimits *limits = &self->properties.limits;
  gboolean compute = (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
  self->caps = (PjVkCaps) {
    .texel = wants_texel (self),
    .subgroup_size = compute ? subgroup.subgroupSize : 1,
    .subgroup_ops = compute ? subgroup.supportedOperations : 0,
    .max_group = MIN (limits->maxComputeWorkGroupInvocations, limits->maxComputeWorkGroupSize[0]),
    .software = self->base.info.is_software,
    .max_shared_bytes = limits->maxComputeSharedMemorySize,
    .max_buffer_bytes = limits->maxStorageBufferRange,
    /* A view of whole numbers, of which the limit is a quarter, may take in the slack, too. */
    .max_texel_bytes = texel_bytes (limits) - (self->base.info.is_software ? 4 * PJ_VK_SLACK : 0),
    .align = MAX (MAX (limits->minStorageBufferOffsetAlignment, limits->minTexelBufferOffsetAlignment), 16),
  };
  for (int i = 0; i < 3; i++)
    self->caps.max_groups[i] = limits->maxComputeWorkGroupCount[i];
}

/* A family that computes but does not draw is the one that long jobs should use: it does not hold up the
 * desktop. */
static uint32_t
choose_family (PjVkDevice *self)
{
  VkQueueFamilyProperties families[16];
  uint32_t n = G_N_ELEMENTS (families), best = 0;
  int best_rank = -1;

  vkGetPhysicalDeviceQueueFamilyProperties (self->physical, &n, families);
  for (uint32_t i = 0; i < n; i++) {
    VkQueueFlags flags = families[i].queueFlags;
    int rank = !(flags & VK_QUEUE_COMPUTE_BIT) ? -1 : flags & VK_QUEUE_GRAPHICS_BIT ? 0 : 1;
    if (rank > best_rank) {
      best = i;
      best_rank = rank;
    }
  }
  self->timestamp_bits = families[best].timestampValidBits;
  return best;
}

/* Whether fetches out of range can be made to return zeros, which convolutions of the texel family take for
 * the pixels around the map. */
static gboolean
has_zero_fetches (PjVkDevice *self)
{
  VkPhysicalDeviceRobustness2FeaturesEXT robust = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT };
  VkPhysicalDeviceFeatures2 features = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &robust };

  if (!self->caps.texel || !pj_vk_has_extension (self->physical, VK_EXT_ROBUSTNESS_2_EXTENSION_NAME))
    return FALSE;
  vkGetPhysicalDeviceFeatures2 (self->physical, &features);
  return features.features.robustBufferAccess && robust.robustBufferAccess2;
}

static gboolean
create_device (PjVkDevice *self, GError **error)
{
  const float priority = 1.0f;
  const char *extensions[2 + PJ_VK_N_HALF_EXTENSIONS];
  PjVkHalfFeatures half;
  uint32_t n_extensions = 0;
  self->queue_family = choose_family (self);
  self->has_memory_budget = pj_vk_has_extension (self->physical, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  if (self->has_memory_budget)
    extensions[n_extensions++] = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
  self->caps.texel_zero = has_zero_fetches (self);
  if (self->caps.texel_zero)
    extensions[n_extensions++] = VK_EXT_ROBUSTNESS_2_EXTENSION_NAME;
  VkPhysicalDeviceRobustness2FeaturesEXT robust = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT, .robustBufferAccess2 = VK_TRUE,
  };
  if (self->caps.half) {
    pj_vk_half_features (&half, TRUE);
    for (unsigned i = 0; i < PJ_VK_N_HALF_EXTENSIONS; i++)
      extensions[n_extensions++] = pj_vk_half_extensions[i];
  }
  VkPhysicalDeviceFeatures features = { .robustBufferAccess = VK_TRUE };
  VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueFamilyIndex = self->queue_family,
    .queueCount = 1, .pQueuePriorities = &priority,
  };
  VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .queueCreateInfoCount = 1, .pQueueCreateInfos = &queue,
    .enabledExtensionCount = n_extensions, .ppEnabledExtensionNames = extensions,
    .pNext = self->caps.texel_zero ? (void *) &robust : self->caps.half ? &half : NULL, .pEnabledFeatures = self->caps.texel_zero ? &features : NULL,
  };
  if (!pj_vk_check (vkCreateDevice (self->physical, &info, NULL, &self->device), error, "vkCreateDevice “%s”", self->base.info.name))
    return FALSE;
  vkGetDeviceQueue (self->device, self->queue_family, 0, &self->queue);

  VkCommandPoolCreateInfo pool = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, .queueFamilyIndex = self->queue_family,
    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
  };
  VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
  return pj_vk_check (vkCreateCommandPool (self->device, &pool, NULL, &self->command_pool), error, "vkCreateCommandPool")
         && pj_vk_check (vkCreateFence (self->device, &fence, NULL, &self->fence), error, "vkCreateFence");
}

static void
close_device (PjDevice *base)
{
  PjVkDevice *self = (PjVkDevice *) base;

  if (self->device != VK_NULL_HANDLE) {
    pj_vk_tune_clear (self);
    pj_vk_pipelines_clear (self);
    pj_vk_memory_clear (self, &self->zeros);
    pj_vk_memory_clear (self, &self->staging);
    pj_vk_heap_clear (self);
    vkDestroyFence (self->device, self->fence, NULL);
    vkDestroyCommandPool (self->device, self->command_pool, NULL);
    vkDestroyDevice (self->device, NULL);
  }
  g_free (base->info.id);
  g_free (base->info.name);
  g_free (base->info.driver);
  g_free (self);
}

static gboolean
open_physical (PjVkDevice *self, unsigned index, gboolean half, GError **error)
{
  const PjVkInstance *instance = pj_vk_instance_get (error);
  if (instance == NULL)
    return FALSE;
  g_autoptr (GArray) devices = pj_vk_instance_devices (instance, error);
  if (devices == NULL)
    return FALSE;
  if (index >= devices->len) {
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE, "there is no device “vulkan:%u”; the last one is vulkan:%u",
                 index, devices->len - 1);
    return FALSE;
  }
  self->physical = g_array_index (devices, VkPhysicalDevice, index);
  if (half && !pj_vk_has_half (instance, self->physical)) {
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE, "“vulkan:%u” cannot compute in half precision: its driver has no "
                 "cooperative matrices of float16; take “vulkan:%u” itself", index, index);
    return FALSE;
  }
  describe (self->physical, index, half, &self->base.info);
  read_caps (self);
  self->caps.half = half;
  return TRUE;
}

#define ZERO_BYTES 16384

static PjDevice *
open_device (unsigned index, gboolean half, GError **error)
{
  PjVkDevice *self = g_new0 (PjVkDevice, 1);

  self->base.klass = &pj_device_vulkan;
  self->forced_variant = -1;
  if (open_physical (self, index, half, error) && create_device (self, error) && pj_vk_heap_init (self, error)
      && pj_vk_pipelines_init (self, error)
      && pj_vk_memory_init (self, &self->zeros, ZERO_BYTES, "a block of zeros", error)
      && pj_vk_memory_zero (self, &self->zeros, error)) {
    pj_vk_tune_init (self);
    return &self->base;
  }
  close_device (&self->base);
  return NULL;
}

/* --- submitting --- */

gboolean
pj_vk_submit (PjVkDevice *self, const VkCommandBuffer *commands, unsigned n_commands, GError **error)
{
  if (!pj_vk_is_alive (self, error))
    return FALSE;
  gint64 before = g_get_monotonic_time ();
  for (unsigned i = 0; i < n_commands; i++) {
    VkSubmitInfo info = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &commands[i] };
    VkResult result = pj_fault (PJ_FAULT_DEVICE_RUN) ? VK_ERROR_DEVICE_LOST
                      : vkQueueSubmit (self->queue, 1, &info, i + 1 == n_commands ? self->fence : VK_NULL_HANDLE);
    if (!pj_vk_device_check (self, result, error, "vkQueueSubmit")) {
      /* Nothing that the queue still uses may be freed by whoever cleans up after this. */
      vkQueueWaitIdle (self->queue);
      return FALSE;
    }
  }
  self->base.host_us += (double) (g_get_monotonic_time () - before);
  VkResult result = n_commands > 0 ? vkWaitForFences (self->device, 1, &self->fence, VK_TRUE, UINT64_MAX) : VK_SUCCESS;
  if (!pj_vk_device_check (self, result, error, "vkWaitForFences"))
    return FALSE;
  return n_commands == 0 || pj_vk_device_check (self, vkResetFences (self->device, 1, &self->fence), error, "vkResetFences");
}

/* --- buffers --- */

static PjBuffer *
buffer_new (PjDevice *device, size_t size_bytes, GError **error)
{
  PjVkDevice *self = (PjVkDevice *) device;
  PjBuffer *buffer = g_new0 (PjBuffer, 1);

  buffer->device = self;
  if (pj_vk_is_alive (self, error) && pj_vk_memory_init (self, &buffer->memory, size_bytes, "parameters", error)
      && pj_vk_memory_zero (self, &buffer->memory, error))
    return buffer;
  pj_vk_memory_clear (self, &buffer->memory);
  g_free (buffer);
  return NULL;
}

static void
buffer_free (PjBuffer *buffer)
{
  if (buffer == NULL)
    return;
  pj_vk_memory_clear (buffer->device, &buffer->memory);
  g_free (buffer);
}

static gboolean
buffer_write (PjBuffer *buffer, size_t offset_bytes, gconstpointer data, size_t size_bytes, GError **error)
{
  return pj_vk_memory_write (buffer->device, &buffer->memory, offset_bytes, data, size_bytes, error);
}

static gboolean
buffer_read (PjBuffer *buffer, size_t offset_bytes, gpointer data, size_t size_bytes, GError **error)
{
  return pj_vk_memory_read (buffer->device, &buffer->memory, offset_bytes, data, size_bytes, error);
}

const PjDeviceClass pj_device_vulkan = {
  .kind = "vulkan", .list = list, .open = open_device, .close = close_device,
  .buffer_new = buffer_new, .buffer_free = buffer_free, .buffer_write = buffer_write, .buffer_read = buffer_read,
  .compile = pj_vk_compile, .executable_free = pj_vk_executable_free, .arena_bytes = pj_vk_arena_bytes,
  .run = pj_vk_run, .write = pj_vk_write, .read = pj_vk_read, .profile = pj_vk_profile,
};
