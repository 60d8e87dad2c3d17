/* SPDX-License-Identifier: MIT */
/* An operator that this build does not know: shown, counted as unknown, and locking what it touches.
 * It cannot be run or exported. */
#include "ops/util.h"

#include "base/error.h"

#include <string.h>

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjOpaqueParams *p = node->params;
  outputs[0].rank = p->rank;
  memcpy (outputs[0].dim, p->dim, sizeof p->dim);
  return TRUE;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjOpaqueParams *p = node->params;
  g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "node “%s” (%s) cannot be run: %s", node->name, p->type,
               *p->reason ? p->reason : "this operator is not known here");
  return FALSE;
}

const PjOp pj_op_opaque = {
  .name = "opaque", .title = "Unknown operator", .onnx_names = (const char *const[]) { NULL },
  .params_size = sizeof (PjOpaqueParams), .min_inputs = 0, .max_inputs = G_MAXUINT, .zero = PJ_ZERO_BREAKS,
  .infer = infer, .lower = lower,
};
