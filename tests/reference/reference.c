/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include <string.h>

static void (*const kernels[PJ_N_KERNELS]) (const RefCall *) = {
  [PJ_KERNEL_CONV] = ref_conv, [PJ_KERNEL_CONV_WITHOUT] = ref_conv_without, [PJ_KERNEL_CONV_BWD_INPUT] = ref_conv_bwd_input,
  [PJ_KERNEL_CONV_BWD_WEIGHT] = ref_conv_bwd_weight, [PJ_KERNEL_GEMM] = ref_gemm,
  [PJ_KERNEL_GEMM_BWD_INPUT] = ref_gemm_bwd_input, [PJ_KERNEL_GEMM_BWD_WEIGHT] = ref_gemm_bwd_weight,
  [PJ_KERNEL_NORM_TRAIN] = ref_norm_train, [PJ_KERNEL_NORM_EVAL] = ref_norm_eval,
  [PJ_KERNEL_NORM_APPLY] = ref_norm_apply,
  [PJ_KERNEL_NORM_BWD] = ref_norm_bwd, [PJ_KERNEL_NORM_EVAL_BWD] = ref_norm_eval_bwd,
  [PJ_KERNEL_GATE] = ref_gate, [PJ_KERNEL_GATE_BWD] = ref_gate_bwd, [PJ_KERNEL_RELU] = ref_relu,
  [PJ_KERNEL_RELU_BWD] = ref_relu_bwd, [PJ_KERNEL_ADD] = ref_add, [PJ_KERNEL_MAX_POOL] = ref_max_pool,
  [PJ_KERNEL_MAX_POOL_BWD] = ref_max_pool_bwd, [PJ_KERNEL_AVG_POOL] = ref_avg_pool,
  [PJ_KERNEL_AVG_POOL_BWD] = ref_avg_pool_bwd, [PJ_KERNEL_RESHAPE] = ref_reshape,
  [PJ_KERNEL_SOFTMAX] = ref_softmax, [PJ_KERNEL_CROSS_ENTROPY] = ref_cross_entropy, [PJ_KERNEL_KL] = ref_kl,
  [PJ_KERNEL_CHANNEL_STATS] = ref_channel_stats, [PJ_KERNEL_FOLD_NORM] = ref_fold_norm,
  [PJ_KERNEL_FOLD_GATE] = ref_fold_gate, [PJ_KERNEL_SGD] = ref_sgd, [PJ_KERNEL_VIEW] = ref_view_kernel,
  [PJ_KERNEL_UNARY] = ref_unary,
  [PJ_KERNEL_UNARY_BWD] = ref_unary_bwd,
  [PJ_KERNEL_BINARY] = ref_binary,
  [PJ_KERNEL_SUM_TO] = ref_sum_to,
  [PJ_KERNEL_CONCAT] = ref_concat,
  [PJ_KERNEL_VIEW_BWD] = ref_view_bwd,
  [PJ_KERNEL_GATHER] = ref_gather,
  [PJ_KERNEL_GATHER_BWD] = ref_gather_bwd,
  [PJ_KERNEL_LRN] = ref_lrn,
  [PJ_KERNEL_LRN_BWD] = ref_lrn_bwd,
  [PJ_KERNEL_RESIZE] = ref_resize,
  [PJ_KERNEL_RESIZE_BWD] = ref_resize_bwd,
  [PJ_KERNEL_INSTANCE_NORM] = ref_instance_norm,
  [PJ_KERNEL_INSTANCE_NORM_BWD] = ref_instance_norm_bwd,
};

Reference *
reference_new (const PjProgram *program, const float *const stores[PJ_N_STORES], size_t n_elems)
{
  Reference *self = g_new0 (Reference, 1);

  self->program = program;
  for (int s = 0; s < PJ_N_STORES; s++) {
    if (stores[s] == NULL)
      continue;
    self->stores[s] = g_new (double, n_elems);
    for (size_t i = 0; i < n_elems; i++)
      self->stores[s][i] = stores[s][i];
  }
  self->slots = g_new0 (double *, program->slots->len);
  for (guint i = 0; i < program->slots->len; i++) {
    const PjSlot *slot = pj_program_slot (program, i);
    self->slots[i] = slot->store == PJ_STORE_ARENA ? g_new0 (double, pj_shape_n_elems (&slot->shape))
                                                   : self->stores[slot->store] + slot->offset;
  }
  return self;
}

void
reference_free (Reference *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->program->slots->len; i++)
    if (pj_program_slot (self->program, i)->store == PJ_STORE_ARENA)
      g_free (self->slots[i]);
  for (int s = 0; s < PJ_N_STORES; s++)
    g_free (self->stores[s]);
  g_free (self->slots);
  g_free (self);
}

void
reference_write (Reference *self, int slot, const float *data)
{
  size_t n = pj_shape_n_elems (&pj_program_slot (self->program, slot)->shape);
  for (size_t i = 0; i < n; i++)
    self->slots[slot][i] = data[i];
}

void
reference_write_ints (Reference *self, int slot, const gint32 *data)
{
  size_t n = pj_shape_n_elems (&pj_program_slot (self->program, slot)->shape);
  for (size_t i = 0; i < n; i++)
    self->slots[slot][i] = data[i];
}

void
reference_run (Reference *self, unsigned segments)
{
  for (guint i = 0; i < self->program->calls->len; i++) {
    const PjCall *call = pj_program_call (self->program, i);
    RefCall c = { .call = call, .stores = self->stores };
    if (!(segments & (1u << call->segment)))
      continue;
    for (int k = 0; k < PJ_CALL_MAX_IN; k++)
      if (call->in[k] >= 0) {
        c.in[k] = self->slots[call->in[k]];
        c.in_shape[k] = &pj_program_slot (self->program, call->in[k])->shape;
      }
    for (int k = 0; k < PJ_CALL_MAX_OUT; k++)
      if (call->out[k] >= 0) {
        c.out[k] = self->slots[call->out[k]];
        c.out_shape[k] = &pj_program_slot (self->program, call->out[k])->shape;
      }
    kernels[call->kernel] (&c);
  }
}

/* --- element by element --- */

void
ref_relu (const RefCall *c)
{
  for (size_t i = 0; i < pj_shape_n_elems (c->out_shape[0]); i++)
    c->out[0][i] = MAX (c->in[0][i], 0);
}

void
ref_relu_bwd (const RefCall *c)
{
  for (size_t i = 0; i < pj_shape_n_elems (c->out_shape[0]); i++)
    c->out[0][i] = c->in[0][i] > 0 ? c->in[1][i] : 0;
}

void
ref_add (const RefCall *c)
{
  for (size_t i = 0; i < pj_shape_n_elems (c->out_shape[0]); i++)
    c->out[0][i] = ref_relu_if (c, c->in[0][i] + c->in[1][i]);
}

void
ref_reshape (const RefCall *c)
{
  memcpy (c->out[0], c->in[0], pj_shape_n_elems (c->out_shape[0]) * sizeof (double));
}

void
ref_sgd (const RefCall *c)
{
  double lr = c->in[0][PJ_HYPER_LR], mu = c->in[0][PJ_HYPER_MOMENTUM], wd = c->in[0][PJ_HYPER_WEIGHT_DECAY];
  gboolean nesterov = c->in[0][PJ_HYPER_NESTEROV] != 0;
  double *w = c->stores[PJ_STORE_PARAMS], *g = c->stores[PJ_STORE_GRADS], *v = c->stores[PJ_STORE_MOMENTUM];

  for (size_t i = 0; i < c->call->sgd.n_decay + c->call->sgd.n_plain; i++) {
    double d = g[i] + (i < c->call->sgd.n_decay ? wd * w[i] : 0);
    v[i] = mu * v[i] + d;
    w[i] -= lr * (nesterov ? d + mu * v[i] : v[i]);
  }
}
