/* SPDX-License-Identifier: MIT */
/* The specification of every kernel: plain loops in double over logical, row-major tensors, written for
 * reading.  An interpreter runs whole programs with them, so that any device can be held against it. */
#pragma once

#include "compute/program.h"

G_BEGIN_DECLS

/**
 * Reference:
 * @slots: one array per slot; slots in stores point into @stores
 * @stores: by PjStore, NULL for the arena
 */
typedef struct {
  const PjProgram *program;
  double **slots;
  double *stores[PJ_N_STORES];
} Reference;

/* @stores: initial contents, copied; NULL where unused. @n_elems: length of every store. */
Reference *reference_new (const PjProgram *program, const float *const stores[PJ_N_STORES], size_t n_elems);
void reference_free (Reference *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reference, reference_free)

void reference_write (Reference *self, int slot, const float *data);
void reference_write_ints (Reference *self, int slot, const gint32 *data);
/* Runs the calls of the segments in the bit set. */
void reference_run (Reference *self, unsigned segments);

/* --- inside --- */

/* One call with its operands; NULL where absent. */
typedef struct {
  const PjCall *call;
  double *in[PJ_CALL_MAX_IN], *out[PJ_CALL_MAX_OUT];
  const PjShape *in_shape[PJ_CALL_MAX_IN], *out_shape[PJ_CALL_MAX_OUT];
  double *const *stores;
} RefCall;

void ref_conv (const RefCall *c);
void ref_conv_without (const RefCall *c);
void ref_conv_bwd_input (const RefCall *c);
void ref_conv_bwd_weight (const RefCall *c);
void ref_gemm (const RefCall *c);
void ref_gemm_bwd_input (const RefCall *c);
void ref_gemm_bwd_weight (const RefCall *c);
void ref_norm_train (const RefCall *c);
void ref_norm_eval (const RefCall *c);
void ref_norm_apply (const RefCall *c);
void ref_norm_bwd (const RefCall *c);
void ref_norm_eval_bwd (const RefCall *c);
void ref_gate (const RefCall *c);
void ref_gate_bwd (const RefCall *c);
void ref_relu (const RefCall *c);
void ref_relu_bwd (const RefCall *c);
void ref_add (const RefCall *c);
void ref_max_pool (const RefCall *c);
void ref_max_pool_bwd (const RefCall *c);
void ref_avg_pool (const RefCall *c);
void ref_avg_pool_bwd (const RefCall *c);
void ref_reshape (const RefCall *c);
void ref_softmax (const RefCall *c);
void ref_cross_entropy (const RefCall *c);
void ref_kl (const RefCall *c);
void ref_channel_stats (const RefCall *c);
void ref_fold_norm (const RefCall *c);
void ref_fold_gate (const RefCall *c);
void ref_unary (const RefCall *c);
void ref_unary_bwd (const RefCall *c);
void ref_binary (const RefCall *c);
void ref_sum_to (const RefCall *c);
void ref_concat (const RefCall *c);
void ref_view_bwd (const RefCall *c);
void ref_gather (const RefCall *c);
void ref_gather_bwd (const RefCall *c);
void ref_lrn (const RefCall *c);
void ref_lrn_bwd (const RefCall *c);
void ref_resize (const RefCall *c);
void ref_resize_bwd (const RefCall *c);
void ref_instance_norm (const RefCall *c);
void ref_instance_norm_bwd (const RefCall *c);
void ref_view_kernel (const RefCall *c);
void ref_sgd (const RefCall *c);

/* N, C and positions per channel of a tensor N × C [× …]. */
typedef struct { int64_t n, c, hw; } RefView;

static inline RefView
ref_view (const PjShape *s)
{
  RefView v = { s->dim[0], s->dim[1], 1 };
  for (unsigned i = 2; i < s->rank; i++)
    v.hw *= s->dim[i];
  return v;
}

static inline double
ref_relu_if (const RefCall *c, double v)
{
  double top = pj_call_ceiling (c->call);
  return top < 0 ? v : v < 0 ? 0 : v > top ? top : v;
}

G_END_DECLS
