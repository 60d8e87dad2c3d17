/* SPDX-License-Identifier: MIT */
/* Dimensions in another order; the batch stays first. */
#include "ops/view.h"

static void
view_transpose (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view)
{
  const PjTransposeParams *p = node->params;
  PjView straight;
  pj_view_plain (x, x, &straight);
  pj_view_plain (x, y, view);
  for (unsigned i = 0; i < y->rank; i++)
    view->stride[i] = straight.stride[p->order[i]];
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  pj_view_lower (l, index, view_transpose);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  pj_view_lower_backward (l, index, view_transpose);
  return TRUE;
}

static gboolean
infer_transpose (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjTransposeParams *p = node->params;
  const PjShape *x = input_shape (graph, node, 0);
  gboolean seen[PJ_MAX_RANK] = { FALSE };

  outputs[0] = *x;
  for (unsigned i = 0; i < x->rank; i++) {
    int from = p->rank == x->rank ? p->order[i] : -1;
    if (from < 0 || from >= (int) x->rank || seen[from] || (i == 0 && from != 0)) {
      pj_op_shape_error (error, node, "its order of dimensions does not fit a map of rank %u, or moves the batch", x->rank);
      return FALSE;
    }
    seen[from] = TRUE;
    outputs[0].dim[i] = x->dim[from];
  }
  return TRUE;
}

static void
channels_transpose (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjTransposeParams *p = node->params;
  if (p->order[1] == 1) {
    pj_op_channels_through (channels, graph, index);
    return;
  }
  pj_channels_lock (channels, node->inputs[0], 1, index, "is moved to another dimension by a transposition");
  pj_channels_lock (channels, node->outputs[0], 1, index, "comes from another dimension through a transposition");
}

static gboolean
transpose_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjTransposeParams *p = params;
  int64_t order[PJ_MAX_RANK];
  PjShape x;

  if (!pj_onnx_in_shape (in, 0, &x))
    return pj_onnx_in_refuse (in, error, "its input has no known shape");
  unsigned n = pj_onnx_in_ints (in, "perm", order, PJ_MAX_RANK);
  if (n != 0 && n != x.rank)
    return pj_onnx_in_refuse (in, error, "perm has %u values, expected %u", n, x.rank);
  p->rank = x.rank;
  for (unsigned i = 0; i < x.rank; i++)
    p->order[i] = (int) CLAMP (n != 0 ? order[i] : (int64_t) (x.rank - 1 - i), -1, PJ_MAX_RANK);
  return TRUE;
}

static void
transpose_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjTransposeParams *p = node->params;
  int64_t order[PJ_MAX_RANK];
  for (unsigned i = 0; i < p->rank; i++)
    order[i] = p->order[i];
  pj_onnx_out_ints (out, "perm", order, p->rank);
}

const PjOp pj_op_transpose = {
  .name = "transpose", .title = "Transpose", .onnx_names = (const char *const[]) { "Transpose", NULL },
  .params_size = sizeof (PjTransposeParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_transpose, .channels = channels_transpose, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = transpose_from_onnx, .to_onnx = transpose_to_onnx,
};
