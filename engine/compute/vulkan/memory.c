/* SPDX-License-Identifier: MIT */
/* Device memory.  Drivers allow few allocations (4096 at least), so memory is taken in blocks and handed out
 * in pieces, first fit; a large request gets a block of its own.  Each piece has one buffer over it.
 *
 * Where the device shares its memory with the host (integrated and software devices) all memory is mapped and
 * the host reads and writes it directly.  On a graphics card data pass through a small staging buffer.
 * PENJING_VULKAN_STAGING=1 takes the second way everywhere, so that it can be tested anywhere. */
#include "compute/vulkan/private.h"

#include <string.h>

#include "base/checked.h"
#include "base/fault.h"

#define BLOCK_BYTES ((VkDeviceSize) 32 << 20)
#define STAGING_BYTES ((size_t) 8 << 20)

typedef struct {
  VkDeviceSize offset, size;
} Range;

typedef struct _PjVkBlock {
  VkDeviceMemory memory;
  VkDeviceSize size;
  char *mapped;
  uint32_t type;
  GArray *free;           /* Range, ascending, never touching each other */
} PjVkBlock;

#define USAGE (VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT \
               | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT)
#define HOST (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

/* --- memory types --- */

static VkMemoryPropertyFlags
type_flags (PjVkDevice *device, uint32_t type)
{
  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties (device->physical, &memory);
  return memory.memoryTypes[type].propertyFlags;
}

/* The first type with all flags of @required, none of @avoided and as many of @wanted as possible. */
static gboolean
find_type (PjVkDevice *device, uint32_t allowed, VkMemoryPropertyFlags required, VkMemoryPropertyFlags wanted,
           VkMemoryPropertyFlags avoided, uint32_t *type)
{
  VkPhysicalDeviceMemoryProperties memory;
  int best = -1;

  vkGetPhysicalDeviceMemoryProperties (device->physical, &memory);
  for (uint32_t i = 0; i < memory.memoryTypeCount; i++) {
    VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
    if (!(allowed >> i & 1) || (flags & required) != required
        || (flags & (VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT)))
      continue;
    int rank = 2 * __builtin_popcount (flags & wanted) - (int) __builtin_popcount (flags & avoided);
    if (rank > best) {
      best = rank;
      *type = i;
    }
  }
  return best >= 0;
}

static gboolean
shares_memory (const PjVkDevice *device)
{
  VkPhysicalDeviceType type = device->properties.deviceType;
  const char *staging = g_getenv ("PENJING_VULKAN_STAGING");
  return (type == VK_PHYSICAL_DEVICE_TYPE_CPU || type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU)
         && (staging == NULL || staging[0] == '\0' || strcmp (staging, "0") == 0);
}

static gboolean
create_buffer (PjVkDevice *device, size_t size_bytes, VkBuffer *buffer, VkMemoryRequirements *needs, GError **error)
{
  VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = size_bytes, .usage = USAGE };
  /* Not a power of two either, for which llvmpipe compiles kernels again. */
  if (device->caps.software)
    info.size += PJ_VK_SLACK + 16;
  if (!pj_vk_device_check (device, vkCreateBuffer (device->device, &info, NULL, buffer), error, "vkCreateBuffer, %zu bytes", size_bytes))
    return FALSE;
  vkGetBufferMemoryRequirements (device->device, *buffer, needs);
  return TRUE;
}

gboolean
pj_vk_heap_init (PjVkDevice *device, GError **error)
{
  VkMemoryRequirements needs;
  VkBuffer probe;
  gboolean found;

  if (!create_buffer (device, PJ_VK_ALIGN, &probe, &needs, error))
    return FALSE;
  vkDestroyBuffer (device->device, probe, NULL);
  device->heap.blocks = g_ptr_array_new ();
  if (shares_memory (device))
    found = find_type (device, needs.memoryTypeBits, HOST, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                       0, &device->heap.device_type);
  else
    found = find_type (device, needs.memoryTypeBits, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
                       &device->heap.device_type);
  found = found && find_type (device, needs.memoryTypeBits, HOST, VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                              VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, &device->heap.staging_type);
  if (!found)
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE, "“%s” has no memory for storage buffers", device->base.info.name);
  return found;
}

VkDeviceSize
pj_vk_memory_left (PjVkDevice *device)
{
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT };
  VkPhysicalDeviceMemoryProperties2 memory = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = device->has_memory_budget ? &budget : NULL,
  };
  vkGetPhysicalDeviceMemoryProperties2 (device->physical, &memory);
  uint32_t heap = memory.memoryProperties.memoryTypes[device->heap.device_type].heapIndex;
  VkDeviceSize all = memory.memoryProperties.memoryHeaps[heap].size, used = device->heap.used_bytes;
  if (device->has_memory_budget && budget.heapBudget[heap] > 0) {
    all = MIN (all, budget.heapBudget[heap]);
    used = MAX (used, budget.heapUsage[heap]);
  }
  return all > used ? all - used : 0;
}

/* --- blocks --- */

static void
block_free (PjVkDevice *device, PjVkBlock *block)
{
  device->heap.used_bytes -= block->size;
  vkFreeMemory (device->device, block->memory, NULL);
  g_array_unref (block->free);
  g_free (block);
}

static void
set_no_memory (PjVkDevice *device, VkResult result, VkDeviceSize size, VkDeviceSize left, const char *what, GError **error)
{
  g_autofree char *needed = g_format_size_full (size, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *left_text = g_format_size_full (left, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_MEMORY, "vkAllocateMemory: %s needs %s, and “%s” has %s left (%s)", what, needed,
               device->base.info.name, left_text, pj_vk_result_name (result));
}

static PjVkBlock *
block_new (PjVkDevice *device, uint32_t type, VkDeviceSize size, gboolean map, const char *what, GError **error)
{
  g_autofree PjVkBlock *block = g_new0 (PjVkBlock, 1);
  VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .allocationSize = size, .memoryTypeIndex = type };
  VkDeviceSize left = pj_vk_memory_left (device);

  /* Some drivers promise more than there is and the machine pays later: believe the budget first. */
  VkResult result = size > left ? VK_ERROR_OUT_OF_DEVICE_MEMORY : vkAllocateMemory (device->device, &info, NULL, &block->memory);
  if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
    set_no_memory (device, result, size, left, what, error);
    return NULL;
  }
  if (!pj_vk_device_check (device, result, error, "vkAllocateMemory, %zu bytes", (size_t) size))
    return NULL;
  void *mapped = NULL;
  if (map && !pj_vk_device_check (device, vkMapMemory (device->device, block->memory, 0, VK_WHOLE_SIZE, 0, &mapped), error, "vkMapMemory")) {
    vkFreeMemory (device->device, block->memory, NULL);
    return NULL;
  }
  block->mapped = mapped;
  block->size = size;
  block->type = type;
  block->free = g_array_new (FALSE, FALSE, sizeof (Range));
  Range whole = { 0, size };
  g_array_append_val (block->free, whole);
  device->heap.used_bytes += size;
  return g_steal_pointer (&block);
}

/* Takes the first free range that holds @size at @align. */
static gboolean
block_take (PjVkBlock *block, VkDeviceSize size, VkDeviceSize align, VkDeviceSize *offset)
{
  for (guint i = 0; i < block->free->len; i++) {
    Range range = g_array_index (block->free, Range, i);
    VkDeviceSize start = pj_size_align (range.offset, align), end = range.offset + range.size;
    if (start > end || end - start < size)
      continue;
    *offset = start;
    g_array_remove_index (block->free, i);
    Range after = { start + size, end - start - size }, before = { range.offset, start - range.offset };
    if (after.size > 0)
      g_array_insert_val (block->free, i, after);
    if (before.size > 0)
      g_array_insert_val (block->free, i, before);
    return TRUE;
  }
  return FALSE;
}

static void
block_give (PjVkBlock *block, VkDeviceSize offset, VkDeviceSize size)
{
  guint i = 0;
  while (i < block->free->len && g_array_index (block->free, Range, i).offset < offset)
    i++;
  Range range = { offset, size };
  g_array_insert_val (block->free, i, range);
  for (guint k = i > 0 ? i - 1 : 0; k + 1 < block->free->len && k <= i;) {
    Range *a = &g_array_index (block->free, Range, k), b = g_array_index (block->free, Range, k + 1);
    if (a->offset + a->size == b.offset) {
      a->size += b.size;
      g_array_remove_index (block->free, k + 1);
    } else {
      k++;
    }
  }
}

static gboolean
place (PjVkDevice *device, PjVkMemory *self, const VkMemoryRequirements *needs, uint32_t type, gboolean map,
       const char *what, GError **error)
{
  VkDeviceSize size = pj_size_align (needs->size, PJ_VK_ALIGN), align = MAX (needs->alignment, PJ_VK_ALIGN);
  GPtrArray *blocks = device->heap.blocks;

  if (pj_fault (PJ_FAULT_DEVICE_ALLOC)) {
    set_no_memory (device, VK_ERROR_OUT_OF_DEVICE_MEMORY, size, pj_vk_memory_left (device), what, error);
    return FALSE;
  }
  for (guint i = 0; i < blocks->len && size < BLOCK_BYTES / 4; i++) {
    PjVkBlock *block = blocks->pdata[i];
    if (block->type == type && (block->mapped != NULL) == map && block_take (block, size, align, &self->offset)) {
      self->block = block;
      break;
    }
  }
  if (self->block == NULL) {
    PjVkBlock *block = block_new (device, type, size < BLOCK_BYTES / 4 ? BLOCK_BYTES : size, map, what, error);
    if (block == NULL)
      return FALSE;
    g_ptr_array_add (blocks, block);
    block_take (block, size, 1, &self->offset);
    self->block = block;
  }
  self->taken_bytes = size;
  self->mapped = self->block->mapped ? self->block->mapped + self->offset : NULL;
  VkResult result = vkBindBufferMemory (device->device, self->buffer, self->block->memory, self->offset);
  return pj_vk_device_check (device, result, error, "vkBindBufferMemory");
}

static gboolean
memory_init (PjVkDevice *device, PjVkMemory *self, size_t size_bytes, uint32_t type, gboolean map, const char *what, GError **error)
{
  VkMemoryRequirements needs;

  *self = (PjVkMemory) { .size_bytes = pj_size_align (MAX (size_bytes, 16), PJ_VK_ALIGN) };
  if (create_buffer (device, self->size_bytes, &self->buffer, &needs, error) && place (device, self, &needs, type, map, what, error))
    return TRUE;
  pj_vk_memory_clear (device, self);
  return FALSE;
}

gboolean
pj_vk_memory_init (PjVkDevice *device, PjVkMemory *self, size_t size_bytes, const char *what, GError **error)
{
  gboolean map = shares_memory (device) && (type_flags (device, device->heap.device_type) & HOST) == HOST;
  return memory_init (device, self, size_bytes, device->heap.device_type, map, what, error);
}

void
pj_vk_memory_clear (PjVkDevice *device, PjVkMemory *self)
{
  if (self->buffer != VK_NULL_HANDLE)
    vkDestroyBuffer (device->device, self->buffer, NULL);
  if (self->block != NULL) {
    PjVkBlock *block = self->block;
    if (self->taken_bytes > 0)
      block_give (block, self->offset, self->taken_bytes);
    Range *first = &g_array_index (block->free, Range, 0);
    if (first->offset == 0 && first->size == block->size) {
      g_ptr_array_remove (device->heap.blocks, block);
      block_free (device, block);
    }
  }
  *self = (PjVkMemory) { 0 };
}

void
pj_vk_heap_clear (PjVkDevice *device)
{
  if (device->heap.blocks == NULL)
    return;
  g_assert (device->heap.blocks->len == 0);
  g_clear_pointer (&device->heap.blocks, g_ptr_array_unref);
}

/* --- the host's way in and out --- */

static gboolean
ensure_staging (PjVkDevice *device, GError **error)
{
  return device->staging.buffer != VK_NULL_HANDLE
         || memory_init (device, &device->staging, STAGING_BYTES, device->heap.staging_type, TRUE, "the staging buffer", error);
}

typedef void (*Record) (VkCommandBuffer commands, VkBuffer buffer, VkBuffer staging, VkDeviceSize offset, VkDeviceSize size);

static void
record_upload (VkCommandBuffer commands, VkBuffer buffer, VkBuffer staging, VkDeviceSize offset, VkDeviceSize size)
{
  vkCmdCopyBuffer (commands, staging, buffer, 1, &(VkBufferCopy) { 0, offset, size });
}

static void
record_download (VkCommandBuffer commands, VkBuffer buffer, VkBuffer staging, VkDeviceSize offset, VkDeviceSize size)
{
  vkCmdCopyBuffer (commands, buffer, staging, 1, &(VkBufferCopy) { offset, 0, size });
}

static void
record_fill (VkCommandBuffer commands, VkBuffer buffer, VkBuffer staging, VkDeviceSize offset, VkDeviceSize size)
{
  vkCmdFillBuffer (commands, buffer, offset, size, 0);
}

/* Records one transfer, ordered after earlier and before later work, and runs it. */
static gboolean
transfer (PjVkDevice *device, Record record, PjVkMemory *self, VkDeviceSize offset, VkDeviceSize size, GError **error)
{
  VkCommandBufferAllocateInfo allocate = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = device->command_pool, .commandBufferCount = 1,
  };
  VkCommandBufferBeginInfo begin = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  VkMemoryBarrier before = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
    .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
  };
  VkMemoryBarrier after = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT, .dstAccessMask = VK_ACCESS_HOST_READ_BIT,
  };
  VkCommandBuffer commands;

  if (!pj_vk_device_check (device, vkAllocateCommandBuffers (device->device, &allocate, &commands), error, "vkAllocateCommandBuffers"))
    return FALSE;
  gboolean ok = pj_vk_device_check (device, vkBeginCommandBuffer (commands, &begin), error, "vkBeginCommandBuffer");
  if (ok) {
    vkCmdPipelineBarrier (commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
                          VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &before, 0, NULL, 0, NULL);
    record (commands, self->buffer, device->staging.buffer, offset, size);
    vkCmdPipelineBarrier (commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &after, 0, NULL, 0, NULL);
    ok = pj_vk_device_check (device, vkEndCommandBuffer (commands), error, "vkEndCommandBuffer")
         && pj_vk_submit (device, &commands, 1, error);
  }
  vkFreeCommandBuffers (device->device, device->command_pool, 1, &commands);
  return ok;
}

gboolean
pj_vk_memory_write (PjVkDevice *device, PjVkMemory *self, size_t offset, gconstpointer data, size_t size, GError **error)
{
  g_return_val_if_fail (offset <= self->size_bytes && size <= self->size_bytes - offset, FALSE);
  if (!pj_vk_is_alive (device, error))
    return FALSE;
  if (self->mapped != NULL) {
    memcpy ((char *) self->mapped + offset, data, size);
    return TRUE;
  }
  if (!ensure_staging (device, error))
    return FALSE;
  for (size_t done = 0; done < size; done += STAGING_BYTES) {
    size_t part = MIN (STAGING_BYTES, size - done);
    memcpy (device->staging.mapped, (const char *) data + done, part);
    if (!transfer (device, record_upload, self, offset + done, part, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
pj_vk_memory_read (PjVkDevice *device, PjVkMemory *self, size_t offset, gpointer data, size_t size, GError **error)
{
  g_return_val_if_fail (offset <= self->size_bytes && size <= self->size_bytes - offset, FALSE);
  if (!pj_vk_is_alive (device, error))
    return FALSE;
  if (self->mapped != NULL) {
    memcpy (data, (const char *) self->mapped + offset, size);
    return TRUE;
  }
  if (!ensure_staging (device, error))
    return FALSE;
  for (size_t done = 0; done < size; done += STAGING_BYTES) {
    size_t part = MIN (STAGING_BYTES, size - done);
    if (!transfer (device, record_download, self, offset + done, part, error))
      return FALSE;
    memcpy ((char *) data + done, device->staging.mapped, part);
  }
  return TRUE;
}

gboolean
pj_vk_memory_zero (PjVkDevice *device, PjVkMemory *self, GError **error)
{
  if (self->mapped == NULL)
    return transfer (device, record_fill, self, 0, self->size_bytes, error);
  memset (self->mapped, 0, self->size_bytes);
  return TRUE;
}
