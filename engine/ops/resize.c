/* SPDX-License-Identifier: MIT */
/* Maps of another size: nearest pixel or bilinear, on the grids that exporters write. */
#include "ops/util.h"

#include <math.h>
#include <string.h>

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjResizeParams *p = node->params;
  const PjShape *x = input_shape (graph, node, 0);

  outputs[0] = *x;
  for (int i = 0; i < 2; i++) {
    double size = x->rank == 4 ? floor ((double) x->dim[2 + i] * (double) p->scale[i] + 1e-4) : 0;
    if (!(size >= 1 && size <= 1 << 16)) {
      pj_op_shape_error (error, node, "a scale of %g does not fit its input", (double) p->scale[i]);
      return FALSE;
    }
    outputs[0].dim[2 + i] = (int64_t) size;
  }
  return TRUE;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_RESIZE, index);
  call->resize = *(const PjResizeParams *) node->params;
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, FALSE);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_RESIZE_BWD, index);
  call->resize = *(const PjResizeParams *) node->params;
  call->in[0] = dy;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

/* Scales of all four dimensions, from floats or from wanted sizes. */
static gboolean
read_scales (PjOnnxIn *in, const PjShape *x, float scale[4])
{
  gboolean is_new = strcmp (pj_onnx_in_op_type (in), "Resize") == 0 && pj_onnx_in_opset (in) >= 11;
  int64_t sizes[4];
  PjShape shape;
  PjBlob *blob = pj_onnx_in_const_floats (in, is_new ? 2 : 1, &shape);

  if (blob != NULL && pj_blob_n_elems (blob) == 4) {
    memcpy (scale, pj_blob_data (blob), 4 * sizeof *scale);
    return TRUE;
  }
  if (is_new && pj_onnx_in_const_ints (in, 3, sizes, 4) == 4) {
    for (int i = 0; i < 4; i++)
      scale[i] = (float) sizes[i] / (float) x->dim[i];
    scale[0] = 1;
    return TRUE;
  }
  return pj_onnx_in_floats (in, "scales", scale, 4) == 4;
}

static gboolean
read_grid (PjOnnxIn *in, const PjShape *x, PjResizeParams *p, GError **error)
{
  const char *mode = pj_onnx_in_string (in, "mode", "nearest");
  gboolean is_old = strcmp (pj_onnx_in_op_type (in), "Resize") != 0 || pj_onnx_in_opset (in) < 11;
  const char *grid = pj_onnx_in_string (in, "coordinate_transformation_mode", is_old ? "asymmetric" : "half_pixel");
  const char *nearest = pj_onnx_in_string (in, "nearest_mode", is_old ? "floor" : "round_prefer_floor");

  p->mode = strcmp (mode, "nearest") == 0 ? PJ_RESIZE_NEAREST : PJ_RESIZE_LINEAR;
  p->floor = strcmp (nearest, "floor") == 0;
  p->grid = strcmp (grid, "asymmetric") == 0 ? PJ_RESIZE_ASYMMETRIC
            : strcmp (grid, "align_corners") == 0 ? PJ_RESIZE_ALIGN_CORNERS : PJ_RESIZE_HALF_PIXEL;
  if (p->mode == PJ_RESIZE_LINEAR && strcmp (mode, "linear") != 0 && strcmp (mode, "bilinear") != 0)
    return pj_onnx_in_refuse (in, error, "mode “%s” is not supported, only nearest and linear", mode);
  if (p->grid == PJ_RESIZE_HALF_PIXEL && strcmp (grid, "half_pixel") != 0 && strcmp (grid, "pytorch_half_pixel") != 0)
    return pj_onnx_in_refuse (in, error, "the grid “%s” is not supported", grid);
  for (int i = 0; i < 2; i++)
    if (strcmp (grid, "pytorch_half_pixel") == 0 && (double) x->dim[2 + i] * (double) p->scale[i] < 2)
      return pj_onnx_in_refuse (in, error, "the grid “%s” onto one pixel is not supported", grid);
  if (p->mode == PJ_RESIZE_NEAREST && !p->floor && strcmp (nearest, "round_prefer_floor") != 0)
    return pj_onnx_in_refuse (in, error, "nearest mode “%s” is not supported", nearest);
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjResizeParams *p = params;
  float scale[4];
  PjShape x;

  if (!pj_onnx_in_shape (in, 0, &x) || x.rank != 4 || !read_scales (in, &x, scale))
    return pj_onnx_in_refuse (in, error, "only maps with stored scales or sizes are supported");
  if (scale[0] != 1.0f || scale[1] != 1.0f)
    return pj_onnx_in_refuse (in, error, "only height and width can be resized");
  p->scale[0] = scale[2];
  p->scale[1] = scale[3];
  pj_onnx_in_keep_inputs (in, 1);
  return read_grid (in, &x, p, error);
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  static const char *const grids[] = { "half_pixel", "align_corners", "asymmetric" };
  const PjResizeParams *p = node->params;
  const float scales[4] = { 1, 1, p->scale[0], p->scale[1] };

  pj_onnx_out_text (out, "mode", p->mode == PJ_RESIZE_NEAREST ? "nearest" : "linear");
  if (pj_onnx_out_opset (out) < 11) {
    pj_onnx_out_add_const_floats (out, "scales", scales, 4);
    return;
  }
  pj_onnx_out_text (out, "coordinate_transformation_mode", grids[p->grid]);
  pj_onnx_out_text (out, "nearest_mode", p->floor ? "floor" : "round_prefer_floor");
  pj_onnx_out_add_absent (out);
  pj_onnx_out_add_const_floats (out, "scales", scales, 4);
}

const PjOp pj_op_resize = {
  .name = "resize", .title = "Resize", .onnx_names = (const char *const[]) { "Resize", "Upsample", NULL },
  .params_size = sizeof (PjResizeParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer, .channels = pj_op_channels_through, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = to_onnx,
};
