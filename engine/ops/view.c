/* SPDX-License-Identifier: MIT */
/* Operators that only move numbers: slice, transpose, constant padding, depth to space.  Each describes
 * its output as a strided view of its input (PjView); one kernel copies, one copies back. */
#include "ops/util.h"

#include <string.h>

typedef void (*ViewFunc) (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view);

/* Strides of row-major @shape in elements. */
static void
row_major (const PjShape *shape, int64_t stride[PJ_MAX_RANK])
{
  int64_t step = 1;
  for (unsigned i = shape->rank; i-- > 0;) {
    stride[i] = step;
    step *= shape->dim[i];
  }
}

/* The view that copies @y's shape from @x's front corner. */
static void
plain_view (const PjShape *x, const PjShape *y, PjView *view)
{
  memset (view, 0, sizeof *view);
  view->rank = y->rank;
  row_major (x, view->stride);
  for (unsigned i = 0; i < y->rank; i++)
    view->dim[i] = view->extent[i] = y->dim[i];
}

static void
view_slice (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view)
{
  const PjSliceParams *p = node->params;
  plain_view (x, y, view);
  for (unsigned i = 1; i < x->rank; i++) {
    view->offset += p->start[i] * view->stride[i];
    view->stride[i] *= p->step[i];
  }
}

static void
view_transpose (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view)
{
  const PjTransposeParams *p = node->params;
  PjView straight;
  plain_view (x, x, &straight);
  plain_view (x, y, view);
  for (unsigned i = 0; i < y->rank; i++)
    view->stride[i] = straight.stride[p->order[i]];
}

static void
view_pad (const PjNode *node, const PjShape *x, const PjShape *y, PjView *view)
{
  const PjPadParams *p = node->params;
  plain_view (x, y, view);
  view->fill = p->fill;
  for (unsigned i = 0; i < x->rank; i++) {
    view->before[i] = p->before[i];
    view->extent[i] = x->dim[i];
  }
}

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

static ViewFunc
view_of (const PjOp *op)
{
  return op == &pj_op_slice ? view_slice : op == &pj_op_transpose ? view_transpose : op == &pj_op_pad ? view_pad : view_space;
}

/* The view of a whole batch. */
static void
batch_view (PjLower *l, int index, PjView *view)
{
  const PjGraph *graph = pj_lower_graph (l);
  const PjNode *node = pj_graph_node (graph, index);
  PjShape x = *input_shape (graph, node, 0), y = pj_graph_value (graph, node->outputs[0])->shape;
  x.dim[0] *= pj_lower_batch (l);
  y.dim[0] *= pj_lower_batch (l);
  view_of (node->op) (node, &x, &y, view);
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjView view;
  batch_view (l, index, &view);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_VIEW, index);
  call->view = view;
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjView view;
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, FALSE);
  batch_view (l, index, &view);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_VIEW_BWD, index);
  call->view = view;
  call->in[0] = dy;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

/* --- slice --- */

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

/* --- transpose --- */

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

/* --- padding --- */

static gboolean
infer_pad (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjPadParams *p = node->params;
  outputs[0] = *input_shape (graph, node, 0);
  for (unsigned i = 0; i < outputs[0].rank; i++) {
    if (p->before[i] < 0 || p->after[i] < 0 || p->before[i] > 4096 || p->after[i] > 4096
        || (i == 0 && p->before[i] + p->after[i] != 0)) {
      pj_op_shape_error (error, node, "pads of %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT " in dimension %u are not possible",
                         p->before[i], p->after[i], i);
      return FALSE;
    }
    outputs[0].dim[i] += p->before[i] + p->after[i];
  }
  return TRUE;
}

/* Padded channels have no origin: they belong to whatever they are added to (spec/structure.md 4.8). */
static void
channels_pad (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjPadParams *p = node->params;
  int c = (int) input_shape (graph, node, 0)->dim[1];
  pj_channels_tie (channels, node->inputs[0], 1, 0, 1, node->outputs[0], 1, (int) p->before[1], 1, c);
  if (p->fill != 0)
    pj_channels_lock (channels, node->outputs[0], 1, index, "is padded with a value other than 0");
}

static void
cut_pad (PjGraph *graph, int index, const int *moved_in, const int *moved_out)
{
  PjPadParams *p = pj_graph_node_params (graph, index);
  const PjNode *node = pj_graph_node (graph, index);
  int64_t c = pj_graph_value (graph, node->outputs[0])->shape.dim[1], before = 0, after = 0;

  if (moved_out == NULL)
    return;
  for (int64_t k = 0; k < c; k++)
    if (moved_out[k] >= 0) {
      before += k < p->before[1];
      after += k >= c - p->after[1];
    }
  p->before[1] = before;
  p->after[1] = after;
}

static gboolean
pad_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjPadParams *p = params;
  int64_t pads[2 * PJ_MAX_RANK];
  PjShape x;
  int n = pj_onnx_in_const_ints (in, 1, pads, 2 * PJ_MAX_RANK);

  if (strcmp (pj_onnx_in_string (in, "mode", "constant"), "constant") != 0)
    return pj_onnx_in_refuse (in, error, "only padding with a constant is supported, not “%s”", pj_onnx_in_string (in, "mode", ""));
  if (n < 0 && !pj_onnx_in_has_input (in, 1))
    n = (int) pj_onnx_in_ints (in, "pads", pads, 2 * PJ_MAX_RANK);
  if (!pj_onnx_in_shape (in, 0, &x) || n != 2 * (int) x.rank || pj_onnx_in_has_input (in, 3))
    return pj_onnx_in_refuse (in, error, "only stored pads of all dimensions are supported");
  for (unsigned i = 0; i < x.rank; i++) {
    p->before[i] = pads[i];
    p->after[i] = pads[x.rank + i];
  }
  p->fill = (float) pj_onnx_in_float (in, "value", 0);
  if (pj_onnx_in_has_input (in, 2) && !pj_onnx_in_scalar (in, 2, &p->fill))
    return pj_onnx_in_refuse (in, error, "its value is computed at run time; only a stored one is supported");
  pj_onnx_in_keep_inputs (in, 1);
  return TRUE;
}

static void
pad_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjPadParams *p = node->params;
  unsigned rank = input_shape (graph, node, 0)->rank;
  int64_t pads[2 * PJ_MAX_RANK];
  for (unsigned i = 0; i < rank; i++) {
    pads[i] = p->before[i];
    pads[rank + i] = p->after[i];
  }
  pj_onnx_out_text (out, "mode", "constant");
  if (pj_onnx_out_opset (out) < 11) {
    pj_onnx_out_ints (out, "pads", pads, 2 * rank);
    pj_onnx_out_float (out, "value", p->fill);
    return;
  }
  pj_onnx_out_add_const_ints (out, "pads", pads, 2 * rank);
  pj_onnx_out_add_const_floats (out, "value", &p->fill, 0);
}

/* --- depth to space --- */

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

/* --- the members --- */

const PjOp pj_op_slice = {
  .name = "slice", .title = "Slice", .onnx_names = (const char *const[]) { "Slice", NULL },
  .params_size = sizeof (PjSliceParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_slice, .channels = channels_slice, .cut = cut_slice, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = slice_from_onnx, .to_onnx = slice_to_onnx,
};

const PjOp pj_op_transpose = {
  .name = "transpose", .title = "Transpose", .onnx_names = (const char *const[]) { "Transpose", NULL },
  .params_size = sizeof (PjTransposeParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_transpose, .channels = channels_transpose, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = transpose_from_onnx, .to_onnx = transpose_to_onnx,
};

const PjOp pj_op_pad = {
  .name = "pad", .title = "Pad", .onnx_names = (const char *const[]) { "Pad", NULL },
  .params_size = sizeof (PjPadParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_pad, .channels = channels_pad, .cut = cut_pad, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = pad_from_onnx, .to_onnx = pad_to_onnx,
};

const PjOp pj_op_depth_to_space = {
  .name = "depth_to_space", .title = "Depth to space", .onnx_names = (const char *const[]) { "DepthToSpace", NULL },
  .params_size = sizeof (PjSpaceParams), .min_inputs = 1, .max_inputs = 1, .zero = PJ_ZERO_KEEPS,
  .infer = infer_space, .channels = channels_space, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = space_from_onnx, .to_onnx = space_to_onnx,
};
