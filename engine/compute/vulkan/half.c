/* SPDX-License-Identifier: MIT */
/* Which devices can multiply matrices of float16, and what they have to be asked for. */
#include "compute/vulkan/private.h"

const char *const pj_vk_half_extensions[PJ_VK_N_HALF_EXTENSIONS] = {
  VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,
};

void
pj_vk_half_features (PjVkHalfFeatures *self, gboolean wanted)
{
  self->matrix = (VkPhysicalDeviceCooperativeMatrixFeaturesNV) {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV, .pNext = &self->model, .cooperativeMatrix = (VkBool32) wanted,
  };
  self->model = (VkPhysicalDeviceVulkanMemoryModelFeatures) {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES, .pNext = &self->float16, .vulkanMemoryModel = (VkBool32) wanted,
  };
  self->float16 = (VkPhysicalDeviceShaderFloat16Int8Features) {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES, .shaderFloat16 = (VkBool32) wanted,
  };
}

/* The matrix units that conv_matrix.comp is written for. */
static gboolean
has_matrix_shape (VkInstance instance, VkPhysicalDevice physical)
{
  PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesNV get = (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesNV)
    vkGetInstanceProcAddr (instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesNV");
  VkCooperativeMatrixPropertiesNV shapes[64];
  uint32_t n = G_N_ELEMENTS (shapes);

  for (uint32_t i = 0; i < n; i++)
    shapes[i] = (VkCooperativeMatrixPropertiesNV) { .sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV };
  VkResult result = get != NULL ? get (physical, &n, shapes) : VK_ERROR_EXTENSION_NOT_PRESENT;
  for (uint32_t i = 0; (result == VK_SUCCESS || result == VK_INCOMPLETE) && i < n; i++)
    if (shapes[i].MSize == 16 && shapes[i].NSize == 16 && shapes[i].KSize == 16 && shapes[i].scope == VK_SCOPE_SUBGROUP_NV
        && shapes[i].AType == VK_COMPONENT_TYPE_FLOAT16_NV && shapes[i].BType == VK_COMPONENT_TYPE_FLOAT16_NV
        && shapes[i].CType == VK_COMPONENT_TYPE_FLOAT32_NV && shapes[i].DType == VK_COMPONENT_TYPE_FLOAT32_NV)
      return TRUE;
  return FALSE;
}

gboolean
pj_vk_has_half (const PjVkInstance *instance, VkPhysicalDevice physical)
{
  PjVkHalfFeatures half;
  VkPhysicalDeviceFeatures2 features = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &half };
  VkPhysicalDeviceSubgroupProperties subgroup = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES };
  VkPhysicalDeviceProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &subgroup };

  for (guint i = 0; i < PJ_VK_N_HALF_EXTENSIONS; i++)
    if (!pj_vk_has_extension (physical, pj_vk_half_extensions[i]))
      return FALSE;
  pj_vk_half_features (&half, FALSE);
  vkGetPhysicalDeviceFeatures2 (physical, &features);
  vkGetPhysicalDeviceProperties2 (physical, &properties);
  /* Groups of 256 in subgroups of 32, 31 KiB of shared memory. */
  return half.float16.shaderFloat16 && half.model.vulkanMemoryModel && half.matrix.cooperativeMatrix && subgroup.subgroupSize == 32
         && properties.properties.limits.maxComputeWorkGroupInvocations >= 256
         && properties.properties.limits.maxComputeSharedMemorySize >= 32768 && has_matrix_shape (instance->instance, physical);
}
