/* SPDX-License-Identifier: MIT */
/* Shader modules, pipelines and the cache of pipelines on disk.
 *
 * The cache is a file per device and driver in the user's cache directory.  It is a mere accelerator: a file
 * that is missing, damaged, of another driver or not writable changes nothing but the time. */
#include "compute/vulkan/private.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/fault.h"

#define PJ_VK_SHADER_WORDS
#undef PJ_VK_SHADERS
#include "shader-list.h"

#define CACHE_MAX_BYTES (64u << 20)

typedef struct {
  const char *name, *bindings;
  const uint32_t *words;
  size_t size_bytes, push_bytes;
} Shader;

#define ROW(name) \
  [PJ_VK_SHADER_##name] = { #name, name##_BINDINGS, name##_words, sizeof name##_words, name##_PUSH_BYTES },
static const Shader shaders[] = { PJ_VK_SHADERS (ROW) };
#undef ROW

const char *
pj_vk_shader_bindings (PjVkShader shader)
{
  return shaders[shader].bindings;
}

size_t
pj_vk_shader_push_bytes (PjVkShader shader)
{
  return shaders[shader].push_bytes;
}

const char *
pj_vk_shader_name (PjVkShader shader)
{
  return shaders[shader].name;
}

/* --- table --- */

typedef struct {
  PjVkShader shader;
  unsigned n_spec;
  uint32_t spec[PJ_VK_MAX_SPEC];
} Key;

typedef struct {
  Key key;                    /* first: entries are their own keys */
  PjVkPipeline pipeline;
} Entry;

static guint
key_hash (gconstpointer data)
{
  const Key *key = data;
  guint hash = (guint) key->shader;
  for (unsigned i = 0; i < key->n_spec; i++)
    hash = hash * 31 + key->spec[i];
  return hash;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const Key *x = a, *y = b;
  return x->shader == y->shader && x->n_spec == y->n_spec && memcmp (x->spec, y->spec, x->n_spec * sizeof (uint32_t)) == 0;
}

/* --- cache file --- */

static char *
cache_path (const PjVkDevice *device)
{
  GString *name = g_string_new ("pipelines-");
  for (unsigned i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (name, "%02x", device->properties.pipelineCacheUUID[i]);
  g_string_append_printf (name, "-%x-%x-%x.bin", device->properties.vendorID, device->properties.deviceID, device->properties.driverVersion);
  char *path = g_build_filename (g_get_user_cache_dir (), "penjing", name->str, NULL);
  g_string_free (name, TRUE);
  return path;
}

static gboolean
create_cache (PjVkDevice *device, GError **error)
{
  g_autofree char *path = cache_path (device), *data = NULL;
  gsize size = 0;
  GStatBuf status;

  if (g_stat (path, &status) != 0 || status.st_size > CACHE_MAX_BYTES || !g_file_get_contents (path, &data, &size, NULL))
    size = 0;
  VkPipelineCacheCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = size, .pInitialData = data,
  };
  VkResult result = vkCreatePipelineCache (device->device, &info, NULL, &device->cache);
  if (result != VK_SUCCESS && size > 0) {
    info.initialDataSize = 0;
    result = vkCreatePipelineCache (device->device, &info, NULL, &device->cache);
  }
  return pj_vk_device_check (device, result, error, "vkCreatePipelineCache");
}

static void
save_cache (PjVkDevice *device)
{
  size_t size = 0;
  if (device->lost || g_hash_table_size (device->pipelines) == 0
      || vkGetPipelineCacheData (device->device, device->cache, &size, NULL) != VK_SUCCESS || size > CACHE_MAX_BYTES)
    return;
  g_autofree char *data = g_try_malloc (size), *path = cache_path (device), *folder = g_path_get_dirname (path);
  if (data == NULL || vkGetPipelineCacheData (device->device, device->cache, &size, data) != VK_SUCCESS)
    return;
  g_autofree char *old = NULL;
  gsize old_size = 0;
  if (g_file_get_contents (path, &old, &old_size, NULL) && old_size == size && memcmp (old, data, size) == 0)
    return;
  if (!pj_fault (PJ_FAULT_WRITE) && g_mkdir_with_parents (folder, 0700) == 0)
    g_file_set_contents_full (path, data, (gssize) size, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

/* --- pipelines --- */

static VkDescriptorType
descriptor_type (char kind)
{
  return strchr ("tiu", kind) ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

static gboolean
create_layouts (PjVkDevice *device, const Shader *shader, PjVkPipeline *self, GError **error)
{
  VkDescriptorSetLayoutBinding bindings[PJ_VK_MAX_BINDINGS];
  uint32_t n = (uint32_t) strlen (shader->bindings);

  g_assert (n <= PJ_VK_MAX_BINDINGS && shader->push_bytes <= PJ_VK_PUSH_MAX);
  for (uint32_t i = 0; i < n; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding) { i, descriptor_type (shader->bindings[i]), 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL };
  VkDescriptorSetLayoutCreateInfo set = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = n, .pBindings = bindings,
  };
  if (!pj_vk_device_check (device, vkCreateDescriptorSetLayout (device->device, &set, NULL, &self->set_layout), error,
                           "vkCreateDescriptorSetLayout, shader %s", shader->name))
    return FALSE;
  VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, (uint32_t) shader->push_bytes };
  VkPipelineLayoutCreateInfo layout = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1, .pSetLayouts = &self->set_layout,
    .pushConstantRangeCount = shader->push_bytes > 0 ? 1 : 0, .pPushConstantRanges = &push,
  };
  return pj_vk_device_check (device, vkCreatePipelineLayout (device->device, &layout, NULL, &self->layout), error,
                             "vkCreatePipelineLayout, shader %s", shader->name);
}

static gboolean
create_pipeline (PjVkDevice *device, const Shader *shader, const Key *key, PjVkPipeline *self, GError **error)
{
  VkShaderModuleCreateInfo module_info = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = shader->size_bytes, .pCode = shader->words,
  };
  VkSpecializationMapEntry entries[PJ_VK_MAX_SPEC];
  VkShaderModule module;

  for (uint32_t i = 0; i < key->n_spec; i++)
    entries[i] = (VkSpecializationMapEntry) { i, i * 4, 4 };
  if (!pj_vk_device_check (device, vkCreateShaderModule (device->device, &module_info, NULL, &module), error,
                           "vkCreateShaderModule, shader %s", shader->name))
    return FALSE;
  VkSpecializationInfo specialisation = { key->n_spec, entries, key->n_spec * 4, key->spec };
  VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO, .layout = self->layout,
    .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, .stage = VK_SHADER_STAGE_COMPUTE_BIT,
               .module = module, .pName = "main", .pSpecializationInfo = &specialisation },
  };
  VkResult result = vkCreateComputePipelines (device->device, device->cache, 1, &info, NULL, &self->pipeline);
  vkDestroyShaderModule (device->device, module, NULL);
  return pj_vk_device_check (device, result, error, "vkCreateComputePipelines, shader %s", shader->name);
}

static void
destroy (PjVkDevice *device, PjVkPipeline *self)
{
  vkDestroyPipeline (device->device, self->pipeline, NULL);
  vkDestroyPipelineLayout (device->device, self->layout, NULL);
  vkDestroyDescriptorSetLayout (device->device, self->set_layout, NULL);
}

static Key
key_of (PjVkShader shader, const uint32_t *spec, unsigned n_spec)
{
  Key key = { .shader = shader, .n_spec = n_spec };
  g_assert (n_spec <= PJ_VK_MAX_SPEC);
  memcpy (key.spec, spec, n_spec * sizeof (uint32_t));
  return key;
}

gboolean
pj_vk_pipeline_is_new (PjVkDevice *device, PjVkShader shader, const uint32_t *spec, unsigned n_spec)
{
  Key key = key_of (shader, spec, n_spec);
  return !g_hash_table_contains (device->pipelines, &key);
}

PjVkPipeline *
pj_vk_pipeline (PjVkDevice *device, PjVkShader shader, const uint32_t *spec, unsigned n_spec, GError **error)
{
  Key key = key_of (shader, spec, n_spec);
  Entry *entry = g_hash_table_lookup (device->pipelines, &key);
  if (entry != NULL)
    return &entry->pipeline;

  entry = g_new0 (Entry, 1);
  entry->key = key;
  if (!create_layouts (device, &shaders[shader], &entry->pipeline, error)
      || !create_pipeline (device, &shaders[shader], &key, &entry->pipeline, error)) {
    destroy (device, &entry->pipeline);
    g_free (entry);
    return NULL;
  }
  g_hash_table_add (device->pipelines, entry);
  return &entry->pipeline;
}

gboolean
pj_vk_pipelines_init (PjVkDevice *device, GError **error)
{
  device->pipelines = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  return create_cache (device, error);
}

void
pj_vk_pipelines_clear (PjVkDevice *device)
{
  GHashTableIter iter;
  gpointer entry;

  if (device->pipelines == NULL)
    return;
  if (device->cache != VK_NULL_HANDLE)
    save_cache (device);
  g_hash_table_iter_init (&iter, device->pipelines);
  while (g_hash_table_iter_next (&iter, &entry, NULL))
    destroy (device, &((Entry *) entry)->pipeline);
  g_clear_pointer (&device->pipelines, g_hash_table_unref);
  vkDestroyPipelineCache (device->device, device->cache, NULL);
}
