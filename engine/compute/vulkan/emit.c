/* SPDX-License-Identifier: MIT */
/* Runs the emitters over a program and collects their dispatches and the lifetimes of the regions. */
#include "compute/vulkan/tune.h"

#include <string.h>

#include "base/checked.h"
#include "base/error.h"

struct _PjVkEmit {
  PjVkSteps *steps;
  GArray *packing;          /* PjVkStep: what emitters add to the prologue */
  int call;
};

const PjVkCaps *
pj_vk_caps (const PjVkEmit *self)
{
  return &self->steps->device->caps;
}

const PjProgram *
pj_vk_program (const PjVkEmit *self)
{
  return self->steps->program;
}

unsigned
pj_vk_variant (PjVkEmit *self, const char *what, const char *const *variants, unsigned n_variants)
{
  const PjProgram *program = self->steps->program;
  return pj_vk_tune_choose (self->steps->device, program, pj_program_call (program, self->call), what, variants, n_variants);
}

PjVkLayout
pj_vk_layout (const PjVkEmit *self, int slot)
{
  return slot < 0 ? (PjVkLayout) { 0 } : self->steps->layouts[slot];
}

void
pj_vk_set_opaque_size (PjVkEmit *self, int slot, size_t size_bytes)
{
  size_bytes = pj_size_align (size_bytes, 16);
  self->steps->layouts[slot].size_bytes = size_bytes;
  pj_vk_steps_region (self->steps, slot)->size_bytes = size_bytes;
}

static PjVkRegion
add_region (PjVkSteps *steps, PjStore store, size_t offset, size_t size_bytes)
{
  PjVkRegionInfo region = { .store = store, .offset_bytes = offset, .size_bytes = size_bytes, .first = -1, .last = -1 };
  g_array_append_val (steps->regions, region);
  return (PjVkRegion) steps->regions->len - 1;
}

PjVkRegion
pj_vk_scratch (PjVkEmit *self, size_t size_bytes)
{
  return add_region (self->steps, PJ_STORE_ARENA, 0, pj_size_align (MAX (size_bytes, 16), 16));
}

PjVkRegion
pj_vk_store (PjVkEmit *self, PjStore store)
{
  return add_region (self->steps, store, 0, 0);
}

PjVkRegion
pj_vk_constant (PjVkEmit *self, gconstpointer data, size_t size_bytes)
{
  PjVkRegion region = pj_vk_scratch (self, size_bytes);
  PjVkRegionInfo *info = pj_vk_steps_region (self->steps, region);
  info->keep = TRUE;
  info->initial = g_bytes_new (data, size_bytes);
  return region;
}

size_t
pj_vk_region_bytes (const PjVkEmit *self, PjVkRegion region)
{
  return region < 0 ? 0 : pj_vk_steps_region (self->steps, region)->size_bytes;
}

/* --- dispatches --- */

static gboolean
check (PjVkEmit *self, const PjVkDispatch *d, GError **error)
{
  const char *kinds = pj_vk_shader_bindings (d->shader), *name = pj_vk_shader_name (d->shader);
  const PjVkCaps *caps = pj_vk_caps (self);

  if (d->push_bytes != pj_vk_shader_push_bytes (d->shader))
    g_error ("shader %s: %zu bytes of push constants, expected %zu", name, d->push_bytes, pj_vk_shader_push_bytes (d->shader));
  for (size_t i = 0; kinds[i] != '\0'; i++) {
    const PjVkOperand *operand = &d->operands[i];
    size_t all = pj_vk_region_bytes (self, operand->region), size = operand->size_bytes ? operand->size_bytes : all - operand->offset_bytes;
    size_t limit = kinds[i] == 't' ? caps->max_texel_bytes : strchr ("iu", kinds[i]) ? caps->max_texel_bytes / 4 : caps->max_buffer_bytes;
    if (operand->region < 0)
      continue;
    if (operand->offset_bytes % caps->align != 0 || (all > 0 && (operand->offset_bytes > all || size > all - operand->offset_bytes)))
      g_error ("shader %s: binding %zu is bytes %zu to %zu of %zu", name, i, operand->offset_bytes, operand->offset_bytes + size, all);
    if (size > limit) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED,
                   "%s: a tensor of %zu bytes is more than “%s” can bind at once (%zu); a smaller batch would help",
                   pj_kernel_name (pj_program_call (self->steps->program, self->call)->kernel), size,
                   self->steps->device->base.info.name, limit);
      return FALSE;
    }
  }
  for (int i = 0; i < 3; i++)
    g_assert (d->groups[i] >= 1 && d->groups[i] <= caps->max_groups[i]);
  return TRUE;
}

static gboolean
add (PjVkEmit *self, GArray *steps, PjSegment segment, const PjVkDispatch *dispatch, GError **error)
{
  PjVkStep step = { .dispatch = *dispatch, .segment = segment, .call = self->call };

  if (!check (self, dispatch, error))
    return FALSE;
  if (dispatch->push_bytes > 0)
    memcpy (step.push, dispatch->push, dispatch->push_bytes);
  step.dispatch.push = NULL;
  g_array_append_val (steps, step);
  return TRUE;
}

gboolean
pj_vk_emit (PjVkEmit *self, const PjVkDispatch *dispatch, GError **error)
{
  return add (self, self->steps->steps, pj_program_call (self->steps->program, self->call)->segment, dispatch, error);
}

gboolean
pj_vk_emit_prologue (PjVkEmit *self, const PjVkDispatch *dispatch, GError **error)
{
  return add (self, self->packing, PJ_SEGMENT_PROLOGUE, dispatch, error);
}

/* --- helpers for emitters --- */

uint32_t
pj_vk_group_size (const PjVkEmit *self)
{
  /* A software driver pays for every group; hardware wants many groups of a few subgroups. */
  return MIN (pj_vk_caps (self)->max_group, pj_vk_caps (self)->texel ? 256 : 128);
}

void
pj_vk_fold_groups (const PjVkEmit *self, uint64_t n_items, uint32_t per_group, uint32_t groups[3])
{
  uint64_t n = (n_items + per_group - 1) / per_group, x = MIN (MAX (n, 1), pj_vk_caps (self)->max_groups[0]);
  groups[0] = (uint32_t) x;
  groups[1] = (uint32_t) ((MAX (n, 1) + x - 1) / x);
  groups[2] = 1;
}

/* PER_INVOCATION of quads.glsl. */
#define PER_INVOCATION 4

void
pj_vk_flat_groups (const PjVkEmit *self, PjVkDispatch *dispatch, uint64_t n_items)
{
  pj_vk_fold_groups (self, n_items, dispatch->spec[0] * PER_INVOCATION, dispatch->groups);
}

static size_t
greatest_common_divisor (size_t a, size_t b)
{
  while (b != 0) {
    size_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

uint32_t
pj_vk_images_per_dispatch (const PjVkEmit *self, const int *slots, unsigned n_slots)
{
  const PjVkCaps *caps = pj_vk_caps (self);
  size_t limit = MIN (MIN (caps->max_buffer_bytes, caps->max_texel_bytes), PJ_VK_MAX_QUADS * 16), most = 65535, multiple = 1;
  uint32_t batch = 1;

  for (unsigned i = 0; i < n_slots; i++) {
    PjVkLayout l = pj_vk_layout (self, slots[i]);
    if (!l.blocked)
      continue;
    size_t image_bytes = (size_t) l.image_quads * 16, step = caps->align / greatest_common_divisor (caps->align, image_bytes);
    batch = MAX (batch, l.n);
    most = MIN (most, MAX (limit / image_bytes, 1));
    multiple = MAX (multiple, step);    /* both are powers of two, so the larger is a multiple of the other */
  }
  if (batch <= most)
    return batch;
  return (uint32_t) MAX (most / multiple * multiple, multiple);
}

/* Slots that are cut into groups of images. */
static gboolean
is_cut (const PjVkEmit *self, const PjVkOperand *operand, uint32_t n)
{
  if (operand->region < 0 || operand->region >= (int) self->steps->program->slots->len || operand->size_bytes > 0)
    return FALSE;
  const PjVkLayout *l = &self->steps->layouts[operand->region];
  return l->blocked && l->n == n;
}

gboolean
pj_vk_emit_images (PjVkEmit *self, const PjVkDispatch *dispatch, int like, GError **error)
{
  size_t n_operands = strlen (pj_vk_shader_bindings (dispatch->shader));
  PjVkLayout l = pj_vk_layout (self, like);
  uint32_t push[PJ_VK_PUSH_MAX / 4];
  int slots[PJ_VK_MAX_BINDINGS];
  unsigned n_slots = 0;

  for (size_t i = 0; i < n_operands; i++)
    if (is_cut (self, &dispatch->operands[i], l.n))
      slots[n_slots++] = dispatch->operands[i].region;
  uint32_t step = pj_vk_images_per_dispatch (self, slots, n_slots);
  memcpy (push, dispatch->push, dispatch->push_bytes);
  for (uint32_t first = 0; first < l.n; first += step) {
    PjVkDispatch d = *dispatch;
    uint32_t n = MIN (step, l.n - first);
    for (size_t i = 0; i < n_operands; i++)
      if (is_cut (self, &d.operands[i], l.n))
        d.operands[i] = pj_vk_images (self, d.operands[i].region, first, n);
    push[0] = n * l.image_quads;
    d.push = push;
    d.spec[0] = pj_vk_group_size (self);
    pj_vk_flat_groups (self, &d, push[0]);
    if (!pj_vk_emit (self, &d, error))
      return FALSE;
  }
  return TRUE;
}

uint32_t
pj_vk_align_images (const PjVkEmit *self, uint32_t step, size_t image_bytes)
{
  size_t align = pj_vk_caps (self)->align;
  uint32_t multiple = (uint32_t) (align / greatest_common_divisor (align, image_bytes));
  return MAX (step / multiple, 1) * multiple;
}

PjVkOperand
pj_vk_images (const PjVkEmit *self, int slot, uint32_t first, uint32_t n)
{
  PjVkLayout l = pj_vk_layout (self, slot);
  if (slot < 0)
    return PJ_VK_WHOLE (-1);
  return (PjVkOperand) { slot, (size_t) first * l.image_quads * 16, (size_t) n * l.image_quads * 16 };
}

/* --- whole programs --- */

static void
add_slot_regions (PjVkSteps *self)
{
  for (guint i = 0; i < self->program->slots->len; i++) {
    const PjSlot *slot = pj_program_slot (self->program, i);
    PjVkRegion region = add_region (self, slot->store, slot->store == PJ_STORE_ARENA ? 0 : slot->offset * sizeof (float),
                                    self->layouts[i].size_bytes);
    pj_vk_steps_region (self, region)->keep = slot->store == PJ_STORE_ARENA && (slot->flags & (PJ_SLOT_HOST | PJ_SLOT_KEEP)) != 0;
  }
}

/* Moves the packing steps behind the program's own prologue. */
static void
insert_packing (PjVkSteps *self, const GArray *packing)
{
  guint at = 0;
  while (at < self->steps->len && pj_vk_steps_step (self, at)->segment == PJ_SEGMENT_PROLOGUE)
    at++;
  if (packing->len > 0)
    g_array_insert_vals (self->steps, at, packing->data, packing->len);
}

/* What the prologue makes for the other segments must outlast all of their runs. */
static void
find_lifetimes (PjVkSteps *self)
{
  for (guint s = 0; s < self->steps->len; s++) {
    const PjVkStep *step = pj_vk_steps_step (self, s);
    for (size_t i = 0; pj_vk_shader_bindings (step->dispatch.shader)[i] != '\0'; i++) {
      if (step->dispatch.operands[i].region < 0)
        continue;
      PjVkRegionInfo *region = pj_vk_steps_region (self, step->dispatch.operands[i].region);
      if (region->first < 0)
        region->first = (int) s;
      region->last = (int) s;
      if (step->segment != PJ_SEGMENT_PROLOGUE && pj_vk_steps_step (self, region->first)->segment == PJ_SEGMENT_PROLOGUE)
        region->keep = TRUE;
    }
  }
}

static gboolean
check_layouts (const PjVkSteps *self, GError **error)
{
  for (guint i = 0; i < self->program->slots->len; i++) {
    /* Counted in 64 bits here; the layout's own number may have wrapped. */
    const PjShape *s = &pj_program_slot (self->program, i)->shape;
    size_t image_elems = pj_shape_n_elems (s) / (size_t) s->dim[0];
    if (self->layouts[i].blocked && (self->layouts[i].image_quads > PJ_VK_MAX_QUADS || image_elems / 4 > PJ_VK_MAX_QUADS)) {
      g_autofree char *shape = pj_shape_to_string (s);
      g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "one picture of a tensor of %s is too large for the Vulkan device", shape);
      return FALSE;
    }
  }
  return TRUE;
}

/* Before minutes of compiling: a gradient is written through a buffer, and is as large with a batch of one. */
static gboolean
check_gradients (const PjVkSteps *self, GError **error)
{
  size_t limit = self->device->caps.max_buffer_bytes;
  for (guint i = 0; i < self->program->slots->len; i++) {
    size_t size = self->layouts[i].size_bytes;
    if (pj_program_slot (self->program, i)->store != PJ_STORE_GRADS || size <= limit)
      continue;
    g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED,
                 "a layer has %zu MiB of weights, and “%s” can write at most %zu MiB of gradients at once; "
                 "the CPU device can train this network", size >> 20, self->device->base.info.name, limit >> 20);
    return FALSE;
  }
  return TRUE;
}

static gboolean
emit_all (PjVkSteps *self, GArray *packing, GError **error)
{
  for (guint i = 0; i < self->program->calls->len; i++) {
    const PjCall *call = pj_program_call (self->program, i);
    PjVkEmit emit = { self, packing, (int) i };
    if (pj_vk_emitters[call->kernel] == NULL) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "%s cannot be run by the Vulkan device", pj_kernel_name (call->kernel));
      return FALSE;
    }
    if (!pj_vk_emitters[call->kernel] (&emit, call, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
pj_vk_steps_init (PjVkSteps *self, PjVkDevice *device, const PjProgram *program, GError **error)
{
  g_autoptr (GArray) packing = g_array_new (FALSE, TRUE, sizeof (PjVkStep));

  *self = (PjVkSteps) {
    .device = device, .program = program, .layouts = pj_vk_layouts (program),
    .regions = g_array_new (FALSE, TRUE, sizeof (PjVkRegionInfo)), .steps = g_array_new (FALSE, TRUE, sizeof (PjVkStep)),
  };
  add_slot_regions (self);
  if (!check_layouts (self, error) || !check_gradients (self, error) || !emit_all (self, packing, error)) {
    pj_vk_steps_clear (self);
    return FALSE;
  }
  insert_packing (self, packing);
  find_lifetimes (self);
  return TRUE;
}

void
pj_vk_steps_clear (PjVkSteps *self)
{
  for (guint i = 0; self->regions != NULL && i < self->regions->len; i++)
    g_clear_pointer (&pj_vk_steps_region (self, i)->initial, g_bytes_unref);
  g_clear_pointer (&self->layouts, g_free);
  g_clear_pointer (&self->regions, g_array_unref);
  g_clear_pointer (&self->steps, g_array_unref);
}
