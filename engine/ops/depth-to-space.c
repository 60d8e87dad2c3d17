/* SPDX-License-Identifier: MIT */
/* Blocks of channels become squares of pixels (sub-pixel convolution). */
#include "ops/view.h"

#include <string.h>

/* y [n, c, h, i, w, j] is x [n, (c, i, j) or (i, j, c), h, w]. */
static void
view_space (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view)
{
  const PjSpaceParams *p = node->params;
  int64_t r = p->block, c = y->dim[1], h = x->dim[2], w = x->dim[3], plane = h * w;
  const int64_t dim[6] = { y->dim[0], c, h, r, w, r };
  const int64_t channel = p->channels_first ? r * r : 1, block = p->channels_first ? 1 : c;
  const int64_t stride[6] = { x->dim[1] * plane, channel * plane, w, r * block * plane, 1, block * plane };

  *view = (PjView) { .rank = 6 };
  memcpy (view->dim, dim, sizeof dim);
  memcpy (view->extent, dim, sizeof dim);
  memcpy (view->stride, stride, sizeof stride);
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  pj_view_lower (l, index, view_space);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  pj_view_lower_backward (l, index, view_space);
  return TRUE;
}

static gboolean
infer_space (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjSpaceParams *p = node->params;
  const PjShape *x = input_shape (graph, node, 0);
  int64_t r = p->block;
  if (x->rank != 4 || r < 1 || r > 4096 || x->dim[1] % (r * r) != 0) {
    pj_op_shape_error (error, node, "blocks of %" G_GINT64_FORMAT " do not fit its input", r);
    return FALSE;
  }
  outputs[0] = PJ_SHAPE (x->dim[0], x->dim[1] / (r * r), x->dim[2] * r, x->dim[3] * r);
  return TRUE;
}

static void
channels_space (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjSpaceParams *p = node->params;
  int blocks = p->block * p->block, c = (int) pj_graph_value (graph, node->outputs[0])->shape.dim[1];
  for (int k = 0; k < blocks; k++)
    pj_channels_tie (channels, node->inputs[0], 1, p->channels_first ? k : k * c, p->channels_first ? blocks : 1,
                     node->outputs[0], 1, 0, 1, c);
}

static gboolean
space_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjSpaceParams *p = params;
  p->block = (int) CLAMP (pj_onnx_in_int (in, "blocksize", 0), 0, 4097);
  p->channels_first = strcmp (pj_onnx_in_string (in, "mode", "DCR"), "CRD") == 0;
  return TRUE;
}

static void
space_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjSpaceParams *p = node->params;
  pj_onnx_out_int (out, "blocksize", p->block);
  if (p->channels_first)
    pj_onnx_out_text (out, "mode", "CRD");
}

const PjOp pj_op_depth_to_space = {
  .name = "depth_to_space", .title = "Depth to space", .onnx_names = (const char *const[]) { "DepthToSpace", NULL },
  .params_size = sizeof (PjSpaceParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_space, .channels = channels_space, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = space_from_onnx, .to_onnx = space_to_onnx,
};
