/* SPDX-License-Identifier: MIT */
/* Descriptors are written once; command buffers are recorded once per set of segments.
 *
 * A barrier is recorded where a dispatch touches bytes that a dispatch since the last barrier wrote, or writes
 * bytes that one read.  It covers all memory, so the list of open accesses starts anew behind it. */
#include "compute/vulkan/record.h"

#include <string.h>

#include "base/error.h"

/* A command buffer ends after about this much work (floating-point operations; a byte counts as ten), which
 * takes slow hardware half a second: drivers reset a device that is silent for long. */
#define WORK_PER_SUBMIT 5e10

/* --- descriptors --- */

static gboolean
is_texel (char kind)
{
  return strchr ("tiu", kind) != NULL;
}

static gboolean
create_pool (PjVkDevice *device, PjVkBindings *self, const PjVkSteps *steps, GError **error)
{
  uint32_t texels = 0, buffers = 0;
  for (guint s = 0; s < steps->steps->len; s++)
    for (const char *kind = pj_vk_shader_bindings (pj_vk_steps_step (steps, s)->dispatch.shader); *kind; kind++)
      *(is_texel (*kind) ? &texels : &buffers) += 1;
  VkDescriptorPoolSize sizes[] = {
    { VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, MAX (texels, 1) }, { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, MAX (buffers, 1) },
  };
  VkDescriptorPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = MAX (steps->steps->len, 1), .poolSizeCount = 2, .pPoolSizes = sizes,
  };
  return pj_vk_device_check (device, vkCreateDescriptorPool (device->device, &info, NULL, &self->pool), error, "vkCreateDescriptorPool");
}

/* llvmpipe takes the second byte of a view's size for a texture's last mip level, and compiles every kernel again for views
 * where it is 0 (struct pipe_sampler_view is a union).  What it compiles second for a kernel it does not find again in its
 * cache before another start.  So a view ends a little behind what it is for where that is nobody else's. */
static VkDeviceSize
view_bytes (const PjVkRange *range)
{
  gboolean odd = ((range->size_bytes >> 8) & 0xff) == 0;
  return range->size_bytes + (odd ? range->slack_bytes : 0);
}

static gboolean
create_view (PjVkDevice *device, PjVkBindings *self, const PjVkRange *range, char kind, VkBufferView *view, GError **error)
{
  VkBufferViewCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO, .buffer = range->memory->buffer, .offset = range->offset_bytes, .range = view_bytes (range),
    .format = kind == 't' ? VK_FORMAT_R32G32B32A32_SFLOAT : kind == 'i' ? VK_FORMAT_R32_SINT : VK_FORMAT_R32_UINT,
  };
  if (!pj_vk_device_check (device, vkCreateBufferView (device->device, &info, NULL, view), error, "vkCreateBufferView, %zu bytes", range->size_bytes))
    return FALSE;
  g_array_append_val (self->views, *view);
  return TRUE;
}

static gboolean
write_set (PjVkDevice *device, PjVkBindings *self, const PjVkSteps *steps, guint s, GError **error)
{
  const char *kinds = pj_vk_shader_bindings (pj_vk_steps_step (steps, s)->dispatch.shader);
  VkWriteDescriptorSet writes[PJ_VK_MAX_BINDINGS];
  VkDescriptorBufferInfo buffers[PJ_VK_MAX_BINDINGS];
  VkBufferView views[PJ_VK_MAX_BINDINGS];
  uint32_t n = (uint32_t) strlen (kinds);
  VkDescriptorSetAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO, .descriptorPool = self->pool, .descriptorSetCount = 1,
    .pSetLayouts = &self->pipelines[s]->set_layout,
  };
  if (!pj_vk_device_check (device, vkAllocateDescriptorSets (device->device, &info, &self->sets[s]), error, "vkAllocateDescriptorSets"))
    return FALSE;
  for (uint32_t i = 0; i < n; i++) {
    const PjVkRange *range = &self->ranges[s * PJ_VK_MAX_BINDINGS + i];
    writes[i] = (VkWriteDescriptorSet) {
      .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = self->sets[s], .dstBinding = i, .descriptorCount = 1,
      .descriptorType = is_texel (kinds[i]) ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
      .pBufferInfo = &buffers[i], .pTexelBufferView = &views[i],
    };
    buffers[i] = (VkDescriptorBufferInfo) { range->memory->buffer, range->offset_bytes, range->size_bytes };
    if (is_texel (kinds[i]) && !create_view (device, self, range, kinds[i], &views[i], error))
      return FALSE;
  }
  vkUpdateDescriptorSets (device->device, n, writes, 0, NULL);
  return TRUE;
}

static gboolean warm_up (PjVkDevice *device, const PjVkSteps *steps, const PjVkBindings *bindings, guint s, GError **error);

/* Pipelines of the steps that are still to be made. */
static unsigned
count_new (PjVkDevice *device, const PjVkSteps *steps)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

  for (guint s = 0; s < steps->steps->len; s++) {
    const PjVkDispatch *d = &pj_vk_steps_step (steps, s)->dispatch;
    uint32_t key[1 + PJ_VK_MAX_SPEC] = { (uint32_t) d->shader };
    memcpy (key + 1, d->spec, d->n_spec * sizeof (uint32_t));
    if (pj_vk_pipeline_is_new (device, d->shader, d->spec, d->n_spec))
      g_hash_table_add (seen, g_bytes_new (key, (1 + d->n_spec) * sizeof (uint32_t)));
  }
  return g_hash_table_size (seen);
}

gboolean
pj_vk_bindings_init (PjVkDevice *device, PjVkBindings *self, const PjVkSteps *steps, PjVkResolve resolve, gpointer user_data,
                     GError **error)
{
  guint n_steps = steps->steps->len;

  self->views = g_array_new (FALSE, FALSE, sizeof (VkBufferView));
  self->sets = g_new0 (VkDescriptorSet, n_steps);
  self->pipelines = g_new0 (PjVkPipeline *, n_steps);
  self->ranges = g_new0 (PjVkRange, n_steps * PJ_VK_MAX_BINDINGS);
  if (!create_pool (device, self, steps, error))
    return FALSE;
  unsigned n_new = count_new (device, steps), done = 0;
  for (guint s = 0; s < n_steps; s++) {
    const PjVkDispatch *d = &pj_vk_steps_step (steps, s)->dispatch;
    for (size_t i = 0; pj_vk_shader_bindings (d->shader)[i] != '\0'; i++)
      resolve (user_data, &d->operands[i], &self->ranges[s * PJ_VK_MAX_BINDINGS + i]);
    gboolean is_new = pj_vk_pipeline_is_new (device, d->shader, d->spec, d->n_spec);
    /* The tuner's own programs are part of what it reports. */
    if (is_new && device->forced_variant < 0)
      pj_hooks_progress (device->base.hooks, -1.0, "compiling kernels: %u of %u", ++done, n_new);
    if (is_new && !pj_hooks_go_on (device->base.hooks, error))
      return FALSE;
    self->pipelines[s] = pj_vk_pipeline (device, d->shader, d->spec, d->n_spec, error);
    if (self->pipelines[s] == NULL || !write_set (device, self, steps, s, error)
        || (device->caps.software && !warm_up (device, steps, self, s, error)))
      return FALSE;
  }
  return TRUE;
}

void
pj_vk_bindings_clear (PjVkDevice *device, PjVkBindings *self)
{
  if (self->views == NULL)
    return;
  vkDestroyDescriptorPool (device->device, self->pool, NULL);
  for (guint i = 0; i < self->views->len; i++)
    vkDestroyBufferView (device->device, g_array_index (self->views, VkBufferView, i), NULL);
  g_array_unref (self->views);
  g_free (self->sets);
  g_free (self->pipelines);
  g_free (self->ranges);
  *self = (PjVkBindings) { 0 };
}

/* --- hazards --- */

typedef struct {
  const PjVkMemory *memory;
  size_t start, end;
  gboolean write;
} Access;

static gboolean
conflicts (const GArray *open, const Access *access)
{
  for (guint i = 0; i < open->len; i++) {
    const Access *other = &g_array_index (open, Access, i);
    if ((other->write || access->write) && other->memory == access->memory && other->start < access->end && access->start < other->end)
      return TRUE;
  }
  return FALSE;
}

/* Adds what the step touches to @open. Returns TRUE if a barrier must come first; @open then starts anew. */
static gboolean
note_accesses (GArray *open, const PjVkSteps *steps, const PjVkBindings *bindings, guint s)
{
  const char *kinds = pj_vk_shader_bindings (pj_vk_steps_step (steps, s)->dispatch.shader);
  Access accesses[PJ_VK_MAX_BINDINGS];
  gboolean barrier = FALSE;
  guint n = 0;

  for (size_t i = 0; kinds[i] != '\0'; i++) {
    const PjVkRange *range = &bindings->ranges[s * PJ_VK_MAX_BINDINGS + i];
    if (!range->hazard)
      continue;
    accesses[n] = (Access) { range->memory, range->offset_bytes, range->offset_bytes + range->size_bytes, kinds[i] == 'w' || kinds[i] == 'x' };
    barrier = barrier || conflicts (open, &accesses[n]);
    n++;
  }
  if (barrier)
    g_array_set_size (open, 0);
  g_array_append_vals (open, accesses, n);
  return barrier;
}

/* --- commands --- */

#define SHADER VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT
#define SHADER_ACCESS (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT)

static void
barrier (VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags wrote, VkPipelineStageFlags to, VkAccessFlags touches)
{
  VkMemoryBarrier info = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = wrote, .dstAccessMask = touches };
  vkCmdPipelineBarrier (commands, from, to, 0, 1, &info, 0, NULL, 0, NULL);
}

static void
dispatch (VkCommandBuffer commands, const PjVkSteps *steps, const PjVkBindings *bindings, guint s, const uint32_t groups[3])
{
  const PjVkStep *step = pj_vk_steps_step (steps, s);
  const PjVkPipeline *pipeline = bindings->pipelines[s];

  vkCmdBindPipeline (commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->pipeline);
  vkCmdBindDescriptorSets (commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->layout, 0, 1, &bindings->sets[s], 0, NULL);
  if (step->dispatch.push_bytes > 0)
    vkCmdPushConstants (commands, pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, (uint32_t) step->dispatch.push_bytes, step->push);
  vkCmdDispatch (commands, groups[0], groups[1], groups[2]);
}

/* Each command buffer is ordered after all earlier work and shows the host what it wrote. */
static VkCommandBuffer
begin (PjVkDevice *device, GError **error)
{
  VkCommandBufferAllocateInfo allocate = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandPool = device->command_pool, .commandBufferCount = 1,
  };
  VkCommandBufferBeginInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO };
  VkCommandBuffer commands;

  if (!pj_vk_device_check (device, vkAllocateCommandBuffers (device->device, &allocate, &commands), error, "vkAllocateCommandBuffers"))
    return VK_NULL_HANDLE;
  if (!pj_vk_device_check (device, vkBeginCommandBuffer (commands, &info), error, "vkBeginCommandBuffer")) {
    vkFreeCommandBuffers (device->device, device->command_pool, 1, &commands);
    return VK_NULL_HANDLE;
  }
  barrier (commands, SHADER | VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_HOST_BIT,
           VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_WRITE_BIT, SHADER, SHADER_ACCESS);
  return commands;
}

static gboolean
end (PjVkDevice *device, VkCommandBuffer commands, GError **error)
{
  barrier (commands, SHADER, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
           VK_ACCESS_HOST_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT);
  return pj_vk_device_check (device, vkEndCommandBuffer (commands), error, "vkEndCommandBuffer");
}

/* A software driver compiles at the first dispatch.  One of no groups does nothing else. */
static gboolean
warm_up (PjVkDevice *device, const PjVkSteps *steps, const PjVkBindings *bindings, guint s, GError **error)
{
  PjVkPipeline *pipeline = bindings->pipelines[s];
  VkCommandBuffer commands;

  if (pipeline->warm)
    return TRUE;
  if ((commands = begin (device, error)) == VK_NULL_HANDLE)
    return FALSE;
  dispatch (commands, steps, bindings, s, (const uint32_t[3]) { 0, 0, 0 });
  pipeline->warm = end (device, commands, error) && pj_vk_submit (device, &commands, 1, error);
  vkFreeCommandBuffers (device->device, device->command_pool, 1, &commands);
  return pipeline->warm;
}

static double
step_work (const PjVkSteps *steps, guint s)
{
  const PjVkStep *step = pj_vk_steps_step (steps, s);
  double flops, bytes;
  /* A call of several dispatches counts once. */
  if (s > 0 && pj_vk_steps_step (steps, s - 1)->call == step->call)
    return 0;
  pj_call_work (steps->program, pj_program_call (steps->program, step->call), &flops, &bytes);
  return flops + 10 * bytes;
}

gboolean
pj_vk_record (PjVkDevice *device, PjVkRecording *self, const PjVkSteps *steps, const PjVkBindings *bindings, unsigned segments,
              GError **error)
{
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (Access));
  VkCommandBuffer commands = VK_NULL_HANDLE;
  double work = 0;

  self->commands = g_array_new (FALSE, FALSE, sizeof (VkCommandBuffer));
  for (guint s = 0; s < steps->steps->len; s++) {
    if (!(segments >> pj_vk_steps_step (steps, s)->segment & 1))
      continue;
    work += step_work (steps, s);
    if (commands != VK_NULL_HANDLE && work > WORK_PER_SUBMIT) {
      if (!end (device, commands, error))
        goto fail;
      commands = VK_NULL_HANDLE;
    }
    if (commands == VK_NULL_HANDLE) {
      if ((commands = begin (device, error)) == VK_NULL_HANDLE)
        goto fail;
      g_array_append_val (self->commands, commands);
      g_array_set_size (open, 0);
      work = step_work (steps, s);
    }
    if (note_accesses (open, steps, bindings, s))
      barrier (commands, SHADER, VK_ACCESS_SHADER_WRITE_BIT, SHADER, SHADER_ACCESS);
    dispatch (commands, steps, bindings, s, pj_vk_steps_step (steps, s)->dispatch.groups);
  }
  if (commands == VK_NULL_HANDLE || end (device, commands, error))
    return TRUE;
fail:
  pj_vk_recording_clear (device, self);
  return FALSE;
}

void
pj_vk_recording_clear (PjVkDevice *device, PjVkRecording *self)
{
  if (self->commands == NULL)
    return;
  if (self->commands->len > 0)
    vkFreeCommandBuffers (device->device, device->command_pool, self->commands->len, (VkCommandBuffer *) self->commands->data);
  g_clear_pointer (&self->commands, g_array_unref);
}

/* --- timing --- */

static gboolean
read_times (PjVkDevice *device, VkQueryPool pool, const PjVkSteps *steps, unsigned segments, double *ms, GError **error)
{
  uint32_t n = steps->steps->len + 1, at = 0;
  g_autofree uint64_t *ticks = g_new0 (uint64_t, n);
  uint64_t mask = device->timestamp_bits >= 64 ? G_MAXUINT64 : (G_GUINT64_CONSTANT (1) << device->timestamp_bits) - 1;
  uint32_t n_run = 1;

  for (guint s = 0; s < steps->steps->len; s++)
    n_run += segments >> pj_vk_steps_step (steps, s)->segment & 1;
  VkResult result = vkGetQueryPoolResults (device->device, pool, 0, n_run, n * sizeof (uint64_t), ticks, sizeof (uint64_t),
                                           VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
  if (!pj_vk_device_check (device, result, error, "vkGetQueryPoolResults"))
    return FALSE;
  for (guint s = 0; s < steps->steps->len; s++) {
    const PjVkStep *step = pj_vk_steps_step (steps, s);
    if (!(segments >> step->segment & 1))
      continue;
    ms[step->call] += (double) ((ticks[at + 1] - ticks[at]) & mask) * device->properties.limits.timestampPeriod * 1e-6;
    at++;
  }
  return TRUE;
}

gboolean
pj_vk_record_timed (PjVkDevice *device, const PjVkSteps *steps, const PjVkBindings *bindings, unsigned segments, double *ms,
                    GError **error)
{
  VkQueryPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_TIMESTAMP, .queryCount = steps->steps->len + 1,
  };
  VkQueryPool pool = VK_NULL_HANDLE;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  uint32_t at = 0;
  gboolean ok = FALSE;

  if (device->timestamp_bits == 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "“%s” has no clock for single kernels", device->base.info.name);
    return FALSE;
  }
  if (!pj_vk_device_check (device, vkCreateQueryPool (device->device, &info, NULL, &pool), error, "vkCreateQueryPool")
      || (commands = begin (device, error)) == VK_NULL_HANDLE)
    goto out;
  vkCmdResetQueryPool (commands, pool, 0, steps->steps->len + 1);
  vkCmdWriteTimestamp (commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, at++);
  for (guint s = 0; s < steps->steps->len; s++) {
    if (!(segments >> pj_vk_steps_step (steps, s)->segment & 1))
      continue;
    dispatch (commands, steps, bindings, s, pj_vk_steps_step (steps, s)->dispatch.groups);
    barrier (commands, SHADER, VK_ACCESS_SHADER_WRITE_BIT, SHADER, SHADER_ACCESS);
    vkCmdWriteTimestamp (commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, at++);
  }
  ok = end (device, commands, error) && pj_vk_submit (device, &commands, 1, error)
       && read_times (device, pool, steps, segments, ms, error);
out:
  if (commands != VK_NULL_HANDLE)
    vkFreeCommandBuffers (device->device, device->command_pool, 1, &commands);
  vkDestroyQueryPool (device->device, pool, NULL);
  return ok;
}
