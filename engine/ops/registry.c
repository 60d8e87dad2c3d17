/* SPDX-License-Identifier: MIT */
/* The rows of the family, and what all members share. */
#include "ops/op.h"

#include <string.h>

static const PjOp *const ops[] = {
  &pj_op_conv, &pj_op_norm, &pj_op_relu, &pj_op_max_pool, &pj_op_avg_pool, &pj_op_global_avg_pool,
  &pj_op_flatten, &pj_op_reshape, &pj_op_gemm, &pj_op_add, &pj_op_softmax, &pj_op_identity,
  &pj_op_opaque, NULL,
};

const PjOp *const *
pj_ops (void)
{
  return ops;
}

const PjOp *
pj_op_find (const char *name)
{
  for (int i = 0; ops[i] != NULL; i++)
    if (strcmp (ops[i]->name, name) == 0)
      return ops[i];
  return NULL;
}

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
