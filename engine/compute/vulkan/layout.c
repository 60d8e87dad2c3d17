/* SPDX-License-Identifier: MIT */
/* Physical layouts of slots; see kernel.h for why. */
#include "compute/vulkan/private.h"

#include <string.h>

#include "base/checked.h"

/* Outputs that are plain although they have channels: weights, and statistics for the host. */
static void
mark_plain (const PjProgram *program, gboolean *plain)
{
  for (guint i = 0; i < program->calls->len; i++) {
    const PjCall *call = pj_program_call (program, i);
    if (call->kernel != PJ_KERNEL_FOLD_NORM && call->kernel != PJ_KERNEL_FOLD_GATE && call->kernel != PJ_KERNEL_CHANNEL_STATS)
      continue;
    for (int k = 0; k < PJ_CALL_MAX_OUT; k++)
      if (call->out[k] >= 0)
        plain[call->out[k]] = TRUE;
  }
}

static PjVkLayout
blocked (const PjShape *shape)
{
  PjVkLayout l = { .blocked = TRUE, .n = (uint32_t) shape->dim[0], .c = (uint32_t) shape->dim[1], .plane = 1, .w = 1 };
  for (unsigned i = 2; i < shape->rank; i++)
    l.plane *= (uint32_t) shape->dim[i];
  if (shape->rank == 4)
    l.w = (uint32_t) shape->dim[3];
  l.h = l.plane / l.w;
  l.c4 = (l.c + 3) / 4;
  l.image_quads = l.c4 * l.plane;
  l.size_bytes = (size_t) l.n * l.image_quads * 16;
  return l;
}

PjVkLayout *
pj_vk_layouts (const PjProgram *program)
{
  guint n = program->slots->len;
  PjVkLayout *layouts = g_new0 (PjVkLayout, n);
  g_autofree gboolean *plain = g_new0 (gboolean, n);

  mark_plain (program, plain);
  for (guint i = 0; i < n; i++) {
    const PjSlot *slot = pj_program_slot (program, i);
    if (slot->flags & PJ_SLOT_OPAQUE)
      continue;
    if (slot->store == PJ_STORE_ARENA && slot->shape.rank >= 2 && !plain[i] && !(slot->flags & PJ_SLOT_INT32))
      layouts[i] = blocked (&slot->shape);
    else
      layouts[i].size_bytes = pj_size_align (pj_shape_n_elems (&slot->shape) * sizeof (float), 16);
  }
  return layouts;
}

void
pj_vk_layout_pack (const PjVkLayout *l, size_t n_elems, const void *logical, void *physical)
{
  const float *in = logical;
  float *out = physical;

  if (!l->blocked) {
    memcpy (physical, logical, n_elems * 4);
    memset ((char *) physical + n_elems * 4, 0, l->size_bytes - n_elems * 4);
    return;
  }
#pragma omp parallel for if (n_elems > 65536)
  for (size_t row = 0; row < (size_t) l->n * l->c4; row++) {
    size_t n = row / l->c4, k = row % l->c4;
    for (size_t lane = 0; lane < 4; lane++) {
      float *to = out + row * l->plane * 4 + lane;
      const float *from = in + (n * l->c + k * 4 + lane) * l->plane;
      gboolean pad = k * 4 + lane >= l->c;
      for (size_t p = 0; p < l->plane; p++)
        to[p * 4] = pad ? 0.0f : from[p];
    }
  }
}

void
pj_vk_layout_unpack (const PjVkLayout *l, size_t n_elems, const void *physical, void *logical)
{
  const float *in = physical;
  float *out = logical;

  if (!l->blocked) {
    memcpy (logical, physical, n_elems * 4);
    return;
  }
#pragma omp parallel for if (n_elems > 65536)
  for (size_t plane = 0; plane < (size_t) l->n * l->c; plane++) {
    size_t n = plane / l->c, c = plane % l->c;
    const float *from = in + (n * l->c4 + c / 4) * l->plane * 4 + c % 4;
    for (size_t p = 0; p < l->plane; p++)
      out[plane * l->plane + p] = from[p * 4];
  }
}
