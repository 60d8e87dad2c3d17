/* SPDX-License-Identifier: MIT */
/* A part of a map: along the channels, or of its pixels, perhaps in steps.  Split becomes one of these for
 * each of its parts. */
#include "ops/view.h"

static void
view_slice (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view)
{
  const PjSliceParams *p = node->params;
  pj_view_plain (x, y, view);
  for (unsigned i = 1; i < x->rank; i++) {
    view->offset += p->start[i] * view->stride[i];
    view->stride[i] *= p->step[i];
  }
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  pj_view_lower (l, index, view_slice);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  pj_view_lower_backward (l, index, view_slice);
  return TRUE;
}

static gboolean
infer_slice (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjSliceParams *p = node->params;
  const PjShape *x = input_shape (graph, node, 0);

  outputs[0] = *x;
  for (unsigned i = 1; i < x->rank; i++) {
    if (p->rank != x->rank || p->start[i] < 0 || p->step[i] < 1 || p->count[i] < 1 || p->step[i] > x->dim[i]
        || p->start[i] >= x->dim[i] || p->count[i] > (x->dim[i] - p->start[i] - 1) / p->step[i] + 1) {
      pj_op_shape_error (error, node, "a slice of %" G_GINT64_FORMAT " elements from %" G_GINT64_FORMAT " in steps of %"
                         G_GINT64_FORMAT " does not fit dimension %u of %" G_GINT64_FORMAT, p->count[i], p->start[i],
                         p->step[i], i, x->dim[i]);
      return FALSE;
    }
    outputs[0].dim[i] = p->count[i];
  }
  return TRUE;
}

static void
channels_slice (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjSliceParams *p = node->params;
  pj_channels_tie (channels, node->inputs[0], 1, (int) p->start[1], (int) p->step[1], node->outputs[0], 1, 0, 1, (int) p->count[1]);
  /* What is left of a channel in steps after a cut has no step any more. */
  if (p->step[1] != 1)
    pj_channels_lock (channels, node->inputs[0], 1, index, "is read in steps");
}

static void
cut_slice (PjGraph *graph, int index, const int *moved_in, const int *moved_out)
{
  PjSliceParams *p = pj_graph_node_params (graph, index);
  int64_t before = 0, inside = 0;

  for (int64_t c = 0; moved_in != NULL && c < p->start[1] + p->count[1]; c++)
    *(c < p->start[1] ? &before : &inside) += moved_in[c] >= 0;
  if (moved_in != NULL) {
    p->start[1] = before;
    p->count[1] = inside;
  }
}

/* Bounds of one axis: an input since operator version 10, an attribute before. */
static int
read_list (PjOnnxIn *in, unsigned i, const char *name, int64_t values[PJ_MAX_RANK])
{
  int n = pj_onnx_in_const_ints (in, i, values, PJ_MAX_RANK);
  return n >= 0 ? n : pj_onnx_in_has_input (in, i) ? -1 : (int) pj_onnx_in_ints (in, name, values, PJ_MAX_RANK);
}

static gboolean
slice_axis (PjOnnxIn *in, PjSliceParams *p, const PjShape *x, int64_t axis, int64_t from, int64_t to, int64_t step, GError **error)
{
  if (axis < 0)
    axis += x->rank;
  if (axis < 0 || axis >= (int64_t) x->rank || step < 1)
    return pj_onnx_in_refuse (in, error, "axis %" G_GINT64_FORMAT " in steps of %" G_GINT64_FORMAT " is not possible", axis, step);
  /* The batch is free here: only what takes all of any batch can be left out. */
  if (axis == 0)
    return (from == 0 && to >= G_MAXINT32 && step == 1)
           || pj_onnx_in_refuse (in, error, "it takes some pictures of a batch only");
  int64_t size = x->dim[axis];
  from = CLAMP (from < 0 ? from + size : from, 0, size);
  to = CLAMP (to < 0 ? to + size : to, 0, size);
  if (to <= from)
    return pj_onnx_in_refuse (in, error, "it takes nothing of axis %" G_GINT64_FORMAT, axis);
  p->start[axis] = from;
  p->step[axis] = step;
  p->count[axis] = (to - from - 1) / step + 1;
  return TRUE;
}

static void
whole_slice (PjSliceParams *p, const PjShape *x)
{
  p->rank = x->rank;
  for (unsigned i = 0; i < x->rank; i++) {
    p->start[i] = 0;
    p->step[i] = 1;
    p->count[i] = x->dim[i];
  }
}

static gboolean
slice_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjSliceParams *p = params;
  int64_t from[PJ_MAX_RANK], to[PJ_MAX_RANK], axes[PJ_MAX_RANK], steps[PJ_MAX_RANK];
  PjShape x;
  int n = read_list (in, 1, "starts", from), n_to = read_list (in, 2, "ends", to);
  int n_axes = read_list (in, 3, "axes", axes), n_steps = read_list (in, 4, "steps", steps);

  if (!pj_onnx_in_shape (in, 0, &x) || n < 1 || n > PJ_MAX_RANK || n_to != n || (n_axes != 0 && n_axes != n) || (n_steps != 0 && n_steps != n))
    return pj_onnx_in_refuse (in, error, "only slices with stored bounds are supported");
  whole_slice (p, &x);
  for (int i = 0; i < n; i++)
    if (!slice_axis (in, p, &x, n_axes > 0 ? axes[i] : i, from[i], to[i], n_steps > 0 ? steps[i] : 1, error))
      return FALSE;
  pj_onnx_in_keep_inputs (in, 1);
  return TRUE;
}

static void
slice_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjSliceParams *p = node->params;
  int64_t from[PJ_MAX_RANK], to[PJ_MAX_RANK], axes[PJ_MAX_RANK], steps[PJ_MAX_RANK];
  unsigned n = 0;
  for (unsigned i = 1; i < p->rank; i++) {
    from[n] = p->start[i];
    to[n] = p->start[i] + (p->count[i] - 1) * p->step[i] + 1;
    axes[n] = i;
    steps[n++] = p->step[i];
  }
  pj_onnx_out_add_const_ints (out, "starts", from, n);
  pj_onnx_out_add_const_ints (out, "ends", to, n);
  pj_onnx_out_add_const_ints (out, "axes", axes, n);
  pj_onnx_out_add_const_ints (out, "steps", steps, n);
}

const PjOp pj_op_slice = {
  .name = "slice", .title = "Slice", .onnx_names = (const char *const[]) { "Slice", NULL },
  .params_size = sizeof (PjSliceParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_slice, .channels = channels_slice, .cut = cut_slice, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = slice_from_onnx, .to_onnx = slice_to_onnx,
};
