/* SPDX-License-Identifier: MIT */
/* The rows of the family, and what all members share. */
#include "ops/op.h"

#include <string.h>

/* Where several members import one ONNX type, the first is asked and may pick another. */
static const PjOp *const ops[] = {
  &pj_op_conv, &pj_op_conv_transpose, &pj_op_gemm, &pj_op_norm, &pj_op_layer_norm, &pj_op_instance_norm, &pj_op_lrn,
  &pj_op_relu, &pj_op_prelu, &pj_op_leaky_relu, &pj_op_elu, &pj_op_sigmoid, &pj_op_hard_sigmoid, &pj_op_hard_swish,
  &pj_op_tanh, &pj_op_gelu, &pj_op_softplus, &pj_op_clip, &pj_op_erf, &pj_op_exp, &pj_op_log, &pj_op_sqrt,
  &pj_op_abs, &pj_op_power, &pj_op_reciprocal,
  &pj_op_add, &pj_op_sub, &pj_op_mul, &pj_op_div, &pj_op_add_wide, &pj_op_add_const, &pj_op_mul_const,
  &pj_op_scale, &pj_op_shift,
  &pj_op_max_pool, &pj_op_avg_pool, &pj_op_global_avg_pool, &pj_op_reduce_mean,
  &pj_op_flatten, &pj_op_reshape, &pj_op_transpose, &pj_op_concat, &pj_op_slice, &pj_op_gather, &pj_op_pad,
  &pj_op_depth_to_space, &pj_op_resize,
  &pj_op_softmax, &pj_op_log_softmax, &pj_op_identity, &pj_op_opaque, NULL,
};

const PjOp *
pj_op_find_onnx (const char *onnx_name)
{
  for (int i = 0; ops[i] != NULL; i++)
    for (int k = 0; ops[i]->onnx_names[k] != NULL; k++)
      if (strcmp (ops[i]->onnx_names[k], onnx_name) == 0)
        return ops[i];
  return NULL;
}

void
pj_op_shape_error (GError **error, const PjNode *node, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_SHAPE, "node “%s”: %s", node->name, text);
}
