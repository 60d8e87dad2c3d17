/* SPDX-License-Identifier: MIT */
#include "compute/program.h"

PjProgram *
pj_program_new (void)
{
  PjProgram *self = g_new0 (PjProgram, 1);
  self->slots = g_array_new (FALSE, TRUE, sizeof (PjSlot));
  self->calls = g_array_new (FALSE, TRUE, sizeof (PjCall));
  return self;
}

void
pj_program_free (PjProgram *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->slots);
  g_array_unref (self->calls);
  g_free (self);
}

int
pj_program_add_slot (PjProgram *self, PjStore store, PjSlotFlags flags, PjShape shape, size_t offset, int value)
{
  PjSlot slot = { store, flags, shape, offset, value };
  g_array_append_val (self->slots, slot);
  return (int) self->slots->len - 1;
}

PjCall *
pj_program_add_call (PjProgram *self, PjKernel kernel, PjSegment segment, int node)
{
  PjCall call = { .kernel = kernel, .segment = segment, .node = node };
  for (int i = 0; i < PJ_CALL_MAX_IN; i++)
    call.in[i] = -1;
  for (int i = 0; i < PJ_CALL_MAX_OUT; i++)
    call.out[i] = -1;
  g_array_append_val (self->calls, call);
  return pj_program_call (self, self->calls->len - 1);
}

const char *
pj_kernel_name (PjKernel kernel)
{
  static const char *const names[PJ_N_KERNELS] = {
    [PJ_KERNEL_CONV] = "conv", [PJ_KERNEL_CONV_WITHOUT] = "conv_without", [PJ_KERNEL_CONV_BWD_INPUT] = "conv_bwd_input",
    [PJ_KERNEL_CONV_BWD_WEIGHT] = "conv_bwd_weight", [PJ_KERNEL_GEMM] = "gemm",
    [PJ_KERNEL_GEMM_BWD_INPUT] = "gemm_bwd_input", [PJ_KERNEL_GEMM_BWD_WEIGHT] = "gemm_bwd_weight",
    [PJ_KERNEL_NORM_TRAIN] = "norm_train", [PJ_KERNEL_NORM_EVAL] = "norm_eval", [PJ_KERNEL_NORM_APPLY] = "norm_apply",
    [PJ_KERNEL_NORM_BWD] = "norm_bwd", [PJ_KERNEL_NORM_EVAL_BWD] = "norm_eval_bwd",
    [PJ_KERNEL_GATE] = "gate", [PJ_KERNEL_GATE_BWD] = "gate_bwd", [PJ_KERNEL_RELU] = "relu",
    [PJ_KERNEL_RELU_BWD] = "relu_bwd", [PJ_KERNEL_ADD] = "add", [PJ_KERNEL_MAX_POOL] = "max_pool",
    [PJ_KERNEL_MAX_POOL_BWD] = "max_pool_bwd", [PJ_KERNEL_AVG_POOL] = "avg_pool",
    [PJ_KERNEL_AVG_POOL_BWD] = "avg_pool_bwd", [PJ_KERNEL_RESHAPE] = "reshape",
    [PJ_KERNEL_SOFTMAX] = "softmax", [PJ_KERNEL_CROSS_ENTROPY] = "cross_entropy", [PJ_KERNEL_KL] = "kl",
    [PJ_KERNEL_CHANNEL_STATS] = "channel_stats", [PJ_KERNEL_FOLD_NORM] = "fold_norm",
    [PJ_KERNEL_FOLD_GATE] = "fold_gate", [PJ_KERNEL_UNARY] = "unary", [PJ_KERNEL_UNARY_BWD] = "unary_bwd",
    [PJ_KERNEL_BINARY] = "binary", [PJ_KERNEL_SUM_TO] = "sum_to", [PJ_KERNEL_CONCAT] = "concat",
    [PJ_KERNEL_VIEW] = "view", [PJ_KERNEL_VIEW_BWD] = "view_bwd", [PJ_KERNEL_GATHER] = "gather",
    [PJ_KERNEL_GATHER_BWD] = "gather_bwd", [PJ_KERNEL_LRN] = "lrn", [PJ_KERNEL_LRN_BWD] = "lrn_bwd",
    [PJ_KERNEL_RESIZE] = "resize", [PJ_KERNEL_RESIZE_BWD] = "resize_bwd",
    [PJ_KERNEL_INSTANCE_NORM] = "instance_norm", [PJ_KERNEL_INSTANCE_NORM_BWD] = "instance_norm_bwd", [PJ_KERNEL_SGD] = "sgd",
  };
  return kernel < PJ_N_KERNELS ? names[kernel] : "?";
}

float
pj_call_ceiling (const PjCall *call)
{
  return !call->relu ? -1.0f : call->ceiling > 0.0f ? call->ceiling : G_MAXFLOAT;
}

static double
slot_elems (const PjProgram *self, int slot)
{
  return slot < 0 ? 0.0 : (double) pj_shape_n_elems (&pj_program_slot (self, slot)->shape);
}

/* Multiply-adds of a convolution or product: weights times output positions. */
static double
product_macs (const PjProgram *self, int w, int y)
{
  const PjShape *ws = &pj_program_slot (self, w)->shape, *ys = &pj_program_slot (self, y)->shape;
  return (double) pj_shape_n_elems (ws) * (double) pj_shape_n_elems (ys) / (double) ws->dim[0];
}

void
pj_call_work (const PjProgram *self, const PjCall *call, double *flops, double *bytes)
{
  double elems = 0, sum = 0;

  for (int i = 0; i < PJ_CALL_MAX_IN; i++)
    sum += slot_elems (self, call->in[i]);
  for (int i = 0; i < PJ_CALL_MAX_OUT; i++) {
    sum += slot_elems (self, call->out[i]);
    elems = MAX (elems, slot_elems (self, call->out[i]));
  }
  *bytes = 4.0 * sum;
  switch (call->kernel) {
  case PJ_KERNEL_CONV:
  case PJ_KERNEL_GEMM:
    *flops = 2.0 * product_macs (self, call->in[1], call->out[0]);
    break;
  case PJ_KERNEL_CONV_WITHOUT: {
    double n_in = (double) pj_program_slot (self, call->in[1])->shape.dim[1];
    *flops = 2.0 * product_macs (self, call->in[1], call->out[0]) / n_in;
    *bytes -= 4.0 * (slot_elems (self, call->in[0]) + slot_elems (self, call->in[1])) * (1.0 - 1.0 / n_in);
    break;
  }
  case PJ_KERNEL_CONV_BWD_INPUT:
  case PJ_KERNEL_GEMM_BWD_INPUT:
    *flops = 2.0 * product_macs (self, call->in[1], call->in[0]);
    break;
  case PJ_KERNEL_CONV_BWD_WEIGHT:
  case PJ_KERNEL_GEMM_BWD_WEIGHT:
    *flops = 2.0 * product_macs (self, call->out[0], call->in[1]);
    break;
  case PJ_KERNEL_SGD:
    *flops = 6.0 * (double) (call->sgd.n_decay + call->sgd.n_plain);
    *bytes = 20.0 * (double) (call->sgd.n_decay + call->sgd.n_plain);
    break;
  default:
    *flops = elems;   /* element-wise and reductions: about one operation per element */
  }
}
