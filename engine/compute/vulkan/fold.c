/* SPDX-License-Identifier: MIT */
/* Norms and gates folded into the weights and bias of the convolution or product before them. */
#include "compute/vulkan/emitters.h"

/* w2 = scale·w by rows, in pieces that can be bound; 64 rows start at an allowed offset whatever their length. */
static gboolean
emit_rows (PjVkEmit *emit, const PjCall *call, PjVkRegion scale, GError **error)
{
  const PjVkCaps *caps = pj_vk_caps (emit);
  const PjShape *shape = &pj_program_slot (pj_vk_program (emit), call->in[0])->shape;
  size_t rows = (size_t) shape->dim[0], row_elems = pj_shape_n_elems (shape) / rows;
  size_t limit = MIN (MIN (caps->max_buffer_bytes, caps->max_texel_bytes) / 4, PJ_VK_MAX_QUADS * 4);
  size_t step = MAX (limit / row_elems / 64, 1) * 64;

  for (size_t first = 0; first < rows; first += step) {
    size_t n = MIN (step, rows - first), n_quads = (n * row_elems + 3) / 4;
    PjVkPushFoldRows push = { (uint32_t) n_quads, (uint32_t) n, (uint32_t) row_elems };
    size_t at = first * row_elems * sizeof (float);
    PjVkDispatch d = {
      .shader = PJ_VK_FAMILY (emit, fold_rows), .spec = { pj_vk_group_size (emit) }, .n_spec = 1, PJ_VK_PUSH (push),
      .operands = { { call->in[0], at, n_quads * 16 }, { scale, first * sizeof (float), (n + 3) / 4 * 16 }, { call->out[0], at, n_quads * 16 } },
    };
    pj_vk_flat_groups (emit, &d, push.n);
    if (!pj_vk_emit (emit, &d, error))
      return FALSE;
  }
  return TRUE;
}

/* @norm: the four parameters of the norm, or NULL. */
static gboolean
emit_fold (PjVkEmit *emit, const PjCall *call, const int *norm, int gate, GError **error)
{
  uint32_t c = (uint32_t) pj_program_slot (pj_vk_program (emit), call->in[0])->shape.dim[0], c4 = (c + 3) / 4;
  PjVkRegion scale = pj_vk_scratch (emit, (size_t) c4 * 16);
  PjVkRegion bias = call->out[1] >= 0 ? call->out[1] : pj_vk_scratch (emit, (size_t) c4 * 16);
  PjVkPushFold push = { c4, c, norm ? call->norm.eps : 0 };
  uint32_t group = MIN (pj_vk_group_size (emit), 64);
  PjVkDispatch d = {
    .shader = PJ_VK_FAMILY (emit, fold_coefficients), .spec = { group, norm != NULL, call->in[1] >= 0, gate >= 0 }, .n_spec = 4,
    PJ_VK_PUSH (push), .operands = { PJ_VK_WHOLE (call->in[1]), [5] = PJ_VK_WHOLE (gate), PJ_VK_WHOLE (scale), PJ_VK_WHOLE (bias) },
  };
  for (int i = 0; i < 4; i++)
    d.operands[1 + i] = PJ_VK_WHOLE (norm ? norm[i] : -1);
  pj_vk_fold_groups (emit, c4, group, d.groups);
  return pj_vk_emit (emit, &d, error) && emit_rows (emit, call, scale, error);
}

PJ_VK_EMITTER (fold_norm)
{
  return emit_fold (emit, call, call->in + 2, call->in[6], error);
}

PJ_VK_EMITTER (fold_gate)
{
  return emit_fold (emit, call, NULL, call->in[2], error);
}
