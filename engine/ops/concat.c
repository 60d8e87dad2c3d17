/* SPDX-License-Identifier: MIT */
/* Maps one after the other, usually along the channels. */
#include "ops/util.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjConcatParams *p = node->params;
  const PjShape *first = input_shape (graph, node, 0);
  int64_t sum = 0;

  if (first->rank < 2 || p->axis < 1 || p->axis >= (int) first->rank) {
    pj_op_shape_error (error, node, "maps of rank %u cannot be put together along axis %d", first->rank, p->axis);
    return FALSE;
  }
  for (unsigned k = 0; k < node->n_inputs; k++) {
    PjShape x = *input_shape (graph, node, k);
    gboolean is_param = pj_graph_value (graph, node->inputs[k])->kind == PJ_VALUE_PARAM;
    int64_t size = x.rank == first->rank ? x.dim[p->axis] : 0;
    x.dim[p->axis] = first->dim[p->axis];
    if (!pj_shape_equal (&x, first) || is_param || size > G_MAXINT32 - sum) {
      pj_op_shape_error (error, node, "its input “%s” does not fit the others", pj_graph_value (graph, node->inputs[k])->name);
      return FALSE;
    }
    sum += size;
  }
  outputs[0] = *first;
  outputs[0].dim[p->axis] = sum;
  return TRUE;
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  gboolean along = ((const PjConcatParams *) node->params)->axis == 1;
  int at = 0;
  for (unsigned k = 0; k < node->n_inputs; k++) {
    int c = (int) input_shape (graph, node, k)->dim[1];
    pj_channels_tie (channels, node->inputs[k], 1, 0, 1, node->outputs[0], 1, along ? at : 0, 1, c);
    at += c;
  }
}

/* More inputs than one call takes: the sum of the first ones is the first input of the next call. */
static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjGraph *graph = pj_lower_graph (l);
  const PjNode *node = pj_graph_node (graph, index);
  const PjConcatParams *p = node->params;
  PjShape shape = *input_shape (graph, node, 0);
  int before = -1;

  shape.dim[0] *= pj_lower_batch (l);
  shape.dim[p->axis] = 0;
  for (unsigned k = 0; k < node->n_inputs;) {
    int in[PJ_CALL_MAX_IN], n = 0;
    if (before >= 0)
      in[n++] = before;
    for (; n < PJ_CALL_MAX_IN && k < node->n_inputs; k++) {
      in[n++] = pj_lower_slot (l, node->inputs[k]);
      shape.dim[p->axis] += input_shape (graph, node, k)->dim[p->axis];
    }
    before = k == node->n_inputs ? pj_lower_output (l, index) : pj_lower_temp_shape (l, 0, shape);
    PjCall *call = pj_lower_call (l, PJ_KERNEL_CONCAT, index);
    call->concat = *p;
    call->out[0] = before;
    for (int i = 0; i < n; i++)
      call->in[i] = in[i];
  }
  return TRUE;
}

/* The part of the output's gradient that starts at @at. */
static PjView
part (PjLower *l, const PjNode *node, unsigned k, int64_t at)
{
  const PjGraph *graph = pj_lower_graph (l);
  const PjConcatParams *p = node->params;
  PjShape x = *input_shape (graph, node, k), y = pj_graph_value (graph, node->outputs[0])->shape;
  PjView view = { .rank = x.rank };
  int64_t step = 1;

  x.dim[0] *= pj_lower_batch (l);
  for (unsigned i = x.rank; i-- > 0;) {
    view.dim[i] = view.extent[i] = x.dim[i];
    view.stride[i] = step;
    if ((int) i == p->axis)
      view.offset = at * step;
    step *= y.dim[i];
  }
  return view;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjGraph *graph = pj_lower_graph (l);
  const PjNode *node = pj_graph_node (graph, index);
  const PjConcatParams *p = node->params;
  int dy = pj_lower_grad (l, index, FALSE);
  int64_t at = 0;

  for (unsigned k = 0; k < node->n_inputs; k++) {
    if (pj_lower_wants_grad (l, node->inputs[k])) {
      int dx = pj_lower_temp (l, node->inputs[k]);
      PjView view = part (l, node, k, at);
      PjCall *call = pj_lower_call (l, PJ_KERNEL_VIEW, index);
      call->view = view;
      call->in[0] = dy;
      call->out[0] = dx;
      pj_lower_add_grad (l, node->inputs[k], dx);
    }
    at += input_shape (graph, node, k)->dim[p->axis];
  }
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjConcatParams *p = params;
  PjShape x;
  int64_t axis = pj_onnx_in_int (in, "axis", 1);

  if (!pj_onnx_in_shape (in, 0, &x))
    return pj_onnx_in_refuse (in, error, "its input has no known shape");
  if (axis < 0)
    axis += x.rank;
  if (axis < 1 || axis >= (int64_t) x.rank)
    return pj_onnx_in_refuse (in, error, "axis is %" G_GINT64_FORMAT "; the pictures of a batch cannot be put together", axis);
  p->axis = (int) axis;
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_int (out, "axis", ((const PjConcatParams *) node->params)->axis);
}

const PjOp pj_op_concat = {
  .name = "concat", .title = "Concatenate", .onnx_names = (const char *const[]) { "Concat", NULL },
  .params_size = sizeof (PjConcatParams), .min_inputs = 1, .max_inputs = 1024, .zero = PJ_ZERO_KEEPS,
  .infer = infer, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = to_onnx,
};
