/* SPDX-License-Identifier: MIT */
/* Convolution by oneDNN, which also chooses the layouts, or by Winograd's algorithm (winograd.c) where that is faster: bias,
 * residual and ReLU run in the same pass.  Weights are packed in the prologue, once per change of the parameters, never per
 * batch. */
#include "compute/cpu/internal.h"

#include <string.h>

/* What the three directions have in common. */
typedef struct {
  int x, w, y;                          /* slots that have the shapes of input, weights and output */
  dnnl_memory_desc_t weights, any_weights, bias;
  dnnl_dims_t strides, dilates, pad_l, pad_r;
} Geometry;

static Geometry
geometry (PjCpuExec *e, const PjConvParams *p, int x, int w, int y)
{
  const PjShape *s = pj_cpu_shape (e, w);
  Geometry g = { .x = x, .w = w, .y = y };
  dnnl_dims_t dims = { p->groups, s->dim[0] / p->groups, s->dim[1], s->dim[2], s->dim[3] };
  dnnl_dims_t plain = { s->dim[0], s->dim[1], s->dim[2], s->dim[3] };

  if (p->groups > 1) {
    dnnl_memory_desc_init_by_tag (&g.weights, 5, dims, dnnl_f32, dnnl_goihw);
    dnnl_memory_desc_init_by_tag (&g.any_weights, 5, dims, dnnl_f32, dnnl_format_tag_any);
  } else {
    dnnl_memory_desc_init_by_tag (&g.weights, 4, plain, dnnl_f32, dnnl_oihw);
    dnnl_memory_desc_init_by_tag (&g.any_weights, 4, plain, dnnl_f32, dnnl_format_tag_any);
  }
  dnnl_memory_desc_init_by_tag (&g.bias, 1, (dnnl_dims_t) { s->dim[0] }, dnnl_f32, dnnl_a);
  for (int i = 0; i < 2; i++) {
    g.strides[i] = p->stride[i];
    g.dilates[i] = p->dilation[i] - 1;
    g.pad_l[i] = p->pad[i];
    g.pad_r[i] = p->pad[2 + i];
  }
  return g;
}

/* Layout @block of the slot, 0 for whatever oneDNN likes best. */
static dnnl_memory_desc_t
wish (PjCpuExec *e, int slot, int block)
{
  dnnl_memory_desc_t md = pj_cpu_md (e, slot, MAX (block, 1));
  if (block == 0) {
    dnnl_memory_desc_t any;
    dnnl_memory_desc_init_by_tag (&any, 4, md.dims, dnnl_f32, dnnl_format_tag_any);
    return any;
  }
  return md;
}

static dnnl_status_t
describe (PjCpuExec *e, const Geometry *g, const PjCall *call, int block, dnnl_convolution_desc_t *desc)
{
  dnnl_memory_desc_t src = wish (e, g->x, block), dst = wish (e, g->y, block);

  switch (call->kernel) {
  case PJ_KERNEL_CONV:
    return dnnl_dilated_convolution_forward_desc_init (desc, dnnl_forward_training, dnnl_convolution_direct, &src, &g->any_weights,
                                                       call->in[2] >= 0 ? &g->bias : NULL, &dst, g->strides, g->dilates, g->pad_l, g->pad_r);
  case PJ_KERNEL_CONV_BWD_INPUT:
    return dnnl_dilated_convolution_backward_data_desc_init (desc, dnnl_convolution_direct, &src, &g->any_weights, &dst,
                                                             g->strides, g->dilates, g->pad_l, g->pad_r);
  default:
    return dnnl_dilated_convolution_backward_weights_desc_init (desc, dnnl_convolution_direct, &src, &g->any_weights,
                                                                call->out[1] >= 0 ? &g->bias : NULL, &dst,
                                                                g->strides, g->dilates, g->pad_l, g->pad_r);
  }
}

static dnnl_primitive_attr_t
attributes (const PjCall *call)
{
  dnnl_primitive_attr_t attr = NULL;
  dnnl_post_ops_t post = NULL;

  dnnl_primitive_attr_create (&attr);
  dnnl_primitive_attr_set_scratchpad_mode (attr, dnnl_scratchpad_mode_user);
  dnnl_post_ops_create (&post);
  if (call->kernel == PJ_KERNEL_CONV && call->in[3] >= 0)
    dnnl_post_ops_append_sum (post, 1.0f);
  if (call->kernel == PJ_KERNEL_CONV && call->relu && call->ceiling > 0.0f)
    dnnl_post_ops_append_eltwise (post, 1.0f, dnnl_eltwise_clip, 0.0f, call->ceiling);
  else if (call->kernel == PJ_KERNEL_CONV && call->relu)
    dnnl_post_ops_append_eltwise (post, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
  dnnl_primitive_attr_set_post_ops (attr, post);
  dnnl_post_ops_destroy (post);
  return attr;
}

typedef struct {
  dnnl_primitive_desc_t pd;
  int x_block, y_block;
  dnnl_memory_desc_t x, w, y;
} Choice;

/* The implementation that oneDNN likes best among those whose layouts are ours. */
static gboolean
choose (PjCpuExec *e, const Geometry *g, const PjCall *call, Choice *choice, GError **error)
{
  static const int wishes[] = { 0, 16, 8, 1 };
  static const dnnl_query_t queries[][3] = {
    { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md },
    { dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md },
    { dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md },
  };
  const dnnl_query_t *query = queries[call->kernel - PJ_KERNEL_CONV];
  dnnl_primitive_attr_t attr = attributes (call);
  dnnl_status_t status = dnnl_unimplemented;

  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++) {
    dnnl_convolution_desc_t desc;
    status = describe (e, g, call, wishes[i], &desc);
    if (status == dnnl_success)
      status = dnnl_primitive_desc_create (&choice->pd, &desc, attr, e->device->engine, NULL);
    if (status != dnnl_success)
      continue;
    choice->x = *dnnl_primitive_desc_query_md (choice->pd, query[0], 0);
    choice->w = *dnnl_primitive_desc_query_md (choice->pd, query[1], 0);
    choice->y = *dnnl_primitive_desc_query_md (choice->pd, query[2], 0);
    choice->x_block = pj_cpu_block_of (e, g->x, &choice->x);
    choice->y_block = pj_cpu_block_of (e, g->y, &choice->y);
    if (choice->x_block > 0 && choice->y_block > 0)
      break;
    dnnl_primitive_desc_destroy (choice->pd);
    status = dnnl_unimplemented;
  }
  dnnl_primitive_attr_destroy (attr);
  return status == dnnl_success || pj_cpu_fail (e, status, "no such convolution", error);
}

/* The weights of slot @slot in the layout @packed: the slot itself, or a copy made in the prologue. */
static int
pack (PjCpuExec *e, const Geometry *g, const dnnl_memory_desc_t *packed, GError **error)
{
  int plain = pj_cpu_get (e, g->w, 1, error);

  if (plain < 0 || dnnl_memory_desc_equal (packed, &g->weights))
    return plain;
  for (guint i = 0; i < e->copies->len; i++) {
    const PjCpuCopy *copy = &g_array_index (e->copies, PjCpuCopy, i);
    if (copy->is_packed && copy->slot == g->w && dnnl_memory_desc_equal (&copy->md, packed))
      return copy->mem;
  }
  PjCpuCopy copy = { .slot = g->w, .is_packed = TRUE, .md = *packed, .mem = pj_cpu_mem_new (e, dnnl_memory_desc_get_size (packed)) };
  pj_cpu_mem (e, copy.mem)->keep = TRUE;
  PjCpuStep *step = pj_cpu_reorder (e, &g->weights, plain, packed, copy.mem, error);
  if (step == NULL)
    return -1;
  step->segment = PJ_SEGMENT_PROLOGUE;
  g_array_append_val (e->copies, copy);
  return copy.mem;
}

static gboolean
copy_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  memcpy (pj_cpu_out (e, step, 0), pj_cpu_in (e, step, 0), pj_cpu_mem (e, step->mems[0])->size_bytes);
  return TRUE;
}

int
pj_cpu_conv_output (PjCpuExec *e, const PjCall *call, int block, GError **error)
{
  int r = call->in[3];

  if (r < 0)
    return pj_cpu_define (e, call->out[0], block, -1);
  int residual = pj_cpu_get (e, r, block, error);
  if (residual < 0)
    return -1;
  /* The input is read while the output is written, so it cannot be the same memory. */
  int y = pj_cpu_define (e, call->out[0], block, e->slots[r].mem != e->slots[call->in[0]].mem ? r : -1);
  if (y != residual) {
    PjCpuStep *step = pj_cpu_step_new (e, copy_run);
    step->mems[0] = residual;
    step->mems[PJ_CPU_OUT] = y;
  }
  return y;
}

gboolean
pj_cpu_conv (PjCpuExec *e, const PjCall *call, GError **error)
{
  if (pj_cpu_winograd_pays (e, call))
    return pj_cpu_winograd (e, call, error);
  Geometry g = geometry (e, &call->conv, call->in[0], call->in[1], call->out[0]);
  Choice c;
  int x, w, y, b = -1;

  if (!choose (e, &g, call, &c, error))
    return FALSE;
  if ((x = pj_cpu_get (e, call->in[0], c.x_block, error)) < 0 || (w = pack (e, &g, &c.w, error)) < 0
      || (call->in[2] >= 0 && (b = pj_cpu_get (e, call->in[2], 1, error)) < 0)
      || (y = pj_cpu_conv_output (e, call, c.y_block, error)) < 0) {
    dnnl_primitive_desc_destroy (c.pd);
    return FALSE;
  }
  PjCpuStep *step = pj_cpu_primitive_step (e, c.pd, error);
  return step != NULL && pj_cpu_primitive_arg (e, step, DNNL_ARG_SRC, &c.x, x, error)
         && pj_cpu_primitive_arg (e, step, DNNL_ARG_WEIGHTS, &c.w, w, error)
         && (b < 0 || pj_cpu_primitive_arg (e, step, DNNL_ARG_BIAS, &g.bias, b, error))
         && pj_cpu_primitive_arg (e, step, DNNL_ARG_DST, &c.y, y, error);
}

gboolean
pj_cpu_conv_bwd_input (PjCpuExec *e, const PjCall *call, GError **error)
{
  if (pj_cpu_winograd_pays (e, call))
    return pj_cpu_winograd (e, call, error);
  Geometry g = geometry (e, &call->conv, call->out[0], call->in[1], call->in[0]);
  Choice c;
  int dy, w;

  if (!choose (e, &g, call, &c, error))
    return FALSE;
  if ((dy = pj_cpu_get (e, call->in[0], c.y_block, error)) < 0 || (w = pack (e, &g, &c.w, error)) < 0) {
    dnnl_primitive_desc_destroy (c.pd);
    return FALSE;
  }
  int dx = pj_cpu_define (e, call->out[0], c.x_block, -1);
  PjCpuStep *step = pj_cpu_primitive_step (e, c.pd, error);
  return step != NULL && pj_cpu_primitive_arg (e, step, DNNL_ARG_DIFF_DST, &c.y, dy, error)
         && pj_cpu_primitive_arg (e, step, DNNL_ARG_WEIGHTS, &c.w, w, error)
         && pj_cpu_primitive_arg (e, step, DNNL_ARG_DIFF_SRC, &c.x, dx, error);
}

static gboolean
accumulate_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  float *sum = pj_cpu_out (e, step, 0);
  e->device->loops->add (sum, pj_cpu_in (e, step, 0), pj_cpu_mem (e, step->mems[0])->size_bytes / sizeof (float), FALSE, sum);
  return TRUE;
}

static void
accumulate (PjCpuExec *e, int from, int to)
{
  PjCpuStep *step = pj_cpu_step_new (e, accumulate_run);
  step->mems[0] = from;
  step->mems[PJ_CPU_OUT] = to;
}

gboolean
pj_cpu_conv_bwd_weight (PjCpuExec *e, const PjCall *call, GError **error)
{
  if (pj_cpu_winograd_pays (e, call))
    return pj_cpu_winograd (e, call, error);
  Geometry g = geometry (e, &call->conv, call->in[0], call->out[0], call->in[1]);
  Choice c;
  int x, dy;

  if (!choose (e, &g, call, &c, error))
    return FALSE;
  if ((x = pj_cpu_get (e, call->in[0], c.x_block, error)) < 0 || (dy = pj_cpu_get (e, call->in[1], c.y_block, error)) < 0) {
    dnnl_primitive_desc_destroy (c.pd);
    return FALSE;
  }
  int dw = pj_cpu_define (e, call->out[0], 1, -1), db = call->out[1] >= 0 ? pj_cpu_define (e, call->out[1], 1, -1) : -1;
  gboolean is_plain = dnnl_memory_desc_equal (&c.w, &g.weights);
  size_t plain_size = pj_cpu_mem (e, dw)->size_bytes;
  int made = is_plain && !call->accumulate ? dw : pj_cpu_mem_new (e, dnnl_memory_desc_get_size (&c.w));
  int made_bias = db >= 0 && call->accumulate ? pj_cpu_mem_new (e, pj_cpu_mem (e, db)->size_bytes) : db;

  PjCpuStep *step = pj_cpu_primitive_step (e, c.pd, error);
  if (step == NULL || !pj_cpu_primitive_arg (e, step, DNNL_ARG_SRC, &c.x, x, error)
      || !pj_cpu_primitive_arg (e, step, DNNL_ARG_DIFF_DST, &c.y, dy, error)
      || !pj_cpu_primitive_arg (e, step, DNNL_ARG_DIFF_WEIGHTS, &c.w, made, error)
      || (db >= 0 && !pj_cpu_primitive_arg (e, step, DNNL_ARG_DIFF_BIAS, &g.bias, made_bias, error)))
    return FALSE;
  if (!is_plain) {
    int plain = call->accumulate ? pj_cpu_mem_new (e, plain_size) : dw;
    if (pj_cpu_reorder (e, &c.w, made, &g.weights, plain, error) == NULL)
      return FALSE;
    made = plain;
  }
  if (call->accumulate) {
    accumulate (e, made, dw);
    if (db >= 0)
      accumulate (e, made_bias, db);
  }
  return TRUE;
}
