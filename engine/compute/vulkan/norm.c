/* SPDX-License-Identifier: MIT */
/* Batch norms and the backward pass of gates, which is one without the norm.
 *
 *   forward    norm_sums (parts × slices) -> norm_finish (per channel) -> affine
 *   backward   norm_bwd_sums              -> norm_bwd_finish           -> norm_bwd_apply
 *
 * Sums run over slices in a fixed order, see shaders/include/slices.glsl for them and for the workers that sum them.
 * A part is what one dispatch may bind; usually there is one. */
#include "compute/vulkan/emitters.h"

#define WANTED_GROUPS 2048      /* fill a graphics card several times over */
#define ITEMS_PER_LANE 8        /* at least, before a slice is cut again */

/* How the items of a channel are dealt out. */
typedef struct {
  PjVkLayout l;
  uint32_t step, n_parts, n_slices;
  uint32_t group;               /* invocations of one */
  PjVkRegion partial;
} Sums;

/* One invocation sums a slice in the texel family, one group in the other. */
static uint32_t
n_slices (PjVkEmit *emit, const Sums *self, uint32_t items)
{
  if (pj_vk_caps (emit)->texel)
    return CLAMP (items / 32, 1, 64);
  return CLAMP (MIN (items / (ITEMS_PER_LANE * self->group), WANTED_GROUPS / self->l.c4), 1, 256);
}

/* Groups for @n workers. */
static void
worker_groups (PjVkEmit *emit, uint64_t n, PjVkDispatch *d)
{
  pj_vk_fold_groups (emit, n, pj_vk_caps (emit)->texel ? d->spec[0] : 1, d->groups);
}

static Sums
sums_init (PjVkEmit *emit, const int *slots, unsigned n_slots)
{
  Sums self = { .l = pj_vk_layout (emit, slots[0]), .step = pj_vk_images_per_dispatch (emit, slots, n_slots) };

  self.group = MIN (pj_vk_group_size (emit), pj_vk_caps (emit)->texel ? 64 : 256);
  self.n_slices = n_slices (emit, &self, MIN (self.step, self.l.n) * self.l.plane);
  self.n_parts = (self.l.n + self.step - 1) / self.step;
  self.partial = pj_vk_scratch (emit, (size_t) self.n_parts * self.l.c4 * self.n_slices * 2 * 16);
  return self;
}

/* Completes @d and emits it once per part; @slots bind to the first bindings. */
static gboolean
sums_emit (PjVkEmit *emit, const Sums *self, PjVkDispatch *d, const int *slots, unsigned n_slots, GError **error)
{
  /* From an item to the next of the same lane. */
  uint32_t stride = pj_vk_caps (emit)->texel ? self->n_slices : self->group;

  for (uint32_t part = 0; part < self->n_parts; part++) {
    uint32_t first = part * self->step, n = MIN (self->step, self->l.n - first);
    PjVkPushSums push = {
      .plane = self->l.plane, .c4 = self->l.c4, .items = n * self->l.plane, .n_slices = self->n_slices,
      .image_step = stride / self->l.plane, .pixel_step = stride % self->l.plane,
      .first_row = part * self->l.c4 * self->n_slices,
    };
    d->spec[0] = self->group;
    d->push = &push;
    d->push_bytes = sizeof push;
    for (unsigned i = 0; i < n_slots; i++)
      d->operands[i] = pj_vk_images (emit, slots[i], first, n);
    worker_groups (emit, (uint64_t) self->l.c4 * self->n_slices, d);
    if (!pj_vk_emit (emit, d, error))
      return FALSE;
  }
  return TRUE;
}

/* Group size and groups for one worker per block of channels. */
static void
worker_per_block (PjVkEmit *emit, PjVkDispatch *d, uint32_t c4)
{
  d->spec[0] = MIN (pj_vk_group_size (emit), 64);
  worker_groups (emit, c4, d);
}

PJ_VK_EMITTER (norm_train)
{
  Sums sums = sums_init (emit, (int[]) { call->in[0], call->out[0] }, 2);
  PjVkDispatch first = { .shader = PJ_VK_FAMILY (emit, norm_sums), .n_spec = 1, .operands = { [1] = PJ_VK_WHOLE (sums.partial) } };
  if (!sums_emit (emit, &sums, &first, (int[]) { call->in[0] }, 1, error))
    return FALSE;

  PjVkRegion coefficients = pj_vk_scratch (emit, (size_t) sums.l.c4 * 3 * 16);
  PjVkPushNormFinish push = {
    .c4 = sums.l.c4, .c = sums.l.c, .n_parts = sums.n_parts, .n_slices = sums.n_slices, .items_each = sums.step * sums.l.plane,
    .items_last = (sums.l.n - (sums.n_parts - 1) * sums.step) * sums.l.plane, .eps = call->norm.eps,
  };
  PjVkDispatch finish = {
    .shader = PJ_VK_FAMILY (emit, norm_finish), .spec = { 0, call->in[6] >= 0 }, .n_spec = 2, PJ_VK_PUSH (push),
    .operands = {
      PJ_VK_WHOLE (sums.partial), PJ_VK_WHOLE (call->in[1]), PJ_VK_WHOLE (call->in[2]), PJ_VK_WHOLE (call->in[6]),
      PJ_VK_WHOLE (call->in[5]), PJ_VK_WHOLE (call->in[3]), PJ_VK_WHOLE (call->in[4]), PJ_VK_WHOLE (call->out[1]),
      PJ_VK_WHOLE (call->out[2]), PJ_VK_WHOLE (coefficients),
    },
  };
  worker_per_block (emit, &finish, sums.l.c4);
  return pj_vk_emit (emit, &finish, error)
         && pj_vk_emit_affine (emit, call->in[0], coefficients, TRUE, pj_call_ceiling (call), call->out[0], error);
}

/* A norm with known statistics. @is_rstd: in[4] is what NORM_TRAIN kept, not a variance; then both change from run to
 * run.  Stored statistics and gates change only together with what the prologue watches. */
static gboolean
apply (PjVkEmit *emit, const PjCall *call, gboolean is_rstd, GError **error)
{
  PjVkLayout l = pj_vk_layout (emit, call->in[0]);
  PjVkRegion coefficients = pj_vk_scratch (emit, (size_t) l.c4 * 3 * 16);
  PjVkPushCoefficients push = { .c4 = l.c4, .eps = call->norm.eps };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, norm_coefficients), .spec = { 0, call->in[5] >= 0, is_rstd }, .n_spec = 3, PJ_VK_PUSH (push),
    .operands = {
      PJ_VK_WHOLE (call->in[1]), PJ_VK_WHOLE (call->in[2]), PJ_VK_WHOLE (call->in[3]), PJ_VK_WHOLE (call->in[4]),
      PJ_VK_WHOLE (call->in[5]), PJ_VK_WHOLE (coefficients),
    },
  };
  d.spec[0] = MIN (pj_vk_group_size (emit), 64);
  pj_vk_fold_groups (emit, l.c4, d.spec[0], d.groups);
  return (is_rstd ? pj_vk_emit (emit, &d, error) : pj_vk_emit_prologue (emit, &d, error))
         && pj_vk_emit_affine (emit, call->in[0], coefficients, TRUE, pj_call_ceiling (call), call->out[0], error);
}

PJ_VK_EMITTER (norm_eval)
{
  return apply (emit, call, FALSE, error);
}

PJ_VK_EMITTER (norm_apply)
{
  return apply (emit, call, TRUE, error);
}

/* --- backward --- */

enum { BATCH_STATISTICS, STORED_STATISTICS, GATE_ALONE };

typedef struct {
  int mode, x, y, dy, gamma, beta, mean, spread, gate, dx, dgamma, dbeta, dgate;
} Backward;

static gboolean
emit_sums (PjVkEmit *emit, const PjCall *call, const Backward *b, const Sums *sums, GError **error)
{
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, norm_bwd_sums), .n_spec = 4,
    .spec = { 0, call->relu, b->mode != GATE_ALONE, pj_vk_float_bits (pj_call_ceiling (call)) },
    .operands = { [3] = PJ_VK_WHOLE (b->mean), [4] = PJ_VK_WHOLE (sums->partial) },
  };
  return sums_emit (emit, sums, &d, (int[]) { b->x, b->y, b->dy }, 3, error);
}

static gboolean
emit_finish (PjVkEmit *emit, const PjCall *call, const Backward *b, const Sums *sums, PjVkRegion coefficients, GError **error)
{
  /* What nobody asked for is written to memory that nobody reads. */
  PjVkRegion unused = pj_vk_scratch (emit, (size_t) sums->l.c4 * 16);
  PjVkPushNormBwdFinish push = {
    .c4 = sums->l.c4, .c = sums->l.c, .n_parts = sums->n_parts, .n_slices = sums->n_slices,
    .items = (float) sums->l.n * (float) sums->l.plane, .eps = call->norm.eps,
  };
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, norm_bwd_finish), .n_spec = 5, PJ_VK_PUSH (push),
    .spec = { 0, (uint32_t) b->mode, b->gate >= 0, b->dgate >= 0, call->accumulate },
    .operands = {
      PJ_VK_WHOLE (sums->partial), PJ_VK_WHOLE (b->gamma), PJ_VK_WHOLE (b->beta), PJ_VK_WHOLE (b->mean), PJ_VK_WHOLE (b->spread),
      PJ_VK_WHOLE (b->gate), PJ_VK_WHOLE (b->dgamma >= 0 ? b->dgamma : unused), PJ_VK_WHOLE (b->dbeta >= 0 ? b->dbeta : unused),
      PJ_VK_WHOLE (b->dgate >= 0 ? b->dgate : unused), PJ_VK_WHOLE (coefficients),
    },
  };
  worker_per_block (emit, &d, sums->l.c4);
  return pj_vk_emit (emit, &d, error);
}

static gboolean
emit_apply (PjVkEmit *emit, const PjCall *call, const Backward *b, PjVkRegion coefficients, GError **error)
{
  gboolean centered = b->mode == BATCH_STATISTICS;
  PjVkLayout l = pj_vk_layout (emit, b->dy);
  const int slots[] = { b->x, b->y, b->dy, b->dx };
  uint32_t step = pj_vk_images_per_dispatch (emit, slots, 4);

  for (uint32_t first = 0; first < l.n; first += step) {
    uint32_t n = MIN (step, l.n - first);
    PjVkPushChannels push = { .n = n * l.image_quads, .plane = l.plane, .c4 = l.c4 };
    PjVkDispatch d = {
      .shader = PJ_VK_FAMILY (emit, norm_bwd_apply), .n_spec = 4,
      .spec = { pj_vk_group_size (emit), call->relu, centered, pj_vk_float_bits (pj_call_ceiling (call)) },
      PJ_VK_PUSH (push),
      .operands = {
        pj_vk_images (emit, centered ? b->x : -1, first, n), pj_vk_images (emit, b->y, first, n), pj_vk_images (emit, b->dy, first, n),
        PJ_VK_WHOLE (coefficients), pj_vk_images (emit, b->dx, first, n),
      },
    };
    pj_vk_flat_groups (emit, &d, push.n);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
backward (PjVkEmit *emit, const PjCall *call, const Backward *b, GError **error)
{
  Sums sums = sums_init (emit, (int[]) { b->x, b->y, b->dy }, 3);
  PjVkRegion coefficients = pj_vk_scratch (emit, (size_t) sums.l.c4 * 4 * 16);
  return emit_sums (emit, call, b, &sums, error) && emit_finish (emit, call, b, &sums, coefficients, error)
         && emit_apply (emit, call, b, coefficients, error);
}

static gboolean
norm_backward (PjVkEmit *emit, const PjCall *call, int mode, GError **error)
{
  Backward b = {
    .mode = mode, .x = call->in[0], .y = call->in[1], .dy = call->in[2], .gamma = call->in[3], .beta = call->in[4],
    .mean = call->in[5], .spread = call->in[6], .gate = call->in[7],
    .dx = call->out[0], .dgamma = call->out[1], .dbeta = call->out[2], .dgate = call->out[3],
  };
  return backward (emit, call, &b, error);
}

PJ_VK_EMITTER (norm_bwd)
{
  return norm_backward (emit, call, BATCH_STATISTICS, error);
}

PJ_VK_EMITTER (norm_eval_bwd)
{
  return norm_backward (emit, call, STORED_STATISTICS, error);
}

PJ_VK_EMITTER (gate_bwd)
{
  Backward b = {
    .mode = GATE_ALONE, .x = call->in[0], .y = call->in[1], .dy = call->in[2], .gate = call->in[3],
    .gamma = -1, .beta = -1, .mean = -1, .spread = -1, .dx = call->out[0], .dgamma = -1, .dbeta = -1, .dgate = call->out[1],
  };
  return backward (emit, call, &b, error);
}
