/* SPDX-License-Identifier: MIT */
/* A program made ready: memory, descriptors, and one recording of command buffers per set of segments. */
#include "compute/vulkan/private.h"

#include <string.h>

#include "base/alloc.h"
#include "compute/arena.h"
#include "compute/vulkan/record.h"

struct _PjExecutable {
  PjVkDevice *device;
  PjVkSteps steps;
  PjVkBindings bindings;
  PjVkMemory *banks;          /* the arena; more than one where a single buffer would be too large */
  unsigned n_banks;
  size_t arena_bytes;
  PjVkMemory *stores[PJ_N_STORES];
  PjVkRecording recordings[1 << PJ_N_SEGMENTS];
};

/* --- arena --- */

static size_t
slack_bytes (const PjVkDevice *device)
{
  return device->caps.software ? PJ_VK_SLACK : 0;
}

/* Lays out the arena in @n_banks buffers, @slack bytes behind every region, and returns the size of the largest. */
static size_t
assign_banks (PjVkSteps *steps, unsigned n_banks, size_t slack, size_t *sizes)
{
  g_autofree PjArenaBlock *blocks = g_new0 (PjArenaBlock, steps->regions->len);
  g_autofree guint *owners = g_new (guint, steps->regions->len);
  size_t largest = 0;

  for (unsigned bank = 0; bank < n_banks; bank++) {
    size_t n = 0, turn = 0;
    for (guint i = 0; i < steps->regions->len; i++) {
      const PjVkRegionInfo *region = pj_vk_steps_region (steps, i);
      if (region->store != PJ_STORE_ARENA || (region->first < 0 && !region->keep) || turn++ % n_banks != bank)
        continue;
      owners[n] = i;
      blocks[n++] = (PjArenaBlock) {
        .size_bytes = region->size_bytes + slack, .first = region->keep ? 0 : region->first,
        .last = region->keep ? (int) steps->steps->len : region->last,
      };
    }
    sizes[bank] = pj_arena_assign (blocks, n, PJ_VK_ALIGN);
    largest = MAX (largest, sizes[bank]);
    for (size_t k = 0; k < n; k++) {
      pj_vk_steps_region (steps, owners[k])->bank = bank;
      pj_vk_steps_region (steps, owners[k])->offset_bytes = blocks[k].offset;
    }
  }
  return largest;
}

/* The size of the largest allocation and buffer that the driver promises. */
static size_t
max_bank_bytes (PjVkDevice *device)
{
  VkPhysicalDeviceMaintenance3Properties limits = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES };
  VkPhysicalDeviceProperties2 properties = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &limits };
  vkGetPhysicalDeviceProperties2 (device->physical, &properties);
  return MIN (limits.maxMemoryAllocationSize, (VkDeviceSize) G_MAXSIZE / 2);
}

static gboolean
allocate_arena (PjExecutable *self, GError **error)
{
  size_t limit = max_bank_bytes (self->device);
  unsigned n_banks = 1;
  g_autofree size_t *sizes = g_new0 (size_t, 64);

  while (assign_banks (&self->steps, n_banks, slack_bytes (self->device), sizes) > limit && n_banks < 64)
    n_banks *= 2;
  self->banks = g_new0 (PjVkMemory, n_banks);
  for (unsigned i = 0; i < n_banks; i++) {
    self->n_banks = i + 1;
    if (!pj_vk_memory_init (self->device, &self->banks[i], sizes[i], "activations", error)
        || !pj_vk_memory_zero (self->device, &self->banks[i], error))
      return FALSE;
    self->arena_bytes += self->banks[i].size_bytes;
  }
  return TRUE;
}

static gboolean
write_constants (PjExecutable *self, GError **error)
{
  for (guint i = 0; i < self->steps.regions->len; i++) {
    const PjVkRegionInfo *region = pj_vk_steps_region (&self->steps, i);
    gsize size;
    if (region->initial == NULL)
      continue;
    gconstpointer data = g_bytes_get_data (region->initial, &size);
    if (!pj_vk_memory_write (self->device, &self->banks[region->bank], region->offset_bytes, data, size, error))
      return FALSE;
  }
  return TRUE;
}

static PjVkMemory *
region_memory (PjExecutable *self, const PjVkRegionInfo *region)
{
  return region->store == PJ_STORE_ARENA ? &self->banks[region->bank] : self->stores[region->store];
}

/* --- bindings --- */

static void
resolve (gpointer user_data, const PjVkOperand *operand, PjVkRange *range)
{
  PjExecutable *self = user_data;

  if (operand->region < 0) {
    *range = (PjVkRange) { &self->device->zeros, 0, self->device->zeros.size_bytes, FALSE, slack_bytes (self->device) };
    return;
  }
  const PjVkRegionInfo *region = pj_vk_steps_region (&self->steps, operand->region);
  PjVkMemory *memory = region_memory (self, region);
  size_t all = region->size_bytes ? region->size_bytes : memory->size_bytes;
  size_t size = operand->size_bytes ? operand->size_bytes : all - operand->offset_bytes;
  gboolean whole = operand->offset_bytes + size == all && (region->store == PJ_STORE_ARENA || all == memory->size_bytes);
  *range = (PjVkRange) { memory, region->offset_bytes + operand->offset_bytes, size, TRUE, whole ? slack_bytes (self->device) : 0 };
}

/* --- class --- */

void
pj_vk_executable_free (PjExecutable *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (self->recordings); i++)
    pj_vk_recording_clear (self->device, &self->recordings[i]);
  pj_vk_bindings_clear (self->device, &self->bindings);
  for (unsigned i = 0; i < self->n_banks; i++)
    pj_vk_memory_clear (self->device, &self->banks[i]);
  g_free (self->banks);
  pj_vk_steps_clear (&self->steps);
  g_free (self);
}

PjExecutable *
pj_vk_compile (PjDevice *base, const PjProgram *program, PjBuffer *const stores[PJ_N_STORES], GError **error)
{
  PjVkDevice *device = (PjVkDevice *) base;
  PjExecutable *self;

  if (!pj_vk_is_alive (device, error))
    return NULL;
  self = g_new0 (PjExecutable, 1);
  self->device = device;
  for (int i = 0; i < PJ_N_STORES; i++)
    self->stores[i] = stores != NULL && stores[i] != NULL ? &stores[i]->memory : NULL;
  if (pj_vk_steps_init (&self->steps, device, program, error) && allocate_arena (self, error)
      && write_constants (self, error)
      && pj_vk_bindings_init (device, &self->bindings, &self->steps, resolve, self, error))
    return self;
  pj_vk_executable_free (self);
  return NULL;
}

size_t
pj_vk_arena_bytes (const PjExecutable *self)
{
  return self->arena_bytes;
}

gboolean
pj_vk_run (PjExecutable *self, unsigned segments, GError **error)
{
  g_return_val_if_fail (segments < G_N_ELEMENTS (self->recordings), FALSE);
  PjVkRecording *recording = &self->recordings[segments];
  gint64 before = g_get_monotonic_time ();

  if (!pj_vk_is_alive (self->device, error)
      || (recording->commands == NULL && !pj_vk_record (self->device, recording, &self->steps, &self->bindings, segments, error)))
    return FALSE;
  self->device->base.host_us += (double) (g_get_monotonic_time () - before);
  return pj_vk_submit (self->device, (VkCommandBuffer *) recording->commands->data, recording->commands->len, error);
}

gboolean
pj_vk_profile (PjExecutable *self, unsigned segments, double *ms, GError **error)
{
  if (!pj_vk_is_alive (self->device, error))
    return FALSE;
  for (guint i = 0; i < self->steps.program->calls->len; i++)
    ms[i] = 0;
  return pj_vk_record_timed (self->device, &self->steps, &self->bindings, segments, ms, error);
}

/* Copies one slot between its logical and its physical form, through a block of host memory where the device's
 * own cannot be reached. */
static gboolean
copy_slot (PjExecutable *self, int slot, const void *in, void *out, GError **error)
{
  const PjVkRegionInfo *region = pj_vk_steps_region (&self->steps, slot);
  const PjVkLayout *layout = &self->steps.layouts[slot];
  size_t n_elems = pj_shape_n_elems (&pj_program_slot (self->steps.program, slot)->shape);
  PjVkMemory *memory = region_memory (self, region);
  void *physical = memory->mapped ? (char *) memory->mapped + region->offset_bytes : NULL;
  gboolean ok = TRUE;

  g_return_val_if_fail (pj_program_slot (self->steps.program, slot)->flags & PJ_SLOT_HOST, FALSE);
  if (!pj_vk_is_alive (self->device, error))
    return FALSE;
  if (memory->mapped == NULL && (physical = pj_alloc (layout->size_bytes, "a copy of a tensor", error)) == NULL)
    return FALSE;
  if (in != NULL) {
    pj_vk_layout_pack (layout, n_elems, in, physical);
    ok = memory->mapped || pj_vk_memory_write (self->device, memory, region->offset_bytes, physical, layout->size_bytes, error);
  } else {
    ok = memory->mapped || pj_vk_memory_read (self->device, memory, region->offset_bytes, physical, layout->size_bytes, error);
    if (ok)
      pj_vk_layout_unpack (layout, n_elems, physical, out);
  }
  if (memory->mapped == NULL)
    pj_free (physical);
  return ok;
}

gboolean
pj_vk_write (PjExecutable *self, int slot, gconstpointer data, GError **error)
{
  return copy_slot (self, slot, data, NULL, error);
}

gboolean
pj_vk_read (PjExecutable *self, int slot, gpointer data, GError **error)
{
  return copy_slot (self, slot, NULL, data, error);
}
