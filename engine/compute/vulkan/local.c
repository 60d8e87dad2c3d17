/* SPDX-License-Identifier: MIT */
/* Kernels inside one picture: local response norm, resizing, instance norm. */
#include "compute/vulkan/emitters.h"

#include <math.h>

/* --- local response norm --- */

static PjVkPushLrn
push_lrn (PjVkEmit *emit, const PjCall *call)
{
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  const PjLrnParams *p = &call->lrn;
  return (PjVkPushLrn) {
    .c = l.c, .c4 = l.c4, .plane = l.plane, .size = p->size, .alpha = p->alpha, .beta = p->beta, .bias = p->bias,
  };
}

PJ_VK_EMITTER (lrn)
{
  PjVkPushLrn push = push_lrn (emit, call);
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, lrn), .n_spec = 1, PJ_VK_PUSH (push), .operands = { PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->out[0]) },
  };
  return pj_vk_emit_images (emit, &d, call->in[0], error);
}

PJ_VK_EMITTER (lrn_bwd)
{
  const int slots[] = { call->in[0], call->in[1], call->out[0] };
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  uint32_t step = pj_vk_images_per_dispatch (emit, slots, 3);
  size_t part_bytes = (size_t) MIN (step, l.n) * l.image_quads * 16;
  PjVkOperand direct = PJ_VK_WHOLE (pj_vk_scratch (emit, part_bytes)), shared = PJ_VK_WHOLE (pj_vk_scratch (emit, part_bytes));
  PjVkPushLrn push = push_lrn (emit, call);

  for (uint32_t first = 0; first < l.n; first += step) {
    uint32_t n = MIN (step, l.n - first);
    PjVkOperand x = pj_vk_images (emit, call->in[0], first, n), dy = pj_vk_images (emit, call->in[1], first, n);
    push.n = n * l.image_quads;
    PjVkDispatch parts = {
      .shader = PJ_VK_FAMILY (emit, lrn_bwd_parts), .spec = { pj_vk_group_size (emit) }, .n_spec = 1, PJ_VK_PUSH (push),
      .operands = { x, dy, direct, shared },
    };
    PjVkDispatch sum = {
      .shader = PJ_VK_FAMILY (emit, lrn_bwd), .spec = { pj_vk_group_size (emit) }, .n_spec = 1, PJ_VK_PUSH (push),
      .operands = { x, direct, shared, pj_vk_images (emit, call->out[0], first, n) },
    };
    pj_vk_flat_groups (emit, &parts, push.n);
    pj_vk_flat_groups (emit, &sum, push.n);
    if (!pj_vk_emit (emit, &parts, error) || !pj_vk_emit (emit, &sum, error))
      return FALSE;
  }
  return TRUE;
}

/* --- resizing --- */

typedef struct { float first, second, share, unused; } Entry;

/* Which two inputs make output @i along one axis and how: computed here, in double, because a shader's division
 * may round to the wrong pixel. */
static Entry
entry (const PjResizeParams *p, int axis, uint32_t i, uint32_t n_out, uint32_t n_in)
{
  double scale = (double) p->scale[axis], at;
  if (p->grid == PJ_RESIZE_ALIGN_CORNERS)
    at = n_out == 1 ? 0 : (double) i * (n_in - 1) / (double) (n_out - 1);
  else
    at = p->grid == PJ_RESIZE_ASYMMETRIC ? (double) i / scale : ((double) i + 0.5) / scale - 0.5;
  if (p->mode == PJ_RESIZE_NEAREST) {
    double nearest = CLAMP (p->floor ? floor (at) : ceil (at - 0.5), 0, (double) (n_in - 1));
    return (Entry) { (float) nearest, (float) nearest, 0, 0 };
  }
  at = CLAMP (at, 0, (double) (n_in - 1));
  double first = floor (at), second = MIN (first + 1, (double) (n_in - 1));
  return (Entry) { (float) first, (float) second, (float) (at - first), 0 };
}

static PjVkRegion
entries (PjVkEmit *emit, const PjCall *call, int axis, uint32_t n_out, uint32_t n_in)
{
  g_autofree Entry *table = g_new (Entry, n_out);
  for (uint32_t i = 0; i < n_out; i++)
    table[i] = entry (&call->resize, axis, i, n_out, n_in);
  return pj_vk_constant (emit, table, n_out * sizeof (Entry));
}

/* First and last output that uses each input; an empty range where none does. */
static PjVkRegion
users (PjVkEmit *emit, const PjCall *call, int axis, uint32_t n_out, uint32_t n_in)
{
  g_autofree Entry *table = g_new0 (Entry, n_in);
  for (uint32_t k = 0; k < n_in; k++)
    table[k] = (Entry) { .first = (float) n_out, .second = -1 };
  for (uint32_t i = 0; i < n_out; i++) {
    Entry e = entry (&call->resize, axis, i, n_out, n_in);
    const int both[] = { (int) e.first, (int) e.second };
    for (int k = 0; k < 2; k++) {
      table[both[k]].first = MIN (table[both[k]].first, (float) i);
      table[both[k]].second = MAX (table[both[k]].second, (float) i);
    }
  }
  return pj_vk_constant (emit, table, n_in * sizeof (Entry));
}

PJ_VK_EMITTER (resize)
{
  PjVkLayout x = pj_vk_layout (emit, call->in[0]), y = pj_vk_layout (emit, call->out[0]);
  PjVkPushResize push = { .h = x.h, .w = x.w, .oh = y.h, .ow = y.w };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, resize), .n_spec = 1, PJ_VK_PUSH (push),
    .operands = {
      PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (entries (emit, call, 0, y.h, x.h)), PJ_VK_WHOLE (entries (emit, call, 1, y.w, x.w)),
      PJ_VK_WHOLE (call->out[0]),
    },
  };
  return pj_vk_emit_images (emit, &d, call->out[0], error);
}

PJ_VK_EMITTER (resize_bwd)
{
  PjVkLayout y = pj_vk_layout (emit, call->in[0]), x = pj_vk_layout (emit, call->out[0]);
  PjVkPushResize push = { .h = x.h, .w = x.w, .oh = y.h, .ow = y.w };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, resize_bwd), .n_spec = 1, PJ_VK_PUSH (push),
    .operands = {
      PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (entries (emit, call, 0, y.h, x.h)), PJ_VK_WHOLE (entries (emit, call, 1, y.w, x.w)),
      PJ_VK_WHOLE (users (emit, call, 0, y.h, x.h)), PJ_VK_WHOLE (users (emit, call, 1, y.w, x.w)), PJ_VK_WHOLE (call->out[0]),
    },
  };
  return pj_vk_emit_images (emit, &d, call->out[0], error);
}

/* --- instance norm --- */

static void
per_row (PjVkEmit *emit, PjVkDispatch *d, uint32_t rows)
{
  d->spec[0] = MIN (pj_vk_group_size (emit), 32);
  pj_vk_fold_groups (emit, rows, d->spec[0], d->groups);
}

PJ_VK_EMITTER (instance_norm)
{
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  PjVkPushInstanceStats stats_push = { l.n * l.c4, l.c, l.c4, l.plane, call->norm.eps };
  PjVkDispatch stats = {
    .shader = PJ_VK_FAMILY (emit, instance_stats), .n_spec = 1, PJ_VK_PUSH (stats_push),
    .operands = { PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->out[1]), PJ_VK_WHOLE (call->out[2]) },
  };
  PjVkPushChannels push = { .plane = l.plane, .c4 = l.c4 };
  PjVkDispatch apply = {
    .shader = PJ_VK_FAMILY (emit, instance_norm), .n_spec = 1, PJ_VK_PUSH (push),
    .operands = {
      PJ_VK_WHOLE (call->in[0]), PJ_VK_WHOLE (call->in[1]), PJ_VK_WHOLE (call->in[2]), PJ_VK_WHOLE (call->out[1]),
      PJ_VK_WHOLE (call->out[2]), PJ_VK_WHOLE (call->out[0]),
    },
  };
  per_row (emit, &stats, stats_push.rows);
  return pj_vk_emit (emit, &stats, error) && pj_vk_emit_images (emit, &apply, call->in[0], error);
}

PJ_VK_EMITTER (instance_norm_bwd)
{
  int x = call->in[0], dy = call->in[1], gamma = call->in[2], mean = call->in[3], rstd = call->in[4];
  PjVkLayout l = pj_vk_layout (emit, x);
  PjVkRegion sums = pj_vk_scratch (emit, (size_t) l.n * l.c4 * 2 * 16);
  PjVkRegion unused = pj_vk_scratch (emit, (size_t) l.c4 * 16);
  PjVkPushInstanceSums sums_push = { l.n * l.c4, l.plane };
  PjVkDispatch first = {
    .shader = PJ_VK_FAMILY (emit, instance_bwd_sums), .n_spec = 1, PJ_VK_PUSH (sums_push),
    .operands = { PJ_VK_WHOLE (x), PJ_VK_WHOLE (dy), PJ_VK_WHOLE (mean), PJ_VK_WHOLE (rstd), PJ_VK_WHOLE (sums) },
  };
  PjVkPushInstanceParameters parameters_push = { l.n, l.c4 };
  PjVkDispatch parameters = {
    .shader = PJ_VK_FAMILY (emit, instance_bwd_parameters), .spec = { 0, call->accumulate }, .n_spec = 2, PJ_VK_PUSH (parameters_push),
    .operands = {
      PJ_VK_WHOLE (sums), PJ_VK_WHOLE (call->out[1] >= 0 ? call->out[1] : unused), PJ_VK_WHOLE (call->out[2] >= 0 ? call->out[2] : unused),
    },
  };
  /* The sums are indexed by all rows of the batch, so the pictures go in one piece. */
  PjVkPushChannels push = { .n = l.n * l.image_quads, .plane = l.plane, .c4 = l.c4 };
  PjVkDispatch apply = {
    .shader = PJ_VK_FAMILY (emit, instance_norm_bwd), .spec = { pj_vk_group_size (emit) }, .n_spec = 1, PJ_VK_PUSH (push),
    .operands = {
      PJ_VK_WHOLE (x), PJ_VK_WHOLE (dy), PJ_VK_WHOLE (gamma), PJ_VK_WHOLE (mean), PJ_VK_WHOLE (rstd), PJ_VK_WHOLE (sums),
      PJ_VK_WHOLE (call->out[0]),
    },
  };
  per_row (emit, &first, sums_push.rows);
  per_row (emit, &parameters, l.c4);
  pj_vk_flat_groups (emit, &apply, push.n);
  return pj_vk_emit (emit, &first, error) && pj_vk_emit (emit, &parameters, error) && pj_vk_emit (emit, &apply, error);
}
