/* SPDX-License-Identifier: MIT */
/* The Vulkan instance.  With PENJING_VULKAN_VALIDATION=1 the validation layer runs with synchronisation
 * checks and every message is a GLib warning, which G_DEBUG=fatal-warnings turns into a failed test.
 * PENJING_VULKAN_VALIDATION=gpu adds the layer's checks inside shaders. */
#define G_LOG_DOMAIN "penjing-vulkan"

#include "compute/vulkan/private.h"

#include <string.h>

#define LAYER "VK_LAYER_KHRONOS_validation"

static VKAPI_ATTR VkBool32 VKAPI_CALL
message_cb (VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
            const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  g_warning ("%s: %s", data->pMessageIdName ? data->pMessageIdName : "validation", data->pMessage);
  return VK_FALSE;
}

static const VkDebugUtilsMessengerCreateInfoEXT messenger_info = {
  .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
  .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
  .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
  .pfnUserCallback = message_cb,
};

static const char *
validation_mode (void)
{
  const char *mode = g_getenv ("PENJING_VULKAN_VALIDATION");
  return mode == NULL || strcmp (mode, "0") == 0 || mode[0] == '\0' ? NULL : mode;
}

static gboolean
create_messenger (PjVkInstance *self, GError **error)
{
  PFN_vkCreateDebugUtilsMessengerEXT create_ =
    (PFN_vkCreateDebugUtilsMessengerEXT) vkGetInstanceProcAddr (self->instance, "vkCreateDebugUtilsMessengerEXT");
  return create_ != NULL
         && pj_vk_check (create_ (self->instance, &messenger_info, NULL, &self->messenger), error, "vkCreateDebugUtilsMessengerEXT");
}

static void
destroy (PjVkInstance *self)
{
  if (self->instance != VK_NULL_HANDLE)
    vkDestroyInstance (self->instance, NULL);
  *self = (PjVkInstance) { 0 };
}

static gboolean
create (PjVkInstance *self, GError **error)
{
  const char *mode = validation_mode ();
  const char *layers[] = { LAYER }, *extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME };
  VkValidationFeatureEnableEXT checks[] = {
    VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT, VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,
    VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT,
  };
  VkDebugUtilsMessengerCreateInfoEXT first_messages = messenger_info;
  VkValidationFeaturesEXT features = {
    .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT, .pNext = &first_messages,
    .enabledValidationFeatureCount = g_strcmp0 (mode, "gpu") == 0 ? 3 : 1, .pEnabledValidationFeatures = checks,
  };
  VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .pApplicationName = "penjing", .apiVersion = VK_API_VERSION_1_1,
  };
  VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application,
  };

  if (mode != NULL) {
    info.pNext = &features;
    info.enabledLayerCount = info.enabledExtensionCount = 1;
    info.ppEnabledLayerNames = layers;
    info.ppEnabledExtensionNames = extensions;
  }
  VkResult result = vkCreateInstance (&info, NULL, &self->instance);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE,
                 "no Vulkan driver is installed (VK_ERROR_INCOMPATIBLE_DRIVER); install the one of your graphics card");
    return FALSE;
  }
  if (!pj_vk_check (result, error, mode ? "vkCreateInstance with " LAYER : "vkCreateInstance"))
    return FALSE;
  if (mode != NULL && !create_messenger (self, error)) {
    destroy (self);
    return FALSE;
  }
  return TRUE;
}

const PjVkInstance *
pj_vk_instance_get (GError **error)
{
  static GMutex lock;
  static PjVkInstance shared;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return shared.instance != VK_NULL_HANDLE || create (&shared, error) ? &shared : NULL;
}

static gboolean
has_compute (VkPhysicalDevice device)
{
  VkQueueFamilyProperties families[16];
  uint32_t n = G_N_ELEMENTS (families);
  VkPhysicalDeviceProperties properties;

  vkGetPhysicalDeviceProperties (device, &properties);
  if (properties.apiVersion < VK_API_VERSION_1_1)
    return FALSE;
  vkGetPhysicalDeviceQueueFamilyProperties (device, &n, families);
  for (uint32_t i = 0; i < n; i++)
    if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
      return TRUE;
  return FALSE;
}

GArray *
pj_vk_instance_devices (const PjVkInstance *self, GError **error)
{
  g_autoptr (GArray) devices = g_array_new (FALSE, FALSE, sizeof (VkPhysicalDevice));
  VkPhysicalDevice all[32];
  uint32_t n = G_N_ELEMENTS (all);
  VkResult result = vkEnumeratePhysicalDevices (self->instance, &n, all);

  /* A machine without any usable device answers VK_ERROR_INITIALIZATION_FAILED or a count of 0. */
  if (result != VK_INCOMPLETE && !pj_vk_check (result, error, "vkEnumeratePhysicalDevices"))
    return NULL;
  for (uint32_t i = 0; i < n; i++)
    if (has_compute (all[i]))
      g_array_append_val (devices, all[i]);
  if (devices->len == 0) {
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE,
                 n == 0 ? "the Vulkan drivers found no device" : "no device has Vulkan 1.1 and a compute queue");
    return NULL;
  }
  return g_steal_pointer (&devices);
}
